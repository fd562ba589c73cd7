"""Switches off what libraries would send home, and the threads of NumPy's products. Called
first by every composition root, before NumPy is loaded."""

import os
import sys

SWITCHES = {
    "DO_NOT_TRACK": "1",
    "SCARF_NO_ANALYTICS": "true",
    "ANONYMIZED_TELEMETRY": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "VLLM_NO_USAGE_STATS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "OPENVINO_TELEMETRY_DISABLED": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Not telemetry, but noise on stderr whenever a child process is started.
    "GRPC_VERBOSITY": "ERROR",
    "GRPC_ENABLE_FORK_SUPPORT": "false",
}
# The threads of the BLAS behind NumPy wait for their next product by turning in circles: a
# search has a few small ones, and paid more for the waiting than for the work.
THREADS = {"OPENBLAS_NUM_THREADS": "1"}


def silence_libraries() -> None:
    """Sets every switch in this process and so in its children; threads, unless they are set."""
    os.environ.update(SWITCHES)
    for name, value in THREADS.items():
        os.environ.setdefault(name, value)
    # OpenVINO has no switch: it reports each import as long as this package can be imported.
    sys.modules.setdefault("openvino_telemetry", None)
