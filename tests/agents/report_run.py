"""A report over a small shelf with a model that writes what the evidence says; run as a program it can be
killed in its middle. Test material only."""

import asyncio
import json
import sys
from pathlib import Path

from agents.asker import Asker, open_asker
from agents.asking import Ask, Effort
from agents.events import Finished
from core.errors import ChatModelError
from core.seams import ChatDelta
from core.settings import Settings
from core.types import Hit, Scope, Stage, Usage
from retrieval.retriever import SearchResult
from tests.agents.doubles import chunk, letter_models, with_letters

REQUEST = "写一份关于 TM-20 的报告"
FACTS = (("保修", "TM-20 的保修期为 18 个月"), ("重量", "TM-20 的重量为 2.4 千克"), ("量程", "TM-20 的量程为 300 度"), ("电池", "TM-20 的电池可用 90 天"))
WRONG = {"保修": "TM-20 的保修期为 99 个月。[1]", "重量": "TM-20 的重量为 99 千克。[1]"}
REWRITTEN = " again"
SHELF = tuple(chunk(f"{fact}。", at, title, headings=(title,)) for at, (title, fact) in enumerate(FACTS))


def said(one) -> str:
    """What a report says of a chunk."""
    return one.text


class ShelfStore:
    """What of the shelf may be read; `gone` are ids of chunks that may not, any more."""

    def __init__(self) -> None:
        self.gone: set[str] = set()

    def get_chunks(self, scope, ids):
        return [one for one in SHELF if one.id in ids and one.id not in self.gone]

    def find_chunks(self, scope, where, limit):
        return []


class HeadingShelf:
    """Finds the chunk whose title the query holds first, and the others behind it."""

    def __init__(self) -> None:
        self.store = ShelfStore()

    def search(self, query, scope, limit):
        ranked = sorted(SHELF, key=lambda one: one.title not in query)
        if "登月" in query:
            ranked = []
        hits = tuple(Hit(one, 0.9 - at / 10, Stage.RERANKED, {}) for at, one in enumerate(ranked[:limit]))
        return SearchResult(hits, (query,), {"dense": 1.0}, {"similarity": 0.9})


class LibraryChat:
    """Says what stands in the evidence under the heading that is asked about; of the warranty something
    that does not beside it, and of the weight nothing else until it shall rewrite that. Notes each call in a
    file. `stalls`: never ends the last section."""

    name = "library"

    def __init__(self, folder: Path, *, stalls: bool = False, fails: bool = False) -> None:
        self._calls, self._stalls, self._fails = folder / "calls", stalls, fails

    async def stream(self, messages, options):
        if self._fails:
            raise ChatModelError("the model is gone")
        is_rewriting = len(messages) > 2
        asked = messages[1].content.rsplit("问题", 1)[1]
        one = next(one for one in SHELF if one.title in asked)
        with self._calls.open("a", encoding="utf-8") as file:
            file.write(f"{one.title}{REWRITTEN if is_rewriting else ''}\n")
        if self._stalls and one is SHELF[-1]:
            await asyncio.sleep(600)
        wrong = "" if is_rewriting else WRONG.get(one.title, "")
        right = "" if wrong and one.title == "重量" else f"{said(one)}[1]"
        yield ChatDelta(f"{right}{wrong}", Usage(10, 10, 1), "stop")

    async def structured(self, messages, schema, options):
        raise AssertionError("not asked for here")

    async def close(self) -> None:
        """Nothing to close."""


class Watched(Asker):
    """Keeps the allowance of the last question."""

    def context_of(self, *given):
        context = super().context_of(*given)
        self.allowance = context.allowance
        return context


async def open_reporter(folder: Path, chat):
    """An asker over the shelf, whose sessions lie in the folder."""
    settings = Settings(_env_file=None, data=folder, guard={"sufficient_at": 0.0, "quoted_at": 1.0})
    opened = await open_asker(HeadingShelf(), letter_models(), chat, settings, folder / "sessions.db")
    opened.__class__ = Watched
    return with_letters(opened)


async def main(folder: Path, *, stalls: bool) -> None:
    """Asks for the report and prints what came of it."""
    reporter = await open_reporter(folder, LibraryChat(folder, stalls=stalls))
    ask = Ask(REQUEST, Scope("default", frozenset({"ann"})), "ann", "s", Effort.DEEP)
    async for event in reporter.ask(ask):
        if isinstance(event, Finished):
            answer, spent = event.answer, reporter.allowance._calls
            told = {"route": answer.route, "sentences": len(answer.sentences), "calls": answer.usage.model_calls}
            print(json.dumps(told | {"counted": spent}))
    await reporter.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), stalls="stall" in sys.argv))
