"""Does it pay to let a chat model write the queries? `python -m evals.rewriting RGB_FOLDER`.

Follow-ups over the sample library (samples/follow-ups.jsonl, in the collection `samples`):
as asked, put together with the question before by rule, rewritten by the model. Questions
of several facts (RGB, Chinese) over their passages: as asked, in sub-questions by the
model. Measured is the share of answers that the evidence for the prompt holds, and what the
model calls cost. Writes bench/results/rewriting.json. The model writes lines, not JSON:
held to a schema, the built-in one fills its reply with blanks.
"""

import argparse
import asyncio
import json
import re
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from agents.follow_ups import standalone_query
from agents.several_facts import asks_several_facts
from app.services import Services
from core.seams import ChatModel, ChatOptions, Message
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.text import detect_language
from core.types import Hit, Scope
from evals.answers import given_passages, matches, read_questions
from evals.datasets.spans import answer_rows, read_rgb
from evals.record import write_result
from retrieval.copies import drop_copies
from retrieval.evidence import CutLimits, EvidenceCutter, estimate_tokens
from retrieval.retriever import Retriever
from retrieval.token_cache import CachedTokenEmbedder

FOLLOW_UPS = Path("samples/follow-ups.jsonl")
LIMITS = CutLimits(450, 6)
HITS = 8
OPTIONS = ChatOptions(max_tokens=160)
REWRITE = {
    "zh": "把对话中的最后一个问题改写成一个不看前文也能懂的完整问题："
    "补全省略的主语和对象，不改变意思，不回答。如果它本来就完整，原样返回。",
    "en": "Rewrite the last question of a conversation so that it can be understood without what came "
    "before: fill in the subject and object left out, change no meaning, do not answer. If it is complete "
    "already, return it as it is.",
}
SPLIT = {
    "zh": "把问题拆成两到三个可以单独搜索的简单问题，每个只问一件事，写全主语、时间和对象，不回答。",
    "en": "Split the question into two or three simple questions that can be searched for one by one. "
    "Each asks for one fact and names its subject, time and object in full. Do not answer.",
}
FORM = {
    "zh": "只写问题，每行一个，不编号，不解释。",
    "en": "Write the questions alone, one a line, without numbers or explanations.",
}
_NUMBERING = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.、)]|(?:改写|问题|Question)[^:：]{0,6}[:：])\s*")


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote, how long it took and what it read."""

    queries: tuple[str, ...]
    seconds: float
    prompt_tokens: int


class QueryWriter:
    """Asks the chat model for queries."""

    def __init__(self, chat_model: ChatModel) -> None:
        self._chat_model = chat_model

    async def rewrite(self, row: dict) -> Written:
        """The last question of a conversation on its own; a small model repeats those before it."""
        language = detect_language(row["question"])
        talk = "\n".join([*row["earlier"], row["question"]])
        written = await self._ask(REWRITE[language], talk, len(row["earlier"]) + 1)
        return Written(written.queries[-1:], written.seconds, written.prompt_tokens)

    async def split(self, row: dict) -> Written:
        """Sub-questions of a question."""
        return await self._ask(SPLIT[detect_language(row["question"])], row["question"], 3)

    async def _ask(self, task: str, text: str, most: int) -> Written:
        begun = time.perf_counter()
        reply, tokens = "", 0
        messages = [Message("system", f"{task}\n{FORM[detect_language(text)]}"), Message("user", text)]
        async with aclosing(self._chat_model.stream(messages, OPTIONS)) as deltas:
            async for delta in deltas:
                reply += delta.text
                tokens += delta.usage.prompt_tokens if delta.usage else 0
        lines = [_NUMBERING.sub("", line).strip() for line in reply.splitlines()]
        found = [line for line in lines if line][:most] or [text.splitlines()[-1]]
        return Written(tuple(found), round(time.perf_counter() - begun, 2), tokens)


class Evidence:
    """What a prompt would hold for a question and its queries."""

    def __init__(self, retriever: Retriever, cutter: EvidenceCutter) -> None:
        self._retriever = retriever
        self._cutter = cutter

    def of(self, scored_by: str, queries: Sequence[str], scope: Scope) -> str:
        """Hits of all queries in turn, cut by the sentence's nearness to `scored_by`."""
        lists = [self._retriever.search(query, scope, HITS).hits for query in queries]
        merged = drop_copies(take_in_turn(lists))[: HITS * 2]
        return "\n".join(e.text for e in self._cutter.cut(scored_by, merged, LIMITS))

    def of_each(self, queries: Sequence[str], scope: Scope) -> str:
        """Each query's own evidence, from its share of the budget."""
        share = CutLimits(LIMITS.tokens / len(queries), LIMITS.chunks)
        lists = [drop_copies(self._retriever.search(query, scope, HITS).hits) for query in queries]
        pairs = zip(queries, lists, strict=True)
        return "\n".join(e.text for query, hits in pairs for e in self._cutter.cut(query, hits, share))


