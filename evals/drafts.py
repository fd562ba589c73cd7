"""Drafts of the built-in chat model: `python -m evals.drafts EVALS_FOLDER OUT.jsonl [--weighed]`.

Over passages of which it is known what they answer: claims as a small model really writes them, right ones
and wrong ones, where made claims only resemble them. The reader of pairs learns from those of questions that
nothing is reported on; with `--weighed` they are of the quarter that the check of answers is fitted on. One
line a draft; what a file already holds is not drafted again. Knows prompts and the model; knows nothing of
checking.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from agents.prompt_library import PromptLibrary
from app.chat_models import connect_chat
from app.services import Services
from core.seams import ChatModel, ChatOptions
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.text import Span, detect_language
from core.types import Chunk, Hit, Stage
from evals.datasets.changed_facts import answer_forms
from evals.learned_questions import (
    Asked,
    articles_among,
    asked_of,
    crop,
    flat,
    json_lines,
    learned_articles,
)
from evals.sufficiency_data import is_reported, is_weighed
from retrieval.evidence import Excerpt
from retrieval.terms import split_terms

SEED = 5
QUESTIONS = {"cmrc2018": 60, "drcd": 60, "xquad-en": 140, "xquad-zh": 90}
RGB_QUESTIONS = {"zh_refine": 60, "en_fact": 50, "zh_int": 25, "zh_fact": 30}
WEIGHED_SHARE = 0.4
"""So many of each for the check of answers."""
NEAR_SHARE, NOISE_SHARE = 0.5, 0.8
"""So often a near passage stands beside the one that answers; and passages that do not answer alone, for
questions of RGB and, for the check of answers, for those of articles that have a near passage."""
NEAR_CHARS, NOISE_CHARS, PASSAGE_CHARS = 400, 450, 600
MAX_TOKENS = 110


@dataclass(frozen=True, slots=True)
class DraftCase:
    """`groups` are strings of which each group must stand in a right answer; none where no passage
    answers. The first passage is the one that answers."""

    source: str
    question: str
    passages: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Drafted:
    """A case and what the model wrote."""

    case: DraftCase
    draft: str


def draft_cases(folder: Path, weighed: bool = False) -> list[DraftCase]:
    """What is asked, the same each time, in mixed order."""
    rng = random.Random(SEED)
    cases = [*_of_articles(folder, weighed, rng), *_of_rgb(folder / "rgb", weighed, rng)]
    rng.shuffle(cases)
    return cases


def _of_articles(folder: Path, weighed: bool, rng: random.Random) -> Iterator[DraftCase]:
    for name, count in QUESTIONS.items():
        articles = articles_among(folder, name, is_weighed) if weighed else learned_articles(folder, name)
        asked = [row for article in articles for row in asked_of(article)]
        for row in rng.sample(asked, min(_count(count, weighed), len(asked))):
            own, _ = crop(row.passage, row.span, rng)
            near = [_nearest(row)] if row.others and rng.random() < NEAR_SHARE else []
            yield DraftCase(name, row.question, (own, *near), ((row.answer,),))
            if weighed and near:
                yield DraftCase(name, row.question, tuple(near))


def _count(count: int, weighed: bool) -> int:
    return round(count * WEIGHED_SHARE) if weighed else count


def _nearest(row: Asked) -> str:
    terms = set(split_terms(row.question))
    best = max(row.others, key=lambda text: len(terms & set(split_terms(text))) / (1 + len(text) ** 0.3))
    return best[:NEAR_CHARS]


def _of_rgb(folder: Path, weighed: bool, rng: random.Random) -> Iterator[DraftCase]:
    for part, count in RGB_QUESTIONS.items():
        rows = list(json_lines(folder / f"{part}.dev.jsonl"))
        rows = [r for r in rows if (is_weighed(r["query"]) if weighed else not is_reported(r["query"]))]
        for row in rng.sample(rows, min(_count(count, weighed), len(rows))):
            right, wrong = flat(row["positive"]), flat(row["negative"])
            groups = tuple(map(tuple, answer_forms(row["answer"])))
            if right:
                yield DraftCase(f"rgb-{part}", row["query"], (right[0][:PASSAGE_CHARS],), groups)
            if wrong and rng.random() < NOISE_SHARE:
                yield DraftCase(f"rgb-{part}", row["query"], tuple(text[:NOISE_CHARS] for text in wrong[:2]))


async def write_drafts(
    cases: Sequence[DraftCase], path: Path, model: ChatModel, on_progress: Callable[[str], None]
) -> None:
    """Drafts every case that the file does not hold yet."""
    prompts = PromptLibrary()
    done = {drafted.case for drafted in read_drafts(path)} if path.exists() else set()
    for at, case in enumerate(cases, start=1):
        if case in done:
            continue
        asked = prompts.answer(case.question, _excerpts(case.passages), detect_language(case.question))
        stream = model.stream(asked, ChatOptions(max_tokens=MAX_TOKENS))
        text = "".join([delta.text async for delta in stream])
        with path.open("a", encoding="utf-8") as out:
            out.write(json.dumps({**asdict(case), "draft": text}, ensure_ascii=False) + "\n")
        on_progress(f"draft {at} of {len(cases)}")


def read_drafts(path: Path) -> list[Drafted]:
    """The drafts of a file."""
    found = []
    for row in json_lines(path):
        groups = tuple(map(tuple, row["groups"]))
        case = DraftCase(row["source"], row["question"], tuple(row["passages"]), groups)
        found.append(Drafted(case, row["draft"]))
    return found


def _excerpts(passages: Sequence[str]) -> list[Excerpt]:
    chunks = [Chunk(str(at), "", at, text, "", f"{at + 1}.txt") for at, text in enumerate(passages)]
    return [Excerpt(Hit(chunk, 1.0, Stage.FUSED), (Span(0, len(chunk.text)),)) for chunk in chunks]


async def _run(cases: Sequence[DraftCase], path: Path) -> None:
    services = Services(load_settings())
    try:
        async with connect_chat(services.chat_model) as model:
            await write_drafts(cases, path, model, lambda line: print(line, file=sys.stderr, flush=True))
    finally:
        await services.aclose()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.drafts")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weighed", action="store_true")
    given = parser.parse_args()
    silence_libraries()
    asyncio.run(_run(draft_cases(given.folder, given.weighed), given.out))


if __name__ == "__main__":
    main()
