"""Trains the small model of the grounding guard: `attest eval guard --train FOLDER`.

NumPy alone, seeded, about ten minutes on one core, nearly all of it the embedding of texts. The
alignment head learns first; the network over claims learns from heads that have not seen the
claim; the map to probabilities is fitted on what a network that has not seen the claim's group
says of it. Knows claims and weights; knows nothing of reports.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from agents.guards.grounding_model import WEIGHTS_FILE, claim_features, claims_logit
from agents.guards.reading import ClaimReader, Reading, cut_claim
from core.seams import TokenEmbedder
from evals.claim_evidence import EvidenceOfClaims
from evals.claims import Claim
from evals.guard import auroc
from evals.guard_network import Example, train_claims, train_head
from evals.guard_sets import learned_claims
from evals.splitting import stable_hash
from retrieval.embedders.e5 import E5Embedder
from retrieval.pieces import split_pieces
from retrieval.token_cache import CachedTokenEmbedder

SEED = 7
EPOCHS = 6
FOLDS = 3
TEXTS_AT_ONCE = 512
CENTRE_TEXTS = 2000
KNOTS = 12
LEAST_SHARE = 0.01


def fit_and_write(folder: Path, embedder: E5Embedder, on_progress: Callable[[str], None]) -> dict:
    """Writes the weights beside the guard, and says what they were made from.

    Raises:
        InputError: the sets are not in the folder.
    """
    claims = sorted(learned_claims(folder), key=lambda claim: (claim.evidence, claim.id))
    cached = _embed_all(claims, embedder, on_progress)
    centre = _centre(claims, cached)
    on_progress(f"reading {len(claims)} claims")
    bound, reader = EvidenceOfClaims(cached), ClaimReader(cached, centre)
    readings = [_narrowed(reader.read(c.text, bound.passage(c.text, c.evidence), c.question)) for c in claims]
    examples = [_example(c, r, embedder) for c, r in zip(claims, readings, strict=True)]
    weights, measured = fit(claims, readings, examples, on_progress)
    np.savez_compressed(WEIGHTS_FILE, centre=centre.astype(np.float16), **weights)
    return {"weights": str(WEIGHTS_FILE), "bytes": WEIGHTS_FILE.stat().st_size, **measured}


def fit(
    claims: Sequence[Claim],
    readings: Sequence[Reading],
    examples: Sequence[Example],
    on_progress: Callable[[str], None],
) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays of the model and, by source, the AUROC of networks that had not seen the claim's group."""
    fold = np.array([stable_hash(claim.group) % FOLDS for claim in claims])
    table = np.zeros((len(claims), 0), np.float32)
    for at in range(FOLDS):
        on_progress(f"training the alignment head, {at + 1} of {FOLDS + 1}")
        head = train_head([e for e, f in zip(examples, fold, strict=True) if f != at], EPOCHS, SEED + at)
        here = np.flatnonzero(fold == at)
        rows = np.array([claim_features(head, readings[index]) for index in here])
        table = table if table.shape[1] else np.zeros((len(claims), rows.shape[1]), np.float32)
        table[here] = rows
    on_progress(f"training the alignment head, {FOLDS + 1} of {FOLDS + 1}")
    head = train_head(examples, EPOCHS, SEED)
    labels = np.array([claim.label for claim in claims], np.float32)
    counts = _weights(claims)
    logits = np.zeros(len(claims))
    for at in range(FOLDS):
        net = train_claims(table[fold != at], labels[fold != at], counts[fold != at], SEED)
        logits[fold == at] = [claims_logit(net, row) for row in table[fold == at]]
    net = train_claims(table, labels, counts, SEED)
    map_from, map_to = fit_map(logits, labels, counts)
    arrays = {f"head.{name}": _stored(value) for name, value in head.items()}
    arrays |= {f"claims.{name}": _stored(value) for name, value in net.items()}
    sources = sorted({claim.source for claim in claims})
    measured = {name: _source_auroc(name, claims, logits, labels) for name in sources}
    return arrays | {"map_from": map_from, "map_to": map_to}, {
        "n": len(claims),
        "cross_validated_auroc": measured,
    }


