"""What embedding models want in front of a query and of a passage.

Knows model families whose own files do not say it, each with its source; knows nothing of
how a model is run.
"""

import re
from dataclasses import dataclass

NO_PROMPT = "none"
"""A setting of this value means: nothing in front, whatever the model's card says."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """Texts that go in front, letter by letter, blanks included."""

    query: str = ""
    document: str = ""


_RETRIEVE = "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"

# The first pattern that matches the last part of the model's name counts. The names are those
# of the model cards at https://huggingface.co/OWNER/NAME, which are the sources.
FAMILIES: tuple[tuple[str, Prompts], ...] = (
    # intfloat/multilingual-e5-large-instruct, intfloat/e5-mistral-7b-instruct: queries only
    (r"(multilingual-)?e5-.*instruct", Prompts(f"{_RETRIEVE}Query: ")),
    # intfloat/multilingual-e5-{small,base,large}, intfloat/e5-{small,base,large}-v2: both sides
    (r"(multilingual-)?e5-(small|base|large)", Prompts("query: ", "passage: ")),
    # Qwen/Qwen3-Embedding-{0.6B,4B,8B}: queries only; no blank after the colon
    (r"qwen3-embedding", Prompts(f"{_RETRIEVE}Query:")),
    # BAAI/bge-{small,base,large}-zh-v1.5 and -en-v1.5: short questions only
    (r"bge-(small|base|large)-zh", Prompts("为这个句子生成表示以用于检索相关文章：")),
    (r"bge-(small|base|large)-en", Prompts("Represent this sentence for searching relevant passages: ")),
    # nomic-ai/nomic-embed-text-v1.5, -v2-moe: both sides
    (r"nomic-embed-text", Prompts("search_query: ", "search_document: ")),
    # BAAI/bge-m3, Alibaba-NLP/gte-multilingual-base: none, by their cards
    (r"bge-m3|gte-multilingual", Prompts()),
)


def known_prompts(model: str) -> Prompts:
    """The prompts of the family that a model id, served name or folder belongs to; none for
    an unknown one."""
    name = model.partition("@")[0].rstrip("/").rsplit("/", 1)[-1].lower()
    for pattern, prompts in FAMILIES:
        if re.match(pattern, name):
            return prompts
    return Prompts()


def choose_prompts(settings_query: str, settings_document: str, own: Prompts, model: str) -> Prompts:
    """The settings' prompts, else the model's own, else its family's; each side for itself.

    A model that names a prompt for one side and none for the other means it so: its
    family is asked only when it says nothing at all.
    """
    card = own if own != Prompts() else known_prompts(model)
    return Prompts(_chosen(settings_query, card.query), _chosen(settings_document, card.document))


def _chosen(setting: str, otherwise: str) -> str:
    if setting == NO_PROMPT:
        return ""
    return setting or otherwise
