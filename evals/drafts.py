"""Drafts of the built-in chat model: `python -m evals.drafts EVALS_FOLDER OUT.jsonl [--weighed] [--found]`.

Over passages of which it is known what they answer: claims as a small model really writes them, right ones
and wrong ones, where made claims only resemble them. The reader of pairs learns from those of questions that
nothing is reported on; with `--weighed` they are of the quarter that the check of answers is fitted on. One
line a draft; what a file already holds is not drafted again. Knows prompts and the model; knows nothing of
checking.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from agents.prompt_library import PromptLibrary
from app.chat_models import connect_chat
from app.services import Services
from core.seams import ChatModel, ChatOptions
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.text import Span, detect_language, split_sentences
from core.types import Chunk, Hit, Stage
from evals.draft_cases import DraftCase, draft_cases
from evals.learned_questions import json_lines
from retrieval.evidence import CutLimits, EvidenceCutter, Excerpt
from retrieval.token_cache import CachedTokenEmbedder

MAX_TOKENS = 110


@dataclass(frozen=True, slots=True)
class Drafted:
    """A case and what the model wrote."""

    case: DraftCase
    draft: str


async def write_drafts(
    cases: Sequence[DraftCase],
    path: Path,
    model: ChatModel,
    show: Callable[[DraftCase], Sequence[Excerpt]],
    on_progress: Callable[[str], None],
) -> None:
    """Drafts every case that the file does not hold yet; `show` gives what of it the model reads."""
    prompts = PromptLibrary()
    done = {drafted.case for drafted in read_drafts(path)} if path.exists() else set()
    for at, case in enumerate(cases, start=1):
        if case in done:
            continue
        asked = prompts.answer(case.question, show(case), detect_language(case.question))
        text = ""
        async with aclosing(model.stream(asked, ChatOptions(max_tokens=MAX_TOKENS))) as stream:
            async for delta in stream:
                text += delta.text
                if case.found and len(split_sentences(text)) > 1:
                    break  # of these the first sentence alone is read
        with path.open("a", encoding="utf-8") as out:
            out.write(json.dumps({**asdict(case), "draft": text}, ensure_ascii=False) + "\n")
        on_progress(f"draft {at} of {len(cases)}")


def read_drafts(path: Path) -> list[Drafted]:
    """The drafts of a file."""
    drafts = []
    for row in json_lines(path):
        groups = tuple(map(tuple, row["groups"]))
        found = row.get("found", False)
        case = DraftCase(row["source"], row["question"], tuple(row["passages"]), groups, found)
        drafts.append(Drafted(case, row["draft"]))
    return drafts


class Shown:
    """What of a case's passages the model reads: all, or as in the product what the cutter leaves."""

    def __init__(self, cutter: EvidenceCutter, limits: CutLimits) -> None:
        self._cutter, self._limits = cutter, limits

    def __call__(self, case: DraftCase) -> Sequence[Excerpt]:
        chunks = [Chunk(str(at), "", at, text, "", f"{at + 1}.txt") for at, text in enumerate(case.passages)]
        hits = [Hit(chunk, 1.0, Stage.FUSED) for chunk in chunks]
        if case.found:
            return self._cutter.cut(case.question, hits, self._limits)
        return [Excerpt(hit, (Span(0, len(hit.chunk.text)),)) for hit in hits]


async def _run(cases: Sequence[DraftCase], path: Path) -> None:
    settings = load_settings()
    services, retrieval = Services(settings), settings.retrieval
    limits = CutLimits(retrieval.evidence_tokens, retrieval.evidence_chunks)
    try:
        show = Shown(EvidenceCutter(CachedTokenEmbedder(services.token_embedder())), limits)
        async with connect_chat(services.chat_model) as model:
            told = partial(print, file=sys.stderr, flush=True)
            await write_drafts(cases, path, model, show, told)
    finally:
        await services.aclose()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.drafts")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weighed", action="store_true")
    parser.add_argument("--found", action="store_true", help="over passages as a search finds them too")
    given = parser.parse_args()
    silence_libraries()
    asyncio.run(_run(draft_cases(given.folder, given.weighed, given.found), given.out))


if __name__ == "__main__":
    main()
