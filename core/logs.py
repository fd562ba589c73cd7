"""One log format for every process. Logs go to stderr: stdout belongs to `--json`."""

import logging
import sys

from core.addresses import hide_credentials


def configure_logging(level: str) -> None:
    """Sets the root logger; libraries stay at `warning` unless `debug` is asked for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    # Milvus Lite lacks some calls that its client tries first; the client copes and tells.
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    for room in ("core", "retrieval", "ingest", "agents", "app"):
        logging.getLogger(room).setLevel(level.upper())


class _Formatter(logging.Formatter):
    """Without the passwords that addresses in the settings may hold; libraries log them too."""

    def format(self, record: logging.LogRecord) -> str:
        return hide_credentials(super().format(record))
