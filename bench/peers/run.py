"""One interleaved run of all systems over the same passages and questions.

`python -m bench.peers.run --data FOLDER_OF_PUBLIC_SETS` (or `make bench-peers`). Every
system lives in a process of its own and they are asked in turn, in an order that rotates,
so that whatever else the machine does falls on all of them alike. Knows the order of the
work; processes, data and arithmetic lie in the files beside it.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.peers import figures
from bench.peers.figures import Asked, Encoded, rank_of
from bench.peers.libraries import LIBRARY_OF_SET, Plan, Question, Size, read_plan
from bench.peers.workers import ROOT, Worker, WorkerCommand, rotated, time_cold_start, worker_environment
from core.paths import weights_dir
from core.settings import load_settings
from evals.record import spread, write_result

OURS = "attest"
PEERS = ("haystack", "llama_index", "langchain", "langchain_milvus")
WITH_FOLDER = (OURS, "langchain_milvus")
BLOCK = 50
HITS = 10
COLD_LIBRARY = "en"
COMPARED_VECTORS = 40


@dataclass(frozen=True, slots=True)
class Measured:
    """The raw outcome of a run."""

    asked: list[Asked]
    encoded: list[Encoded]
    blocks: list[dict]
    about: dict[str, dict]
    memory: dict[str, dict]
    agreement: dict[str, dict]


def commands(names: Sequence[str], python: str, model: Path, work: Path) -> list[WorkerCommand]:
    """How each system is started; those that keep files get a folder of their own."""
    found = []
    for name in names:
        arguments = () if name == OURS else (str(model),)
        if name in WITH_FOLDER:
            arguments = (*arguments, str(work / name))
        module = f"bench.peers.systems.{name}"
        found.append(WorkerCommand(name, sys.executable if name == OURS else python, module, arguments))
    return found


def prepare_model(python: str, work: Path) -> Path:
    """The folder that the others load the model from, made when it is not there."""
    folder = work / "multilingual-e5-small"
    if not (folder / "modules.json").exists():
        weights = weights_dir(load_settings().cache)
        words = [python, "-m", "bench.peers.e5_folder", str(weights), str(folder)]
        subprocess.run(words, cwd=ROOT, env=worker_environment(os.environ), check=True)
    return folder


def measure(started: Sequence[WorkerCommand], plan: Plan, work: Path) -> Measured:
    """Indexes and asks; leaves saved libraries behind for the cold starts."""
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(c, work / f"{c.name}.log")) for c in started]
        greetings = {worker.name: worker.receive() for worker in workers}
        say(f"{len(workers)} systems are ready")
        blocks = index_libraries(workers, plan)
        step = max(1, len(plan.questions) // COMPARED_VECTORS)
        texts = [question.text for question in plan.questions[::step]]
        agreeing = compare_vectors(workers, texts)
        asked, encoded = ask_questions(workers, plan.questions, {n: g["ways"] for n, g in greetings.items()})
        memory = {worker.name: worker.ask({"do": "stats"}) for worker in workers}
        for worker in workers:
            folder = work / "saved" / worker.name
            folder.mkdir(parents=True, exist_ok=True)
            worker.ask({"do": "save", "library": COLD_LIBRARY, "folder": str(folder)})
    about = {name: {**greeting["about"], "ways": greeting["ways"]} for name, greeting in greetings.items()}
    return Measured(asked, encoded, blocks, about, memory, agreeing)


def index_libraries(workers: Sequence[Worker], plan: Plan) -> list[dict]:
    """Block by block, each block by each system before the next one."""
    blocks = []
    for library, passages in plan.libraries.items():
        for turn, start in enumerate(range(0, len(passages), BLOCK)):
            part = [asdict(passage) for passage in passages[start : start + BLOCK]]
            for worker in rotated(workers, turn):
                spent = worker.ask({"do": "index", "library": library, "passages": part})
                blocks.append({"system": worker.name, "library": library, "texts": len(part), **spent})
            say(f"{library}: {start + len(part)} of {len(passages)} passages")
        for worker in workers:
            spent = worker.ask({"do": "finish", "library": library})
            blocks.append({"system": worker.name, "library": library, "texts": 0, **spent})
    return blocks


def compare_vectors(workers: Sequence[Worker], texts: Sequence[str]) -> dict[str, dict]:
    """Cosines of each system's question vectors with ours: is it the same model?"""
    message = {"do": "encode", "questions": list(texts)}
    vectors = {worker.name: np.array(worker.ask(message)["vectors"]) for worker in workers}
    if OURS not in vectors:
        return {}
    return {n: figures.agreement(vectors[OURS], v) for n, v in vectors.items() if n != OURS}


