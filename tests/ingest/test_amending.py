"""Title, readers and notes of a document, changed after it was ingested."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConflictError, FileError, InputError
from ingest.amended import Amendment, standing_request
from ingest.pipeline import IngestRequest
from tests.app.fakes import ledger_row

PUBLIC = IngestRequest("default", meta={"team": "sales"})


@pytest.fixture
def uri(bench):
    path = bench.write("offer.txt", "The price is 12 euros.")
    assert bench.ingestor.ingest([path], PUBLIC).added == 1
    return path.resolve().as_posix()


def indexed(bench):
    return {(row["title"], tuple(row["readers"]), row["uri"]) for row in bench.index.rows()}


def amend(bench, uri, **given):
    return bench.ingestor.amend("default", uri, Amendment(**given))


def again(bench, **more):
    return bench.ingestor.ingest([bench.docs], replace(PUBLIC, **more))


def test_other_readers_hold_for_the_index_at_once_and_without_reading_the_file_again(bench, uri):
    before = bench.ingestor.show("default", uri)
    written = len([call for call in bench.index.history if call[0] == "write"])
    row = amend(bench, uri, readers=("hr",))
    assert (row.readers, row.status, row.previous_ids) == (("hr",), "done", ())
    assert row.document_id != before.document_id
    assert indexed(bench) == {("offer", ("hr",), uri)}
    assert len([call for call in bench.index.history if call[0] == "write"]) == written
    assert bench.kept() == 1
    assert bench.ingestor.verify().to_dict()["faults"] == []


def test_an_ingestion_that_says_the_same_as_before_leaves_an_amendment(bench, uri):
    amend(bench, uri, readers=("hr",), meta={"team": None, "year": "2026"}, title="Our offer")
    assert again(bench).skipped == 1
    bench.write("offer.txt", "The price is 13 euros.")
    assert again(bench).updated == 1
    row = bench.ingestor.show("default", uri)
    assert (row.title, row.readers, dict(row.meta)) == ("Our offer", ("hr",), {"year": "2026"})
    assert indexed(bench) == {("Our offer", ("hr",), uri)}
    assert again(bench, force=True).updated == 1
    assert indexed(bench) == {("Our offer", ("hr",), uri)}


def test_an_ingestion_that_says_something_else_is_the_newer_word(bench, uri):
    amend(bench, uri, readers=("hr",), meta={"year": "2026"})
    assert again(bench, readers=("it",), meta={"team": "it"}).updated == 1
    row = bench.ingestor.show("default", uri)
    assert (row.readers, dict(row.meta), dict(row.amended)) == (("it",), {"team": "it"}, {})
    assert again(bench).updated == 1
    assert bench.ingestor.show("default", uri).readers == ("everyone",)


def test_a_title_is_searched_and_goes_again(bench, uri):
    assert amend(bench, uri, title="  Our offer ").title == "Our offer"
    assert indexed(bench) == {("Our offer", ("everyone",), uri)}
    writes = len(bench.index.history)
    amend(bench, uri, title="Our offer")
    assert len(bench.index.history) == writes
    assert amend(bench, uri, title="").title == "offer"
    assert indexed(bench) == {("offer", ("everyone",), uri)}


def test_a_title_is_that_of_all_files_of_the_version(bench, uri):
    twin = bench.write("copy.txt", "The price is 12 euros.")
    assert again(bench).added == 1
    amend(bench, uri, title="Our offer")
    rows = bench.ingestor.list("default")
    assert {row.title for row in rows} == {"Our offer"} and len(rows) == 2
    amend(bench, twin.resolve().as_posix(), readers=("hr",))
    assert {(title, readers) for title, readers, _ in indexed(bench)} == {
        ("Our offer", ("everyone",)), ("Our offer", ("hr",)),
    }  # fmt: skip


def test_notes_alone_touch_no_index(bench, uri):
    writes = len(bench.index.history)
    assert dict(amend(bench, uri, meta={"year": "2026"}).meta) == {"team": "sales", "year": "2026"}
    assert len(bench.index.history) == writes


def test_a_change_that_fails_shows_nobody_what_they_may_not_read_any_more(bench, uri):
    row = bench.ingestor.show("default", uri)
    bench.originals.path(row.document_id).write_bytes(b"\x00\x01\x02 no text")
    with pytest.raises((FileError, ConflictError)):
        amend(bench, uri, readers=("hr",))
    assert not [row for row in bench.index.rows() if "everyone" in row["readers"]]


def test_what_is_on_its_way_or_not_there_is_not_amended(bench, uri):
    row = bench.ingestor.show("default", uri)
    bench.ledger.put(replace(row, status="failed"))
    for reference in (uri, "/nowhere"):
        with pytest.raises(ConflictError):
            amend(bench, reference, readers=("hr",))


@pytest.mark.parametrize(
    "given",
    [
        {"title": "x" * 301}, {"title": "a\nb"}, {"title": "a\u202eb"}, {"title": "\ud800"}, {"readers": ()},
        {"readers": ("a\0b",)}, {"meta": {"": "x"}}, {"meta": {"a": "x" * 2001}},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(given):
    with pytest.raises(InputError):
        Amendment(**given)


names = st.sets(st.sampled_from(["hr", "it", "li"]), min_size=1).map(lambda found: tuple(sorted(found)))
notes = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"]))


@given(said=names, meant=names, then=names, meta=notes, meant_meta=notes)
def test_an_amendment_stands_exactly_as_long_as_ingestions_say_the_same(said, meant, then, meta, meant_meta):
    row = ledger_row("/a", said, meta=meta)
    patch = {name: meant_meta.get(name) for name in {*meta, *meant_meta}}
    changed = Amendment(readers=meant, meta=patch).changed(row)
    assert (changed.readers, dict(changed.meta)) == (meant, meant_meta)
    same = standing_request(changed, IngestRequest("default", said, meta))
    assert (same.readers, dict(same.meta)) == (meant, meant_meta)
    other = standing_request(changed, IngestRequest("default", then, meta))
    assert other.readers == (meant if then == said else then)
    # Back to what the ingestion said: there is no amendment any more.
    back = Amendment(readers=said, meta={n: meta.get(n) for n in {*meta, *meant_meta}}).changed(changed)
    assert (back.readers, dict(back.meta), dict(back.amended)) == (said, meta, {})
