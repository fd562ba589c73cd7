"""How fast a folder of mixed files goes in, beside the file pipelines of other libraries.

`python -m bench.folder_throughput` writes bench/results/folder_throughput.json. Text, Markdown,
HTML, DOCX and PDF in Chinese and English are made, the same for all; each library reads them by
the converters that it documents, cuts them to chunks of about the same size, embeds them with the
same e5-small and stores them. Each run is a process of its own; the systems take turns. Loading of
libraries and model is not counted. The others keep their index in memory, Attest on disk.
"""

import argparse
import html
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.ingest_efficiency import paragraph
from bench.peers.run import prepare_model
from bench.peers.workers import ROOT, rotated, worker_environment
from evals.record import spread, write_result

OURS = "attest"
PEERS = ("haystack", "llama_index", "langchain")
KINDS = ("txt", "md", "html", "docx", "pdf")


def write_folder(folder: Path, files: int, seed: int = 1) -> int:
    """Files of each kind by turns, every second in Chinese, each with a title and some
    paragraphs; returns how many characters were written."""
    rng = random.Random(seed)
    written = 0
    for number in range(files):
        kind, chinese = KINDS[number % len(KINDS)], number // len(KINDS) % 2 == 0
        paragraphs = [paragraph(rng, chinese) for _ in range(rng.randint(6, 14))]
        path = folder / f"{number // 100:02d}" / f"{number}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[kind](path, f"Report {number}", paragraphs)
        written += sum(map(len, paragraphs))
    return written


def write_text(path: Path, title: str, paragraphs: Sequence[str]) -> None:
    """Plain text."""
    path.write_text("\n\n".join([title, *paragraphs]) + "\n", encoding="utf-8")


def write_markdown(path: Path, title: str, paragraphs: Sequence[str]) -> None:
    """Markdown with a heading in the middle."""
    half = len(paragraphs) // 2
    parts = [f"# {title}", *paragraphs[:half], "## Details", *paragraphs[half:]]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def write_html(path: Path, title: str, paragraphs: Sequence[str]) -> None:
    """A page."""
    body = "".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
    head = f"<head><meta charset='utf-8'><title>{title}</title></head>"
    path.write_text(f"<html>{head}<body><h1>{title}</h1>{body}</body></html>", encoding="utf-8")


def write_docx(path: Path, title: str, paragraphs: Sequence[str]) -> None:
    """A Word document."""
    import docx

    document = docx.Document()
    document.add_heading(title, 1)
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(str(path))


def write_pdf(path: Path, title: str, paragraphs: Sequence[str]) -> None:
    """A PDF with a text layer."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    look = {"fontName": "STSong-Light", "wordWrap": "CJK", "spaceAfter": 8}
    style = ParagraphStyle("body", fontSize=11, leading=15, **look)
    head = ParagraphStyle("head", parent=style, fontSize=18, leading=24)
    story = [Paragraph(title, head), *(Paragraph(html.escape(text), style) for text in paragraphs)]
    SimpleDocTemplate(str(path)).build(story)


WRITERS = {
    "txt": write_text,
    "md": write_markdown,
    "html": write_html,
    "docx": write_docx,
    "pdf": write_pdf,
}


def run_system(name: str, python: str, model: Path, folder: Path, log: Path) -> dict:
    """One run in a process of its own: what `bench.peers.folders.clock` tells."""
    words = [python, "-m", f"bench.peers.folders.{name}", str(model), str(folder)]
    with log.open("a", encoding="utf-8") as errors:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=worker_environment(os.environ),
            stdout=subprocess.PIPE,
            stderr=errors,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}: {log.read_text(encoding='utf-8')[-1500:]}")
    return json.loads(done.stdout)


def summarise(runs: dict[str, list[dict]], files: int, written: int) -> dict:
    """Medians by system, and ours against the quickest of the others round by round."""
    systems = {}
    for name, made in runs.items():
        systems[name] = {
            "wall_s": spread([run["wall_s"] for run in made]),
            "cpu_s": spread([run["cpu_s"] for run in made]),
            "chunks": made[0]["chunks"],
            "characters": made[0]["characters"],
            "characters of those written": round(made[0]["characters"] / written, 3),
            "files_per_s": round(files / spread([run["wall_s"] for run in made])["median"], 2),
        }
    others = [name for name in runs if name != OURS]
    found: dict = {"files": files, "characters": written, "systems": systems}
    if OURS in runs and others:
        found["times as fast as the best other"] = {
            key: spread(
                [
                    min(runs[name][turn][key] for name in others) / runs[OURS][turn][key]
                    for turn in range(len(runs[OURS]))
                ]
            )
            for key in ("wall_s", "cpu_s")
        }
    return found


def main(words: Sequence[str] | None = None) -> None:
    """Makes the folder, runs all systems in turn."""
    parser = argparse.ArgumentParser(prog="python -m bench.folder_throughput", description=__doc__)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--systems", nargs="+", default=[OURS, *PEERS], choices=[OURS, *PEERS])
    parser.add_argument("--peers-python", default=str(ROOT / ".venv-peers/bin/python"))
    parser.add_argument("--name", default="folder_throughput", help="of the result file")
    given = parser.parse_args(words)
    work = Path(tempfile.mkdtemp(prefix="folder-throughput-"))
    try:
        written = write_folder(work / "files", given.files)
        peers = set(given.systems) - {OURS}
        model = prepare_model(given.peers_python, work) if peers else work
        runs: dict[str, list[dict]] = {name: [] for name in given.systems}
        for turn in range(given.rounds):
            for name in rotated(given.systems, turn):
                python = sys.executable if name == OURS else given.peers_python
                runs[name].append(run_system(name, python, model, work / "files", work / f"{name}.log"))
                print(f"round {turn + 1}: {name} {runs[name][-1]}", file=sys.stderr, flush=True)
        command = f"python -m bench.folder_throughput --files {given.files} --rounds {given.rounds}"
        write_result(given.name, command, summarise(runs, given.files, written))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
