"""One run of `attest eval guard`: claims from a file or from public sets, judged and reported.

The composition root of that measurement. Knows settings and files; knows nothing of figures.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from statistics import fmean

from agents.guards.building import GuardModels, load_models
from agents.guards.grounding import GroundingGuard
from agents.guards.learned import cut_claim
from app.guard_parts import build_pair_reader, open_probe_reader
from app.judging import opened_guard
from app.services import Services
from core.errors import InputError
from core.paths import weights_dir
from core.seams import TokenEmbedder
from core.settings import Settings
from core.types import Usage
from evals.claims import Claim, read_claims
from evals.datasets.claims import read_mtrag
from evals.guard import Judged, judge, report, spearman
from evals.guard_sets import SETS, reported_claims
from evals.indexing import settings_fingerprint
from retrieval.embedders.e5 import E5Embedder
from retrieval.token_cache import CachedTokenEmbedder

MTRAG = "mtrag"
ALL = "all"


@dataclass(frozen=True, slots=True)
class GuardJob:
    """What to judge: a file, or sets by name from the folder `data`."""

    file: Path | None
    sets: tuple[str, ...]
    data: Path | None
    limit: int | None = None
    train: bool = False
    drafts: Path | None = None


def run_guard(job: GuardJob, settings: Settings, on_progress: Callable[[str], None]) -> dict:
    """The report: of one file or set its figures, of several the same under `sets`.

    Raises:
        InputError: nothing is named, or it cannot be read.
        SettingsError, ModelFileError, ChatModelError: a bigger model or a judge that is named
            cannot be used.
    """
    if job.train:
        from evals.fit_pairs import fit_and_write

        folder = _folder(job.file or job.data)
        return fit_and_write(folder, job.drafts, weights_dir(settings.cache), on_progress)
    named = _read(job)
    embedder = _embedder(settings)
    cached = CachedTokenEmbedder(embedder)
    models = GuardModels(cached, build_pair_reader(settings), open_probe_reader(settings))
    spent: list[Usage] = []
    services = Services(settings)
    with (
        closing(services),
        opened_guard(models, settings.guard, load_models(settings.guard), services.chat_model) as guard,
    ):
        judging = _Judging(guard.spending(spent.append), cached, settings.guard.supported_at, on_progress)
        reports = {name: judging.run(rows, with_rows=len(named) == 1) for name, rows in named.items()}
    shared = {
        "usage": asdict(reduce(Usage.plus, spent, Usage())),
        "settings_fingerprint": settings_fingerprint(settings.guard.model_dump(mode="json")),
        "reader": models.pairs.fingerprint,
        "probes": models.probes.fingerprint if models.probes is not None else None,
        "supported_at": settings.guard.supported_at,
        "unsure_at": settings.guard.unsure_at,
    }
    return (next(iter(reports.values())) if len(reports) == 1 else {"sets": reports}) | shared


def _read(job: GuardJob) -> dict[str, Sequence]:
    """Claims by name of file or set; of MTRAG pairs of a claim and people's word."""
    if job.file is not None:
        return {job.file.name: _evenly(read_claims(job.file), job.limit)}
    names = [*SETS, MTRAG] if ALL in job.sets else list(job.sets)
    if not names:
        known = ", ".join([*SETS, MTRAG, ALL])
        raise InputError("no claims are named", remedy=f"name a file, or --set: {known}")
    folder = _folder(job.data)
    read = {name: read_mtrag(folder) if name == MTRAG else reported_claims(name, folder) for name in names}
    return {name: _evenly(rows, job.limit) for name, rows in read.items()}


class _Judging:
    def __init__(
        self,
        guard: GroundingGuard,
        embedder: TokenEmbedder,
        supported_at: float,
        on_progress: Callable[[str], None],
    ) -> None:
        self._guard, self._embedder = guard, embedder
        self._supported_at, self._on_progress = supported_at, on_progress

    def run(self, rows: Sequence, with_rows: bool) -> dict:
        if isinstance(rows[0], tuple):
            return self._agreement(rows)
        judged = judge(rows, self._guard, self._embedder, self._on_progress)
        found = report(judged, self._supported_at)
        sources = sorted({j.claim.source for j in judged})
        if len(sources) > 1:
            parts = {name: [j for j in judged if j.claim.source == name] for name in sources}
            found["sources"] = {name: report(part, self._supported_at) for name, part in parts.items()}
            for part in found["sources"].values():
                del part["reliability"]
        if with_rows:
            found["queries"] = {j.claim.id: self._row(j) for j in judged}
        return found

    def _row(self, judged: Judged) -> dict:
        score = judged.verdict.score
        right = (score >= self._supported_at) == bool(judged.claim.label)
        return {"score": score, "right": float(right)}

    def _agreement(self, rows: Sequence[tuple[Claim, float]]) -> dict:
        """The rank correlation with what people say of the faithfulness of answers: of an answer the
        mean over its sentences, since one that is mostly held is mostly faithful."""
        sentences = [replace(c, text=text) for c, _ in rows for text in cut_claim(c.text)]
        judged = judge(sentences, self._guard, self._embedder, self._on_progress)
        scores: dict[str, list[Mapping[str, float]]] = {claim.id: [] for claim, _ in rows}
        for one in judged:
            scores[one.claim.id].append({"guard": one.verdict.score, **one.baselines})
        people = [score for _, score in rows]
        found = {
            name: round(spearman([fmean(s[name] for s in scores[c.id]) for c, _ in rows], people), 4)
            for name in scores[rows[0][0].id][0]
        }
        return {"spearman": found.pop("guard"), "baselines": found, "n": len(rows)}


def _embedder(settings: Settings) -> E5Embedder:
    return E5Embedder(weights_dir(settings.cache), settings.embedder.threads)


def _folder(folder: Path | None) -> Path:
    if folder is None or not folder.is_dir():
        raise InputError(
            f"there is no folder {folder}", remedy="name the folder of the public sets with --data"
        )
    return folder


def _evenly(rows: Sequence, limit: int | None) -> list:
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[at * len(rows) // limit] for at in range(limit)]
