"""Prompts of known model families, and who decides."""

import pytest

from retrieval.embedders.prompts import Prompts, choose_prompts, known_prompts


@pytest.mark.parametrize(
    ("model", "query", "document"),
    [
        ("intfloat/multilingual-e5-small", "query: ", "passage: "),
        ("/models/multilingual-e5-small/", "query: ", "passage: "),
        ("intfloat/e5-base-v2@main", "query: ", "passage: "),
        ("intfloat/e5-large@refs/pr/3", "query: ", "passage: "),
        ("BAAI/bge-m3", "", ""),
        ("BAAI/bge-base-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: ", "search_document: "),
        ("text-embedding-3-small", "", ""),
        ("somebody/my-e5-like", "", ""),
        ("", "", ""),
    ],
)
def test_families(model, query, document):
    assert known_prompts(model) == Prompts(query, document)


@pytest.mark.parametrize(
    ("model", "ending"),
    [
        ("intfloat/multilingual-e5-large-instruct", "\nQuery: "),
        ("intfloat/e5-mistral-7b-instruct", "\nQuery: "),
        ("Qwen/Qwen3-Embedding-0.6B", "\nQuery:"),
    ],
)
def test_instructed_models_are_told_the_task_for_queries_only(model, ending):
    prompts = known_prompts(model)
    assert prompts.query.startswith("Instruct: ") and prompts.query.endswith(ending)
    assert prompts.document == ""


def test_settings_come_before_the_model_and_the_model_before_its_family():
    own, name = Prompts("ask: ", "tell: "), "intfloat/e5-small"
    assert choose_prompts("", "", Prompts(), name) == Prompts("query: ", "passage: ")
    assert choose_prompts("", "", own, name) == own
    assert choose_prompts("q ", "", own, name) == Prompts("q ", "tell: ")
    assert choose_prompts("none", "none", own, name) == Prompts()
    assert choose_prompts("", "", Prompts(query="ask: "), name) == Prompts("ask: ", "")
