"""RGB, CLAPnq and SQuAD 2.0 as questions with given passages, for `attest eval answers`.

RGB at shares of noise as its paper has them (Chen et al. 2024): of five passages so many do
not answer; with noise alone the question must be declined. Knows the files; knows nothing
of answering.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from evals.datasets.spans import answer_groups

RGB_PARTS = ("zh_refine", "zh_int", "zh_fact", "en_refine", "en_int", "en_fact")
NOISES = (0.0, 0.4, 0.8, 1.0)
PASSAGES = 5
LEAST_PASSAGES = 3


def rgb_sets(folder: Path) -> Iterator[tuple[str, list[dict]]]:
    """(name, rows) of each part that lies in the folder, as `PART.dev.jsonl` or `PART.json`,
    at each share of noise: `rgb-zh-refine-noise-0.8`."""
    for part in RGB_PARTS:
        paths = [path for path in (folder / f"{part}.dev.jsonl", folder / f"{part}.json") if path.is_file()]
        for path in paths[:1]:
            asked = [
                json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
            ]
            for noise in NOISES:
                name = f"rgb-{part.replace('_', '-')}-noise-{noise:g}"
                yield name, list(rgb_rows(name, asked, noise))


def rgb_rows(name: str, asked: Sequence[dict], noise: float) -> Iterator[dict]:
    """The rows at one share of noise. A question of several facts keeps a passage for each of
    them, whatever the noise; one with too few passages is left out."""
    for at, row in enumerate(asked):
        passages = noisy_passages(row, noise)
        answerable = noise < 1
        if len(passages) >= LEAST_PASSAGES:
            groups = answer_groups(row["answer"]) if answerable else ()
            yield _row(f"{name}-{row.get('id', at)}", row["query"], answerable, groups, passages)


def noisy_passages(row: dict, noise: float, count: int = PASSAGES) -> list[str]:
    """`count` passages, those that answer first; fewer when the row has no more."""
    negatives = list(_flat(row["negative"]))
    if noise >= 1:
        return negatives[:count]
    right = count - round(count * noise)
    positives = row["positive"]
    if positives and not isinstance(positives[0], str):
        chosen = [group[0] for group in positives if group]
        longest = max(map(len, positives))
        others = [group[at] for at in range(1, longest) for group in positives if at < len(group)]
        chosen += others[: max(0, right - len(chosen))]
    else:
        chosen = list(positives[:right])
    return chosen + negatives[: count - len(chosen)]


def clapnq_sets(folder: Path) -> Iterator[tuple[str, list[dict]]]:
    """CLAPnq (Rosenthal et al. 2025): long answers in other words, so `must_match` is empty
    and only the decision to answer is measured."""
    rows = []
    for name, answerable in (("answerable", True), ("unanswerable", False)):
        for line in (folder / f"{name}.dev.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            passages = [f"{p.get('title') or ''}\n{p['text']}".strip() for p in row["passages"]]
            rows.append(_row(f"clapnq-{row['id']}", row["input"], answerable, (), passages))
    yield "clapnq", rows


def squad2_sets(folder: Path) -> Iterator[tuple[str, list[dict]]]:
    """SQuAD 2.0 in Chinese: each question over its own paragraph, which answers it or was
    chosen so that it nearly does."""
    for path in sorted(folder.glob("*.json")):
        rows = []
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                for asked in paragraph["qas"]:
                    texts = tuple(dict.fromkeys(a["text"] for a in asked.get("answers", ())))
                    answerable = bool(texts) and not asked.get("is_impossible")
                    groups = (texts,) if answerable else ()
                    row = _row(
                        str(asked["id"]), asked["question"], answerable, groups, [paragraph["context"]]
                    )
                    rows.append(row | {"group": str(article.get("title", ""))})
        yield "squad2-zh", rows


def _row(
    identity: str, question: str, answerable: bool, groups: Sequence[Sequence[str]], passages: list[str]
) -> dict:
    return {
        "id": identity,
        "question": question,
        "answerable": answerable,
        "must_match": [list(group) for group in groups],
        "passages": passages,
    }


def _flat(passages: Sequence[str | Sequence[str]]) -> Iterator[str]:
    for passage in passages:
        yield from [passage] if isinstance(passage, str) else passage
