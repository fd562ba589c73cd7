"""Scores of several legs made one, so that the whole is never worse than its best leg.

Pure arithmetic over score tables; knows nothing of Milvus or models.

Rank fusion and plain score sums collapse when one leg is blind (a Chinese question over
English documents has no lexical match but noise). So each leg comes with a weight for this
question, which says how much of the question it can see (`Sight`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Scores = Mapping[str, float]

# Chosen on the public development sets (docs/decisions/006): the fused order is below its best
# leg on the two small RGB sets only, and the reranked one nowhere beyond noise.
FUSED_WEIGHT = 3.0
SEEN_FROM, SEEN_WITHIN = 0.15, 0.03
RERANKED_WEIGHT = 1.0
DENSE_SHARE = 0.15
CONTESTED_POWER = 8
# Not fitted: there is no public set here of questions over text and pictures together.
PICTURE_WEIGHT = 1.5
MOST_MARGINS = 2.0
LINKED_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What the lexical leg can see of a question.

    `coverage` (0…1) is the share of the question's idf mass that its best document holds;
    `lead` (0…1) how far the first hit is ahead of the eleventh, as a share of its score:
    where many match alike, the words tell little.
    """

    coverage: float = 0.0
    lead: float = 0.0

    @property
    def fused_weight(self) -> float:
        """The weight of the words beside cosines."""
        seen = 1 / (1 + math.exp((SEEN_FROM - self.coverage) / SEEN_WITHIN))
        return FUSED_WEIGHT * seen * self.lead

    @property
    def reranked_weight(self) -> float:
        """The weight of the words beside MaxSim, which sees most of them itself."""
        return RERANKED_WEIGHT * self.coverage * self.lead

    @property
    def contested_weight(self) -> float:
        """Their weight where a passage in another language is among the first: words raise
        what stands in the question's language, and there the answer may not be. So they count
        only where they see nearly all of the question, as of a code or a quoted phrase."""
        return self.coverage**CONTESTED_POWER * self.lead


def fuse(base: Scores, legs: Sequence[tuple[Scores, float]]) -> dict[str, float]:
    """One score for each id of `base`, in its units.

    Args:
        base: a score for every candidate (cosine or MaxSim).
        legs: other scores, each with its weight. A candidate that a leg cannot judge, such as
            a passage in another language than the question's, is left out of its table; it is
            neither raised nor lowered.

    A leg's scores are centred and brought to the spread of the base before they are added:
    the same order as a weighted sum of z-scores.
    """
    ids = list(base)
    if not ids:
        return {}
    total = np.array([base[i] for i in ids])
    scale = total.std() if total.std() > 0 else 1.0
    for scores, weight in legs:
        values = np.array([scores.get(i, np.nan) for i in ids])
        known = values[~np.isnan(values)]
        spread = known.std() if len(known) else 0.0
        if spread > 0 and weight > 0:
            total = total + weight * scale * np.nan_to_num((values - known.mean()) / spread)
    return dict(zip(ids, total.tolist(), strict=True))


def fill_missing(scores: Scores, ids: Sequence[str], share: float = 1.0) -> dict[str, float]:
    """A candidate that a leg did not return scores `share` of the last one that it did."""
    floor = min(scores.values(), default=0.0) * share
    return {i: scores.get(i, floor) for i in ids}


def raise_linked(scores: Scores, links: Scores) -> dict[str, float]:
    """The scores with those raised to which the graph leads from the best of them: by at most
    LINKED_WEIGHT times their spread; nothing is lowered. `links` are 0…1 (`GraphLeg.search`)."""
    if not links or not scores:
        return dict(scores)
    spread = float(np.std(list(scores.values()))) or 1.0
    return {i: score + LINKED_WEIGHT * spread * links.get(i, 0.0) for i, score in scores.items()}


def raise_pictures(scores: Scores, margins: Scores) -> dict[str, float]:
    """The scores with those of pictures raised by what the image leg saw.

    Cosines of that leg are of another space, and often there is one picture among fifty texts,
    so there is nothing to centre them on: `margins` are absolute (`ImageIndex.search`). One
    margin raises by PICTURE_WEIGHT times the spread of the scores; nothing is lowered.
    """
    if not margins or not scores:
        return dict(scores)
    spread = float(np.std(list(scores.values()))) or 1.0
    return {
        i: score + PICTURE_WEIGHT * spread * min(max(margins.get(i, 0.0), 0.0), MOST_MARGINS)
        for i, score in scores.items()
    }
