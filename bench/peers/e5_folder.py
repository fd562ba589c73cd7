"""The embedder's weights as a sentence-transformers folder in full precision.

`python -m bench.peers.e5_folder WEIGHTS_FOLDER OUT` in the peers' environment: it needs
safetensors and tokenizers beside NumPy. The other libraries get the very same weights that
the product runs at 8 bit. Knows both file formats; knows nothing of measuring.
"""

import argparse
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from retrieval.embedders.e5_weights import E5Weights

WEIGHTS_FILE = "e5-small-q4.bin"
LINEAR = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
BLANK = "▁"


def write_folder(weights: E5Weights, out: Path) -> None:
    """Writes every file that `SentenceTransformer(out)` reads; modules.json comes last."""
    from safetensors.numpy import save_file

    out.mkdir(parents=True, exist_ok=True)
    save_file(bert_tensors(weights), out / "model.safetensors", metadata={"format": "pt"})
    _write(out / "config.json", bert_config(weights))
    build_tokenizer(weights).save(str(out / "tokenizer.json"))
    _write(out / "tokenizer_config.json", tokenizer_config(weights))
    for name, content in pipeline_files(weights).items():
        _write(out / name, content)


def bert_tensors(weights: E5Weights) -> dict[str, np.ndarray]:
    """All tensors by the names that transformers gives them, float32."""
    config = weights.config
    tensors = {"embeddings.word_embeddings.weight": weights.matrix("emb.word", config.hidden)}
    for short, name in (("pos", "position"), ("type", "token_type")):
        rows = weights.float_tensor(f"emb.{short}").reshape(-1, config.hidden)
        tensors[f"embeddings.{name}_embeddings.weight"] = rows
    tensors.update(_norm(weights, "emb.ln", "embeddings.LayerNorm"))
    for layer in range(config.layers):
        prefix = f"encoder.layer.{layer}"
        for short, name in LINEAR.items():
            columns = config.feed_forward if short == "fo" else config.hidden
            tensors[f"{prefix}.{name}.weight"] = weights.matrix(f"l{layer}.{short}.w", columns)
            tensors[f"{prefix}.{name}.bias"] = weights.float_tensor(f"l{layer}.{short}.b")
        for short, name in NORMS.items():
            tensors.update(_norm(weights, f"l{layer}.{short}", f"{prefix}.{name}"))
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in tensors.items()}


def bert_config(weights: E5Weights) -> dict:
    """config.json."""
    config = weights.config
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": config.hidden,
        "intermediate_size": config.feed_forward,
        "layer_norm_eps": config.layer_norm_eps,
        "max_position_embeddings": len(weights.float_tensor("emb.pos")) // config.hidden,
        "num_attention_heads": config.heads,
        "num_hidden_layers": config.layers,
        "pad_token_id": weights.special.pad,
        "type_vocab_size": len(weights.float_tensor("emb.type")) // config.hidden,
        "vocab_size": config.vocabulary,
        "dtype": "float32",
    }


def build_tokenizer(weights: E5Weights):
    """A `tokenizers.Tokenizer` that cuts as the product's tokenizer does."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces, special = weights.pieces(), weights.special
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=special.unk, byte_fallback=False))
    rules = character_rules(weights.normaliser())
    replacements = [normalizers.Replace(Regex(pattern), by) for pattern, by in rules.items()]
    blanks = [normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip()]
    tokenizer.normalizer = normalizers.Sequence([*replacements, normalizers.NFKC(), *blanks])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=BLANK, prepend_scheme="always", split=True)
    first, last = pieces[special.bos][0], pieces[special.eos][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} {last} $B {last}",
        special_tokens=[(first, special.bos), (last, special.eos)],
    )
    ids = (special.bos, special.pad, special.eos, special.unk)
    tokenizer.add_special_tokens([AddedToken(pieces[i][0], special=True) for i in ids])
    return tokenizer


def character_rules(normaliser: Mapping[str, str]) -> dict[str, str]:
    """What the model's normaliser does beyond NFKC: a character class, and by what its
    members are replaced."""
    classes: dict[str, list[str]] = {}
    for character, by in normaliser.items():
        if by != unicodedata.normalize("NFKC", character):
            classes.setdefault(by, []).append(f"\\x{{{ord(character):x}}}")
    return {f"[{''.join(members)}]": by for by, members in classes.items()}


def tokenizer_config(weights: E5Weights) -> dict:
    """tokenizer_config.json."""
    pieces, special = weights.pieces(), weights.special
    names = {"bos": special.bos, "eos": special.eos, "pad": special.pad, "unk": special.unk}
    names |= {"cls": special.bos, "sep": special.eos}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": weights.config.positions,
        "padding_side": "right",
        **{f"{name}_token": pieces[index][0] for name, index in names.items()},
    }


def pipeline_files(weights: E5Weights) -> dict[str, dict | list]:
    """The files by which sentence-transformers knows what follows the encoder. The folder
    names no prompts: each library adds e5's prefixes in its own documented way."""
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    modules = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for at, (path, kind) in enumerate(kinds)
    ]
    pooling = {"word_embedding_dimension": weights.config.hidden, "pooling_mode_mean_tokens": True}
    return {
        "1_Pooling/config.json": {**pooling, "pooling_mode_cls_token": False},
        "2_Normalize/config.json": {},
        "sentence_bert_config.json": {"max_seq_length": weights.config.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {"similarity_fn_name": "cosine"},
        "modules.json": modules,
    }


def _norm(weights: E5Weights, short: str, name: str) -> dict[str, np.ndarray]:
    parts = {"weight": "w", "bias": "b"}
    return {f"{name}.{part}": weights.float_tensor(f"{short}.{letter}") for part, letter in parts.items()}


def _write(path: Path, content: dict | list) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("weights", type=Path, help="folder of e5-small-q4.bin")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    write_folder(E5Weights(arguments.weights / WEIGHTS_FILE), arguments.out)
