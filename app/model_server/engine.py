"""OpenVINO GenAI as an engine: messages in, text out, one generation at a time.

Knows that library; knows nothing of HTTP. A GGUF file is read once and kept beside it
in OpenVINO's own form, which loads in two seconds instead of twenty.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelFileError
from core.leftovers import remove_stale, work_folder

LOOKUP_TOKENS = 4
LOOKUP_NGRAM = 3
READY_FILE = "openvino_model.xml"
WORK_PREFIX = ".convert-"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to generate. `schema` is a JSON schema that the text must follow; `tools` are told to the
    model in the way of its own chat template."""

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    frequency_penalty: float = 0.0
    seed: int | None = None
    schema: Mapping | None = None
    tools: tuple[Mapping, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a generation ended; `finish_reason` is stop, length or cancelled."""

    prompt_tokens: int
    completion_tokens: int
    finish_reason: str


def prepare_model(path: Path) -> Path:
    """The folder in OpenVINO's form for a GGUF file; a folder is returned as it is.

    Raises:
        ModelFileError: the path is missing or cannot be read as a model.
    """
    if path.is_dir():
        return path
    if not path.is_file():
        raise ModelFileError(f"there is no model at {path}", remedy="run: attest models fetch")
    import openvino_genai

    remove_stale(path.parent, f"{WORK_PREFIX}*")
    target = path.with_name(f"{path.stem}.openvino-{openvino_genai.__version__.split('-')[0]}")
    if not (target / READY_FILE).exists():
        with _alone_with(path):
            if not (target / READY_FILE).exists():
                _convert(path, target)
    return target


@contextmanager
def _alone_with(path: Path) -> Iterator[None]:
    """Others wait: converting takes several gigabytes, and the second finds it done."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: both convert, and the first to end counts
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _convert(path: Path, target: Path) -> None:
    """In a folder of its own, renamed when whole: a kill leaves no half model."""
    import openvino_genai

    with work_folder(path.parent, WORK_PREFIX) as work:
        try:
            os.symlink(path.resolve(), work / path.name)
            openvino_genai.LLMPipeline(str(work / path.name), "CPU", enable_save_ov_model=True)
        except RuntimeError as exc:
            raise ModelFileError(
                f"{path} cannot be read as a model ({str(exc).strip().splitlines()[-1]})",
                remedy="name a GGUF file of a supported architecture, or an OpenVINO folder",
            ) from exc
        (work / path.name).unlink()
        _put_in_place(work, target)


def _put_in_place(work: Path, target: Path) -> None:
    """Renames it, unless another process was quicker with the same."""
    try:
        work.rename(target)
    except OSError as exc:
        if not (target / READY_FILE).exists():
            raise ModelFileError(
                f"the converted model cannot be renamed to {target} ({exc.strerror})",
                remedy=f"remove {target} and start again",
            ) from exc


class OpenVinoEngine:
    """One loaded model. Not thread-safe: the server queues the calls."""

    def __init__(self, folder: Path, threads: int = 0, cache_gb: int = 1) -> None:
        """Loads the model and runs it once, so that the first question does not wait for
        kernels to be made. `threads=0` uses all cores."""
        import openvino_genai as genai

        self._genai = genai
        scheduler = genai.SchedulerConfig()
        scheduler.cache_size = cache_gb
        scheduler.enable_prefix_caching = True
        options = {"INFERENCE_NUM_THREADS": threads} if threads else {}
        try:
            # Answers from evidence repeat it word for word, so guessing the next words from
            # the prompt (prompt lookup decoding) doubles the speed of such an answer.
            self._pipeline = genai.LLMPipeline(
                str(folder), "CPU", scheduler_config=scheduler, prompt_lookup=True, **options
            )
        except RuntimeError as exc:
            raise ModelFileError(
                f"the model in {folder} cannot be loaded ({str(exc).strip().splitlines()[-1]})",
                remedy="run: attest models verify",
            ) from exc
        self._tokenizer = self._pipeline.get_tokenizer()
        self.generate([{"role": "user", "content": "1"}], Sampling(max_tokens=4), lambda _: True)

    def generate(
        self, messages: Sequence[Mapping[str, str]], sampling: Sampling, on_text: Callable[[str], bool]
    ) -> Outcome:
        """Blocks until the end. `on_text` gets each piece; when it returns False, the
        generation stops and nothing more is passed on."""
        prompt = self._tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            add_generation_prompt=True,
            tools=[dict(tool) for tool in sampling.tools] or None,
        )
        status = self._genai.StreamingStatus
        cancelled = False

        def receive(piece: str):
            nonlocal cancelled
            cancelled = cancelled or not on_text(piece)
            return status.CANCEL if cancelled else status.RUNNING

        reply = self._pipeline.generate([prompt], self._config(sampling), receive)
        metrics = reply.perf_metrics
        ended = reply.finish_reasons[0] == self._genai.GenerationFinishReason.LENGTH
        reason = "cancelled" if cancelled else "length" if ended else "stop"
        return Outcome(metrics.get_num_input_tokens(), metrics.get_num_generated_tokens(), reason)

    def _config(self, sampling: Sampling):
        config = self._genai.GenerationConfig()
        config.apply_chat_template = False
        config.max_new_tokens = sampling.max_tokens
        config.num_assistant_tokens = LOOKUP_TOKENS
        config.max_ngram_size = LOOKUP_NGRAM
        if sampling.temperature > 0:
            config.do_sample = True
            config.temperature = sampling.temperature
            config.top_p = sampling.top_p
        if sampling.seed is not None:
            config.rng_seed = sampling.seed
        if sampling.stop:
            config.stop_strings = set(sampling.stop)
            config.include_stop_str_in_output = False
        if sampling.frequency_penalty:
            config.frequency_penalty = sampling.frequency_penalty
        if sampling.schema is not None:
            structured = self._genai.StructuredOutputConfig()
            structured.json_schema = json.dumps(sampling.schema)
            config.structured_output_config = structured
        return config
