"""kill -9 of a process that answers a question of ten steps, two of them with an effect, at random
moments, over and over until it is answered: is every effect had exactly once, and the answer the same?

`python -m bench.tool_kills --kills 200 --seed 1`. The graph, its checkpoints, the ledger of effects
and the approvals are the product's own, over real SQLite files. One tool appends to a file, the other
inserts into a table; neither is idempotent by itself, and both take their time before and after the
effect, so that kills fall in between. The process is forked from a server that has loaded the code.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from pathlib import Path

from agents.asker import Asker, Decided, open_asker
from agents.asking import Ask
from agents.events import Failed, Finished
from agents.guards.building import GuardModels
from agents.tools.approvals import Approvals, Decision
from agents.tools.audit import ToolAudit
from agents.tools.calculate import CalculateTool
from agents.tools.effects import EffectLedger
from agents.tools.invoker import ToolInvoker
from agents.tools.registry import ToolRegistry
from agents.tools.tool import EVERY_ROLE, ToolArguments, ToolCall, ToolResult
from core.database import open_database
from core.errors import ConflictError
from core.settings import Settings
from core.types import Scope, Status
from evals.record import write_result

OWNER, SESSION = "ann", "s"
QUESTION = "\n".join(
    [
        "/calculate 18% of 2,340", "/calculate 2+2", "/append order 12 chairs", "/calculate 三万五千的12%",
        "/calculate 5 km to metres", "/calculate 从2024-03-01到2025-01-15有多少天", "/insert tell the buyer",
        "/calculate 7*8", "/calculate 1/4", "/calculate 100 - 20%",
    ]
)  # fmt: skip
LONGEST_PAUSE_S = 0.04
UNKILLED = 3
BEFORE = "before the question was asked"
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["agents.asker", "agents.tools.calculate", "evals.record"])


class TextArguments(ToolArguments):
    """What to write down."""

    text: str


class WritingTool:
    """An effect that would be had twice by a second run, and a way to see whether it was had."""

    arguments = TextArguments
    effects = True
    reads_documents = False
    roles = EVERY_ROLE
    timeout_s = 0.0

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.descriptions = {"zh": name, "en": name}
        self._folder = folder

    async def run(self, arguments: TextArguments, call: ToolCall) -> ToolResult:
        """Pauses, writes and pauses."""
        await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_S))
        self.write(call.key, arguments.text)
        await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_S))
        return ToolResult(f"{self.name}: {arguments.text}")

    async def find_done(self, arguments: TextArguments, call: ToolCall) -> ToolResult | None:
        """By the key that was written with it."""
        known = call.key in (key for key, _ in self.written())
        return ToolResult(f"{self.name}: {arguments.text}") if known else None

    def write(self, key: str, text: str) -> None:
        """Durable when it returns."""
        raise NotImplementedError

    def written(self) -> list[tuple[str, str]]:
        """Keys and texts."""
        raise NotImplementedError


class AppendTool(WritingTool):
    """Lines of a file."""

    def write(self, key: str, text: str) -> None:
        """See `WritingTool`."""
        with open(self._folder / "lines.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps([key, text]) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def written(self) -> list[tuple[str, str]]:
        """See `WritingTool`."""
        path = self._folder / "lines.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [tuple(json.loads(line)) for line in lines]


class InsertTool(WritingTool):
    """Rows of a table without a key."""

    def write(self, key: str, text: str) -> None:
        """See `WritingTool`."""
        with self._opened() as connection:
            connection.execute("INSERT INTO notes VALUES (?, ?)", (key, text))

    def written(self) -> list[tuple[str, str]]:
        """See `WritingTool`."""
        with self._opened() as connection:
            return list(connection.execute("SELECT key, text FROM notes"))

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._folder / "notes.db")
        connection.execute("CREATE TABLE IF NOT EXISTS notes (key TEXT, text TEXT)")
        return connection


class NotAsked:
    """In the place of models and documents, which a run of tools needs none of."""

    fingerprint = "none"
    name = "none"


def writers(folder: Path) -> list[WritingTool]:
    """The two tools with effects."""
    return [AppendTool("append", folder), InsertTool("insert", folder)]


async def open_agent(folder: Path) -> tuple[Asker, Approvals]:
    """The product's asker over a folder."""
    settings, unused = Settings(_env_file=None, data=folder), NotAsked()
    asker = await open_asker(unused, GuardModels(unused, unused), unused, settings, folder / "sessions.db")
    engine = open_database(folder / "sessions.db")
    approvals = Approvals(engine)
    registry = ToolRegistry([CalculateTool(), *writers(folder)])
    audit = ToolAudit(engine, 1)
    asker.use_tools(ToolInvoker(registry, audit, EffectLedger(engine), approvals, settings.tools))
    return asker, approvals


