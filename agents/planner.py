"""The chat model as planner, where rules do not decide: it chooses a way from a list and, for a question of
several parts, the questions to search for.

Its reply follows a JSON schema and is taken only when it brings nothing of its own, no name and no number,
and leaves no part out; else the plan of the rules stands. It chooses no tool and writes no arguments. Knows
the prompt and the model; knows nothing of searching.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from agents.allowance import tokens_of
from agents.asking import BUDGETS, Effort
from agents.context import AskContext
from agents.decompose import LONGEST, Parts, decompose
from agents.events import StatusChanged
from agents.guards.demands import met_share
from agents.guards.outgoing import strip_links
from agents.guards.question_guard import refusal_of
from agents.guards.speech_to_models import Speech, speech_of
from agents.keywords import segment_cover, segments
from agents.routing import UNDECIDED, Choice, Route, asks_one_fact
from core.errors import ChatModelError
from core.seams import ChatOptions
from core.text import detect_language
from core.types import Usage
from core.wording import chinese_names, codes, numbers
from retrieval.terms import split_terms

MAX_TOKENS = 240
LEFT_FOR_THE_DRAFT = 1
OF_THE_QUESTION = 0.5
"""Share of the words of a part that the question must hold, and of the question's that the parts must."""
BY_RULES = "by the rules"
_FIRST = re.compile(r"#1(?!\d)")
_SMALL = 10
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_WORD = re.compile(r"\b[^\W\d_][\w'’.-]*")
_BRACES = re.compile("[{}]")
# What asks for the name of a thing names nothing.
_ASKING_ZH = re.compile("名字|名称|名叫|叫做|具体|哪家|日期|时间|内容|情况")


@dataclass(frozen=True, slots=True)
class Planned:
    """The way, the parts where the model took the question apart, which plan it is (`note`, empty where only
    rules were asked), and what that took."""

    choice: Choice
    parts: Parts | None = None
    note: str = ""
    usage: Usage = Usage()
    timings_ms: dict[str, float] = field(default_factory=dict)


def ways_open(question: str, effort: Effort) -> tuple[Route, ...]:
    """The ways among which a model may choose for a question of this effort; who asks for one fact gets no
    report."""
    budget = BUDGETS[effort]
    hops = (Route.HOPS,) if Route.HOPS in budget.routes and budget.hops > 1 else ()
    is_report = Route.RESEARCH in budget.routes and not asks_one_fact(question)
    return (Route.SEARCH, *hops, *((Route.RESEARCH,) if is_report else ()))


def is_undecided(choice: Choice, question: str, effort: Effort) -> bool:
    """Whether the rules have no word on the way, or chose the hops and cannot take the question apart."""
    if len(question) > LONGEST:
        return False
    is_whole = choice.route is Route.HOPS and decompose(question, BUDGETS[effort].hops) is None
    return choice.why == UNDECIDED or is_whole


async def plan_by_model(
    choice: Choice, question: str, effort: Effort, context: AskContext, tell: Callable[[StatusChanged], None]
) -> Planned:
    """The model's plan for a question that stands by itself, or that of the rules with a note that says why.
    A failure of the model costs the plan alone, and the draft's own call tells of it if it lasts. `tell` is
    told when the model is asked, and only then."""
    ways, most = ways_open(question, effort), BUDGETS[effort].hops
    if len(ways) < 2 or not is_undecided(choice, question, effort):
        return Planned(choice)
    if _FIRST.search(question):  # its own words would be taken for the place of the name
        return Planned(choice)
    if context.allowance.calls_left <= LEFT_FOR_THE_DRAFT:
        return Planned(choice, note=f"plan: {BY_RULES}, the last call of the model is the draft's")
    messages = context.prompts.question_plan(question, ways, most, detect_language(question))
    tell(StatusChanged("planning", "model"))
    begun, asked = time.perf_counter(), Usage(round(tokens_of(messages)), 0, 1)
    try:
        value, usage = await asyncio.wait_for(
            context.chat_model.structured(messages, _schema(ways, most), ChatOptions(max_tokens=MAX_TOKENS)),
            context.chat.planner_timeout_s,
        )
    except TimeoutError:
        # The server has read it, and does not say any more how much that was.
        value, usage = f"no reply within {context.chat.planner_timeout_s:g} s", asked
    except ChatModelError as exc:
        value, usage = exc.message, Usage()
    timings = {"plan": round((time.perf_counter() - begun) * 1000, 1)}
    read = value if isinstance(value, str) else read_plan(value, question, ways, most)
    if isinstance(read, str):
        note = f"plan: {BY_RULES}, not by {context.chat_model.name}: {read}"
        return Planned(choice, None, note, usage, timings)
    route, parts = read
    note = f"plan: {route.value}, by {context.chat_model.name}"
    return Planned(Choice(route, "planned by the chat model"), parts, note, usage, timings)


