"""The tool `python`: a program of the standard library in a locked process of its own.

Off unless the settings name it, and for admins alone unless they say otherwise. Knows how a process is
started, fed and ended; the locks are in `locked_child`.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from agents.tools import locked_child
from agents.tools.tool import ToolArguments, ToolCall, ToolResult
from core.errors import ToolError

MAX_OUTPUT_CHARS = 20_000
MEMORY_MB = 512
SECONDS = 10


class PythonArguments(ToolArguments):
    """What to run."""

    code: str = Field(min_length=1, max_length=20_000, description="a program; what it prints is the result")


class PythonTool:
    """Runs a program, and gives what it prints."""

    name = "python"
    descriptions: Mapping[str, str] = {
        "zh": "在受限的独立进程中运行一段 Python 程序（只有标准库，没有网络）。",
        "en": "Runs a Python program in a locked process: the standard library, no network.",
    }
    arguments = PythonArguments
    effects = False
    reads_documents = False
    roles = frozenset({"admin"})
    timeout_s = SECONDS + 5.0

    async def run(self, arguments: PythonArguments, call: ToolCall) -> ToolResult:
        """See `Tool.run`. A program that fails gives its traceback, as a result. Raises ToolError when
        the system gives no lock: nothing is run without."""
        with tempfile.TemporaryDirectory(prefix="attest-python-") as folder:
            Path(folder, "main.py").write_text(arguments.code, "utf-8", errors="replace")
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", locked_child.__file__, folder, str(SECONDS), str(MEMORY_MB),
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, start_new_session=True, env={"LANG": "C.UTF-8"},
            )  # fmt: skip
            try:
                printed = await _read(process)
                code = await process.wait()
            finally:
                # All of its group: as root the limit of processes does not hold.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if code == locked_child.NOT_LOCKED:
            raise ToolError(
                f"the tool python is not run here, where it cannot be locked up ({printed.strip()[:200]})",
                remedy="it needs Linux with Landlock and user namespaces; or take it out of tools.enabled",
            )
        ended = "" if code == 0 else f"\n(ended with {code})"
        return ToolResult(f"{printed.rstrip()}{ended}", {"exit_code": code, "printed": printed})


async def _read(process: asyncio.subprocess.Process) -> str:
    """What it prints, up to a limit; what comes behind that is read and dropped."""
    kept, size = [], 0
    while piece := await process.stdout.read(1 << 16):
        if size < MAX_OUTPUT_CHARS * 4:
            kept.append(piece)
            size += len(piece)
    text = b"".join(kept).decode("utf-8", "replace")
    return text if len(text) <= MAX_OUTPUT_CHARS else f"{text[:MAX_OUTPUT_CHARS]}\n…"
