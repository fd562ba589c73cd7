"""How much of the evidence must a model read? `python -m evals.evidence_cut EVALS_FOLDER WEIGHTS_FOLDER`.

For questions whose answer is a known string: the share of them whose kept evidence still
holds it, against the tokens kept, for several rules. No chat model is asked. Writes
bench/results/evidence_cut.json. The data are not part of this repository; docs/evaluation.md
names them.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.seams import TokenEmbedder
from core.settings import IngestSettings
from core.types import Chunk, Document
from evals.answers import matches
from evals.datasets.spans import RGB_PARTS, SpanQuestion, read_pools, read_rgb
from evals.record import write_result
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.plain import parse_plain
from retrieval.embedders.e5 import E5Embedder
from retrieval.evidence import MARGIN, CutLimits, choose, estimate_tokens
from retrieval.pieces import join_spans
from retrieval.relevance import PieceTable, max_sim, read_pieces
from retrieval.terms import split_terms
from retrieval.token_cache import CachedTokenEmbedder

CANDIDATES = 8
SHOWN = 4
COVER_WEIGHT = 0.3
PER_SET = {"cmrc2018": 80, "drcd": 80, "xquad": 60}
COMMAND = "python -m evals.evidence_cut EVALS_FOLDER WEIGHTS_FOLDER"
WITHOUT_MARGIN = 9.0
UNREAD = -99.0

Rule = Callable[["Case"], list[set[int]]]
Read = Callable[["Case"], set[int]]


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the pieces of its chunks, best chunk first."""

    asked: SpanQuestion
    table: PieceTable


def questions(folder: Path) -> Iterator[SpanQuestion]:
    """The development sets, sampled always the same."""
    for part in RGB_PARTS:
        yield from read_rgb(folder / "rgb", part)
    yield from read_pools(folder / "cmrc2018/cmrc2018_trial.json", PER_SET["cmrc2018"], "cmrc2018")
    yield from read_pools(folder / "drcd/DRCD_dev.json", PER_SET["drcd"], "drcd")
    halves = {language: folder / f"xquad/xquad.{language}.half.json" for language in ("zh", "en")}
    for asked, path in halves.items():
        for held, other in halves.items():
            yield from read_pools(other, PER_SET["xquad"], f"xquad-{asked}-{held}", path)


def open_case(asked: SpanQuestion, embedder: TokenEmbedder, count: Callable[[str], int]) -> Case:
    """The passages cut as the ingest cuts them, the best chunks by late interaction and words."""
    settings = IngestSettings()
    limits = ChunkLimits(settings.chunk_tokens, settings.overlap_tokens)
    chunks: list[Chunk] = []
    for at, text in enumerate(asked.passages):
        document = Document(f"{at:064x}", f"{at}.txt", "", "text/plain", len(text), "evaluation")
        chunks += chunk_elements(document, parse_plain(text), limits, count)
    words, *tables = embedder.embed_tokens([asked.question, *(f"\n{chunk.text}" for chunk in chunks)])
    terms = set(split_terms(asked.question))
    scores = {}
    for at, (chunk, table) in enumerate(zip(chunks, tables, strict=True)):
        cover = len(terms & set(split_terms(chunk.text))) / len(terms) if terms else 0.0
        scores[at] = max_sim(words, table) + COVER_WEIGHT * cover
    best = sorted(scores, key=lambda at: (-scores[at], at))
    return Case(asked, read_pieces(embedder, asked.question, [chunks[at] for at in best]))


def rules() -> dict[str, Rule]:
    """What is compared, by name."""
    found: dict[str, Rule] = {f"{n} whole chunks": _whole(n, 700) for n in (1, 2, 3, 4)}
    found |= {f"{n} best of each chunk": _best_of_each(n) for n in (1, 2, 3)}
    for tokens in (150, 200, 250, 300, 400):
        flat = CutLimits(tokens, CANDIDATES, WITHOUT_MARGIN)
        found[f"alone, {tokens} tokens"] = _by("alone", flat)
        found[f"within, {tokens} tokens"] = _by("within", flat)
        found[f"both, {tokens} tokens"] = _by("scores", flat)
    reads = {"first 4": _first(4), "first 8": _first(8), "first 4 and neighbours": _neighbours(4)}
    for name, read in reads.items():
        found[f"both, margin {MARGIN}, {SHOWN} chunks of the {name}, 400 tokens"] = _by(
            "scores", CutLimits(400, SHOWN), read
        )
    for chunks in (SHOWN, CANDIDATES):
        for margin in (0.05, 0.06, 0.07, 0.08, 0.09, MARGIN):
            limits = CutLimits(400, chunks, margin)
            found[f"both, margin {margin}, {chunks} chunks, 400 tokens"] = _by("scores", limits)
    return found


