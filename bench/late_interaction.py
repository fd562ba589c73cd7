"""What the parts of late interaction bring: a power of the cosines, weights of tokens, windows.

`python -m bench.late_interaction EVALS_FOLDER` orders the candidates of each public set by
late interaction alone, each paragraph whole. Development data: the power of the weights and
the size of the window were chosen with these sets in sight.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.paths import weights_dir
from evals.beir import read_retrieval_set
from evals.convert import convert
from evals.projection_data import EncodedSet, SetEncoder
from evals.ranking import ndcg
from evals.record import write_result
from retrieval.embedders.e5_projection import LANGUAGES, TokenProjection, load_projection
from retrieval.rerankers.late_interaction import match_tables

MOST_QUERIES = 700
FAMILIES = ("xquad", "cmrc2018", "cranfield", "tatqa", "imtqa", "rgb", "locomo")
VARIANTS = ("plain", "weights", "windows", "weights and windows")


def measure(part: EncodedSet, projection: TokenProjection) -> dict:
    """Mean nDCG@10 of each variant."""
    tables: dict[int, np.ndarray] = {}
    values: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for q, states in enumerate(part.queries):
        words = projection.project(_floats(states), LANGUAGES[part.asked_in[q]])
        for d in part.candidates[q]:
            if d not in tables:
                tables[d] = projection.narrow(_floats(part.documents[d]), LANGUAGES[part.languages[d]])
        candidates = [tables[d] for d in part.candidates[q]]
        whole, near = match_tables(words, candidates)
        heavy, heavy_near = match_tables(words * part.weights[q][:, None], candidates)
        scores = (whole, heavy, (whole + near) / 2, (heavy + heavy_near) / 2)
        gap = projection.gap * (part.languages[part.candidates[q]] != part.asked_in[q])
        for variant, found in zip(VARIANTS, scores, strict=True):
            ranked = part.candidates[q][np.argsort(-(found + gap), kind="stable")]
            gains = {str(d): gain for d, gain in part.gains[q].items()}
            values[variant].append(ndcg([str(d) for d in ranked], gains))
    return {"n": len(part.queries), **{name: round(float(np.mean(v)), 4) for name, v in values.items()}}


def _floats(states: np.ndarray) -> np.ndarray:
    return states.astype(np.float32) / 127


def run(evals: Path, families: Sequence[str]) -> dict:
    """The figures of each set, by its name."""
    encoder, projection = SetEncoder(weights_dir(None)), load_projection()
    with tempfile.TemporaryDirectory() as place:
        folders = [path for family in families for path in convert_family(family, evals, Path(place))]
        return {
            folder.name: measure(encoder.encode(read_retrieval_set(folder), MOST_QUERIES), projection)
            for folder in folders
        }


def convert_family(family: str, evals: Path, place: Path) -> list[Path]:
    """Its folders in the BEIR layout."""
    source = evals / ("imtqa_zh" if family == "imtqa" else family)
    return convert(family, source, place)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.late_interaction")
    parser.add_argument("evals", type=Path)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    given = parser.parse_args()
    figures = run(given.evals, given.families)
    command = f"python -m bench.late_interaction EVALS_FOLDER --families {' '.join(given.families)}"
    write_result(
        "late_interaction",
        command,
        {
            "data": "development parts of public sets; late interaction alone, candidates of both legs",
            "ndcg@10": figures,
        },
    )