def fit_map(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Isotonic regression (Zadrozny and Elkan 2002) thinned to a few knots: (logits, probabilities),
    both rising. The ends stay a little away from 0 and 1: so much no sample of this size can know."""
    order = np.argsort(logits, kind="stable")
    blocks: list[list[float]] = []
    for at in order:
        blocks.append([float(logits[at]) * weights[at], float(labels[at]) * weights[at], float(weights[at])])
        while len(blocks) > 1 and blocks[-2][1] / blocks[-2][2] >= blocks[-1][1] / blocks[-1][2]:
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
    where = np.array([block[0] / block[2] for block in blocks])
    share = np.clip(np.array([block[1] / block[2] for block in blocks]), LEAST_SHARE, 1 - LEAST_SHARE)
    at = np.unique(np.linspace(0, len(blocks) - 1, KNOTS).round().astype(int))
    ends = np.concatenate([[where[0] - 3], where[at], [where[-1] + 3]])
    # Slopes at the ends keep the order of claims that all blocks put together.
    return ends, np.concatenate([[LEAST_SHARE / 4], share[at], [1 - LEAST_SHARE / 4]])


def _embed_all(
    claims: Sequence[Claim], embedder: E5Embedder, on_progress: Callable[[str], None]
) -> TokenEmbedder:
    """Every sentence of claims and evidence, in batches: single calls take four times as long."""
    texts = {sentence for claim in claims for sentence in cut_claim(claim.text)}
    for evidence in {claim.evidence for claim in claims}:
        texts.update(piece.readable(evidence) for piece in split_pieces(evidence))
    cached = CachedTokenEmbedder(embedder, kept_tokens=10**9)
    ordered = sorted(texts, key=lambda text: (len(text), text))
    for at in range(0, len(ordered), TEXTS_AT_ONCE):
        on_progress(f"embedding {at} of {len(ordered)} texts")
        cached.embed_tokens(ordered[at : at + TEXTS_AT_ONCE])
    return cached


def _centre(claims: Sequence[Claim], embedder: TokenEmbedder) -> np.ndarray:
    step = max(1, len(claims) // CENTRE_TEXTS)
    texts = [sentence for claim in claims[::step] for sentence in cut_claim(claim.text)]
    return np.concatenate(embedder.embed_tokens(texts)).mean(axis=0)


def _narrowed(reading: Reading) -> Reading:
    """Vectors at half precision: all claims are held at once."""
    from dataclasses import replace

    aligned = tuple(
        replace(a, claim=a.claim.astype(np.float16), held=a.held.astype(np.float16)) for a in reading.aligned
    )
    return replace(reading, aligned=aligned)


def _example(claim: Claim, reading: Reading, embedder: E5Embedder) -> Example:
    return Example(
        np.concatenate([a.claim for a in reading.aligned]),
        np.concatenate([a.held for a in reading.aligned]),
        np.concatenate([a.scalars for a in reading.aligned]),
        _wrong_tokens(claim, reading, embedder),
        1.0 - claim.label,
    )


def _wrong_tokens(claim: Claim, reading: Reading, embedder: E5Embedder) -> np.ndarray | None:
    """1 for each token of the stretch that was made wrong; None when nobody knows which it is."""
    if not claim.label and claim.wrong is None:
        return None
    start, end = claim.wrong or (-1, -1)
    found: list[float] = []
    past = 0
    for sentence in reading.sentences:
        past = max(claim.text.find(sentence, past), past)
        found += [float(a + past < end and b + past > start) for a, b in embedder.token_spans(sentence)]
    return np.array(found, np.float32) if len(found) == sum(len(a.best) for a in reading.aligned) else None


def _weights(claims: Iterable[Claim]) -> np.ndarray:
    """Of each claim: held and not held count the same, whatever was made of each."""
    labels = np.array([claim.label for claim in claims])
    share = labels.mean()
    return np.where(labels == 1, 0.5 / share, 0.5 / (1 - share)).astype(np.float32)


def _stored(value: np.ndarray) -> np.ndarray:
    return value.astype(np.float16) if value.size > 1000 else value.astype(np.float32)


def _source_auroc(name: str, claims: Sequence[Claim], logits: np.ndarray, labels: np.ndarray) -> dict:
    here = np.array([claim.source == name for claim in claims])
    value = auroc(logits[here], labels[here])
    return {"n": int(here.sum()), "auroc": None if value is None else round(value, 4)}
