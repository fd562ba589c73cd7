"""A Hugging Face model as plain files: weights as safetensors, and no code.

Knows the hub and the layout of such a folder; knows nothing of torch or of what the model
is for. With it a model that needs its own code, or weights that must be unpickled, is
refused before anything is loaded.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelFileError

# Everything that a loader reads, and neither code nor pickles.
PLAIN_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.tiktoken")
OTHER_RUNTIMES = ("onnx/*", "openvino/*", "imgs/*")
OUR_LIBRARY = "sentence_transformers."
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """`name` as the settings give it, `path` where its files lie."""

    name: str
    path: Path

    def fingerprint(self) -> str:
        """Twelve hex digits that change whenever a file of the model does.

        Reads every file once (about a second for each gigabyte).
        """
        digest = hashlib.sha256()
        for file in sorted(self.path.rglob("*")):
            name = file.relative_to(self.path)
            if not file.is_file() or not any(file.match(pattern) for pattern in PLAIN_FILES):
                continue
            if any(name.match(pattern) for pattern in OTHER_RUNTIMES):
                continue
            digest.update(f"{name.as_posix()}\0{file.stat().st_size}\0".encode())
            with file.open("rb") as stream:
                while part := stream.read(READ_BYTES):
                    digest.update(part)
        return digest.hexdigest()[:12]


def open_model_folder(name: str, what: str, setting: str) -> ModelFolder:
    """The model's files: `name` is a folder, or `owner/name` or `owner/name@revision` on the hub.

    Args:
        what: how messages call it, as "embedding model".
        setting: the environment variable that named it.

    Raises:
        ModelFileError: it cannot be had, needs code of its own, or has no safetensors.
    """
    path = Path(name).expanduser()
    folder = ModelFolder(name, path if path.is_dir() else _fetch(name, what, setting))
    _refuse_code(folder, what, setting)
    weights = sorted(folder.path.rglob("*.safetensors"))
    for file in weights:
        if not _is_whole(file):
            raise ModelFileError(
                f"the {what} {name} has a damaged or incomplete {file.name}", remedy="fetch the model again"
            )
    if not weights:
        raise ModelFileError(
            f"the {what} {name} has no safetensors file, and other weights are not loaded",
            remedy=f"name a revision that has one ({setting}=owner/name@revision), or convert it",
        )
    return folder


def _fetch(name: str, what: str, setting: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    repository, _, revision = name.partition("@")
    try:
        return Path(
            snapshot_download(
                repository,
                revision=revision or None,
                allow_patterns=list(PLAIN_FILES),
                ignore_patterns=list(OTHER_RUNTIMES),
            )
        )
    except (OSError, HFValidationError) as exc:
        raise ModelFileError(
            f"the {what} {name} is no folder and cannot be had from the hub ({type(exc).__name__})",
            remedy=f"set {setting} to a folder or to an owner/name of the hub, and look at the network",
        ) from exc


def _is_whole(file: Path) -> bool:
    """Whether the header can be read and the file ends where the header says.

    The format: eight bytes with the header's length, little-endian, the header in JSON with
    the offsets of each tensor, the tensors (https://github.com/huggingface/safetensors#format).
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= size - 8:
            return False
        try:
            header = json.loads(stream.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return False
    return 8 + length + max(ends, default=0) == size


def _refuse_code(folder: ModelFolder, what: str, setting: str) -> None:
    """The library imports what `modules.json` names, from a local folder even when no code is
    trusted; so the names are checked first."""
    for file in folder.path.rglob("modules.json"):
        try:
            kinds = [str(module["type"]) for module in json.loads(file.read_text(encoding="utf-8"))]
        except (ValueError, KeyError, TypeError) as exc:
            raise ModelFileError(
                f"the {what} {folder.name} has a damaged modules.json", remedy="fetch the model again"
            ) from exc
        if foreign := [kind for kind in kinds if not kind.startswith(OUR_LIBRARY)]:
            raise ModelFileError(
                f"the {what} {folder.name} brings code of its own ({foreign[0]}), which is never run",
                remedy=f"set {setting} to a model that needs none, or serve this one over http",
            )