def take_in_turn(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """The first of each list, then the second of each; a chunk once."""
    longest = max(map(len, lists), default=0)
    turns = [hits[at] for at in range(longest) for hits in lists if at < len(hits)]
    return list({hit.chunk.id: hit for hit in turns}.values())


async def follow_ups(writer: QueryWriter, evidence: Evidence, scope: Scope) -> dict:
    """Each way to search for a follow-up."""
    rows = read_questions(FOLLOW_UPS)
    written = [await writer.rewrite(row) for row in rows]
    ways: dict[str, Callable[[int], str]] = {
        "as asked": lambda at: rows[at]["question"],
        "by rule": lambda at: standalone_query(rows[at]["question"], rows[at]["earlier"]),
        "by model": lambda at: written[at].queries[0],
    }
    report = {}
    for name, query_of in ways.items():
        queries = [query_of(at) for at in range(len(rows))]
        texts = [evidence.of(query, [query], scope) for query in queries]
        report[name] = _report(rows, texts)
    return report | {"model": _cost(written), "queries": [w.queries[0] for w in written]}


async def several_facts(writer: QueryWriter, evidence: Evidence, services: Services, folder: Path) -> dict:
    """Each way to search for a question of several facts."""
    rows = list(answer_rows(read_rgb(folder, "zh_int", negatives=12), "int"))
    for row in rows:
        row["id"] = "all"  # one scope: each question searches the passages of all
    together = [{**rows[0], "passages": list(dict.fromkeys(p for row in rows for p in row["passages"]))}]
    written = [await writer.split(row) for row in rows]
    with given_passages(services, together) as scopes:
        scope = scopes["all"]
        texts = {
            "as asked": [evidence.of(r["question"], [r["question"]], scope) for r in rows],
            "by model, scored by the whole question": [
                evidence.of(r["question"], [r["question"], *w.queries], scope)
                for r, w in zip(rows, written, strict=True)
            ],
            "by model, each with its share": [evidence.of_each(w.queries, scope) for w in written],
        }
    report = {name: _report(rows, kept) for name, kept in texts.items()}
    ruled = sum(asks_several_facts(row["question"]) for row in rows)
    return report | {"model": _cost(written), "known by rule": ruled, "queries": [w.queries for w in written]}


def _report(rows: Sequence[dict], texts: Sequence[str]) -> dict:
    """`facts`: share of the groups of strings that the evidence holds; `questions`: all of them."""
    pairs = list(zip(rows, texts, strict=True))
    facts = [matches(text, [group]) for row, text in pairs for group in row["must_match"]]
    return {
        "n": len(rows),
        "facts": round(statistics.mean(facts), 4),
        "questions": round(statistics.mean(matches(t, r["must_match"]) for r, t in pairs), 4),
        "tokens": round(statistics.mean(estimate_tokens(text) for text in texts)),
        "missed": [row["question"] for row, text in pairs if not matches(text, row["must_match"])],
    }


def _cost(written: Sequence[Written]) -> dict:
    return {
        "median_s": statistics.median(w.seconds for w in written),
        "prompt_tokens": round(statistics.mean(w.prompt_tokens for w in written)),
    }


async def main() -> None:
    """Reads the command line, measures and writes."""
    parser = argparse.ArgumentParser(prog="python -m evals.rewriting")
    parser.add_argument("rgb", type=Path)
    parser.add_argument("--collection", default="samples")
    arguments = parser.parse_args()
    silence_libraries()
    services = Services(load_settings())
    parts: dict[str, Awaitable[dict]] = {}
    try:
        cutter = EvidenceCutter(CachedTokenEmbedder(services.token_embedder()))
        evidence = Evidence(services.retriever(), cutter)
        writer = QueryWriter(services.chat_model())
        parts = {
            "follow-ups": await follow_ups(writer, evidence, Scope(arguments.collection)),
            "several facts": await several_facts(writer, evidence, services, arguments.rgb),
        }
    finally:
        await services.aclose()
    print(json.dumps(parts, ensure_ascii=False, indent=1))
    write_result("rewriting", "python -m evals.rewriting RGB_FOLDER", parts)


if __name__ == "__main__":
    asyncio.run(main())
