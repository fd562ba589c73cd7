"""A function in a process of its own that may be killed: forked from a server that has loaded the code
and nothing else. A fork of the tests' own process has their threads' locks and libraries in it, and
crashes at times for reasons that are none of the product's. Test material only."""

import multiprocessing
import signal
from collections.abc import Callable

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["ingest.pipeline", "ingest.parsing", "tests.ingest.test_kill"])


def run_to_end(target: Callable, *args) -> bool:
    """True when the process came to its end, False when it was killed."""
    process = _CONTEXT.Process(target=target, args=args)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == 0
