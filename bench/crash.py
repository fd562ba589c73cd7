"""kill -9 of a real `attest` process, at random moments, and what is left afterwards.

`make crash N=300 SEED=1`, or `python -m bench.crash --kills 300`. Each round changes a folder
(new, changed, moved and vanished files, other readers, other chunk sizes, a deletion), starts
the command that brings the index up to date, kills it, sometimes kills its next run too, and
lets it run to its end. Then `verify` must find nothing amiss, and, independently of it, the
store must hold each file that an ended command acknowledged exactly once and nothing else.

The store is Milvus Lite on disk. Vectors come from a small server in this process that speaks
the OpenAI protocol, or with `--embedder built-in` from the product's own model, with token
vectors.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from app.services import Services
from core.settings import load_settings
from core.types import Scope
from evals.record import write_result

ROOT = Path(__file__).resolve().parent.parent
ATTEST = Path(sys.executable).with_name("attest")
DIMENSIONS = 16
FILES = 14
ROUNDS_PER_LIBRARY = 12
READERS = ("everyone", "bob")
COUNTED = ("kills", "rounds", "lost", "duplicate", "orphan", "stale")
WORDS = ("设备", "校准", "记录", "质量", "warranty", "battery", "invoice", "budget", "policy", "server")


class Vectors(BaseHTTPRequestHandler):
    """An embedding server: the vector of a text is made from its hash."""

    def do_GET(self) -> None:
        """The served models."""
        self._answer({"data": [{"id": "hash"}]})

    def do_POST(self) -> None:
        """Embeddings, in the OpenAI form."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(random.uniform(0, 0.15))  # so that a kill can fall into it
        rows = [{"index": at, "embedding": vector_of(text)} for at, text in enumerate(body["input"])]
        self._answer({"data": rows})

    def log_message(self, *_) -> None:
        """Says nothing."""

    def _answer(self, document: dict) -> None:
        data = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except BrokenPipeError:
            return


def vector_of(text: str) -> list[float]:
    """Sixteen numbers."""
    return [byte / 255 + 0.01 for byte in hashlib.blake2b(text.encode(), digest_size=DIMENSIONS).digest()]


