"""`read_document` and `remember` over the real store and the real tables."""

import numpy as np
import pytest

from agents.memory.facts import Facts
from agents.memory.user_memory import UserMemory
from agents.tools.documents import ReadDocumentTool, join_chunks
from agents.tools.memory import RecallTool, RememberTool
from agents.tools.tool import ToolCall
from core.errors import ConflictError, InputError, NotFoundError
from core.paths import DataPaths
from core.seams import IndexRow
from core.settings import MemorySettings, MilvusSettings
from core.types import Chunk, Scope, chunk_id
from retrieval.store import open_store
from tests.agents.tools.doubles import call, open_invoker

pytestmark = pytest.mark.anyio
PARTS = (
    ("年假", 1, "员工每年有 10 天年假。满三年的员工有 15 天。"),
    ("年假", 1, "满三年的员工有 15 天。申请须提前三天提出。"),
    ("病假", 2, "病假须有医院证明。"),
)


@pytest.fixture
def store(tmp_path):
    store = open_store(MilvusSettings(), DataPaths(tmp_path))
    store.open_collection("default", 8, "f")
    rows = []
    for document, readers in (("handbook", ("everyone",)), ("salaries", ("hr",))):
        for order, (heading, page, text) in enumerate(PARTS):
            chunk = Chunk(chunk_id(document, order), document, order, text, "手册", f"/d/{document}.md", (heading,), page)
            rows.append(IndexRow(chunk, np.ones(8, np.float32), {1: 1.0}, readers))
    store.upsert("default", rows)
    yield store
    store.close()


async def read(tmp_path, store, who="ann", **arguments):
    invoker, _ = open_invoker(tmp_path, ReadDocumentTool(lambda: store))
    caller = ToolCall(who, Scope("default", frozenset({who})))
    return await invoker.invoke("read_document", arguments, caller)


async def test_a_document_is_read_whole_with_what_chunks_share_once(tmp_path, store):
    for reference in ("handbook", "/d/handbook.md"):
        found = await read(tmp_path, store, document=reference)
        assert found.text == "员工每年有 10 天年假。满三年的员工有 15 天。申请须提前三天提出。\n\n病假须有医院证明。"
        assert found.data["sections"] == ["年假", "病假"] and found.data["pages"] == 2 and found.data["is_whole"]
        assert [c.quote for c in found.citations] == [text for _, _, text in PARTS]


async def test_a_page_or_a_section_is_read(tmp_path, store):
    assert (await read(tmp_path, store, document="handbook", page=2)).text == "病假须有医院证明。"
    assert (await read(tmp_path, store, document="handbook", section="病假")).text == "病假须有医院证明。"
    for more, words in (({"page": 9}, "page 9"), ({"section": "加班"}, "年假, 病假")):
        with pytest.raises(NotFoundError, match=words):
            await read(tmp_path, store, document="handbook", **more)


async def test_a_long_text_is_read_on_where_it_was_cut(tmp_path, store):
    long = Chunk(chunk_id("long", 0), "long", 0, "甲" * 500, "长", "/d/long.md")
    store.upsert("default", [IndexRow(long, np.ones(8, np.float32), {1: 1.0}, ("everyone",))])
    first = await read(tmp_path, store, document="long", max_chars=300)
    rest = await read(tmp_path, store, document="long", max_chars=300, start=first.data["end"])
    assert first.text + rest.text == "甲" * 500 and not first.data["is_whole"] and rest.data["is_whole"]
    with pytest.raises(InputError, match="500 characters"):
        await read(tmp_path, store, document="long", start=500)


async def test_what_one_may_not_read_is_not_there(tmp_path, store):
    texts = set()
    for reference in ("salaries", "/d/salaries.md", "gone"):
        with pytest.raises(NotFoundError) as found:
            await read(tmp_path, store, document=reference)
        texts.add(str(found.value).replace(reference, "X"))
    assert len(texts) == 1
    assert (await read(tmp_path, store, "hr", document="salaries")).data["document_id"] == "salaries"


def test_chunks_that_are_no_neighbours_are_not_joined():
    one, other = (Chunk(f"d-{order}", "d", order, "同样的一段文字在这里。", "t", "u") for order in (0, 5))
    assert join_chunks([one, other])[0].count("同样的") == 2


async def test_remembering_is_had_once_and_recalled_by_its_owner_alone(tmp_path, sqlite):
    memory = UserMemory(Facts(sqlite), MemorySettings())
    tools = RememberTool(lambda: memory), RecallTool(lambda: memory)
    invoker, _ = open_invoker(tmp_path, *tools)
    kept = await invoker.invoke("remember", {"text": "my department is purchasing"}, call(key="r1"))
    assert kept.text == "Remembered: department: purchasing"
    assert (await tools[0].find_done(tools[0].arguments(text="x y"), call(key="r1"))).data == kept.data
    assert await tools[0].find_done(tools[0].arguments(text="x y"), call("bob", key="r1")) is None
    assert (await invoker.invoke("recall", {}, call())).text == "department: purchasing"
    assert (await invoker.invoke("recall", {}, call("bob"))).data == {"facts": []}
    with pytest.raises(InputError, match="states nothing"):
        await invoker.invoke("remember", {"text": "what is my department?"}, call())
    memory.facts.switch("ann", False)
    with pytest.raises(ConflictError, match="switched off"):
        await invoker.invoke("remember", {"text": "my team is blue"}, call())
