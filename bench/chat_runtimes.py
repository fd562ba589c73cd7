"""Time to an answer with both runtimes that can serve the default chat model on a CPU.

`python -m bench.chat_runtimes [--runs N]`. OpenVINO GenAI runs as the product runs it; the
llama.cpp server comes from the package `xllamacpp`, which is no dependency: install it for
this measurement. Runs alternate, every prompt is new to both, so no prefix cache helps.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from app.chat_models import find_model_path
from app.model_server.process import ModelServerProcess, ModelServerSpec
from core.chat import OpenAIChatModel
from core.paths import weights_dir
from core.seams import ChatOptions, Message
from core.settings import load_settings
from evals.record import spread, write_result

LIBRARY = Path(__file__).resolve().parent.parent / "samples" / "library"
PROMPT_CHARS = {"short": 450, "long": 1800}
QUESTION = "\n\n用两句话概括上面的内容，照抄其中的数字。"
ANSWER_TOKENS = 60


@asynccontextmanager
async def openvino(path: Path, name: str) -> AsyncIterator[tuple[OpenAIChatModel, float]]:
    """The product's own child process; yields the client and the seconds to be ready."""
    begun = time.perf_counter()
    server = ModelServerProcess(ModelServerSpec(path, name))
    url = await asyncio.to_thread(server.start)
    client = OpenAIChatModel(url, name, server.api_key)
    try:
        yield client, time.perf_counter() - begun
    finally:
        await client.close()
        server.stop()


@asynccontextmanager
async def llama_cpp(path: Path, name: str) -> AsyncIterator[tuple[OpenAIChatModel, float]]:
    """llama.cpp's server in this process."""
    import xllamacpp

    begun = time.perf_counter()
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.verbosity, params.port = 4096, 1, 0, 0
    server = await asyncio.to_thread(xllamacpp.Server, params)
    client = OpenAIChatModel(f"{server.listening_address}/v1", name)
    try:
        yield client, time.perf_counter() - begun
    finally:
        await client.close()


async def time_reply(client: OpenAIChatModel, prompt: str) -> dict[str, float]:
    """Seconds to the first piece and to the end, and the token counts."""
    begun, first, usage = time.perf_counter(), None, None
    async for delta in client.stream([Message("user", prompt)], ChatOptions(max_tokens=ANSWER_TOKENS)):
        if delta.text and first is None:
            first = time.perf_counter() - begun
        usage = delta.usage or usage
    return {
        "first_s": first,
        "whole_s": time.perf_counter() - begun,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
    }


def prompts(size: int, count: int) -> list[str]:
    """Different stretches of the sample library, none a beginning of another."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(LIBRARY.glob("*zh*.[mt]*")))
    step = max(1, (len(text) - size) // count)
    return [text[at * step : at * step + size] + QUESTION for at in range(count)]


async def measure(runs: int) -> dict:
    """Both runtimes, run by run in turn."""
    settings = load_settings()
    path = find_model_path(settings.chat.model, weights_dir(settings.cache))
    found: dict[str, dict] = {}
    async with openvino(path, "m") as (one, one_ready), llama_cpp(path, "m") as (other, other_ready):
        runtimes = {"openvino-genai": (one, one_ready), "xllamacpp": (other, other_ready)}
        for name, (client, ready) in runtimes.items():
            await time_reply(client, "1")
            found[name] = {"version": version(name), "ready_s": round(ready, 2)}
        for label, size in PROMPT_CHARS.items():
            timed: dict[str, list[dict]] = {name: [] for name in runtimes}
            for prompt in prompts(size, runs):
                for name, (client, _) in runtimes.items():
                    timed[name].append(await time_reply(client, prompt))
            for name, rows in timed.items():
                found[name][label] = {key: spread([row[key] for row in rows]) for key in rows[0]}
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    write_result(
        "chat_runtimes",
        f"python -m bench.chat_runtimes --runs {arguments.runs}",
        {"runtimes": asyncio.run(measure(arguments.runs))},
    )
