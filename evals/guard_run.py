"""One run of `attest eval guard`: claims from a file or from public sets, judged and reported.

The composition root of that measurement. Knows settings and files; knows nothing of figures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.guards.grounding import GroundingGuard
from core.errors import InputError
from core.paths import weights_dir
from core.settings import Settings
from evals.claims import Claim, read_claims
from evals.guard import judge, report, spearman
from evals.guard_sets import SETS, reported_claims
from retrieval.embedders.e5 import E5Embedder
from retrieval.token_cache import CachedTokenEmbedder

MTRAG = "mtrag"
ALL = "all"
# Beside AUROC and the like, which a script reads at the top level.
KEYS = ("auroc", "balanced_accuracy", "f1_unsupported", "ms_per_claim", "n")


@dataclass(frozen=True, slots=True)
class GuardJob:
    """What to judge: a file, or sets by name from the folder `data`."""

    file: Path | None
    sets: tuple[str, ...]
    data: Path | None
    limit: int | None = None
    train: bool = False


def run_guard(job: GuardJob, settings: Settings, on_progress: Callable[[str], None]) -> dict:
    """The report: of one file or set its figures, of several the same under `sets`.

    Raises:
        InputError: nothing is named, or it cannot be read.
    """
    embedder = E5Embedder(weights_dir())
    if job.train:
        from evals.fit_guard import fit_and_write

        return fit_and_write(_folder(job.file or job.data), embedder, on_progress)
    guard = GroundingGuard(
        CachedTokenEmbedder(embedder), settings.guard.supported_at, settings.guard.unsure_at
    )
    judging = _Judging(guard, embedder, settings.guard.supported_at, on_progress)
    shared = {
        "embedder": embedder.fingerprint,
        "supported_at": settings.guard.supported_at,
        "unsure_at": settings.guard.unsure_at,
    }
    if job.file is not None:
        return judging.figures(_evenly(read_claims(job.file), job.limit), True) | shared
    names = [*SETS, MTRAG] if ALL in job.sets else list(job.sets)
    if not names:
        raise InputError(
            "no claims are named", remedy=f"name a file, or --set: {', '.join([*SETS, MTRAG, ALL])}"
        )
    folder = _folder(job.data)
    reports = {}
    for name in names:
        if name == MTRAG:
            reports[name] = judging.agreement(folder, job.limit)
        else:
            reports[name] = judging.figures(
                _evenly(reported_claims(name, folder), job.limit), len(names) == 1
            )
    return (reports[names[0]] if len(names) == 1 else {"sets": reports}) | shared


class _Judging:
    def __init__(
        self,
        guard: GroundingGuard,
        embedder: E5Embedder,
        supported_at: float,
        on_progress: Callable[[str], None],
    ) -> None:
        self._guard, self._embedder = guard, CachedTokenEmbedder(embedder)
        self._supported_at, self._on_progress = supported_at, on_progress

    def figures(self, claims: Sequence[Claim], with_rows: bool) -> dict:
        judged = judge(claims, self._guard, self._embedder, self._on_progress)
        found = report(judged, self._supported_at)
        by_source = {j.claim.source for j in judged}
        if len(by_source) > 1:
            parts = {name: [j for j in judged if j.claim.source == name] for name in sorted(by_source)}
            found["sources"] = {name: report(rows, self._supported_at) for name, rows in parts.items()}
            for part in found["sources"].values():
                del part["reliability"]
        if with_rows:
            found["queries"] = {
                j.claim.id: {
                    "score": j.verdict.score,
                    "right": float((j.verdict.score >= self._supported_at) == j.claim.label),
                }
                for j in judged
            }
        return found

    def agreement(self, folder: Path, limit: int | None) -> dict:
        """The rank correlation with what people say of the faithfulness of answers."""
        from evals.datasets.claims import read_mtrag

        rows = _evenly(read_mtrag(folder), limit)
        judged = judge([claim for claim, _ in rows], self._guard, self._embedder, self._on_progress)
        people = [score for _, score in rows]
        names = judged[0].baselines
        return {
            "spearman": round(spearman([j.verdict.score for j in judged], people), 4),
            "baselines": {n: round(spearman([j.baselines[n] for j in judged], people), 4) for n in names},
            "n": len(rows),
        }


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
