"""Measures the activation ranges of the e5 encoder over the sample library.

A command: `python -m retrieval.embedders.e5_calibrate SAMPLES WEIGHTS_FOLDER`. It writes
`e5_ranges.npz`, which lies in the repository, so that no user has to measure.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openvino as ov

from core.text import split_sentences
from retrieval.embedders.e5 import DOCUMENT_PREFIX, QUERY_PREFIX, VOCABULARY_FILE, WEIGHTS_FILE
from retrieval.embedders.e5_graph import RANGES_FILE, WIDE_SITE, E5GraphBuilder
from retrieval.embedders.e5_tokenizer import E5Tokenizer
from retrieval.embedders.e5_weights import E5Weights

WINDOW_CHARS = 700
MAX_TOKENS = 256


def measure_ranges(weights: E5Weights, tokenizer: E5Tokenizer, texts: list[str]) -> dict[str, np.ndarray]:
    """Per channel the least and greatest input of each matrix product: NAME.min, NAME.max."""
    builder = E5GraphBuilder(weights, None)
    graph = ov.Core().compile_model(builder.build(), "CPU")
    found: dict[str, np.ndarray] = {}
    for text in texts:
        ids = np.array([tokenizer.encode(text, MAX_TOKENS)])
        states = graph([weights.word_rows(ids), np.ones(ids.shape, np.float32)])
        for at, name in enumerate(builder.probes, start=1):
            if name.endswith(WIDE_SITE):
                continue
            low, high = states[at][0].min(axis=0), states[at][0].max(axis=0)
            found[f"{name}.min"] = np.minimum(found.get(f"{name}.min", low), low)
            found[f"{name}.max"] = np.maximum(found.get(f"{name}.max", high), high)
    return found


def read_texts(samples: Path) -> Iterator[str]:
    """Passages and single sentences of the text files, with the prefixes that they get in use."""
    for path in sorted(samples.rglob("*")):
        if path.suffix not in {".md", ".txt", ".html", ".jsonl"}:
            continue
        text = path.read_text(encoding="utf-8")
        for at in range(0, len(text), WINDOW_CHARS):
            yield DOCUMENT_PREFIX + text[at : at + WINDOW_CHARS]
        for span in split_sentences(text)[::4]:
            yield QUERY_PREFIX + span.of(text)


def run(samples: Path, folder: Path) -> None:
    """Measures and writes."""
    weights = E5Weights(folder / WEIGHTS_FILE)
    tokenizer = E5Tokenizer(weights, folder / VOCABULARY_FILE)
    ranges = measure_ranges(weights, tokenizer, list(read_texts(samples)))
    np.savez_compressed(RANGES_FILE, **{k: v.astype(np.float16) for k, v in ranges.items()})


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
