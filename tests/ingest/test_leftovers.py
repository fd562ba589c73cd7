"""What was kept of unmasked texts, or for a feature that is off, goes with the next run."""

import pytest
from sqlalchemy import text

from core.settings import IngestSettings
from ingest.kept_lines import KeptLines
from ingest.leftovers import Leftovers
from ingest.pipeline import IngestRequest
from tests.ingest.conftest import SlowRunner
from tests.ingest.folder_index import FolderIndex

REQUEST = IngestRequest("default")
MAIL = (
    "Write to li.wang@mail.example.com when the pump of hall four is loud, and tell him the hour and the day."
)
SHORT = " ".join(f"w{n}" for n in range(14)) + " li.wang@mail.example.com"


class LinedIndex(FolderIndex):
    """With context lines that are kept."""

    def __init__(self, folder, lines):
        super().__init__(folder)
        self.lines = lines

    def documents_with_lines(self, collection):
        return self.lines.documents(collection)

    def forget_lines(self, collection, document_ids):
        for document_id in document_ids:
            self.lines.remove_document(collection, document_id)


def signatures(bench):
    """Versions to the bytes that are kept of them."""
    with bench.ledger.engine.connect() as connection:
        kept = connection.execute(text("SELECT document_id, signature FROM ingest_signatures"))
        return {document_id: bytes(signature) for document_id, signature in kept}


def bands(bench):
    with bench.ledger.engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM ingest_bands")).scalar()


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        (MAIL, {"near_duplicates": "off", "pii": "mask"}),
        (SHORT, {"pii": "mask"}),
        (MAIL, {"near_duplicates": "off"}),
    ],
    ids=["turned off and masked", "too short when masked", "turned off"],
)
def test_a_signature_goes_when_it_would_not_be_made_now(bench, given, settings):
    bench.write("a.md", given)
    bench.ingestor.ingest([bench.docs], REQUEST)
    assert len(signatures(bench)) == 1 and bands(bench)
    bench.restart(**settings)
    bench.ingestor.ingest([bench.docs], REQUEST)
    assert signatures(bench) == {} and bands(bench) == 0 and bench.ingestor.verify().is_sound


def test_a_signature_is_made_anew_when_the_text_is_masked(bench):
    bench.write("a.md", MAIL)
    bench.ingestor.ingest([bench.docs], REQUEST)
    before = signatures(bench)
    bench.restart(pii="mask")
    bench.ingestor.ingest([bench.docs], REQUEST)
    after = signatures(bench)
    assert set(after) == set(before) and after != before


def test_under_mask_what_is_kept_of_files_that_are_not_read_again_goes(bench):
    a = bench.write("a.md", MAIL)
    bench.ingestor.ingest([a], REQUEST)
    bench.restart(pii="mask")
    b = bench.write("b.md", MAIL.replace("pump", "valve"))
    [fault] = bench.ingestor.verify().faults
    assert (fault.kind, fault.part, fault.repaired) == ("leftover", "signatures", False)
    bench.ingestor.ingest([b], REQUEST)
    shown = {row.uri: row.document_id for row in bench.ingestor.list("default")}
    assert set(signatures(bench)) == {shown[b.resolve().as_posix()]}


def test_under_mask_a_file_that_cannot_be_read_again_keeps_no_signature(bench):
    bench.write("a.md", MAIL)
    bench.ingestor.ingest([bench.docs], REQUEST)
    bench.restart(pii="mask", runner=SlowRunner())
    assert bench.ingestor.ingest([bench.docs], REQUEST).failed == 1
    assert signatures(bench) == {} and bench.index.rows()


def test_a_repair_removes_them_and_links_are_known_still(bench):
    bench.restart(near_duplicates="link")
    words = [f"the {w} is checked by the shift leader, who notes it" for w in "abcdefghijklmnop"]
    bench.write("a.md", ". ".join(words))
    bench.write("b.md", ". ".join([*words, "so it is"]))
    bench.ingestor.ingest([bench.docs], REQUEST)
    links = [row for row in bench.ingestor.list("default") if not row.chunks]
    assert len(links) == 1
    bench.restart(pii="mask")
    assert bench.ingestor.verify(repair=True).is_sound
    assert signatures(bench) == {links[0].document_id: b""} and bands(bench) == 0
    assert bench.ingestor.verify().faults == []
    bench.ingestor.ingest([bench.docs], REQUEST)
    assert all(signatures(bench).values()) and len(signatures(bench)) == 2
    assert bench.ingestor.verify().is_sound


def test_lines_go_when_they_are_turned_off_and_under_mask_those_of_before(bench):
    kept = KeptLines(bench.ledger.engine)
    index = LinedIndex(bench.folder / "index", kept)
    a = bench.write("a.md", MAIL)
    bench.ingestor.ingest([a], REQUEST)
    [row] = bench.ledger.rows("default")
    kept.keep("default", row.document_id, {"d": "about li.wang@mail.example.com"})
    kept.keep("other", row.document_id, {"d": "a line of another collection"})
    near = bench.ingestor._publisher.near_copies

    def leftovers(fingerprint, **settings):
        return Leftovers(bench.ledger, index, near, IngestSettings(**settings), lambda _: fingerprint)

    assert leftovers(row.fingerprint, context_line="model", pii="mask").find("default") == {}
    assert leftovers("other", context_line="model").find("default") == {}
    late = leftovers("other", context_line="model", pii="mask")
    assert late.find("default") == {part: [row.document_id] for part in ("lines", "signatures")}
    off = leftovers(row.fingerprint)
    assert [fault.part for fault in off.faults("default", repair=False)] == ["lines"]
    assert off.remove("default") == {"lines": [row.document_id]} and off.find("default") == {}
    assert kept.documents("default") == set() and kept.documents("other") == {row.document_id}
