"""The contract of `ImageEmbedder`, for servers of three protocols and for CLIP."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from pydantic import SecretStr

from core.errors import EmbedderError, ModelFileError, SettingsError
from core.seams import ImageEmbedder
from core.settings import ImageEmbedderSettings
from core.types import Figure
from retrieval.image_embedders import build_image_embedder
from tests.retrieval.colours import ColourEmbedder, painted

KEY = "sk-secret"


class ImageServer:
    """Speaks one of the protocols, strictly; vectors are those of `ColourEmbedder`, longer, and
    come in reverse."""

    def __init__(self, style: str) -> None:
        self.style, self.requests, self.model = style, [], ColourEmbedder()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.requests.append(body)
                right = self.headers["Authorization"] == f"Bearer {KEY}" and self.path == "/v1/embeddings"
                rows = owner.vectors(body) if right else []
                data = [{"index": at, "embedding": (3 * row).tolist()} for at, row in enumerate(rows)][::-1]
                payload = json.dumps({"data": data}).encode()
                self.send_response(200 if right else 401)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_):
                """Keeps the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def vectors(self, body: dict) -> np.ndarray:
        pictures, texts = getattr(self, f"_{self.style}")(body)
        return self.model.embed_images(pictures) if pictures else self.model.embed_texts(texts)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def _vllm(body: dict):
        if "messages" not in body:
            return [], body["input"]
        [message] = body["messages"]
        [part] = message["content"]
        return [_read(part["image_url"]["url"])], []

    @staticmethod
    def _jina(body: dict):
        pictures = [_read(f"data:image/png;base64,{one['image']}") for one in body["input"] if "image" in one]
        return pictures, [one["text"] for one in body["input"] if "text" in one]

    @staticmethod
    def _infinity(body: dict):
        if body.get("modality") == "image":
            return [_read(address) for address in body["input"]], []
        return [], body["input"]


def _read(address: str) -> Figure:
    head, _, data = address.partition(",")
    assert head == "data:image/png;base64"
    return Figure(base64.b64decode(data), "image/png", 0, 0)


class ImageEmbedderContract:
    """What every image embedder does. `embedder` is a fixture of the class that inherits this."""

    def test_pictures_and_texts_share_a_space_of_unit_vectors(self, embedder: ImageEmbedder):
        figures = [painted("red"), painted("lime"), painted("blue")]
        seen, said = embedder.embed_images(figures), embedder.embed_texts(["red", "a thing"])
        assert seen.shape == (3, embedder.dimensions) and said.shape == (2, embedder.dimensions)
        assert seen.dtype == said.dtype == np.float32
        assert np.allclose(np.linalg.norm(np.vstack([seen, said]), axis=1), 1, atol=1e-5)

    def test_the_order_is_kept_over_batches_and_nothing_gives_nothing(self, embedder: ImageEmbedder):
        figures = [painted(colour) for colour in ("red", "lime", "blue", "white", "black")]
        whole = embedder.embed_images(figures)
        single = np.vstack([embedder.embed_images([figure]) for figure in figures])
        assert np.allclose(whole, single, atol=1e-4)
        assert embedder.embed_images([]).shape == (0, embedder.dimensions)

    def test_it_has_a_fingerprint(self, embedder: ImageEmbedder):
        assert embedder.fingerprint


@pytest.fixture(params=["vllm", "jina", "infinity"])
def server(request):
    made = ImageServer(request.param)
    yield made
    made.close()


def settings_of(server: ImageServer, **over) -> ImageEmbedderSettings:
    given = {"kind": "http", "base_url": server.url, "model": "clip", "style": server.style, "batch_images": 2}
    return ImageEmbedderSettings(**given | {"api_key": SecretStr(KEY)} | over)


class TestHttp(ImageEmbedderContract):
    @pytest.fixture
    def embedder(self, server):
        return build_image_embedder(settings_of(server))

    def test_a_text_is_nearest_to_its_picture(self, embedder):
        seen = embedder.embed_images([painted("red"), painted("blue")])
        assert np.argmax(seen @ embedder.embed_texts(["red"])[0]) == 0

    def test_faults_name_their_setting(self, server):
        with pytest.raises(EmbedderError, match="ATTEST_IMAGE_EMBEDDER__API_KEY"):
            build_image_embedder(settings_of(server, api_key=SecretStr("wrong")))
        with pytest.raises(SettingsError, match="ATTEST_IMAGE_EMBEDDER__BASE_URL"):
            build_image_embedder(settings_of(server, base_url=""))


def test_without_a_kind_or_the_library_it_says_what_to_do():
    with pytest.raises(SettingsError, match="ATTEST_IMAGE_EMBEDDER__KIND"):
        build_image_embedder(ImageEmbedderSettings())
    with pytest.raises(SettingsError, match="ATTEST_IMAGE_EMBEDDER__MODEL"):
        build_image_embedder(ImageEmbedderSettings(kind="clip"))
    try:
        import sentence_transformers  # noqa: F401
    except ImportError:
        with pytest.raises(SettingsError, match=r"attest\[models\]"):
            build_image_embedder(ImageEmbedderSettings(kind="clip", model="/no/such"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A CLIP of random weights."""
    from tests.contracts.tiny_models import save_clip

    folder = save_clip(tmp_path_factory.mktemp("clip"))
    return build_image_embedder(
        ImageEmbedderSettings(kind="clip", model=str(folder), batch_images=2, device="cpu")
    )


@pytest.mark.torch
class TestClip(ImageEmbedderContract):
    """Shapes and order, not meaning."""

    @pytest.fixture
    def embedder(self, clip):
        return clip

    def test_a_folder_that_is_none_is_named(self, tmp_path):
        with pytest.raises(ModelFileError, match="ATTEST_IMAGE_EMBEDDER__MODEL"):
            build_image_embedder(ImageEmbedderSettings(kind="clip", model=str(tmp_path)))
