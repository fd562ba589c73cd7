"""Queries, limits and filters that nobody should send: by the retriever, by REST and by the
command line, over a real Milvus Lite with the real embedder. Each gets hits or an error that
says what to do; none ends in a traceback."""

import json
import os
import threading
import time

import httpx
import pytest
import uvicorn
from typer.testing import CliRunner

from app.api import create_app
from app.cli.backend import Query, Question
from app.cli.local_backend import LocalBackend
from app.cli.main import app
from app.library import Library
from app.search_filter import FIELDS
from app.server_record import ServerRecord, write_record
from app.services import Services
from app.serving import bind_port
from core.conditions import InLanguage, OfDocuments, OnPages, UnderUri
from core.errors import InputError
from core.seams import ChatDelta
from core.settings import ServerSettings, Settings
from core.types import Scope, Usage
from ingest.pipeline import IngestRequest
from retrieval.store import MAX_LIMIT
from tests.app.fakes import TOKEN

pytestmark = [pytest.mark.models, pytest.mark.slow]

EVERYWHERE = Scope("default")
CHUNKS = 3
LONG = 100_000
WORDLESS = {
    "empty": "",
    "blank": " \t\r\n",
    "punctuation": "？！。…\"'--",
    "emoji": "🙂🎉👩‍👩‍👧",
    "control": "\x00\x07\x1b",
    "direction": "\u202e\u200b",
    "long punctuation": "？" * LONG,
    "a word lost among emoji": "🙂" * (LONG // 2) + "保修" + "🙂" * (LONG // 2),
}
ODD = {
    "emoji beside words": "🙂保修期🙂多久",
    "scripts": "保修 warranty гарантия ضمان รับประกัน 保証 보증 ½ Ⅷ ٣٤",
    "control beside words": "war\x00ran\x07ty \x1b[31mpump\u202e",
    "unknown to the model": "𐀀𐀁𠀀",
    "swelling": "ﷺ" * 500,
    "accents": "e" + "\u0301" * 3000,
    "expression": '" or id != "" -- %_%',
    "open quotes": "“" * 400 + "保修《" * 400,
}
TOO_LONG = {
    "english": "warranty " * (LONG // 9 + 1),
    "chinese": "保修期" * (LONG // 3 + 1),
    "one word": "x" * LONG,
    "digits": "1," * (LONG // 2),
    "emoji first": "🙂" * LONG + " warranty of the pump",
}


def cases(queries: dict[str, str]):
    return [pytest.param(query, id=name) for name, query in queries.items()]


class OneReply:
    """A chat model that writes one sentence, whatever it is asked, and counts how often."""

    name = "one-reply"

    def __init__(self) -> None:
        self.asked = 0

    async def stream(self, messages, options):
        self.asked += 1
        yield ChatDelta("The warranty of the pump lasts two years. [1]")
        yield ChatDelta(usage=Usage(10, 10, 1), finish_reason="stop")

    async def structured(self, messages, schema, options):
        raise AssertionError("no effort used here asks for it")

    async def close(self):
        """Nothing to close."""


@pytest.fixture(scope="module")
def data(tmp_path_factory, weights_folder):
    """A data directory with a small library in both languages."""
    folder = tmp_path_factory.mktemp("hostile")
    docs = folder / "docs"
    docs.mkdir()
    (docs / "warranty.md").write_text(
        "# 保修\n\n主机的保修期为 18 个月。🙂\n\n# Warranty\n\nThe warranty of the pump lasts two years.\n",
        "utf-8",
    )
    (docs / "lunch.md").write_text("# Lunch\n\nThe canteen opens at noon. See TM-20L.\n", "utf-8")
    services = Services(Settings(_env_file=None, data=folder / "data"))
    report = services.ingestor().ingest([docs], IngestRequest("default"))
    services.close()
    assert (report.to_dict()["added"], report.to_dict()["chunks"]) == (2, CHUNKS)
    return folder / "data"


@pytest.fixture(scope="module")
def chat():
    return OneReply()


@pytest.fixture(scope="module")
def services(data, chat, built_in_embedder):
    parts = {"chat_model": chat, "embedder": built_in_embedder}
    return Services(Settings(_env_file=None, data=data), parts)


@pytest.fixture(scope="module")
def retriever(services):
    return services.retriever()


@pytest.fixture(scope="module")
def api(services):
    """A client of the API over these services, really listening; it closes them at its end."""
    server = uvicorn.Server(uvicorn.Config(create_app(services, TOKEN), log_level="warning"))
    with bind_port("127.0.0.1", 0, "X") as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with httpx.Client(
            base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60, trust_env=False
        ) as client:
            yield client
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def attest(api, services):
    """Runs a command over the data of that API: its exit code and its JSON."""
    url = str(api.base_url).rstrip("/")
    write_record(services.paths.server_record, ServerRecord(os.getpid(), url, TOKEN))

    def call(*words: str) -> tuple[int, dict]:
        place = ["--json", "--data", str(services.settings.data)]
        result = CliRunner().invoke(app, [words[0], *place, *words[1:]])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.stderr
        return result.exit_code, json.loads(result.stdout) if result.stdout else {"usage": result.stderr}

    yield call
    services.paths.server_record.unlink()


def post(api, route: str, body: dict) -> tuple[int, dict]:
    """Status and body. A lone surrogate has no UTF-8; as an escape in JSON it can be sent."""
    try:
        content = json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        content = json.dumps(body).encode()
    reply = api.post(route, content=content, headers={"Content-Type": "application/json"})
    return reply.status_code, reply.json()


# The retriever itself


@pytest.mark.parametrize("query", cases(WORDLESS))
def test_the_retriever_refuses_a_query_without_a_word(retriever, query):
    with pytest.raises(InputError, match="no letter and no digit") as caught:
        retriever.search(query, EVERYWHERE, 5)
    assert caught.value.remedy


@pytest.mark.parametrize("query", cases(ODD))
def test_the_retriever_finds_something_for_an_odd_query(retriever, query):
    result = retriever.search(query, EVERYWHERE, 5)
    assert len(result.hits) == CHUNKS
    assert all(-10 < hit.score < 10 for hit in result.hits)  # neither NaN nor infinite


@pytest.mark.parametrize("query", cases(TOO_LONG))
def test_the_retriever_cuts_a_long_query_and_says_so(retriever, query):
    begun = time.process_time()
    result = retriever.search(query, EVERYWHERE, 5)
    assert time.process_time() - begun < 10  # a second on a busy machine; quadratic would be minutes
    assert len(result.hits) == CHUNKS and "query: too long, its middle was left out" in result.notes


def test_marks_and_control_characters_do_not_hide_the_words(retriever):
    for query in ("🙂保\u200b修\x00期🙂多久？\x07", "\ufeff“保修期”\ud800"):
        assert "18 个月" in retriever.search(query, EVERYWHERE, 1).hits[0].chunk.text
    assert "two years" in retriever.search("war\x00ran\x07ty of the pump", EVERYWHERE, 1).hits[0].chunk.text


@pytest.mark.parametrize("limit", [0, -1, -MAX_LIMIT - 1])
def test_the_retriever_refuses_a_limit_below_one(retriever, limit):
    with pytest.raises(InputError, match=f"not {limit}") as caught:
        retriever.search("warranty", EVERYWHERE, limit)
    assert caught.value.remedy


@pytest.mark.parametrize("limit", [MAX_LIMIT, MAX_LIMIT + 1, 10**30])
def test_the_retriever_gives_all_there_is_for_a_huge_limit(retriever, limit):
    assert len(retriever.search("warranty", EVERYWHERE, limit).hits) == CHUNKS


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_the_store_refuses_a_limit_that_milvus_does_not_know(services, built_in_embedder, limit):
    vector = built_in_embedder.embed_query("warranty")
    for search in (
        lambda: services.store().search_dense(EVERYWHERE, vector, limit),
        lambda: services.store().search_lexical(EVERYWHERE, {1: 1.0}, limit),
        lambda: services.store().find_chunks(EVERYWHERE, [], limit),
    ):
        with pytest.raises(InputError, match=f"1 to {MAX_LIMIT} hits, not {limit}"):
            search()


@pytest.mark.parametrize(
    "condition",
    [
        UnderUri('" or id != ""'),
        UnderUri("%"),
        UnderUri("\x00🙂\\"),
        OfDocuments(('x"] or id != "',)),
        OnPages(7, 9),
    ],
)
def test_conditions_that_nothing_fulfils_give_no_hits(retriever, condition):
    result = retriever.search("warranty", EVERYWHERE, 5, [condition])
    assert result.hits == () and set(result.signals.values()) == {0.0}


def test_conditions_may_contradict_each_other(retriever):
    assert retriever.search("warranty", EVERYWHERE, 5, [InLanguage("zh"), InLanguage("en")]).hits == ()


# REST


@pytest.mark.parametrize("query", cases(WORDLESS | TOO_LONG))
@pytest.mark.parametrize("route", ["/v1/search", "/v1/ask"])
def test_rest_refuses_queries_without_words_or_end(api, chat, route, query):
    asked = chat.asked
    status, body = post(api, route, {"query" if route == "/v1/search" else "question": query})
    assert (status, body["code"]) == (400, "bad_input")
    assert body["detail"] and body["remedy"] and len(json.dumps(body)) < 1000
    assert chat.asked == asked


@pytest.mark.parametrize("query", cases(ODD))
def test_rest_answers_odd_queries(api, query):
    status, body = post(api, "/v1/search", {"query": query})
    assert status == 200 and len(body["hits"]) == CHUNKS
    status, body = post(api, "/v1/ask", {"question": query})
    assert status == 200 and body["status"] in ("answered", "partial", "abstained")


@pytest.mark.parametrize("stream", [False, True])
def test_a_question_of_marks_fails_as_event_or_problem(api, stream):
    reply = api.post("/v1/ask", json={"question": "？！🙂", "stream": stream})
    assert reply.status_code == (200 if stream else 400)
    if stream:
        last = reply.text.strip().split("\n\n")[-1]
        assert "event: failed" in last and "no letter and no digit" in last


@pytest.mark.parametrize("route", ["/v1/search", "/v1/ask"])
def test_rest_refuses_what_is_not_unicode(api, route):
    text = "query" if route == "/v1/search" else "question"
    status, body = post(api, route, {text: "保修\ud800"})
    assert (status, body["code"]) == (400, "bad_input") and "not valid Unicode" in body["detail"]
    for name in ({"collection": "\ud800"}, {"readers": ["\ud800"]}):
        status, body = post(api, route, {text: "保修"} | name)
        assert (status, body["code"]) in ((400, "bad_input"), (422, "invalid_request")) and body["detail"]


@pytest.mark.parametrize("limit", [0, -1, 101, MAX_LIMIT + 1, 10**30, 1.5, "many", None, True, [3]])
def test_rest_refuses_limits_out_of_range(api, limit):
    status, body = post(api, "/v1/search", {"query": "warranty", "limit": limit})
    if limit is True:  # pydantic reads it as 1
        assert status == 200 and len(body["hits"]) == 1
    else:
        assert (status, body["code"]) == (422, "invalid_request") and "limit" in body["detail"]


@pytest.mark.parametrize(
    "field", ["colour", "readers", "access", "", " kind", "KIND", 'kind" or "', "颜色", "🙂\x00", "x" * LONG]
)
def test_rest_names_the_known_fields_to_who_filters_by_another(api, field):
    status, body = post(api, "/v1/search", {"query": "warranty", "filter": {field: "x"}})
    assert (status, body["code"]) == (400, "bad_input")
    assert all(known in body["remedy"] for known in FIELDS) and len(json.dumps(body)) < 1000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("language", "x" * LONG),
        ("language", "\ud800"),
        ("kind", ["🙂" * LONG]),
        ("uri_prefix", "a" * LONG),
        ("uri_prefix", "\ud800"),
        ("document", ["d"] * 1001),
        ("document", [["d"]]),
        ("page", [1, 10**30]),
        ("page", 10**30),
        ("page", {"from": 1}),
    ],
)
def test_rest_refuses_values_that_a_field_cannot_have(api, field, value):
    status, body = post(api, "/v1/search", {"query": "warranty", "filter": {field: value}})
    assert (status, body["code"]) in ((400, "bad_input"), (422, "invalid_request"))
    assert body["detail"] and len(json.dumps(body)) < 1000


def test_rest_wants_a_filter_that_is_an_object_of_few_fields(api):
    for wrong in ([], "kind", 3, {f"field{at}": "x" for at in range(21)}):
        status, body = post(api, "/v1/search", {"query": "warranty", "filter": wrong})
        assert (status, body["code"]) == (422, "invalid_request") and "filter" in body["detail"]


# The command line


@pytest.mark.parametrize("query", cases(WORDLESS | TOO_LONG))
@pytest.mark.parametrize("command", ["search", "ask"])
def test_commands_refuse_queries_without_words_or_end(attest, command, query):
    code, body = attest(command, "--", query)
    assert (code, body["error"]["code"]) == (2, "bad_input")
    assert body["error"]["remedy"] and len(json.dumps(body)) < 1000


@pytest.mark.parametrize("query", cases(ODD))
def test_commands_answer_odd_queries(attest, query):
    code, found = attest("search", "--", query)
    assert code == 0 and len(found["hits"]) == CHUNKS


@pytest.mark.parametrize("limit", ["0", "-1", "101", str(MAX_LIMIT + 1), "1" + "0" * 30, "many", ""])
def test_search_names_the_limits_of_k(attest, limit):
    code, said = attest("search", "warranty", "-k", limit)
    assert code == 2 and "-k" in said["usage"]


def test_search_names_what_cannot_be_filtered_by(attest):
    code, said = attest("search", "warranty", "--colour", "red")
    assert code == 2 and "--colour" in said["usage"]
    code, said = attest("search", "warranty", "--kind", "tables")
    assert code == 2 and "tables" in said["error"]["message"] and "table" in said["error"]["remedy"]
    code, said = attest("search", "warranty", "--language", "fr")
    assert code == 2 and "zh, en" in said["error"]["remedy"]


@pytest.mark.parametrize(
    "words",
    [
        ("search", "保修\udcff"),
        ("ask", "保修\udcff"),
        ("search", "保修", "--uri-prefix", "\udcff"),
        ("search", "保修", "--collection", "\udcff"),
        ("search", "保修", "--reader", "\udcff"),
        ("ask", "保修", "--session", "\udcff"),
    ],
)
def test_arguments_in_another_encoding_than_the_terminals_are_named(attest, words):
    """Python hands bytes that are no UTF-8 over as lone surrogates."""
    code, body = attest(*words)
    assert (code, body["error"]["code"]) == (2, "bad_input") and body["error"]["remedy"]


async def test_the_process_itself_refuses_them_as_the_api_does(api, services):
    backend = LocalBackend(services.settings, services)
    for wrong in (("保修\udcff", "default"), ("保修", "\udcff"), ("保修", "default", ["\udcff"])):
        with pytest.raises(InputError):
            backend.search(Query(*wrong))
    with pytest.raises(InputError, match="not valid Unicode"):
        async for _ in backend.ask(Question("保修\udcff", "default")):
            pass


# Where the limit on questions is raised, the cut of the retriever is what holds.


@pytest.mark.parametrize("query", cases(TOO_LONG))
def test_a_raised_limit_lets_long_queries_through_to_the_cut(api, services, query):
    server = ServerSettings(max_question_chars=10 * LONG)
    parts = {name: getattr(services, name)() for name in ("retriever", "ledger", "store")}
    wide = Services(services.settings.model_copy(update={"server": server}), parts)
    found = Library(wide).search(EVERYWHERE, query, 2)
    assert len(found["hits"]) == 2 and found["notes"] == ["query: too long, its middle was left out"]
