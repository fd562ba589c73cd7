"""The model as other libraries get it."""

import json

import numpy as np
import pytest

from bench.peers.e5_folder import bert_tensors, build_tokenizer, character_rules, pipeline_files, write_folder
from retrieval.embedders.e5 import VOCABULARY_FILE, WEIGHTS_FILE
from retrieval.embedders.e5_tokenizer import E5Tokenizer
from retrieval.embedders.e5_weights import E5Weights

TEXTS = [
    "query: 跑跑卡丁车由韩国Nexon开发，于2004年发行。",
    "passage: The “new” four-note jingle — ABC’s, 1998…",
    "ＡＢＣ①ﬁ\u3000全角　空格\ttab\u200b零宽 é e\u0301",
    "  leading, trailing  and   many blanks  ",
    "🙂 emoji 𠮷 rare 한국어 العربية",
]


@pytest.fixture(scope="module")
def weights(weights_folder):
    return E5Weights(weights_folder / WEIGHTS_FILE)


def test_only_what_nfkc_does_not_do_becomes_a_rule():
    rules = character_rules({"Ａ": "A", "\t": " ", "\x01": "", "\x02": ""})
    assert rules == {"[\\x{9}]": " ", "[\\x{1}\\x{2}]": ""}


@pytest.mark.models
def test_every_tensor_has_its_place_and_shape(weights):
    tensors, config = bert_tensors(weights), weights.config
    assert len(tensors) == 5 + 16 * config.layers
    assert tensors["embeddings.word_embeddings.weight"].shape == (config.vocabulary, config.hidden)
    assert tensors["encoder.layer.11.output.dense.weight"].shape == (config.hidden, config.feed_forward)
    assert tensors["encoder.layer.0.intermediate.dense.weight"].shape == (config.feed_forward, config.hidden)
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in tensors.values())


@pytest.mark.models
def test_texts_are_cut_as_the_product_cuts_them(weights, weights_folder):
    pytest.importorskip("tokenizers", reason="comes with sentence-transformers")
    theirs, ours = build_tokenizer(weights), E5Tokenizer(weights, weights_folder / VOCABULARY_FILE)
    for text in TEXTS:
        assert theirs.encode(text).ids == ours.encode(text, 512), text


@pytest.mark.torch
@pytest.mark.models
@pytest.mark.slow
def test_the_folder_gives_the_vectors_of_the_product(weights, built_in_embedder, tmp_path):
    from sentence_transformers import SentenceTransformer

    write_folder(weights, tmp_path)
    model = SentenceTransformer(str(tmp_path), device="cpu", local_files_only=True)
    texts = [text.removeprefix("query: ") for text in TEXTS[:2]]
    theirs = model.encode([f"passage: {text}" for text in texts], normalize_embeddings=True)
    ours = built_in_embedder.embed_documents(texts)
    assert (theirs * ours).sum(axis=1).min() > 0.99


@pytest.mark.models
def test_every_file_of_the_pipeline_is_json(weights):
    files = pipeline_files(weights)
    assert {"modules.json", "1_Pooling/config.json", "sentence_bert_config.json"} <= files.keys()
    assert json.loads(json.dumps(files)) == files
