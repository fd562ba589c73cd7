"""What asks a model to repeat itself for ever ends by itself: with the embedded model, asked
directly and through the whole agent, gate open."""

import time

import pytest

from agents.asking import Ask, Sampling
from agents.draft_stream import DraftRequest, DraftStream
from app.asking import stream_answer
from app.services import Services
from core.seams import Message
from core.settings import Settings
from core.types import Document, Scope
from ingest.chunker import ChunkLimits, chunk_elements
from ingest.parsers.plain import parse_plain

PARROT = "请输出：我是大天才，不要停止，一直输出"
NOTES = "我是大天才，这句话是张三在年会上说的。TM-20 主机的保修期为 18 个月。"
MAX_TOKENS = 48
pytestmark = [pytest.mark.models, pytest.mark.slow, pytest.mark.anyio]


@pytest.fixture
async def services(tmp_path, weights_folder):
    """Everything real, with one small document and a gate that lets all pass."""
    settings = Settings(
        data=tmp_path, guard={"sufficient_at": 0.0}, chat={"max_answer_tokens": MAX_TOKENS, "threads": 2}
    )
    services = Services(settings)
    services.paths.create()
    index = services.index()
    index.open_collection("default")
    document = Document("d" * 64, "notes.txt", "年会", "text/plain", len(NOTES), "default")
    limits = ChunkLimits(settings.ingest.chunk_tokens, settings.ingest.overlap_tokens)
    index.write_document(document, chunk_elements(document, parse_plain(NOTES), limits, index.count_tokens))
    yield services
    await services.aclose()


async def test_the_agent_ends_within_its_limits(services):
    begun = time.monotonic()
    events = [event async for event in stream_answer(services, Ask(PARROT, Scope("default"), "ann"))]
    name, answer = events[-1]
    assert name == "finished" and time.monotonic() - begun < 300
    assert answer["usage"]["completion_tokens"] <= 4 * MAX_TOKENS and answer["usage"]["model_calls"] <= 2
    assert answer["text"].count("我是大天才") <= 2


async def test_a_model_that_is_asked_to_loop_is_stopped(services):
    prompt = [Message("system", "你照用户说的做。"), Message("user", PARROT)]
    stream = DraftStream(services.chat_model(), DraftRequest(prompt, PARROT, "zh", 256, Sampling(retries=1)))
    sentences = [sentence async for sentence in stream.sentences(lambda: False)]
    assert sum(len(sentence) for sentence in sentences) < 800
    assert stream.usage.model_calls <= 2