def _schema(ways: tuple[Route, ...], most: int) -> dict:
    question = {"type": "string", "maxLength": LONGEST}
    return {
        "type": "object",
        "properties": {
            "route": {"enum": [way.value for way in ways]},
            "questions": {"type": "array", "items": question, "maxItems": most},
        },
        "required": ["route", "questions"],
        "additionalProperties": False,
    }


def read_plan(
    value: dict, question: str, ways: tuple[Route, ...], most: int
) -> tuple[Route, Parts | None] | str:
    """The way and the parts that a reply names, or why it is not taken: a server may not hold to the schema,
    and a model not to the question."""
    named, asked = value.get("route"), value.get("questions", [])
    if named not in [way.value for way in ways]:
        return "it names no way that is open"
    if named != Route.HOPS.value:
        return Route(named), None
    if not isinstance(asked, list) or not all(isinstance(one, str) for one in asked):
        return "its questions are no list of texts"
    texts = list(dict.fromkeys(" ".join(one.split()) for one in asked))
    if not 2 <= len(texts) <= most:
        return f"it has {len(texts)} questions, and 2 to {most} may be asked"
    is_chain = _FIRST.search(texts[1]) is not None
    if any(_FIRST.search(text) for text in (texts if not is_chain else [texts[0], *texts[2:]])):
        return "it refers to an answer that is not there"
    if is_chain and len(texts) > 2:
        return "a chain has two questions"
    bare = [_FIRST.sub(" ", text) for text in texts]
    if reason := next(filter(None, (_strange(text, question) for text in bare)), ""):
        return reason
    if reason := _left_out(bare, question):
        return reason
    if is_chain:
        # Braces would be taken for the place of the name.
        before, after = _FIRST.split(_BRACES.sub("", texts[1]), maxsplit=1)
        return Route.HOPS, Parts((texts[0],), f"{before}{{}}{_FIRST.sub('', after)}")
    return Route.HOPS, Parts(tuple(texts))


def _strange(part: str, question: str) -> str:
    """Why a part is not one of the question; empty when it is."""
    if len(part) > LONGEST or not segments(part):
        return "a question of it asks nothing"
    if detect_language(part) != detect_language(question):
        return "a question of it is in another language"
    if refusal_of(part) or speech_of(part) is Speech.ORDER or strip_links(part, question)[1]:
        return "a question of it gives orders or links"
    if new := _names(part) - _names(question) - set(split_terms(question)):
        return f"it names what the question does not: {', '.join(sorted(new))}"
    values = {value for value in numbers(part) if value >= _SMALL} | set(map(float, _DIGITS.findall(part)))
    if new := values - numbers(question) - set(map(float, _DIGITS.findall(question))):
        return f"it has numbers of its own: {', '.join(f'{value:g}' for value in sorted(new))}"
    covers = segment_cover(_ASKING_ZH.sub(" ", part), question)
    if detect_language(part) == "zh" and any(cover < OF_THE_QUESTION for cover in covers):
        return "a question of it has words that are not of the question"
    return "" if sum(covers) >= OF_THE_QUESTION * len(covers) else "a question of it is about something else"


def _names(text: str) -> set[str]:
    """What a text names by its form: codes, titles, and words with a capital that do not ask, as terms."""
    found = [word for word in _WORD.findall(text) if not any(map(str.isdigit, word))]
    capitals = [word for word in found if any(map(str.isupper, word))]
    words = {term for word in capitals for part in segments(word) for term in split_terms(part)}
    return codes(text) | chinese_names(text) | words


def _left_out(parts: list[str], question: str) -> str:
    together = " ".join(parts)
    covers = segment_cover(question, together)
    is_whole = sum(covers) >= OF_THE_QUESTION * len(covers)
    return "" if is_whole and met_share(question, together) == 1 else "it leaves a part of the question out"
