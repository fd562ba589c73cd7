"""Every kind of fault is seen, named, and mended from the stored copies."""

import json
from dataclasses import replace

import pytest

from ingest.ledger import FileStatus
from ingest.pipeline import IngestRequest

LONG = "\n\n".join(f"第{n}条：设备每{n}个月校准一次，记录保存五年，由质量部门负责检查。" for n in range(1, 9))


@pytest.fixture
def library(bench):
    """Three documents, one of them of several chunks."""
    bench.write("a.md", LONG)
    bench.write("b.md", "# B\n\nwords")
    bench.write("c.md", "# C\n\nother")
    bench.ingestor.ingest([bench.docs], IngestRequest("default"))
    bench.long = next(row for row in bench.ingestor.list("default") if row.chunks > 1)
    return bench


def kinds(found):
    return sorted({(fault.kind, fault.part) for fault in found.faults})


def check_mended(bench, *expected):
    """The fault is seen; repairing says so; then nothing is amiss."""
    found = bench.ingestor.verify()
    assert kinds(found) == sorted(expected) and not found.is_sound
    mended = bench.ingestor.verify(repair=True)
    assert kinds(mended) == sorted(expected) and mended.is_sound, mended.faults
    after = bench.ingestor.verify()
    assert after.faults == [] and after.is_sound
    return mended


def test_nothing_is_amiss_after_an_ingest(library):
    found = library.ingestor.verify()
    assert (found.documents, found.originals, found.faults) == (3, 3, [])
    assert found.to_dict()["sound"] and set(found.to_dict()["counts"].values()) == {0}


def test_missing_chunks(library):
    library.index.remove_document("default", library.long.document_id)
    check_mended(library, ("missing", "chunks"))
    assert library.index.count_chunks("default")[library.long.document_id] == library.long.chunks


def test_a_missing_part_of_a_document(library):
    next((library.folder / "index" / "default").glob(f"{library.long.document_id[:16]}-00001.json")).unlink()
    check_mended(library, ("missing", "chunks"))


def test_stale_chunks(library):
    library.ledger.put(replace(library.long, chunks=library.long.chunks - 1))
    check_mended(library, ("stale", "chunks"))


@pytest.mark.parametrize("every", [True, False])
def test_chunks_that_name_a_file_which_does_not_hold_them(library, every):
    paths = sorted((library.folder / "index" / "default").glob(f"{library.long.document_id[:16]}-*.json"))
    for path in paths if every else paths[:1]:
        chunk = json.loads(path.read_text())
        path.write_text(json.dumps(chunk | {"uri": "/gone/secret.md"}))
    found = check_mended(library, ("stale", "chunks"))
    assert "/gone/secret.md" in found.faults[0].detail
    uris = library.index.uris_of_chunks("default")
    assert uris[library.long.document_id] == {library.long.uri}


def test_chunks_name_one_of_several_holders(library):
    library.write("copy of a.md", LONG)
    library.ingestor.ingest([library.docs], IngestRequest("default"))
    assert library.ingestor.verify().faults == []


def test_orphans(library):
    library.ledger.remove("default", library.long.uri)
    check_mended(library, ("orphan", "chunks"), ("orphan", "originals"))
    assert library.long.document_id not in library.index.count_chunks("default")
    assert library.kept() == 2


def test_a_damaged_original_comes_back_from_its_file(library):
    library.originals.path(library.long.document_id).write_bytes(b"rotten")
    check_mended(library, ("damaged_original", "originals"))


def test_a_damaged_original_without_its_file_stays_a_fault(library):
    library.originals.path(library.long.document_id).unlink()
    (library.docs / "a.md").unlink()
    found = library.ingestor.verify(repair=True)
    assert kinds(found) == [("damaged_original", "originals")] and not found.is_sound


def test_unfinished_files_are_finished(library):
    library.ledger.put(
        replace(library.long, status=FileStatus.WRITING, previous_ids=(library.long.document_id,))
    )
    check_mended(library, ("unfinished", "ledger"))
    [row] = [r for r in library.ingestor.list("default") if r.uri == library.long.uri]
    assert row.chunks == library.long.chunks


def test_unfinished_deletions_are_finished(library):
    library.ledger.put(replace(library.long, status=FileStatus.DELETING))
    found = library.ingestor.verify()
    assert ("unfinished", "ledger") in kinds(found)
    assert library.ingestor.verify(repair=True).is_sound
    assert library.ingestor.verify().faults == []


def test_a_whole_collection_comes_back_from_the_originals(library):
    library.index.drop_collection("default")
    check_mended(library, ("missing", "chunks"))
    assert len(library.index.count_chunks("default")) == 3


def test_one_collection_alone_can_be_looked_at(library):
    library.ingestor.ingest([library.docs / "b.md"], IngestRequest("other"))
    library.index.remove_document("default", library.long.document_id)
    assert library.ingestor.verify("other").faults == []
    assert library.ingestor.verify("default").faults


def test_with_a_lost_ledger_nothing_is_deleted(library):
    before = library.index.count_chunks("default")
    library.ledger.remove_collection("default")
    found = library.ingestor.verify(repair=True)
    assert ("orphan", "chunks") in kinds(found) and not found.is_sound
    assert library.index.count_chunks("default") == before
    aside = library.folder / "originals-set-aside"
    assert len(list(aside.iterdir())) == 3
