"""Fits the token projection: `python -m evals.fit_projection EVALS_FOLDER [--folds 4]`.

Reads public development sets (docs/evaluation.md names them), tries the projection by
cross-validation over articles, then fits it to everything and writes
retrieval/embedders/e5_projection.npz and bench/results/token_projection.json. Minutes on
one core, without PyTorch.

A centre for each language is the mean of those tokens that are each other's nearest in a
paragraph and its translation: tokens that mean the same, so that what is left between the
centres is the language (Libovický et al. 2020). The basis are the principal directions.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from core.paths import weights_dir
from evals.beir import read_retrieval_set
from evals.convert import convert
from evals.projection_data import HIDDEN, EncodedSet, SetEncoder, fold_of
from evals.ranking import ndcg
from evals.record import write_result
from retrieval.embedders.e5_projection import LANGUAGES, PROJECTION_FILE, TokenProjection, save_projection
from retrieval.rerankers.late_interaction import max_sim

PARALLEL = ("xquad-en-en", "xquad-zh-zh")
MIXED = "xquad-mixed"
ALIKE = 0.3
ROUNDS = 2
# How far a centre goes from the middle of both languages to that of its own: all the way
# gains little more across languages and loses within Chinese.
OWN_SHARE = 0.5
GAPS = (0.0, 0.05, 0.1, 0.15, 0.2)
GAP = 0.15
MOST_QUERIES = 700
TOKENS_PER_TEXT = 60
TEXTS_PER_SET = 100


def fit(sets: Sequence[EncodedSet], size: int, is_held_out: Callable[[str], bool]) -> TokenProjection:
    """The projection from all but the texts whose group is held out."""
    english, chinese = (_kept(_named(sets, name), is_held_out) for name in PARALLEL)
    middle = sum(np.concatenate(tokens).mean(0) for tokens in (english, chinese)) / 2
    centres = np.stack([middle, middle])
    for _ in range(ROUNDS):
        pairs = [_alike(*both, centres) for both in zip(english, chinese, strict=True)]
        own = np.stack([np.concatenate([pair[side] for pair in pairs]).mean(0) for side in (0, 1)])
        centres = OWN_SHARE * own + (1 - OWN_SHARE) * middle
    return TokenProjection(_basis(sets, centres, size), centres.astype(np.float32), GAP)


def _kept(part: EncodedSet, is_held_out: Callable[[str], bool]) -> list[np.ndarray]:
    """Documents and questions that may be learned from, as float."""
    known = [q for q, group in enumerate(part.groups) if not is_held_out(group)]
    documents = sorted({d for q in known for d in part.gains[q]})
    return [_floats(part.documents[d]) for d in documents] + [_floats(part.queries[q]) for q in known]


def _alike(english: np.ndarray, chinese: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of a text and of its translation that are each other's nearest."""
    likeness = _unit(english - centres[0]) @ _unit(chinese - centres[1]).T
    if not likeness.size:
        return english[:0], chinese[:0]
    there, back = likeness.argmax(1), likeness.argmax(0)
    mutual = [(e, z) for e, z in enumerate(there) if back[z] == e and likeness[e, z] > ALIKE]
    return english[[e for e, _ in mutual]], chinese[[z for _, z in mutual]]