def ask_questions(
    workers: Sequence[Worker], questions: Sequence[Question], ways: dict[str, list[str]]
) -> tuple[list[Asked], list[Encoded]]:
    """Each question of each system in turn, in each of its ways."""
    asked: list[Asked] = []
    encoded: list[Encoded] = []
    for turn, question in enumerate(questions):
        for worker in rotated(workers, turn):
            message = {"do": "query", "library": question.library, "question": question.text, "limit": HITS}
            reply = worker.ask({**message, "ways": rotated(ways[worker.name], turn)})
            encoded.append(Encoded(worker.name, **reply["encode"]))
            for way, found in reply["ways"].items():
                rank = rank_of(question.gold, found["ids"])
                asked.append(
                    Asked(
                        question.set, question.library, question.id, worker.name, way,
                        rank, found["wall_ms"], found["cpu_ms"],
                    )  # fmt: skip
                )
        if turn % 20 == 19:
            say(f"{turn + 1} of {len(questions)} questions")
    return asked, encoded


def cold_starts(started: Sequence[WorkerCommand], about: dict, plan: Plan, work: Path, runs: int) -> dict:
    """Seconds to the first hits of a fresh process, after one round that does not count."""
    question = next(q for q in plan.questions if q.library == COLD_LIBRARY)
    target = {"library": COLD_LIBRARY}
    seconds: dict[str, list[dict]] = {command.name: [] for command in started}
    for turn in range(runs + 1):
        for command in rotated(started, turn):
            name = command.name
            opening = {"do": "open", **target, "folder": str(work / "saved" / name)}
            ways = about[name]["ways"][:1]
            query = {"do": "query", **target, "question": question.text, "ways": ways, "limit": HITS}
            seconds[name].append(time_cold_start(command, opening, query, work / f"{name}.log"))
        say(f"cold start {turn} of {runs}")
    return {
        name: {key: spread([run[key] for run in runs_of[1:]]) for key in ("first_hit_s", "ready_s")}
        for name, runs_of in seconds.items()
        if runs
    }


def report(measured: Measured, plan: Plan, size: Size) -> dict:
    """The result file without the cold starts."""
    own_way = measured.about.get(OURS, {}).get("default_way", "")
    encoded = figures.grouped(measured.encoded, lambda row: row.system)
    return {
        "size": asdict(size),
        "systems": measured.about,
        "same model: cosines of question vectors with ours": measured.agreement,
        "failures against the best other way": figures.against_best(measured.asked, OURS, own_way),
        "quality": figures.quality(measured.asked),
        "search without encoding": figures.search_cost(measured.asked),
        "encoding a question": {name: figures.times(rows) for name, rows in encoded.items()},
        "indexing": figures.throughput(measured.blocks),
        "memory": measured.memory,
        "libraries": plan.contents(),
    }


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def arguments_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers.run", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("ATTEST_EVAL_DATA"), help="public sets")
    parser.add_argument("--peers-python", default=str(ROOT / ".venv-peers/bin/python"))
    parser.add_argument("--systems", nargs="+", default=[OURS, *PEERS], choices=[OURS, *PEERS])
    parser.add_argument("--questions", type=int, default=200, help=f"of each of {len(LIBRARY_OF_SET)} sets")
    parser.add_argument("--chinese", type=int, default=0, help="passages; 0: all")
    parser.add_argument("--english", type=int, default=1000, help="passages; 0: all")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--cold-starts", type=int, default=5)
    parser.add_argument("--work", type=Path, default=ROOT / "data" / "bench-peers", help="is kept")
    parser.add_argument("--name", default="peers", help="of the result file")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """The whole run."""
    given = arguments_of(words)
    if given.data is None:
        sys.exit("name the folder of public sets with --data or ATTEST_EVAL_DATA")
    indexed = [str(given.work / name) for name in WITH_FOLDER if (given.work / name).exists()]
    if indexed:
        sys.exit(f"remove what an earlier run left: rm -r {' '.join(indexed)}")
    if set(given.systems) - {OURS} and not (ROOT / given.peers_python).exists():
        sys.exit(f"there is no {given.peers_python}: run make bench-peers, or name it with --peers-python")
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    size = Size(given.questions, given.chinese, given.english, given.seed)
    plan = read_plan(given.data, size)
    model = prepare_model(given.peers_python, work)
    started = commands(given.systems, given.peers_python, model, work)
    measured = measure(started, plan, work)
    found = report(measured, plan, size)
    # Kept before the cold starts, so that a failure there costs no hour.
    for name, content in (("asked", [asdict(row) for row in measured.asked]), ("report", found)):
        (work / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    found["cold start"] = cold_starts(started, measured.about, plan, work, given.cold_starts)
    options = [f"--{name} {value}" for name, value in asdict(size).items()]
    write_result(given.name, f"python -m bench.peers.run {' '.join(options)}", found)


if __name__ == "__main__":
    main()