@dataclass
class Library:
    """One folder of documents, its data directory, and what must be found in it."""

    folder: Path
    rng: random.Random
    environment: dict
    reader: str = "everyone"
    chunk_tokens: int = 60
    made: int = 0
    runtimes: dict[str, float] = field(default_factory=dict)

    @property
    def docs(self) -> Path:
        return self.folder / "docs"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def text(self) -> str:
        """A text of its own, or now and then one that many files share."""
        if self.rng.random() < 0.15:
            return "# 共同\n\n" + "共同的内容，所有部门相同。" * 20
        self.made += 1
        words = " ".join(self.rng.choice(WORDS) for _ in range(self.rng.randint(20, 300)))
        text = f"# T{self.made}\n\n" + f"第{self.made}号文件。{words}."
        table = f"\n\n| part | count |\n| --- | --- |\n| {words[:5]} | {self.made} |"
        return text + table if self.made % 3 == 0 else text

    def change(self) -> tuple[str, list[str]]:
        """Changes the folder; the name of what was done, and the command to follow it."""
        self.docs.mkdir(parents=True, exist_ok=True)
        files = sorted(self.docs.glob("*.md"))
        kind = self.rng.choice(["add", "update", "update", "prune", "readers", "rechunk", "delete"])
        if len(files) < FILES // 2 or not self.data.exists():
            kind = "add"
        ingest = ["ingest", str(self.docs), "--reader", self.reader]
        if kind == "add":
            for _ in range(self.rng.randint(2, 6)):
                (self.docs / f"{self.rng.randint(0, 2 * FILES)}.md").write_text(self.text(), "utf-8")
        elif kind == "update":
            for path in self.rng.sample(files, self.rng.randint(1, 4)):
                path.write_text(self.text(), "utf-8")
            if self.rng.random() < 0.3:  # two files change places
                one, other = self.rng.sample(files, 2)
                texts = one.read_text("utf-8"), other.read_text("utf-8")
                one.write_text(texts[1], "utf-8")
                other.write_text(texts[0], "utf-8")
        elif kind == "prune":
            for path in self.rng.sample(files, 2):
                path.unlink()
            moved = self.rng.choice(sorted(self.docs.glob("*.md")))
            moved.rename(self.docs / f"{self.rng.randint(100, 999)}.md")
        elif kind == "readers":
            self.reader = next(name for name in READERS if name != self.reader)
            ingest = ["ingest", str(self.docs), "--reader", self.reader]
        elif kind == "rechunk":
            self.chunk_tokens = 100 if self.chunk_tokens == 60 else 60
            ingest = ["rebuild", "--rechunk"]
        elif kind == "delete":
            path = self.rng.choice(files)
            path.unlink()
            ingest = ["documents", "delete", path.resolve().as_posix()]
        # What has vanished is removed by every ingest, so that the folder is what is expected.
        return kind, [*ingest, *(["--prune"] if ingest[0] == "ingest" else [])]

    def run(self, command: list[str], kill_after_s: float | None) -> int | None:
        """The exit code of the command; None when it was killed first."""
        environment = self.environment | {"ATTEST_INGEST__CHUNK_TOKENS": str(self.chunk_tokens)}
        begun = time.monotonic()
        child = subprocess.Popen(
            [str(ATTEST), *command, "--data", str(self.data)],
            cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            _, errors = child.communicate(timeout=kill_after_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return None
        self.runtimes[command[0]] = time.monotonic() - begun
        if child.returncode not in (0, 2):
            raise SystemExit(f"{command} ended with {child.returncode}: {errors}")
        return child.returncode


def check(library: Library, counts: Counter) -> list[str]:
    """What is amiss: by `verify`, and by reading the store against the folder."""
    services = Services(load_settings(data=library.data, ingest={"chunk_tokens": library.chunk_tokens}))
    amiss = []
    try:
        found = services.ingestor().verify().to_dict()
        for fault in found["faults"]:
            counts[fault["kind"]] += 1
            amiss.append(f"verify: {fault}")
        chunks = services.store().find_chunks(Scope("default", frozenset(READERS)), [], 16_000)
        rows = services.ingestor().list("default")
    finally:
        services.close()
    files = {path.resolve().as_posix(): path.read_text("utf-8") for path in library.docs.glob("*.md")}
    texts: dict[str, str] = {}
    for chunk in chunks:
        texts[chunk.document_id] = texts.get(chunk.document_id, "") + chunk.text
    wanted = {squeezed(text) for text in files.values()}
    # The overlap of neighbouring chunks is set to 0, so a document is the sum of its chunks.
    held = Counter(squeezed(text) for text in texts.values())
    for name, kind in (("lost", wanted - set(held)), ("stale", set(held) - wanted)):
        counts[name] += len(kind)
        amiss += [f"{name}: {text[:60]}" for text in kind]
    twice = [text for text, times in held.items() if times > 1]
    counts["duplicate"] += len(twice) + len(chunks) - len({chunk.id for chunk in chunks})
    amiss += [f"duplicate: {text[:60]}" for text in twice]
    named = {row.uri for row in rows}
    counts["lost"] += len(set(files) - named)
    counts["orphan"] += len(named - set(files)) + sum(chunk.uri not in files for chunk in chunks)
    amiss += [f"rows: {sorted(named ^ set(files))}"] if named != set(files) else []
    amiss += [f"a chunk of {chunk.uri}" for chunk in chunks if chunk.uri not in files]
    return amiss


def squeezed(text: str) -> str:
    """Without headings' marks and blanks, as chunks hold it."""
    body = text.partition("\n\n")[2] if text.startswith("#") else text
    return "".join(body.split())


def play(kills: int, seed: int, environment: dict, say) -> dict:
    """Rounds until so many kills have hit a running process."""
    rng, counts, kinds = random.Random(seed), Counter(), Counter()
    hit = rounds = 0
    amiss: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="attest-crash-"))
    library = None
    runtimes: dict[str, float] = {}
    while hit < kills:
        if rounds % ROUNDS_PER_LIBRARY == 0:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            library = Library(folder, rng, environment, runtimes=runtimes)
        rounds += 1
        kind, command = library.change()
        attempts = rng.choice([1, 2, 3, 4])
        for _ in range(attempts):
            expected_s = runtimes.get(command[0], 3.0)
            ended = library.run(command, rng.uniform(0.3, 1.05) * expected_s)
            if ended is not None:
                break
            hit += 1
            kinds[kind] += 1
        library.run(command, None)
        if command[0] == "documents":  # deletion leaves the half-done rest to the next run
            library.run(["ingest", str(library.docs), "--reader", library.reader, "--prune"], None)
        for fault in check(library, counts):
            amiss.append(f"round {rounds}, {kind}: {fault}")
            say(amiss[-1])
        say(f"round {rounds}: {kind}, {hit} kills, {sum(counts.values())} faults")
    shutil.rmtree(folder, ignore_errors=True)
    faults = {name: counts[name] for name in ("lost", "duplicate", "orphan", "stale")}
    others = {name: count for name, count in counts.items() if name not in faults and count}
    return {"kills": hit, "rounds": rounds, "kills_by_change": dict(kinds), **faults, "other": others,
            "amiss": amiss[:50]}  # fmt: skip