def _basis(sets: Sequence[EncodedSet], centres: np.ndarray, size: int) -> np.ndarray:
    """Principal directions of centred tokens, every set with as many texts."""
    scatter = np.zeros((HIDDEN, HIDDEN))
    for part in sets:
        step = max(1, len(part.documents) // TEXTS_PER_SET)
        for at in range(0, len(part.documents), step):
            rows = _floats(part.documents[at][:TOKENS_PER_TEXT]) - centres[part.languages[at]]
            scatter += rows.T @ rows
    _, directions = np.linalg.eigh(scatter)
    return np.ascontiguousarray(directions[:, ::-1][:, :size].T, dtype=np.float32)


def try_out(projection: TokenProjection | None, part: EncodedSet, asked: Sequence[int]) -> list[float]:
    """nDCG@10 of each question when its candidates are ordered by MaxSim alone; by the token
    states as they are without a projection."""
    tables: dict[int, np.ndarray] = {}
    values = []
    for q in asked:
        words = _floats(part.queries[q])
        if projection is not None:
            words = projection.project(words, LANGUAGES[part.asked_in[q]])
            words *= part.weights[q][:, None]
        for d in part.candidates[q]:
            if d not in tables:
                states = part.documents[d]
                language = LANGUAGES[part.languages[d]]
                tables[d] = states if projection is None else projection.narrow(_floats(states), language)
        scores = np.array(max_sim(words, [tables[d] for d in part.candidates[q]]))
        gap = projection.gap if projection is not None else 0.0
        scores += gap * (part.languages[part.candidates[q]] != part.asked_in[q])
        ranked = part.candidates[q][np.argsort(-scores, kind="stable")]
        gains = {str(d): gain for d, gain in part.gains[q].items()}
        values.append(ndcg([str(d) for d in ranked], gains))
    return values


def cross_validate(sets: Sequence[EncodedSet], size: int, folds: int) -> tuple[dict, dict]:
    """Mean nDCG@10 by set, raw states against a projection that has not seen the query's
    article; and the mixed library by gap, within a language and across."""
    found: dict[str, dict[str, list[float]]] = {}
    gaps: dict[str, dict[str, list[float]]] = {}
    for held_out in range(folds):
        learned = fit(sets, size, lambda group, fold=held_out: fold_of(group, folds) == fold)
        for part in sets:
            asked = [q for q, group in enumerate(part.groups) if fold_of(group, folds) == held_out]
            values = found.setdefault(part.name, {"raw states, 384": [], f"projected, {size}": []})
            values["raw states, 384"] += try_out(None, part, asked)
            values[f"projected, {size}"] += try_out(learned, part, asked)
            if part.name == MIXED:
                _try_gaps(learned, part, asked, gaps)
        print(f"fold {held_out + 1} of {folds}", flush=True)
    return _means(found), _means(gaps)


def _try_gaps(learned: TokenProjection, part: EncodedSet, asked: Sequence[int], found: dict) -> None:
    same = [part.languages[next(iter(part.gains[q]))] == part.asked_in[q] for q in asked]
    for gap in GAPS:
        values = try_out(TokenProjection(learned.basis, learned.centres, gap), part, asked)
        row = found.setdefault(f"gap {gap}", {"same language": [], "other language": []})
        for value, is_same in zip(values, same, strict=True):
            row["same language" if is_same else "other language"].append(value)


def _means(found: dict[str, dict[str, list[float]]]) -> dict:
    return {
        name: {
            "n": max(len(values) for values in columns.values()),
            **{column: round(float(np.mean(values)), 4) for column, values in columns.items() if values},
        }
        for name, columns in found.items()
    }


def _named(sets: Sequence[EncodedSet], name: str) -> EncodedSet:
    return next(part for part in sets if part.name == name)


def _floats(states: np.ndarray) -> np.ndarray:
    return states.astype(np.float32) / 127 if states.dtype == np.int8 else states


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)


def read_sets(evals: Path) -> list[EncodedSet]:
    """Every set that the converters give, encoded."""
    encoder = SetEncoder(weights_dir(None))
    with tempfile.TemporaryDirectory() as place:
        folders = convert("all", evals, Path(place))
        return [encoder.encode(read_retrieval_set(folder), MOST_QUERIES) for folder in folders]


def main() -> None:
    """Reads the command line, tries and fits."""
    parser = argparse.ArgumentParser(prog="python -m evals.fit_projection")
    parser.add_argument("evals", type=Path)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--size", type=int, default=HIDDEN)
    parser.add_argument("--out", type=Path, default=PROJECTION_FILE)
    arguments = parser.parse_args()
    sets = read_sets(arguments.evals)
    save_projection(fit(sets, arguments.size, lambda group: False), arguments.out)
    by_set, by_gap = cross_validate(sets, arguments.size, arguments.folds)
    write_result(
        "token_projection",
        f"python -m evals.fit_projection EVALS_FOLDER --size {arguments.size} --folds {arguments.folds}",
        {
            "data": "public development sets, by cross-validation over articles; MaxSim alone orders",
            "ndcg@10": by_set,
            "mixed library, ndcg@10": by_gap,
        },
    )


if __name__ == "__main__":
    main()