def _whole(count: int, budget: float) -> Rule:
    def kept(case: Case) -> list[set[int]]:
        chosen: list[set[int]] = []
        spent = 0.0
        for chunk, pieces in list(zip(case.table.chunks, case.table.pieces, strict=True))[:count]:
            spent += estimate_tokens(chunk.text)
            if not chosen or spent <= budget:
                chosen.append(set(range(len(pieces))))
        return chosen

    return kept


def _best_of_each(count: int) -> Rule:
    def kept(case: Case) -> list[set[int]]:
        chosen: list[set[int]] = []
        for at in range(min(SHOWN, len(case.table.chunks))):
            own = [(-case.table.scores[n], p) for n, (a, p) in enumerate(case.table.places) if a == at]
            chosen.append({place for _, place in sorted(own)[:count]})
        return chosen

    return kept


def _first(count: int) -> Read:
    return lambda case: set(range(min(count, len(case.table.chunks))))


def _neighbours(count: int) -> Read:
    """The first chunks, and those before and behind each in its document."""

    def read(case: Case) -> set[int]:
        chunks = case.table.chunks
        wanted = {(c.document_id, c.order + step) for c in chunks[:count] for step in (-1, 0, 1)}
        return {at for at, chunk in enumerate(chunks) if (chunk.document_id, chunk.order) in wanted}

    return read


def _by(which: str, limits: CutLimits, read: Read | None = None) -> Rule:
    def kept(case: Case) -> list[set[int]]:
        allowed = (read or _first(CANDIDATES))(case)
        scores = [
            float(score) if at in allowed else UNREAD
            for score, (at, _) in zip(getattr(case.table, which), case.table.places, strict=True)
        ]
        return choose(case.table, scores, limits)

    return kept


def measure(cases: Sequence[Case], rule: Rule) -> dict:
    """Share of questions whose answer is still there, and mean tokens, of all and of each set."""
    by_set: dict[str, list[tuple[bool, float]]] = {}
    for case in cases:
        texts = [_text(case.table, at, places) for at, places in enumerate(rule(case)) if places]
        held = matches("\n".join(texts), case.asked.groups)
        by_set.setdefault(case.asked.source, []).append((held, sum(map(estimate_tokens, texts))))
    every = [pair for pairs in by_set.values() for pair in pairs]
    return _means(every) | {"sets": {name: _means(pairs) for name, pairs in by_set.items()}}


def _text(table: PieceTable, at: int, places: set[int]) -> str:
    return join_spans(table.chunks[at].text, [table.pieces[at][place].span for place in sorted(places)])


def _means(pairs: Sequence[tuple[bool, float]]) -> dict:
    held, tokens = zip(*pairs, strict=True)
    return {"n": len(pairs), "held": round(float(np.mean(held)), 4), "tokens": round(float(np.mean(tokens)))}


def main() -> None:
    """Reads the command line, measures and writes."""
    parser = argparse.ArgumentParser(prog="python -m evals.evidence_cut")
    parser.add_argument("evals", type=Path)
    parser.add_argument("weights", type=Path)
    arguments = parser.parse_args()
    embedder = E5Embedder(arguments.weights)
    cached = CachedTokenEmbedder(embedder)
    cases = [open_case(asked, cached, embedder.count_tokens) for asked in questions(arguments.evals)]
    curve = {name: measure(cases, rule) for name, rule in rules().items()}
    write_result("evidence_cut", COMMAND, {"rules": curve})


if __name__ == "__main__":
    main()
