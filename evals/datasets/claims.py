"""Claims that people or their makers labelled: SummEdits, BEGIN, UHGEval, and the answers of
MTRAG's human evaluation.

Knows the files as their makers ship them; knows nothing of guards.
"""

import csv
import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

from core.text import split_sentences
from evals.claims import Claim

_ZH_CLAUSE = re.compile("[^，。；！？\n]+")


def read_summedits(folder: Path) -> Iterator[Claim]:
    """Summaries of ten domains (eight here) and their edits; 1 is consistent. The group is the
    document, so that an edit never stands beside its original across a split. Copies are left out, as of
    BEGIN."""
    for path in sorted((folder / "summedits").glob("*.json")):
        domain = path.stem.removeprefix("summedits_")
        for row in json.loads(path.read_text(encoding="utf-8")):
            group = f"{domain}:{row['doc'][:200]}"
            kind = "+".join(row["edit_types"]) if not row["label"] else ""
            if not is_copy(row["summary"], row["doc"]):
                yield Claim(row["id"], row["summary"], row["doc"], row["label"], "summedits", group, kind)


def read_begin(folder: Path) -> Iterator[Claim]:
    """Replies of dialogue systems against the knowledge they were given. "Generic" replies say
    nothing that could be held and are left out, as by the makers' binary task. A reply that stands letter
    by letter in its evidence is left out too: any substring test knows it."""
    for path in sorted(folder.glob("begin/*/*.tsv")):
        with path.open(encoding="utf-8") as source:
            rows = list(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))
        for at, row in enumerate(rows):
            if row["begin_label"] != "Generic" and not is_copy(row["response"], row["knowledge"]):
                label = int(row["begin_label"] == "Fully attributable")
                group = f"{path.stem}:{row['knowledge'][:200]}"
                yield Claim(f"{path.stem}-{at}", row["response"], row["knowledge"], label, "begin", group)


def read_uhgeval(folder: Path, whole: bool) -> Iterator[Claim]:
    """Words of a model's continuation of a news item, each marked as held by the real one or not.
    The claim is the word, or with `whole` the clause around it (which is 0 when any of its words is)."""
    for row in read_news(folder):
        evidence = f"{row['newsBeginning']}\n{row['realContinuation']}\n{row['newsRemainder']}"
        marked = list(_marked_words(row["annotations"]))
        made = list(_clauses(row["hallucinatedContinuation"], marked)) if whole else _words(marked)
        source = "uhgeval clauses" if whole else "uhgeval words"
        for at, (text, label, wrong) in enumerate(made):
            if not (whole and is_copy(text, evidence)):
                yield Claim(f"{row['id']}-{at}", text, evidence, label, source, row["id"], wrong=wrong)


def read_news(folder: Path) -> Iterator[dict]:
    """UHGEval's items, each news text once: some stand there twice under two ids, which a split by id
    would put on both sides."""
    seen: set[str] = set()
    for line in (folder / "uhgeval/dev300.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["newsBeginning"] not in seen:
            seen.add(row["newsBeginning"])
            yield row


def _marked_words(annotations: list[str]) -> Iterator[tuple[str, int]]:
    for note in annotations:
        word, _, said = note.partition("<sep>")
        if word.strip() and said:
            yield word.strip(), int(not said.strip().startswith("不合理"))


Stretch = tuple[int, int]


def _words(marked: list[tuple[str, int]]) -> list[tuple[str, int, Stretch | None]]:
    return [(word, label, None if label else (0, len(word))) for word, label in marked]


def _clauses(text: str, marked: list[tuple[str, int]]) -> Iterator[tuple[str, int, Stretch | None]]:
    """Each clause with marked words, its label, and where it is wrong when that is one word."""
    for match in _ZH_CLAUSE.finditer(text):
        clause = match.group().strip()
        inside = [(word, label) for word, label in marked if word in clause]
        wrong = [word for word, label in inside if not label]
        at = clause.find(wrong[0]) if len(wrong) == 1 else -1
        if inside:
            yield clause, int(not wrong), (at, at + len(wrong[0])) if at >= 0 else None


def read_mtrag(folder: Path) -> list[tuple[Claim, float]]:
    """Answers with the median of people's faithfulness (1–4); the label says 4 or not."""
    path = folder / "mtrag_human_eval/reference_subset_with_human_evaluations.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    texts = {row["document_id"]: row["text"] for row in data["documents"]}
    tasks = {row["task_id"]: row for row in data["tasks"]}
    found = []
    for at, row in enumerate(data["evaluations"]):
        notes = row["annotations"].get("faithfulness", {})
        scores = [float(note["value"]) for note in notes.values()]
        task = tasks[row["task_id"]]
        evidence = "\n".join(texts[c["document_id"]] for c in task["contexts"] if c["document_id"] in texts)
        if scores and evidence and row["model_response"].strip():
            score = statistics.mean(scores)
            identity = f"{row['task_id']}-{row['model_id']}-{at}"
            label = int(score >= 4)
            found.append(
                (Claim(identity, row["model_response"], evidence, label, "mtrag", row["task_id"]), score)
            )
    return found


def read_clapnq(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(passage, question, answer in the words of a person)."""
    for line in (folder / "clapnq/answerable.dev.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for output in row["output"][:1]:
            if answer := output["answer"].strip():
                yield row["passages"][0]["text"], row["input"], answer


def is_copy(claim: str, evidence: str) -> bool:
    """Whether a claim stands in its evidence letter by letter, but for case, blanks and stops."""
    return _letters(claim) in _letters(evidence)


def sentences_of(text: str) -> list[str]:
    """The sentences of a text."""
    return [span.of(text) for span in split_sentences(text)]


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
