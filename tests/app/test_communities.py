"""Communities of entities over a real store: made by the way of an answer, and shown to those alone who may
read all that they rest on."""

import asyncio
import json
import re
from dataclasses import replace

import anyio
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from agents.asker import open_asker
from app.api import create_app
from app.cli.main import app as cli
from app.communities import Communities
from app.keys import Role
from app.library import IngestOrder, Library
from app.services import Services
from core.errors import ChatModelError, ConflictError
from core.seams import ChatDelta
from core.settings import GuardSettings, IngestSettings, RetrievalSettings, Settings
from core.types import Scope, Usage
from ingest.parsing import DirectParserRunner
from tests.agents.doubles import letter_models, with_letters
from tests.app.fakes import TOKEN
from tests.retrieval.test_context_line_kept import PlainHash

FALSE = "The harbour was sold to pirates in 1999."
ROBOTS = (
    "Acme Robotics supplies the TM-20L. Rotterdam Port bought the TM-20L for its cranes. "
    "Acme Robotics is based in Oslo.\n"
)
FALCON = (
    "Secret Falcon is built by Acme Robotics. Secret Falcon flies over Rotterdam Port. "
    "Oslo pays for the Secret Falcon.\n"
)
DRONES = "Nordwind GmbH leads the DR-77. The DR-77 was tested in Bergen. Nordwind GmbH is based in Bergen.\n"


class QuotingChat:
    """Says what stands in the evidence, and something that does not. `fails` as often as it says."""

    name = "quoting"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = 0

    async def stream(self, messages, options):
        self.asked.append(messages[-1].content)
        if self.fails:
            self.fails -= 1
            raise ChatModelError("the model is gone")
        told = re.findall(r"^\[(\d+)\] (?:\(.*\)\n)?(.+)$", messages[1].content, re.MULTILINE)
        said = "" if len(messages) > 2 else FALSE
        for marker, line in told:
            said += "\n" + line.replace(". ", f".[{marker}]\n").strip() + f"[{marker}]"
        yield ChatDelta(said, Usage(10, 10, 1), "stop")

    async def close(self) -> None:
        """Nothing to close."""


