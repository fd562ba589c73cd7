"""The claims by the name of their set, and which of them a guard may learn from.

A group (an article, a document, a news item) is learned from or reported on, never both; of RGB one
half of the questions. Never learned from are the kinds of change that `changed-unseen` holds.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from core.errors import InputError
from evals.claims import Claim
from evals.datasets.changed_facts import (
    LEARNED,
    SEED,
    UNLEARNED,
    Source,
    made_claims,
    read_rgb_claims,
    read_sources,
)
from evals.datasets.claims import is_copy, read_begin, read_summedits, read_uhgeval
from evals.made_facts import REPORTED, claims_on, make_documents
from evals.splitting import stable_hash

PARTS = 5
REPORTED_PARTS = 2
"""Of five parts of the sets that people labelled; of the made ones it is one."""
TEXTS_A_SOURCE = 130
CLAIMS_REPORTED = 600
MADE_DOCUMENTS = 150


def reported_claims(name: str, folder: Path) -> list[Claim]:
    """The part of a set that is reported on.

    Raises:
        InputError: there is no such set, or its files are not in the folder.
    """
    if name not in SETS:
        raise InputError(f"there is no set {name!r}", remedy=f"choose: {', '.join(SETS)}")
    try:
        return list(SETS[name](folder))
    except (FileNotFoundError, StopIteration) as exc:
        raise InputError(
            f"the set {name} is not in {folder} ({exc})", remedy="name its folder with --data"
        ) from exc


def is_of_reported_part(group: str, parts: int) -> bool:
    """Whether a group is reported on, of `parts` fifths that are."""
    return stable_hash(group) % PARTS < parts


def _texts(folder: Path, reported: bool) -> list[Source]:
    rng = random.Random(SEED)
    named: dict[str, list[Source]] = defaultdict(list)
    for source in read_sources(folder):
        if is_of_reported_part(source.group, 1) is reported:
            named[source.name].append(source)
    return [s for rows in named.values() for s in rng.sample(rows, min(len(rows), TEXTS_A_SOURCE))]


def _people(read: Callable[[Path], Iterable[Claim]]) -> Callable[[Path], list[Claim]]:
    def reported(folder: Path) -> list[Claim]:
        return [claim for claim in read(folder) if is_of_reported_part(claim.group, REPORTED_PARTS)]

    return reported


def _changed(kinds: Mapping, seed: int) -> Callable[[Path], Sequence[Claim]]:
    def reported(folder: Path) -> Sequence[Claim]:
        claims = list(made_claims(_texts(folder, reported=True), kinds, seed))
        by_label = [[c for c in claims if c.label == label] for label in (0, 1)]
        rng = random.Random(seed)
        return [c for rows in by_label for c in rng.sample(rows, min(len(rows), CLAIMS_REPORTED // 2))]

    return reported


def _made_facts(_: Path) -> list[Claim]:
    """Of subjects that nothing is learned from; needs no file."""
    rng = random.Random(SEED)
    return [
        Claim(
            f"facts-{at}-{number}", claim.text, document.text, claim.label, "facts", f"facts-{at}", claim.kind
        )
        for at, document in enumerate(make_documents(MADE_DOCUMENTS, SEED, REPORTED))
        for number, claim in enumerate(claims_on(document, rng))
        if not is_copy(claim.text, document.text)
    ]


SETS: Mapping[str, Callable[[Path], Iterable[Claim]]] = {
    "changed": _changed(LEARNED, SEED + 1),
    "changed-unseen": _changed(UNLEARNED, SEED + 2),
    "made-facts": _made_facts,
    "rgb": read_rgb_claims,
    "begin": _people(read_begin),
    "summedits": _people(read_summedits),
    "uhgeval-words": _people(lambda folder: read_uhgeval(folder, whole=False)),
    "uhgeval-clauses": _people(lambda folder: read_uhgeval(folder, whole=True)),
}
