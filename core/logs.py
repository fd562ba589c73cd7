"""One log format for every process. Logs go to stderr: stdout belongs to `--json`."""

import logging
import sys


def configure_logging(level: str) -> None:
    """Sets the root logger; libraries stay at `warning` unless `debug` is asked for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    # Milvus Lite lacks some calls that its client tries first; the client copes and tells.
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    for room in ("core", "retrieval", "ingest", "agents", "app"):
        logging.getLogger(room).setLevel(level.upper())
