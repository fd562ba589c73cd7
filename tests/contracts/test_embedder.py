"""The contract of `Embedder` and `TokenEmbedder`, against the real built-in model and an
HTTP server of the OpenAI protocol."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from core.errors import ModelFileError, ServiceError, SettingsError
from core.seams import Embedder
from core.settings import EmbedderSettings
from retrieval.embedders import build_embedder
from retrieval.embedders.http import HttpEmbedder


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


class _OpenAiEmbeddings(BaseHTTPRequestHandler):
    """Hash-seeded vectors, returned in reverse order as the protocol allows."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = []
        for index, text in enumerate(body["input"]):
            seeded = np.random.default_rng(abs(hash(text)) % 2**32)
            rows.append({"index": index, "embedding": (seeded.normal(size=16) + 0.1).tolist()})
        payload = json.dumps({"data": rows[::-1]}).encode()
        self.send_response(200 if self.headers.get("Authorization") == "Bearer k" else 401)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        """Keeps the test's output clean."""


class TestHttp(EmbedderContract):
    """Any server of the OpenAI embeddings protocol."""

    @pytest.fixture
    def settings(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _OpenAiEmbeddings)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield EmbedderSettings(
            kind="http", model="m", base_url=f"http://127.0.0.1:{server.server_port}/v1",
            api_key="k", query_prompt="query: ",
        )  # fmt: skip
        server.shutdown()

    @pytest.fixture
    def embedder(self, settings):
        return HttpEmbedder(settings)

    def test_a_refused_key_is_an_outage_not_an_empty_result(self, settings):
        with pytest.raises(ServiceError, match="401"):
            HttpEmbedder(settings.model_copy(update={"api_key": EmbedderSettings(api_key="x").api_key}))


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
