"""`attest eval guard`: how well the grounding guard tells held claims from others.

AUROC, balanced accuracy, F1 of the unsupported class and time, each with a bootstrap interval
over groups of claims, beside plain baselines of words and vectors. Knows guards and claims;
knows nothing of training.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.seams import Guard, Passage, TokenEmbedder
from core.types import Label, Verdict
from evals.claim_evidence import EvidenceOfClaims
from evals.claims import Claim
from retrieval.relevance import max_sim
from retrieval.terms import split_terms

RESAMPLES = 1000
SEED = 20_250_601
BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, its verdict, how long that took, and how long binding it to its evidence did before, the
    reading of new evidence in it; `baselines` are scores by name."""

    claim: Claim
    verdict: Verdict
    ms: float
    baselines: Mapping[str, float]
    binding_ms: float = 0.0


def judge(
    claims: Sequence[Claim], guard: Guard, embedder: TokenEmbedder, on_progress: Callable[[str], None]
) -> list[Judged]:
    """Binds each claim to its evidence as an answer's sentence is bound, and has it judged."""
    bound = EvidenceOfClaims(embedder)
    found = []
    for at, claim in enumerate(sorted(claims, key=lambda claim: claim.evidence)):
        if at % 20 == 0:
            on_progress(f"{at} of {len(claims)} claims")
        start = time.perf_counter()
        passage = bound.passage(claim.text, claim.evidence)
        begun = time.perf_counter()
        verdict = guard.check(claim.text, passage, claim.question)
        ms, binding_ms = 1000 * (time.perf_counter() - begun), 1000 * (begun - start)
        found.append(Judged(claim, verdict, ms, _baselines(claim, passage, embedder), binding_ms))
    return found


def report(judged: Sequence[Judged], supported_at: float) -> dict:
    """The figures of all claims, of each source and of each kind of change."""
    whole = figures(judged, supported_at) | {
        "ms_per_claim": round(float(np.median([j.ms for j in judged])), 2),
        "binding_ms": round(float(np.median([j.binding_ms for j in judged])), 2),
    }
    whole["labels"] = {str(label): sum(j.verdict.label is label for j in judged) for label in Label}
    whole["baselines"] = {
        name: _rounded(auroc([j.baselines[name] for j in judged], _labels(judged)))
        for name in judged[0].baselines
    }
    whole["reliability"] = reliability([j.verdict.score for j in judged], _labels(judged))
    kinds = sorted({j.claim.kind for j in judged if j.claim.kind and not j.claim.label})
    if len(kinds) > 1:
        true = [j for j in judged if j.claim.label]
        whole["kinds"] = {
            kind: _kind_figures(
                [j for j in judged if j.claim.kind == kind and not j.claim.label], true, supported_at
            )
            for kind in kinds
        }
    return whole


def figures(judged: Sequence[Judged], supported_at: float) -> dict:
    """`auroc`, `balanced_accuracy`, `f1_unsupported` with 95 % intervals, and `n`. A measure that
    needs both labels is None where one is missing."""
    scores, labels = np.array([j.verdict.score for j in judged]), np.array(_labels(judged))
    measured = _measure(scores, labels, supported_at)
    groups: dict[str, list[int]] = {}
    for at, one in enumerate(judged):
        groups.setdefault(one.claim.group or one.claim.id, []).append(at)
    rng, members = np.random.default_rng(SEED), [np.array(rows) for rows in groups.values()]
    drawn = []
    for _ in range(RESAMPLES if len(members) > 1 else 0):
        rows = np.concatenate([members[at] for at in rng.integers(0, len(members), len(members))])
        drawn.append(_measure(scores[rows], labels[rows], supported_at))
    intervals = {}
    for name in measured:
        values = [d[name] for d in drawn if d[name] is not None]
        if values and measured[name] is not None:
            intervals[name] = [round(float(np.quantile(values, q)), 4) for q in (0.025, 0.975)]
    rounded = {name: None if value is None else round(value, 4) for name, value in measured.items()}
    return {**rounded, "n": len(judged), "supported": int(labels.sum()), "intervals": intervals}


def auroc(scores: Iterable[float], labels: Iterable[int]) -> float | None:
    """Area under the ROC curve by ranks, ties by half; None without both labels."""
    scores, labels = np.asarray(list(scores), float), np.asarray(list(labels))
    positive, negative = scores[labels == 1], scores[labels == 0]
    if not len(positive) or not len(negative):
        return None
    values, where, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[where]
    total = ranks[labels == 1].sum() - len(positive) * (len(positive) + 1) / 2
    return float(total / (len(positive) * len(negative)))


def reliability(scores: Sequence[float], labels: Sequence[int]) -> list[dict]:
    """Claims by tenth of the score: the mean score beside the share that is supported."""
    scores, labels = np.asarray(scores), np.asarray(labels)
    at = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        {
            "from": round(index / BINS, 1),
            "n": int((at == index).sum()),
            "score": round(float(scores[at == index].mean()), 3),
            "supported": round(float(labels[at == index].mean()), 3),
        }
        for index in range(BINS)
        if (at == index).any()
    ]


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Rank correlation, ties by their mean rank."""
    ranks = []
    for values in (one, other):
        _, where, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[where])
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _measure(scores: np.ndarray, labels: np.ndarray, supported_at: float) -> dict[str, float | None]:
    said = scores >= supported_at
    true = labels == 1
    caught, missed, blamed = (~said & ~true).sum(), (said & ~true).sum(), (~said & true).sum()
    both = true.any() and not true.all()
    sides = [float(said[true].mean()), float((~said)[~true].mean())] if both else []
    return {
        "auroc": auroc(scores, labels) if both else None,
        "balanced_accuracy": sum(sides) / 2 if both else None,
        "f1_unsupported": float(2 * caught / (2 * caught + missed + blamed))
        if caught + missed + blamed
        else None,
    }


def _kind_figures(wrong: Sequence[Judged], true: Sequence[Judged], supported_at: float) -> dict:
    caught = sum(j.verdict.score < supported_at for j in wrong)
    value = auroc([j.verdict.score for j in [*wrong, *true]], _labels([*wrong, *true]))
    return {
        "n": len(wrong),
        "caught": round(caught / len(wrong), 3),
        "auroc": None if value is None else round(value, 4),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _labels(judged: Sequence[Judged]) -> list[int]:
    return [j.claim.label for j in judged]


def _baselines(claim: Claim, passage: Passage, embedder: TokenEmbedder) -> dict[str, float]:
    """What needs no training: the share of words, of pairs of characters, and MaxSim."""
    terms = split_terms(claim.text)
    held = set(split_terms(claim.evidence))
    pairs = {claim.text[i : i + 2] for i in range(len(claim.text) - 1)}
    words, *tables = embedder.embed_tokens([claim.text, *(passage.readable or ("",))])
    tables = [table for table in tables if len(table)]
    return {
        "cover": sum(term in held for term in terms) / max(1, len(terms)),
        "bigram cover": sum(pair in claim.evidence for pair in pairs) / max(1, len(pairs)),
        "MaxSim": max_sim(words, np.concatenate(tables)) if tables and len(words) else 0.0,
    }
