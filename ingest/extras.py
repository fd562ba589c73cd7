"""What a deployment may add to the ingestion of files; each is left out by default."""

from dataclasses import dataclass

from ingest.context_lines import ContextLines
from ingest.describing import FigureDescriber
from ingest.engine import IngestEngine


@dataclass(frozen=True, slots=True)
class IngestExtras:
    """`engine` reads and cuts files in the place of this process's own threads;
    `context_lines` writes a line for each chunk; `describer` tells what pictures
    show."""

    engine: IngestEngine | None = None
    context_lines: ContextLines | None = None
    describer: FigureDescriber | None = None
