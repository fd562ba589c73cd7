"""A library with a vision model and an image embedder in its settings, both real servers: files
through the parse process into Milvus Lite, then found by search and shown."""

import pytest
from PIL import Image
from pydantic import SecretStr

from app.library import IngestOrder, Library
from app.services import Services
from core.settings import (
    CaptionerSettings,
    ImageEmbedderSettings,
    IngestSettings,
    RetrievalSettings,
    Settings,
)
from core.types import Scope
from tests.contracts.test_captioner import VisionServer
from tests.contracts.test_image_embedder import KEY, ImageServer
from tests.ingest.pictures import CAPTION, encoded, save_docx
from tests.ingest.test_samples_in_milvus import HashEmbedder

pytestmark = pytest.mark.slow


@pytest.fixture
def servers():
    made = VisionServer(), ImageServer("jina")
    yield made
    for server in made:
        server.close()


@pytest.fixture
def library(tmp_path, servers):
    vision, images = servers
    settings = Settings(
        _env_file=None,
        data=tmp_path / "data",
        cache=tmp_path / "none",
        ingest=IngestSettings(ocr=False, workers=1),
        retrieval=RetrievalSettings(reranker="none"),
        captioner=CaptionerSettings(base_url=vision.url, model="sees"),
        image_embedder=ImageEmbedderSettings(
            kind="http", base_url=images.url, model="clip", style="jina", api_key=SecretStr(KEY)
        ),
    )
    embedder = HashEmbedder()
    embedder.language_gap = 0.0
    services = Services(settings, {"embedder": embedder, "token_embedder": embedder})
    yield Library(services)
    services.close()


def test_a_picture_is_described_given_a_vector_found_by_all_legs_and_shown(tmp_path, library, servers):
    sea = Image.new("RGB", (300, 200), "blue")
    sea.paste("navy", (0, 100, 300, 200))
    path = save_docx(tmp_path / "a.docx", encoded(sea))
    report = library.ingest(IngestOrder((path,), "default"))
    assert (report["added"], report["warnings"]) == (1, [])
    hits = library.search(Scope("default"), "Output of the Walden plant, blue", 5)["hits"]
    hit = next(hit for hit in hits if hit["figure"])
    assert hit["text"].startswith(CAPTION) and "[described by sees] A bar chart." in hit["text"]
    assert {"dense", "lexical", "image"} <= set(hit["ranks"])
    _, _, _, document_id, _, name = hit["figure"].split("/")
    assert library.figure("default", document_id, name, None).data.startswith(b"\x89PNG")
    assert library.verify()["sound"]
    asked = len(servers[0].asked)
    assert library.ingest(IngestOrder((path,), "default"))["skipped"] == 1
    assert len(servers[0].asked) == asked == 1


def test_a_vision_model_that_is_gone_costs_a_warning(tmp_path, library, servers):
    servers[0].status = 500
    report = library.ingest(IngestOrder((save_docx(tmp_path / "a.docx"),), "default"))
    assert report["added"] == 1 and [warning["code"] for warning in report["warnings"]] == ["caption_failed"]
