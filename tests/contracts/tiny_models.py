"""Real models of a few thousand random weights, saved as the library saves them, for tests."""

import json
from pathlib import Path

LETTERS = "abcdefghijklmnopqrstuvwxyz年假保修期是多久十八个月食堂第条规定长短文本问题"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ":", *LETTERS, *(f"##{c}" for c in LETTERS)]
ROLES = (
    '{{ messages | selectattr("role", "eq", "query") | map(attribute="content") | first }}'
    ' | {{ messages | selectattr("role", "eq", "document") | map(attribute="content") | first }}'
)


def save_bert_parts(folder: Path):
    """A word list with one entry a letter, and the configuration of a two-layer BERT."""
    import torch
    from transformers import BertConfig, BertTokenizerFast

    torch.manual_seed(7)
    folder.mkdir(parents=True, exist_ok=True)
    words = folder / "vocab.txt"
    words.write_text("\n".join(WORDS), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(words), do_lower_case=True, model_max_length=64)
    tokenizer.save_pretrained(folder)
    return BertConfig(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, num_labels=1,
    )  # fmt: skip


def save_embedding_model(folder: Path, prompts: dict[str, str]) -> Path:
    """A sentence-transformers folder with mean pooling and those prompts in its configuration."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertModel

    parts = folder.with_name(f"{folder.name}-bert")
    BertModel(save_bert_parts(parts)).save_pretrained(parts)
    body = Transformer(str(parts))
    pooling = Pooling(body.get_embedding_dimension(), "mean")
    model = SentenceTransformer(modules=[body, pooling], prompts=prompts, device="cpu")
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def save_cross_encoder(folder: Path, labels: int = 1) -> Path:
    """A BERT with a head for pairs, as bge-reranker has."""
    from transformers import BertForSequenceClassification

    config = save_bert_parts(folder)
    config.num_labels = labels
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def save_generative_reranker(folder: Path, with_template: bool) -> Path:
    """A Qwen3 whose logits of "yes" and "no" are the score, as Qwen3-Reranker's are."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(7)
    words = {word: at for at, word in enumerate(["<pad>", "<unk>", "yes", "no", "|", *LETTERS])}
    raw = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", unk_token="<unk>")
    tokenizer.padding_side = "left"
    user = "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}"
    tokenizer.chat_template = ROLES if with_template else user
    tokenizer.save_pretrained(folder)
    config = Qwen3Config(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, head_dim=16, max_position_embeddings=128,
        pad_token_id=0, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    Qwen3ForCausalLM(config).save_pretrained(folder)
    return folder


def rewrite_json(path: Path, change) -> None:
    """Loads a JSON file, changes it in place, and writes it back."""
    value = json.loads(path.read_text(encoding="utf-8"))
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


def save_clip(folder: Path) -> Path:
    """A sentence-transformers folder of a CLIP of random weights for pictures of 32 pixels."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import CLIPModel as ClipModule
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    torch.manual_seed(7)
    parts = folder / "parts"
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: at for at, word in enumerate(words)}
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**size, "vocab_size": len(words), "max_position_embeddings": 77,
            "bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": len(words) - 1}  # fmt: skip
    vision = {**size, "image_size": 32, "patch_size": 8}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
    CLIPModel(config).save_pretrained(parts)
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    pictures = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPProcessor(pictures, tokenizer).save_pretrained(parts)
    made = folder / "clip"
    model = SentenceTransformer(modules=[ClipModule(str(parts))], device="cpu")
    model.save_pretrained(str(made), create_model_card=False)
    return made
