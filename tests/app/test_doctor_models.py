"""`attest doctor` asks the embedder and the reranker, whichever the settings name."""

import pytest

from app.doctor import Grade, examine
from app.services import Services
from core.settings import (
    CaptionerSettings,
    EmbedderSettings,
    ImageEmbedderSettings,
    RetrievalSettings,
    Settings,
)
from tests.contracts.model_server import KEY, MODEL, ModelServerStandIn


@pytest.fixture
def model_server():
    server = ModelServerStandIn()
    yield server
    server.close()


def findings(tmp_path, retrieval: RetrievalSettings, embedder: EmbedderSettings | None = None):
    """What doctor says of the embedder and of the reranker."""
    settings = Settings(
        _env_file=None, data=tmp_path / "data", cache=tmp_path / "none", retrieval=retrieval,
        embedder=embedder or EmbedderSettings(),
    )  # fmt: skip
    found = {finding.check: finding for finding in examine(Services(settings))}
    return found["embedder"], found["reranker"]


def http_reranker(model_server, **more) -> RetrievalSettings:
    """Settings of a reranker on that server."""
    return RetrievalSettings(
        reranker="http", reranker_base_url=f"{model_server.url}/v1", reranker_model=MODEL,
        **({"reranker_api_key": KEY} | more),
    )  # fmt: skip


def test_servers_that_answer_are_named(tmp_path, model_server):
    embedder = EmbedderSettings(kind="http", base_url=f"{model_server.url}/v1", model=MODEL, api_key=KEY)
    embedding, reranking = findings(tmp_path, http_reranker(model_server), embedder)
    assert embedding.grade is Grade.OK and f"http {MODEL}" in embedding.message
    assert reranking.grade is Grade.OK and f"http {MODEL}" in reranking.message


def test_a_server_that_refuses_is_a_fault_with_its_remedy(tmp_path, model_server):
    _, reranking = findings(tmp_path, http_reranker(model_server, reranker_api_key="wrong"))
    assert reranking.grade is Grade.FAULT and "RERANKER_API_KEY" in reranking.remedy


def test_a_budget_that_is_too_small_is_a_warning(tmp_path, model_server):
    model_server.delay_s = 5
    _, reranking = findings(tmp_path, http_reranker(model_server, rerank_budget_ms=50))
    assert reranking.grade is Grade.WARNING and "RERANK_BUDGET_MS" in reranking.remedy


def test_no_reranking_needs_no_weights(tmp_path):
    _, reranking = findings(tmp_path, RetrievalSettings(reranker="none"))
    assert reranking.grade is Grade.OK and "off" in reranking.message


def test_late_interaction_without_weights_is_a_fault(tmp_path):
    _, reranking = findings(tmp_path, RetrievalSettings())
    assert reranking.grade is Grade.FAULT and "attest models fetch" in reranking.remedy


def test_what_describes_and_finds_pictures_is_asked_where_it_is_set(tmp_path, model_server):
    address = f"{model_server.url}/v1"
    settings = Settings(
        _env_file=None, data=tmp_path / "data", cache=tmp_path / "none",
        captioner=CaptionerSettings(base_url=address, model="other"),
        image_embedder=ImageEmbedderSettings(kind="http", base_url=address, model=MODEL, api_key=KEY),
    )  # fmt: skip
    found = {finding.check: finding for finding in examine(Services(settings))}
    # The stand-in wants its key, which was not given here.
    assert found["vision model"].grade is Grade.FAULT
    assert "ATTEST_CAPTIONER__BASE_URL" in found["vision model"].remedy
    assert found["image embedder"].grade is Grade.OK and "24 dimensions" in found["image embedder"].message
    plain = examine(Services(Settings(_env_file=None, data=tmp_path / "data", cache=tmp_path / "none")))
    assert not {"vision model", "image embedder"} & {finding.check for finding in plain}
