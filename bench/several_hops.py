"""Questions of several hops and reports over the sample library, by the rules and with the chat model as
planner: bench/results/several_hops.json.

`python -m bench.several_hops` after `make demo`. The file is written after each part, so that a run that ends
early leaves what it had. Knows the command line and the sample questions; the right
answers are judged as `attest eval answers` does.
"""

import argparse
import asyncio
import json
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from agents.asker import Asker
from agents.asking import Ask, Effort
from agents.events import Event, Finished, Retrieved
from app.library import Library
from app.services import Services
from core.errors import AttestError
from core.settings import ChatSettings, Settings, load_settings
from core.settings_effort import EffortSettings
from core.telemetry import silence_libraries
from core.types import Answer, Scope
from evals.answers import Row, measure, read_questions
from evals.record import write_result

QUESTIONS = Path(__file__).parents[1] / "samples" / "several-hops.jsonl"
REPORTS = (
    "请全面梳理 TM-20L，包括校准、保修和量产",
    "Write a report on the FS-85, including specifications, the firmware incident and loan units",
)
UNHURRIED_S = 7200.0
"""A machine with other work on it shall not decide which plans and answers come in time."""


async def ask_rows(services: Services, rows: Sequence[dict], collection: str) -> dict:
    """Each question in a session of its own: the report, and what was searched for. One that fails is
    counted as failed, and the others are asked all the same."""
    asker, done, asked = await services.asker(), [], {}
    for row in rows:
        events = await _events(asker, row["question"], Effort.STANDARD, collection)
        answer, error = _end(events)
        done.append(Row(row, answer, error))
        if answer is None:
            asked[row["id"]] = {"right": False, "error": error}
            print(f"{row['id']} FAILED {error}", file=sys.stderr)
            continue
        notes = [note for event in events if isinstance(event, Retrieved) for note in event.notes]
        plans = [note for note in dict.fromkeys(notes) if note.startswith("plan: ")]
        asked[row["id"]] = {
            "right": done[-1].right,
            "status": answer.status.value,
            "route": answer.route,
            "looked_for": list(answer.looked_for),
            "plan": next(iter(plans), ""),
            "text": answer.text,
        }
        print(f"{row['id']} {'ok ' if done[-1].right else 'BAD'} {asked[row['id']]}", file=sys.stderr)
    return {**measure(done), "questions": asked}


async def ask_reports(services: Services, collection: str) -> dict:
    """Each report as its reader gets it."""
    asker, found = await services.asker(), {}
    for request in REPORTS:
        answer, error = _end(await _events(asker, request, Effort.DEEP, collection))
        if answer is None:
            found[request] = {"error": error}
            continue
        found[request] = {
            "status": answer.status.value,
            "route": answer.route,
            "sections": answer.text.count("\n## ") - bool(answer.citations),
            "sentences": len(answer.sentences),
            "supported": sum(one.verdict.label.value == "supported" for one in answer.sentences),
            "withheld": len(answer.withheld),
            "model_calls": answer.usage.model_calls,
            "seconds": round(answer.timings_ms["total"] / 1000, 1),
            "text": answer.text,
        }
        print(answer.text, file=sys.stderr)
    return found


async def _events(asker: Asker, question: str, effort: Effort, collection: str) -> list[Event]:
    ask = Ask(question, Scope(collection), "evals", uuid.uuid4().hex, effort, keep=False)
    return [event async for event in asker.ask(ask)]


def _end(events: Sequence[Event]) -> tuple[Answer | None, str]:
    """The answer, or none and why."""
    last = events[-1]
    return (last.answer, "") if isinstance(last, Finished) else (None, str(last))


def unhurried(settings: Settings, planner: str) -> Settings:
    """The settings with that planner, and with time for all that is asked of the model."""
    times = dict.fromkeys(("planner_timeout_s", "timeout_s"), UNHURRIED_S)
    chat = ChatSettings(**settings.chat.model_dump() | {"planner": planner} | times)
    effort = EffortSettings(seconds=dict.fromkeys(("quick", "standard", "deep"), UNHURRIED_S))
    return settings.model_copy(update={"chat": chat, "effort": effort})


async def run(
    settings: Settings, collection: str, limit: int | None, tell: Callable[[dict], object]
) -> None:
    """Tells the figures so far after each part: the rules alone, the reports, the model as planner."""
    rows, figures = read_questions(QUESTIONS, limit), {"model": settings.chat.model}
    for planner in ("off", "model"):
        services = Services(unhurried(settings, planner))
        try:
            Library(services).require_collection(collection)
            figures[f"planner {planner}"] = await ask_rows(services, rows, collection)
            tell(figures)
            if planner == "off" and limit is None:
                figures["reports"] = await ask_reports(services, collection)
                tell(figures)
        finally:
            await services.aclose()


def main() -> None:
    """Asks with the chat model of the settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collection", default="samples")
    parser.add_argument("--limit", type=int, help="ask so many of the questions, and write nothing")
    asked = parser.parse_args()
    silence_libraries()
    settings = load_settings()

    def tell(figures: dict) -> None:
        if asked.limit is None:
            write_result("several_hops", "python -m bench.several_hops", figures)
        else:
            print(json.dumps(figures, ensure_ascii=False, indent=1))

    try:
        asyncio.run(run(settings, asked.collection, asked.limit, tell))
    except AttestError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
