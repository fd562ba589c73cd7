"""Fakes behind the seams: small classes with a queue and a history."""

from collections.abc import Sequence

from agents.events import Event, Finished, Retrieved, SentenceReleased, StatusChanged
from core.errors import NotFoundError
from core.types import Answer, Chunk, Citation, Hit, Label, Sentence, Stage, Status, Turn, Verdict
from ingest.ledger import FileStatus, LedgerRow
from ingest.report import FileFailure, IngestReport, Outcome, Progress
from ingest.verify import Verification

TOKEN = "the-local-token"
CHUNK = Chunk("doc1-00000", "doc1", 0, "年假为15天。", "员工手册", "/docs/handbook.md", page=3)
HIT = Hit(CHUNK, 0.9, Stage.RERANKED, {"dense": 1, "lexical": 2, "fused": 1, "reranked": 1})
VERDICT = Verdict(Label.SUPPORTED, 0.97, "words")
SENTENCE = Sentence("年假为15天。[1]", (1,), VERDICT)
CITATION = Citation(1, CHUNK.id, "doc1", CHUNK.title, CHUNK.uri, CHUNK.text, 0, 8, page=3)
ANSWER = Answer(
    "a1", Status.ANSWERED, "年假为15天。[1]", (SENTENCE,), (CITATION,), trace_id="t1", session_id="s1"
)
EVENTS = (
    StatusChanged("searching"),
    Retrieved((HIT,), ("年假",)),
    SentenceReleased(SENTENCE, (CITATION,)),
    Finished(ANSWER),
)


class FakeAsker:
    """Plays a queue of events (an exception in it is raised) and keeps what it was asked."""

    def __init__(self, events: Sequence[Event | Exception] = EVENTS) -> None:
        self.events = events
        self.asked = []
        self.forgotten = []
        self.assistants = {}
        self.closed = False

    async def ask(self, ask):
        self.asked.append(ask)
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event

    async def stored(self, owner, session_id, run, check):
        raise NotFoundError("no such turn")

    async def sessions(self, owner):
        session = {"session_id": "s1", "title": "年假", "turns": 1, "updated": "2026-01-01"}
        return [session] if owner == "local" else []

    async def history(self, owner, session_id):
        if owner != "local" or session_id not in ("s1", "old"):
            raise NotFoundError(f"there is no session {session_id!r}")
        return [Turn("年假几天？", "15天。", Status.ANSWERED)] if session_id == "s1" else []

    async def assistant_of(self, owner, session_id):
        return self.assistants.get((owner, session_id), "")

    async def forget(self, owner, session_id):
        self.forgotten.append((owner, session_id))
        return owner == "local" and session_id == "s1"

    async def close(self):
        self.closed = True


class SearchResult:
    """What a retriever gives."""

    def __init__(self, hits) -> None:
        self.hits, self.queries = tuple(hits), ("q",)
        self.timings_ms, self.signals = {"dense": 1.23456}, {"coverage": 1.0}
        self.notes, self.question = (), None


class FakeRetriever:
    """Always finds one hit and keeps how it was asked."""

    def __init__(self) -> None:
        self.searched = []

    def search(self, query, scope, limit, where=()):
        self.searched.append((query, scope, limit))
        self.where = list(where)
        return SearchResult([HIT])


class FakeStore:
    """Knows names of collections only."""

    def __init__(self, names: Sequence[str] = ("default",)) -> None:
        self.names = list(names)

    def collections(self):
        return list(self.names)

    def close(self):
        pass

    def open_collection(self, name):
        self.names.append(name)


def ledger_row(uri: str, readers=("everyone",), status=FileStatus.DONE, **more) -> LedgerRow:
    """A row of a document whose id is made from its uri."""
    values = {"title": uri, "media_type": "text/plain", "size_bytes": 1, "chunks": 2} | more
    return LedgerRow("default", uri, f"id-{uri}", status=status, readers=readers, **values)


class FakeLedger:
    """Who may read the files that an ingestor keeps."""

    def __init__(self, ingestor: "FakeIngestor") -> None:
        self._ingestor = ingestor

    def reader_sets(self, collection):
        return list({row.readers for row in self._ingestor.rows if row.collection == collection})

    def get_many(self, collection, uris):
        return {r.uri: r for r in self._ingestor.rows if r.collection == collection and r.uri in uris}

    def close(self):
        pass


class FakeIngestor:
    """Keeps rows and calls; of what it is given to ingest it keeps the bytes and names."""

    def __init__(self, rows: Sequence[LedgerRow] = ()) -> None:
        self.rows = list(rows)
        self.calls = []
        self.contents = {}
        self.verification = Verification()
        self.near = {}
        self.queue = self

    def size(self):
        return 0

    def ingest(self, sources, request, on_progress=None):
        self.calls.append(("ingest", request))
        report = IngestReport()
        for done, path in enumerate(sources, start=1):
            uri = f"upload:{request.names[path]}" if path in request.names else str(path)
            outcome = Outcome.ADDED
            if not path.exists():
                outcome = Outcome.FAILED
                report.failures.append(FileFailure(uri, "missing", "there is no such file"))
            elif path.is_file():
                self.contents[uri] = path.read_bytes()
            report.count(outcome)
            if on_progress:
                on_progress(Progress(uri, outcome, done, len(sources)))
        return report

    def verify(self, collection="", repair=False):
        self.calls.append(("verify", collection, repair))
        return self.verification

    def resume(self):
        return 0

    def list(self, collection):
        return [row for row in self.rows if row.status is FileStatus.DONE]

    def failures(self, collection):
        return [row for row in self.rows if row.status is FileStatus.FAILED]

    def show(self, collection, uri):
        return next((row for row in self.rows if row.uri == uri), None)

    def fingerprint(self, media_type, embedder=""):
        return "now"

    def near_copies(self, rows):
        return {row.uri: self.near[row.uri] for row in rows if row.uri in self.near}

    def delete(self, collection, uri):
        self.calls.append(("delete", uri))
        return True

    def amend(self, collection, uri, amendment):
        self.calls.append(("amend", uri, amendment))
        return amendment.changed(self.show(collection, uri))

    def drop_collection(self, collection):
        self.calls.append(("drop", collection))
        return True