def settings_of(embedder: str, address: str) -> dict:
    """The environment of the processes: everything else is the default."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    given = {"ATTEST_INGEST__OVERLAP_TOKENS": "0"}
    if embedder == "hash":
        given |= {
            "ATTEST_EMBEDDER__KIND": "http",
            "ATTEST_EMBEDDER__MODEL": "hash",
            "ATTEST_EMBEDDER__BASE_URL": address,
            "ATTEST_RETRIEVAL__RERANKER": "none",
        }
    os.environ.update(given)  # the checks read the same settings
    return environment | given


def play_lanes(kills: int, seed: int, lanes: int, environment: dict, say) -> dict:
    """Several libraries side by side, each with its own share of the kills; the sums."""
    shares = [kills // lanes + (lane < kills % lanes) for lane in range(lanes)]
    with ThreadPoolExecutor(lanes) as pool:
        played = list(pool.map(lambda lane: play(shares[lane], seed + lane, environment, say), range(lanes)))
    total = {name: sum(one[name] for one in played) for name in COUNTED}
    for name in ("kills_by_change", "other"):
        total[name] = dict(sum((Counter(one[name]) for one in played), Counter()))
    return total | {"amiss": [line for one in played for line in one["amiss"]][:50]}


def run(kills: int, seed: int, lanes: int = 1, embedder: str = "hash", say=print) -> dict:
    """The whole measurement."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vectors)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    begun, before = time.monotonic(), dict(os.environ)
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}/v1"
        played = play_lanes(kills, seed, lanes, settings_of(embedder, address), say)
    finally:
        server.shutdown()
        server.server_close()
        os.environ.clear()
        os.environ.update(before)
    return {
        "seed": seed,
        "lanes": lanes,
        "embedder": embedder,
        "seconds": round(time.monotonic() - begun, 1),
        **played,
    }


def main() -> None:
    """Writes bench/results/crash.json; exit code 1 when anything is amiss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=2, help="libraries side by side")
    parser.add_argument("--embedder", choices=["hash", "built-in"], default="hash")
    parser.add_argument("--name", default="crash", help="of the file in bench/results")
    given = parser.parse_args()
    result = run(given.kills, given.seed, given.lanes, given.embedder)
    command = f"python -m bench.crash --kills {given.kills} --seed {given.seed} --lanes {given.lanes}"
    command += f" --embedder {given.embedder}"
    write_result(given.name, command, result)
    raise SystemExit(1 if result["amiss"] else 0)


if __name__ == "__main__":
    main()