class Shelf:
    """Services over a folder, with documents by name."""

    def __init__(self, folder, **ingest) -> None:
        settings = Settings(
            _env_file=None,
            data=folder / "data",
            ingest=IngestSettings(**{"entities": "rules", "communities": "on-demand"} | ingest),
            retrieval=RetrievalSettings(reranker="none", rerank_limit=0),
            guard=GuardSettings(quoted_at=1.0),
        )
        self.folder, self.chat, self.settings = folder, QuotingChat(), settings
        folder.mkdir(exist_ok=True)

        async def opened():
            return with_letters(await open_asker(None, letter_models(), self.chat, settings, folder / "s.db"))

        parts = {"embedder": PlainHash(), "parser_runner": DirectParserRunner(), "asker": asyncio.run(opened())}
        self.services = Services(settings, parts)
        self.library, self.communities = Library(self.services), Communities(self.services)

    def write(self, name: str, text: str, *readers: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")
        self.library.ingest(IngestOrder((self.folder / name,), "default", readers or ("everyone",)))

    def make(self) -> dict:
        return asyncio.run(self.communities.make("default"))

    def shown(self, *readers: str) -> list[dict]:
        return self.communities.show(Scope("default", frozenset(readers)), 20)["communities"]

    def names(self, *readers: str) -> list[set[str]]:
        return [set(one["names"]) for one in self.shown(*readers)]

    def rows(self) -> int:
        return len(self.services.entity_graph().communities.all("default"))


@pytest.fixture
def shelf(tmp_path):
    made = Shelf(tmp_path / "shelf")
    yield made
    made.services.close()


def test_each_sentence_of_a_summary_rests_on_a_quote_and_what_no_document_says_is_withheld(shelf):
    shelf.write("a.md", ROBOTS)
    assert shelf.make() == {"made": 1, "kept": 0, "removed": 0, "empty": 0, "failed": 0, "exit_code": 0}
    [one] = shelf.shown()
    assert set(one["names"]) == {"Acme Robotics", "TM-20L", "Rotterdam Port", "Oslo"}
    assert FALSE in shelf.chat.asked[1] and FALSE not in one["text"]  # asked to mend it, and it was not
    quotes = {source["marker"]: source["quote"] for source in one["citations"]}
    assert len(one["sentences"]) == 3
    for sentence in one["sentences"]:
        assert sentence["verdict"]["label"] == "supported"
        assert any(sentence["text"] in quotes[marker] for marker in sentence["citations"])


def test_only_what_has_changed_is_asked_for_again(shelf):
    shelf.write("a.md", ROBOTS)
    shelf.write("d.md", DRONES)
    assert shelf.make()["made"] == 2
    asked = len(shelf.chat.asked)
    assert shelf.make() | {"kept": 2, "made": 0} == shelf.make() and len(shelf.chat.asked) == asked
    shelf.write("d.md", DRONES + "The DR-77 was bought by Rotterdam Opera.\n")
    report = shelf.make()
    assert (report["made"], report["kept"]) == (1, 1)
    assert any({"DR-77", "Rotterdam Opera"} < names for names in shelf.names())


def test_what_rests_on_a_document_goes_with_it_at_once(shelf):
    shelf.write("a.md", ROBOTS)
    shelf.write("d.md", DRONES)
    shelf.make()
    uri = next(row["uri"] for row in shelf.library.documents("default", None)["documents"] if "d.md" in row["uri"])
    shelf.library.delete_document("default", uri, None)
    assert shelf.rows() == 1 and len(shelf.shown()) == 1
    shelf.library.drop_collection("default")
    assert shelf.rows() == 0


SHELVES = {
    "a.md": (ROBOTS, ("everyone",)),
    "f.md": (FALCON, ("board",)),
    "d.md": (DRONES, ("sales",)),
    "g.md": (DRONES.replace("DR-77", "DR-88"), ("sales", "board")),
}


def fill(shelf: Shelf, *readers: str) -> Shelf:
    """What these may read, or all, and summaries of it."""
    for file, (text, of) in SHELVES.items():
        if not readers or set(readers) & set(of):
            shelf.write(file, text, *of)
    shelf.make()
    return shelf


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    made = fill(Shelf(tmp_path_factory.mktemp("whole") / "shelf"))
    yield made
    made.services.close()


@pytest.mark.parametrize("caller", [(), ("board",), ("sales",)])
def test_a_caller_is_shown_what_would_be_shown_if_nothing_else_were_there(tmp_path, whole, caller):
    """Whatever others keep: no grouping, no name, no sentence and no order depends on it."""
    own = fill(Shelf(tmp_path / "own"), "everyone", *caller)
    seen = [
        [(one["names"], one["text"], [c["quote"] for c in one["citations"]]) for one in shelf.shown(*caller)]
        for shelf in (whole, own)
    ]
    own.services.close()
    assert seen[0] == seen[1] and seen[0]
    assert ("Falcon" in json.dumps(seen[0])) is ("board" in caller)


def test_a_summary_is_withheld_from_who_may_not_read_one_of_its_passages_or_not_as_it_was_read(shelf):
    shelf.write("a.md", ROBOTS)
    shelf.write("f.md", FALCON, "board")
    shelf.make()
    [falcon] = [one for one in shelf.names("board") if "Secret Falcon" in one]
    table = shelf.services.entity_graph().communities
    for kept in table.all("default"):
        others = [one for one in table.all("default") if one != kept][0]
        table.keep("default", replace(kept, chunks=(*kept.chunks, *others.chunks)))
    assert falcon and shelf.shown() == [] and shelf.shown("board") == []  # not word for word what it was
    table.drop_collection("default")
    shelf.make()
    assert len(shelf.shown()) == 1 and len(shelf.shown("board")) == 2


def test_a_summary_whose_source_went_while_it_was_made_is_not_kept(shelf):
    shelf.write("a.md", ROBOTS)
    told, uri = shelf.chat.stream, shelf.library.documents("default", None)["documents"][0]["uri"]

    async def stream(messages, options):
        if len(shelf.chat.asked) == 0:
            await anyio.to_thread.run_sync(shelf.library.delete_document, "default", uri, None)
        async for delta in told(messages, options):
            yield delta

    shelf.chat.stream = stream
    shelf.make()
    assert shelf.chat.asked and shelf.rows() == 0


def test_a_model_that_fails_leaves_the_rest_for_the_next_time(shelf):
    shelf.write("a.md", ROBOTS)
    shelf.write("d.md", DRONES)
    shelf.chat.fails = 1
    report = shelf.make()
    assert (report["made"], report["failed"], report["exit_code"]) == (1, 1, 1)
    assert shelf.make()["made"] == 1 and len(shelf.shown()) == 2


def test_verify_tells_of_summaries_that_the_settings_would_not_keep(tmp_path, shelf):
    shelf.write("a.md", ROBOTS)
    shelf.make()
    assert shelf.library.verify("default")["faults"] == []
    shelf.services.close()
    off = Shelf(tmp_path / "shelf", communities="off")
    with pytest.raises(ConflictError, match="not summarised"):
        off.shown()
    [fault] = off.library.verify("default", repair=True)["faults"]
    assert (fault["kind"], fault["part"], off.rows()) == ("leftover", "communities", 0)
    off.services.close()


def test_personal_data_in_a_summary_is_masked_as_in_answers(shelf):
    shelf.write("a.md", ROBOTS.replace("in Oslo.", "in Oslo, reach li@example.com."))
    shelf.make()
    assert "li@example.com" in json.dumps(shelf.shown())
    shelf.services.settings = shelf.settings.model_copy(update={"guard": GuardSettings(pii="mask")})
    assert "li@example.com" not in json.dumps(shelf.shown()) and "[email]" in json.dumps(shelf.shown())


@pytest.fixture
def client(shelf):
    shelf.write("a.md", ROBOTS)
    shelf.write("f.md", FALCON, "board")
    return TestClient(create_app(shelf.services, TOKEN), base_url="http://127.0.0.1:8765")


def test_by_rest_admins_make_them_and_each_reads_their_own(client, shelf):
    key, _ = shelf.services.keys().create("li", ["sales"], Role.EDITOR)
    as_li = {"Authorization": f"Bearer {key}"}
    path = "/v1/graph/communities"
    assert client.post(path, json={}, headers=as_li).status_code == 403
    as_owner = {"Authorization": f"Bearer {TOKEN}"}
    report = client.post(path, json={"job_id": "j1"}, headers=as_owner).json()
    assert (report["made"], report["failed"]) == (2, 0)
    job = client.get("/v1/jobs/j1", headers=as_owner).json()
    assert (job["kind"], job["state"], job["done"], job["total"]) == ("communities", "done", 2, 2)
    own = client.get(path, headers=as_li).json()["communities"]
    assert len(own) == 1 and "Falcon" not in json.dumps(own)
    assert client.get(path, params={"readers": ["board"]}, headers=as_li).status_code == 403
    found = client.get(path, params={"readers": ["board"], "limit": 1}, headers=as_owner).json()
    assert len(found["communities"]) == 1 and found["more"] == 1


@pytest.mark.parametrize(
    ("params", "status"), [({"limit": 0}, 400), ({"collection": "elsewhere"}, 404), ({"collection": "\x00"}, 400)]
)
def test_what_cannot_be_shown_is_a_problem_document(client, params, status):
    reply = client.get("/v1/graph/communities", params=params)
    assert reply.status_code == status and reply.json()["status"] == status


@pytest.mark.parametrize(("setting", "made"), [("after-ingest", 1), ("on-demand", 0)])
def test_an_upload_is_followed_by_summaries_where_the_settings_say_so(tmp_path, setting, made):
    shelf = Shelf(tmp_path / "shelf", communities=setting)
    app = create_app(shelf.services, TOKEN)
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        files = {"file": ("a.md", ROBOTS.encode())}
        assert client.post("/v1/documents", files=files).status_code == 200
        client.portal.call(until_idle, app)
        assert len(client.get("/v1/graph/communities").json()["communities"]) == made


async def until_idle(app) -> None:
    while app.state.background._tasks:
        await anyio.sleep(0.05)


def test_the_command_shows_them_with_their_sources(shelf, monkeypatch):
    shelf.write("a.md", ROBOTS)
    shelf.make()
    shelf.services.close()
    monkeypatch.chdir(shelf.folder)
    monkeypatch.setenv("ATTEST_INGEST__ENTITIES", "rules")
    flags = ["communities", "--data", str(shelf.folder / "data")]
    refused = CliRunner().invoke(cli, flags)
    assert refused.exit_code == 2 and "attest communities --make" in refused.output
    monkeypatch.setenv("ATTEST_INGEST__COMMUNITIES", "on-demand")
    shown = CliRunner().invoke(cli, flags)
    assert shown.exit_code == 0 and "Acme Robotics supplies the TM-20L.[1]" in shown.output
    assert "[1] " in shown.output and "“Acme Robotics supplies the TM-20L.”" in shown.output
    assert len(json.loads(CliRunner().invoke(cli, [*flags, "--json"]).stdout)["communities"]) == 1
