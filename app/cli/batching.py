"""`attest batch`: many questions from a file, the answers into another one."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.asking import AssistantName, Effort, OneCollection, Policy, check_choices, in_loop
from app.cli.group import EXIT_NOTHING_DONE, EXIT_PART_FAILED
from app.cli.options import EXIT_CODES, Config, Data, Json, Readers
from app.cli.output import Output
from core.errors import AttestError, BusyError, ServiceError

if TYPE_CHECKING:
    from app.batch_file import BatchLine, BatchOutput
    from app.cli.backend import Backend, Question

STATUSES = ("answered", "partial", "abstained", "waiting", "failed")
STOP_AFTER = 5
"""Outages in a row: then something that all questions need is gone."""
BUSY_WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0)
"""How long a question waits before it is asked again, where as many are asked as may be."""
LINE_EVERY_S = 10.0
SHOWN_FAULTS = 5


def add_commands(root: typer.Typer) -> None:
    """Adds the commands of this file."""
    root.command("batch", epilog=EXIT_CODES)(batch)


def batch(
    questions: Annotated[
        Path, typer.Argument(help='Lines of JSON: {"id": "…", "question": "…"}.', metavar="IN.jsonl")
    ],
    answers: Annotated[Path, typer.Argument(help="Gets a line for each of them.", metavar="OUT.jsonl")],
    workers: Annotated[int, typer.Option("--workers", min=1, max=32, help="Questions asked at once.")] = 2,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again what failed, whatever the reason.")
    ] = False,
    effort: Effort = "",
    policy: Policy = "",
    assistant: AssistantName = None,
    collection: OneCollection = "",
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask the questions of a file. A run that broke off goes on when it is started again."""
    from app.batch_file import BatchOutput, read_lines
    from app.cli.backend import open_backend

    out = Output(as_json)
    check_choices(effort, policy)
    given = {
        "effort": effort, "policy": policy, "collection": collection, "assistant": assistant,
        "readers": list(reader) if reader else None,
    }  # fmt: skip
    lines = read_lines(questions, {name: value for name, value in given.items() if value not in ("", None)})
    begun = time.monotonic()
    with closing(BatchOutput(answers)) as output:
        todo = output.begin(lines, retry_failed)
        _note_faults(out, todo)
        run = BatchRun(output, out, len(lines), len(todo))
        if todo:
            in_loop(open_backend(data, config), lambda backend: run.ask_all(backend, todo, workers))
        counts = output.finish()
    summary = {"questions": len(lines), "asked": len(todo), "kept": len(lines) - len(todo)}
    summary |= {status: counts.get(status, 0) for status in STATUSES}
    summary |= {"seconds": round(time.monotonic() - begun, 1), "file": str(answers)}
    out.give(summary, _show_summary)
    if failed := summary["failed"]:
        raise typer.Exit(EXIT_NOTHING_DONE if failed == len(lines) else EXIT_PART_FAILED)


class BatchRun:
    """Asks the lines of one run, some at once, and writes down what becomes of each."""

    def __init__(self, output: "BatchOutput", out: Output, total: int, todo: int) -> None:
        self._output, self._out = output, out
        self._total, self._done = total, total - todo
        self._told = time.monotonic()
        self._outages = self._refused = 0
        self._stopped: AttestError | None = None

    async def ask_all(self, backend: "Backend", lines: Sequence["BatchLine"], workers: int) -> None:
        """Raises ServiceError when what all of them need is gone; what was answered is written down."""
        left = iter(lines)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(workers, len(lines))):
                group.create_task(self._work(backend, left))
        self._out.clear_status()
        if self._stopped is not None:
            raise self._stopped

    async def _work(self, backend: "Backend", left: Iterator["BatchLine"]) -> None:
        for line in left:
            try:
                await self._do(backend, line)
            except AttestError as exc:
                self._stopped = exc
            if self._stopped is not None:
                return

    async def _do(self, backend: "Backend", line: "BatchLine") -> None:
        if line.error is not None:
            self._write(line, {"error": _render(line.error)})
            return
        try:
            answer = await _answer(backend, _question(line))
        except AttestError as exc:
            self._write(line, {"error": _render(exc)})
            self._refused += 1
            if self._refused <= SHOWN_FAULTS:
                self._out.note(f"line {line.line}: {exc}")
            self._outages = self._outages + 1 if exc.retryable else 0
            if self._outages >= STOP_AFTER:
                raise ServiceError(
                    f"stopped after {STOP_AFTER} outages in a row: {exc.message}",
                    remedy=f"{exc.remedy or 'run: attest doctor'}; then run the same command again: "
                    "it goes on from here",
                ) from exc
            return
        self._outages = 0
        self._write(line, {"answer": answer})
        # One that waits for an approval goes on from its session.
        if answer["status"] != "waiting":
            await self._forget(backend, answer["session_id"])

    async def _forget(self, backend: "Backend", session_id: str) -> None:
        """The questions of a batch are no conversations, which a user would look for in the list."""
        try:
            await backend.forget_session(session_id)
        except AttestError as exc:
            self._out.note(f"the session {session_id} stays: {exc}")

    def _write(self, line: "BatchLine", result: dict) -> None:
        self._output.append(line, result)
        self._done += 1
        self._out.status(f"{self._done}/{self._total} questions")
        if time.monotonic() - self._told >= LINE_EVERY_S:
            self._told = time.monotonic()
            self._out.note(f"{self._done}/{self._total} questions")


async def _answer(backend: "Backend", question: "Question") -> dict:
    """The answer; it is asked again where the API takes no more questions for the moment."""
    for wait_s in BUSY_WAITS_S:
        try:
            return await _last_event(backend, question)
        except BusyError:
            await asyncio.sleep(wait_s)
    return await _last_event(backend, question)


async def _last_event(backend: "Backend", question: "Question") -> dict:
    from app.cli.backend import failed_turn

    async with aclosing(backend.ask(question)) as events:
        async for name, payload in events:
            if name == "finished":
                return payload
            if name == "failed":
                raise failed_turn(payload)
    raise RuntimeError("the backend ended without a last event")


def _question(line: "BatchLine") -> "Question":
    from app.cli.backend import Question

    asked = line.asked
    return Question(
        asked["question"],
        asked.get("collection") or "",
        asked.get("readers"),
        effort=asked.get("effort") or "",
        policy=asked.get("policy") or "",
        assistant=asked.get("assistant"),
        keep=False,
    )


def _render(error: AttestError) -> dict:
    return {
        "code": error.code, "message": error.message, "remedy": error.remedy, "retryable": error.retryable,
    }  # fmt: skip


def _note_faults(out: Output, lines: Sequence["BatchLine"]) -> None:
    """Lines that cannot be asked are told before the others take their time."""
    faults = [line.error for line in lines if line.error is not None]
    for fault in faults[:SHOWN_FAULTS]:
        out.note(str(fault))
    if (more := len(faults) - SHOWN_FAULTS) > 0:
        out.note(f"and {more} more lines that cannot be asked")


def _show_summary(out: Output, summary: dict) -> None:
    parts = ", ".join(f"{summary[status]} {status}" for status in STATUSES if summary[status])
    out.line(f"{summary['questions']} questions: {parts or 'none'}  ({summary['file']})")
    if summary["kept"]:
        out.line(f"{summary['kept']} of them were answered by an earlier run.")
