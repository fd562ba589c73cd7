"""Claims with their evidence and a label: what guards are measured on and fitted with.

Knows the file; knows nothing of guards.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Claim:
    """`label` 1 when the evidence supports the text. `group` names the article or passage:
    claims of one group never stand on both sides of a split. `kind` says how it was made;
    `wrong` is the stretch of the text that was made false, where that is known."""

    id: str
    text: str
    evidence: str
    label: int
    source: str = ""
    group: str = ""
    kind: str = ""
    wrong: tuple[int, int] | None = None
    question: str = ""


def read_claims(path: Path) -> list[Claim]:
    """Rows `{"id", "evidence", "claim", "label"}`, one a line; `evidence` is a text or a list of
    texts, `question` may be there.

    Raises:
        InputError: the file cannot be read, or a row lacks something.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"{path} cannot be read: {exc}", remedy="name a file of JSON lines") from exc
    found = list(_rows(lines, path.name))
    if not found:
        raise InputError(f"{path.name} has no row", remedy='write rows {"id", "evidence", "claim", "label"}')
    return found


def _rows(lines: list[str], name: str) -> Iterator[Claim]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            evidence = row["evidence"]
            evidence = evidence if isinstance(evidence, str) else "\n".join(evidence)
            label, text = int(row["label"]), str(row["claim"])
        except (ValueError, KeyError, TypeError) as exc:
            lacks = f"it lacks {exc}" if isinstance(exc, KeyError) else str(exc)
            raise InputError(
                f"line {number} of {name} is no claim ({lacks})",
                remedy='a line is {"id", "evidence", "claim", "label"}, label 1 or 0',
            ) from exc
        if label not in (0, 1):
            raise InputError(f"line {number} of {name}: label {label}", remedy="label 1 (supported) or 0")
        identity = str(row.get("id", number))
        yield Claim(identity, text, evidence, label, name, identity, "", None, str(row.get("question", "")))