def work(folder: Path) -> None:
    """What a process does: takes the turn up wherever it stands, and approves what waits."""
    asyncio.run(_work(folder))


async def _work(folder: Path) -> None:
    asker, approvals = await open_agent(folder)
    last = None
    while last is None or last.status is Status.WAITING:
        if waiting := approvals.waiting(OWNER):
            events = asker.decide(Decided(OWNER, "reader", waiting[0].id, Decision.APPROVED))
        elif (folder / "asked").exists():
            events = asker.resume(OWNER, SESSION, "reader")
        else:
            events = asker.ask(Ask(QUESTION, Scope("default"), OWNER, SESSION))
        last = await _end_of(events, folder)
    told = {"text": last.text, "status": last.status.value, "sentences": [s.text for s in last.sentences]}
    partial = folder / "answer.part"
    partial.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    partial.rename(folder / "answer.json")
    await asker.close()


async def _end_of(events, folder: Path):
    last = None
    try:
        async for event in events:
            # From the first event on there is a checkpoint, and so a turn to take up.
            (folder / "asked").touch()
            last = event
    except ConflictError:
        # Killed between the end of the turn and the note of its answer: it is in the session.
        return await _recorded(folder)
    if isinstance(last, Failed):
        raise SystemExit(f"{last.code}: {last.message}")
    assert isinstance(last, Finished)
    return last.answer


async def _recorded(folder: Path):
    from core.types import Answer, Label, Sentence, Verdict

    asker, _ = await open_agent(folder)
    [turn] = await asker.history(OWNER, SESSION)
    await asker.close()
    verdict = Verdict(Label.SUPPORTED, 1.0, "calculate")
    sentences = tuple(Sentence(text, (), verdict) for text in turn.answer.split("\n\n"))
    return Answer(turn.id, turn.status, turn.answer, sentences)


def run_for(folder: Path, seconds: float | None) -> tuple[bool, float]:
    """Whether the process was killed, and how long it ran."""
    process = _CONTEXT.Process(target=work, args=(folder,))
    begun = time.monotonic()
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
    if process.exitcode not in (0, -signal.SIGKILL):
        raise SystemExit(f"a run ended with {process.exitcode}")
    return process.exitcode != 0, time.monotonic() - begun


def stage_of(folder: Path) -> str:
    """How far a run was when it was killed, for the record."""
    if not (folder / "sessions.db").exists():
        return BEFORE
    with sqlite3.connect(folder / "sessions.db") as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if "tool_effects" not in tables:
            return BEFORE
        states = [row[0] for row in connection.execute("SELECT state FROM tool_effects ORDER BY written")]
    if "intended" in states:
        had = sum(len(tool.written()) for tool in writers(folder))
        return "effect had, not noted" if had > states.count("done") else "effect intended"
    return f"after {len(states)} of 2 effects"


def play(kills: int, seed: int, say) -> dict:
    """Rounds until so many kills have hit."""
    rng, stages, amiss = random.Random(seed), Counter(), []
    hit = rounds = 0
    whole: dict | None = None
    expected_s = 60.0
    while hit < kills or rounds < UNKILLED:
        folder = Path(tempfile.mkdtemp(prefix="attest-tools-"))
        # The first rounds are left alone: their answer is the one that all must come to, and the
        # quickest says how long a run takes.
        most = 0 if rounds < UNKILLED else rng.randint(1, 12)
        for _ in range(most):
            was_killed, _ = run_for(folder, rng.uniform(0.05, 1.0) * expected_s)
            if not was_killed:
                break
            stages[stage := stage_of(folder)] += 1
            hit += stage != BEFORE
        if not (folder / "answer.json").exists():
            _, took = run_for(folder, None)
            expected_s = min(expected_s, took) if most == 0 else expected_s
        answer = json.loads((folder / "answer.json").read_text("utf-8"))
        whole = whole or answer
        for tool in writers(folder):
            if len(tool.written()) != 1:
                amiss.append(f"round {rounds}: {tool.name} was had {len(tool.written())} times")
        if answer != whole:
            amiss.append(f"round {rounds}: another answer: {answer}")
        shutil.rmtree(folder)
        rounds += 1
        say(f"round {rounds}: {hit} kills, {len(amiss)} faults")
    return {
        "seed": seed, "kills": hit, "rounds": rounds, "effects": 2 * rounds, "killed_at": dict(stages),
        "seconds_unkilled": round(expected_s, 2), "amiss": amiss,
    }  # fmt: skip


def main() -> None:
    """Writes bench/results/tool_kills.json; exit code 1 when anything is amiss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    result = play(given.kills, given.seed, print)
    command = f"python -m bench.tool_kills --kills {given.kills} --seed {given.seed}"
    write_result("tool_kills", command, result)
    raise SystemExit(1 if result["amiss"] else 0)


if __name__ == "__main__":
    main()
