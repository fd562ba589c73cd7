"""What tests of the measurements share: a tiny judged set, and the public sets where they lie."""

import json
import os
from pathlib import Path

import pytest

from tests.structure.source_tree import ROOT

# Two subjects a language, and sentences that only touch them.
TEXTS = {
    "leave": "Employees have twenty days of paid leave a year. Unused days expire in March.",
    "meals": "The canteen serves lunch from half past eleven to two in the afternoon.",
    "parking": "Visitors park behind the north gate and register their plates at the desk.",
    "保修": "主机的保修期是两年，电池的保修期是六个月。",
    "发票": "报销须附发票原件，超过三十天的发票不予受理。",
    "门禁": "夜间十点以后进入大楼须刷卡并在前台登记。",
}
QUESTIONS = {
    "q1": ("How many days of paid leave are there in a year?", "leave"),
    "q2": ("Where can visitors park?", "parking"),
    "q3": ("主机的保修期有多久？", "保修"),
    "q4": ("发票超过多少天就不能报销？", "发票"),
}


@pytest.fixture
def tiny_set(tmp_path) -> Path:
    """A folder in the BEIR layout: six documents, one of them of several chunks."""
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    filler = "\n\n".join(
        f"Rule {n}: keep the corridor on floor {n} free of boxes at all times." for n in range(60)
    )
    texts = {**TEXTS, "leave": f"{filler}\n\n{TEXTS['leave']}"}
    write_lines(folder / "corpus.jsonl", [{"_id": i, "title": "", "text": t} for i, t in texts.items()])
    write_lines(folder / "queries.jsonl", [{"_id": q, "text": text} for q, (text, _) in QUESTIONS.items()])
    rows = [f"{q}\t{document}\t1" for q, (_, document) in QUESTIONS.items()]
    (folder / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def write_lines(path: Path, rows: list) -> None:
    """JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="session")
def eval_data() -> Path:
    """The folder of public development sets; tests that read them are skipped without it."""
    named = os.environ.get("ATTEST_EVAL_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "evals"
    if not folder.is_dir():
        pytest.skip(f"no public sets in {folder}: name their folder in ATTEST_EVAL_DATA")
    return folder
