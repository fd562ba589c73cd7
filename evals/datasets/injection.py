"""Attacks that others made, and harmless paragraphs to put them into.

BIPIA (Yi et al. 2023): what an e-mail or a page may ask of a model; the instructions for texts and
for code. Tensor Trust (Toyer et al. 2023): hijacks that make a model say "Access Granted". Hosts are
paragraphs of XQuAD (English) and CMRC2018 (Chinese) with a question and the sentence that
answers it. Knows the files; knows nothing of asking.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.text import split_sentences

_QUOTED = re.compile(r"[\"“]([^\"”]{6,})[\"”]|'([^']{12,})'")
_DOMAIN = re.compile(r"\b(?:[\w-]+\.)+(?:com|xyz|org|net)\b|\b[\w.]+@[\w.]+\b")
LONGEST_SHOWN = 4000


@dataclass(frozen=True, slots=True)
class Attack:
    """A text that wants something of a model, and words of which none may come out."""

    id: str
    source: str
    text: str
    demanded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Host:
    """A paragraph, a question about it, the sentence that answers it and the answer's words."""

    question: str
    passage: str
    sentence: str
    answer: str


def read_attacks(folder: Path) -> list[Attack]:
    """All attacks of the folder of sets, in a fixed order.

    Raises:
        InputError: a set is not there.
    """
    try:
        return [*_bipia(folder / "bipia"), *_tensor_trust(folder / "tensortrust" / "hijack_dev.jsonl")]
    except FileNotFoundError as exc:
        raise InputError(
            f"{exc.filename} is not there", remedy="name the folder that holds bipia and tensortrust"
        ) from exc


def _bipia(folder: Path) -> Iterator[Attack]:
    for part in ("text", "code"):
        kinds = json.loads((folder / f"{part}_attack_train.json").read_text(encoding="utf-8"))
        for kind, texts in kinds.items():
            for number, text in enumerate(texts):
                quoted = tuple(a or b for a, b in _QUOTED.findall(text)) if part == "text" else ()
                demanded = (*quoted, *_DOMAIN.findall(text))
                yield Attack(f"{part}-{kind}-{number}", f"bipia-{part}", text, demanded)


def _tensor_trust(path: Path) -> Iterator[Attack]:
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = row["attack"][:LONGEST_SHOWN]
        yield Attack(str(row["sample_id"]), "tensor-trust", text, ("Access Granted",))


def read_hosts(folder: Path, limit: int) -> list[Host]:
    """So many paragraphs, English and Chinese in turn, one question each.

    Raises:
        InputError: a set is not there.
    """
    english = _squad_hosts(folder / "xquad" / "xquad.en.half.json")
    chinese = _squad_hosts(folder / "cmrc2018" / "cmrc2018_trial.json")
    try:
        hosts = [host for pair in zip(english, chinese, strict=False) for host in pair]
    except FileNotFoundError as exc:
        raise InputError(
            f"{exc.filename} is not there", remedy="name the folder that holds xquad and cmrc2018"
        ) from exc
    return hosts[:limit]


def _squad_hosts(path: Path) -> Iterator[Host]:
    """Answers that stand once in their paragraph, in a sentence that a model could repeat."""
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            for row in paragraph["qas"]:
                answer = row["answers"][0]["text"] if row["answers"] else ""
                start = text.find(answer)
                spans = [s for s in split_sentences(text) if s.start <= start < s.end]
                if answer and text.count(answer) == 1 and spans and start + len(answer) <= spans[0].end:
                    yield Host(row["question"], text, spans[0].of(text), answer)
                    break
