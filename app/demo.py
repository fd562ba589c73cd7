"""`make demo`: the whole way once, over the sample library, with the stage timings.

Asks one question in Chinese, one in English and one that the library cannot answer, and
checks what it prints: two cited answers whose quotes stand in the sources, one abstention.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.services import Services
from core.errors import AttestError
from core.logs import configure_logging
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.types import Answer, Scope, Status

LIBRARY = Path(__file__).resolve().parent.parent / "samples" / "library"
COLLECTION = "samples"
QUESTIONS = (
    ("在中国大陆购买的 TM-20，主机的保修期是多久？", Status.ANSWERED),
    ("How soon must a lost laptop be reported to the service desk?", Status.ANSWERED),
    ("公司员工的婚假有多少天？", Status.ABSTAINED),
)


class Stages:
    """Seconds of each stage, and since the start."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.started = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what happens inside."""
        begun = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begun

    def print(self) -> None:
        """One line a stage."""
        for name, seconds in self.seconds.items():
            print(f"    {name:<28}{seconds:6.1f} s")


def fetch_models(services: Services) -> None:
    """Downloads the default weights when they are not in the cache, and prepares the model."""
    from app.model_server.engine import prepare_model
    from app.weights.catalogue import CATALOGUE, CHAT

    for weights in (entry for entry in CATALOGUE if entry.default):
        path = services.weights().fetch(weights.name, on_progress=lambda text: print(f"    {text}"))
        if weights.kind == CHAT:
            prepare_model(path)


def ingest_library(services: Services) -> None:
    """Raises SystemExit when a file fails."""
    from ingest.pipeline import IngestRequest

    report = services.ingestor().ingest([LIBRARY], IngestRequest(collection=COLLECTION))
    print(f"    {report.added} added, {report.skipped} unchanged, {report.chunks} chunks")
    if report.failures:
        raise SystemExit(f"the sample library did not go in: {report.failures}")


async def ask(services: Services, question: str) -> Answer:
    """The answer; raises SystemExit when the question fails."""
    from agents.asking import Ask
    from agents.events import Failed, Finished

    asker = await services.asker()
    async for event in asker.ask(Ask(question, Scope(COLLECTION), owner="local")):
        if isinstance(event, Finished):
            return event.answer
        if isinstance(event, Failed):
            raise SystemExit(f"{event.message}. {event.remedy}")
    raise SystemExit("the question ended without an answer")


def print_answer(question: str, answer: Answer) -> None:
    """Question, answer, and the numbered quotes."""
    print(f"\n  Q  {question}\n  A  {answer.text}")
    for citation in answer.citations:
        page = f", page {citation.page}" if citation.page else ""
        print(f"     [{citation.marker}] {Path(citation.uri).name}{page}: “{citation.quote}”")
    first = answer.timings_ms.get("first_sentence")
    shown = f", first sentence after {first / 1000:.1f} s" if first else ""
    print(f"     {answer.status.value} in {answer.timings_ms['total'] / 1000:.1f} s{shown}")


def quotes_stand(services: Services, answer: Answer) -> bool:
    """Whether each quote is, letter by letter, where its citation says."""
    scope = Scope(COLLECTION)
    ids = [citation.chunk_id for citation in answer.citations]
    texts = {chunk.id: chunk.text for chunk in services.store().get_chunks(scope, ids)}
    return all(
        texts.get(c.chunk_id, "")[c.start : c.end] == c.quote and c.quote for c in answer.citations
    )


async def run_demo(services: Services) -> bool:
    """True when everything came out as it should."""
    stages = Stages()
    print("==> model weights")
    with stages.stage("model weights"):
        await asyncio.to_thread(fetch_models, services)
    print("==> ingesting samples/library")
    with stages.stage("ingest 12 documents"):
        await asyncio.to_thread(ingest_library, services)
    print("==> three questions")
    good = True
    for at, (question, expected) in enumerate(QUESTIONS, start=1):
        with stages.stage(f"question {at}"):
            answer = await ask(services, question)
        print_answer(question, answer)
        if at == 1:
            stages.seconds["start to first cited answer"] = time.perf_counter() - stages.started
        cited = bool(answer.citations) and quotes_stand(services, answer)
        good &= answer.status is expected and cited == (expected is Status.ANSWERED)
    print("\n==> timings")
    stages.print()
    return good


async def main() -> int:
    """0 when the demo came out right, 1 when an answer did not, 3 when something is missing."""
    silence_libraries()
    settings = load_settings()
    configure_logging(settings.log_level)
    services = Services(settings)
    try:
        good = await run_demo(services)
    except AttestError as exc:
        print(exc, file=sys.stderr)
        return 3
    finally:
        await services.aclose()
    if not good:
        print("\nAn answer is not as it should be: see above.", file=sys.stderr)
        return 1
    print(f"\n==> Now open the web page: make up   (the documents are in the collection {COLLECTION!r})")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
