"""Equal bytes for different readers: neither learns of the other's copy."""

import hashlib
from dataclasses import replace

import pytest

from core.errors import InputError
from ingest.pipeline import IngestRequest
from ingest.versions import document_id_of, normalise_readers

PUBLIC = IngestRequest("default")
TEXT = "shared words"
SHA = hashlib.sha256(TEXT.encode()).hexdigest()


def run(bench, path, *readers):
    return bench.ingestor.ingest([path], replace(PUBLIC, readers=readers))


def seen_by(bench, name):
    """What a search as this reader could show: uri of each chunk it may read."""
    return sorted(row["uri"] for row in bench.index.rows() if {name, "everyone"} & set(row["readers"]))


@pytest.fixture
def copies(bench):
    """The same bytes, once for Alice and once for Bob."""
    paths = bench.write("alice-offer.txt", TEXT), bench.write("bob-notes.txt", TEXT)
    for path, name in zip(paths, ("alice", "bob"), strict=True):
        assert run(bench, path, name).added == 1
    return tuple(path.resolve().as_posix() for path in paths)


def test_each_reader_finds_and_lists_only_the_own_copy(bench, copies):
    for name, uri in zip(("alice", "bob"), copies, strict=True):
        assert seen_by(bench, name) == [uri]
        [row] = bench.ingestor.list("default", [name])
        assert (row.uri, row.duplicate_of) == (uri, "")


def test_deleting_one_copy_leaves_the_other(bench, copies):
    alice, bob = copies
    [row] = bench.ingestor.list("default", ["alice"])
    assert bench.ingestor.delete("default", row.document_id)
    assert (seen_by(bench, "alice"), seen_by(bench, "bob")) == ([], [bob])
    assert bench.kept() == 1
    assert bench.ingestor.delete("default", bob)
    assert bench.index.rows() == [] and bench.kept() == 0


def test_a_change_of_readers_is_a_new_version(bench, copies):
    alice, bob = copies
    before = bench.ingestor.show("default", alice).document_id
    assert run(bench, bench.docs / "alice-offer.txt", "bob").updated == 1
    row = bench.ingestor.show("default", alice)
    # Now it has bob's readers, so it is the version that his copy is.
    assert row.document_id == bench.ingestor.show("default", bob).document_id != before
    assert row.duplicate_of == bob
    assert (seen_by(bench, "alice"), seen_by(bench, "bob")) == ([], [bob])
    assert set(bench.index.count_chunks("default")) == {row.document_id} and bench.kept() == 1


def test_what_everyone_may_read_is_known_by_its_bytes_alone(bench):
    path = bench.write("a.txt", TEXT)
    run(bench, path, "hr", "everyone")
    [row] = bench.ingestor.list("default")
    assert (row.document_id, row.readers) == (SHA, ("everyone",))
    assert run(bench, path, "everyone").skipped == 1


def test_a_right_that_has_ended_ends_when_the_file_breaks_too(bench):
    path = bench.write("a.txt", TEXT)
    run(bench, path, "alice")
    path.write_bytes(b"PK\x03\x04 not an archive")
    assert run(bench, path, "alice").failed == 1
    assert seen_by(bench, "alice") == [path.resolve().as_posix()]
    assert run(bench, path, "bob").failed == 1
    assert bench.index.rows() == []


def test_a_ledger_of_before_is_brought_up_to_date_by_the_next_ingest(bench, copies):
    alice, bob = copies
    # Then the id was that of the bytes, for both, and the chunks named the first.
    for uri in copies:
        row = bench.ledger.get("default", uri)
        bench.index.remove_document("default", row.document_id)
        bench.originals.keep(bench.docs / "bob-notes.txt", SHA, SHA)
        bench.ledger.put(replace(row, document_id=SHA, duplicate_of="" if uri == alice else alice))
    run(bench, bench.docs / "bob-notes.txt", "bob")
    assert (seen_by(bench, "alice"), seen_by(bench, "bob")) == ([alice], [bob])
    run(bench, bench.docs / "alice-offer.txt", "alice")
    assert SHA not in bench.index.count_chunks("default")
    assert [row.duplicate_of for row in bench.ingestor.list("default")] == ["", ""]


def test_ids_differ_by_bytes_and_by_readers():
    other = hashlib.sha256(b"other").hexdigest()
    ids = {
        document_id_of(sha, readers)
        for sha in (SHA, other)
        for readers in (("everyone",), ("a",), ("b",), ("a", "b"), ("ab",), ("a b",))
    }
    assert len(ids) == 12 and {len(i) for i in ids} == {64}
    assert document_id_of(SHA, ("b", "a", "b")) == document_id_of(SHA, ("a", "b"))


@pytest.mark.parametrize(
    "readers", [(), ("",), ("x" * 129,), ("a\0b",), ("a'b",), tuple(map(str, range(257)))]
)
def test_readers_that_cannot_be_kept_are_refused_at_the_border(readers):
    with pytest.raises(InputError):
        IngestRequest("default", readers=readers)


def test_256_readers_are_kept():
    assert len(normalise_readers(map(str, range(256)))) == 256
