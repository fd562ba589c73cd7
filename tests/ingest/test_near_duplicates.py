"""Documents that are nearly others: told, linked when that is wanted, and never lost."""

from pathlib import Path

import pytest

from core.settings import IngestSettings
from ingest.ledger import FileStatus, Ledger
from ingest.near_copies import NEAR_DUPLICATE
from ingest.originals import Originals
from ingest.parsing import DirectParserRunner
from ingest.pipeline import Ingestor, IngestRequest
from tests.ingest.apart import run_to_end
from tests.ingest.folder_index import FolderIndex
from tests.ingest.test_kill import Fuse, FusedIndex, FusedLedger, FusedOriginals

TOPICS = ["校准", "运输", "采购", "培训", "检修", "存档", "审核", "消防", "差旅", "保密"]
ZH = "".join(f"关于{t}的规定：各部门负责人应当安排{t}工作，并向质量部门报告{t}的结果。" for t in TOPICS)
ZH_COPY = ZH.replace("关于消防的规定", "有关消防的规定") + "以上规定由办公室解释。"
ZH_OTHER = "".join(f"仓库里存放着{t}所用的器材，管理员清点后填写{t}登记表，随后交给财务。" for t in TOPICS)
WORDS = ["pump", "valve", "filter", "sensor", "cable", "panel", "gauge", "motor", "relay", "flange"]
EN = " ".join(
    f"The {w} is inspected by the shift leader, who notes wear of the {w} in the log." for w in WORDS
)
EN_COPY = EN.replace("inspected by the shift leader", "looked at by the shift leader", 1)
EN_OTHER = " ".join(f"Customers who order a {w} receive an offer for the {w} within days." for w in WORDS)


def warned(rows):
    """Uri names to the words of the near-copy warning."""
    return {
        Path(row.uri).name: words for row in rows for code, words in row.warnings if code == NEAR_DUPLICATE
    }


def ingest(bench, **request):
    return bench.ingestor.ingest([bench.docs], IngestRequest("default", **request))


def texts_of(bench):
    return {Path(row["uri"]).name for row in bench.index.rows()}


@pytest.mark.parametrize(("text", "copy", "other"), [(ZH, ZH_COPY, ZH_OTHER), (EN, EN_COPY, EN_OTHER)])
def test_a_near_copy_is_told_and_indexed(bench, text, copy, other):
    bench.write("a.md", text)
    bench.write("other.md", other)
    ingest(bench)
    bench.write("b.md", copy)
    report = ingest(bench)
    [warning] = [w for w in report.warnings if w.code == NEAR_DUPLICATE]
    assert warning.uri.endswith("b.md") and "a.md" in warning.words and "%" in warning.words
    assert texts_of(bench) == {"a.md", "b.md", "other.md"}
    assert list(warned(bench.ingestor.list("default"))) == ["b.md"]
    shown = bench.ingestor.show("default", (bench.docs / "b.md").as_posix())
    assert "a.md" in warned([shown])["b.md"]


def test_both_new_in_one_run_are_told_once(bench):
    bench.write("a.md", ZH)
    bench.write("b.md", ZH_COPY)
    report = ingest(bench)
    assert len([w for w in report.warnings if w.code == NEAR_DUPLICATE]) == 1


def test_off_compares_nothing(bench):
    bench.restart(near_duplicates="off")
    bench.write("a.md", ZH)
    bench.write("b.md", ZH_COPY)
    assert ingest(bench).warnings == [] and warned(bench.ingestor.list("default")) == {}


def test_a_new_version_is_no_copy_of_the_old_one(bench):
    bench.write("a.md", ZH)
    ingest(bench)
    bench.write("a.md", ZH_COPY)
    assert ingest(bench).warnings == []


def test_other_readers_hear_nothing_of_each_other(bench):
    bench.restart(near_duplicates="link")
    bench.ingestor.ingest([bench.write("secret.md", ZH)], IngestRequest("default", readers=("li",)))
    bench.ingestor.ingest([bench.write("open.md", ZH_COPY)], IngestRequest("default"))
    report = bench.ingestor.ingest(
        [bench.write("wang.md", ZH)], IngestRequest("default", readers=("wang", "li"))
    )
    assert report.warnings == [] and warned(bench.ingestor.list("default")) == {}
    assert texts_of(bench) == {"secret.md", "open.md", "wang.md"}


def test_a_warning_follows_the_readers(bench):
    """Given to other readers, a file no longer names the one that it was compared with."""
    bench.write("a.md", ZH)
    bench.write("b.md", ZH_COPY)
    ingest(bench)
    report = bench.ingestor.ingest([bench.docs / "b.md"], IngestRequest("default", readers=("li",)))
    assert report.updated == 1 and report.warnings == []
    assert warned(bench.ingestor.list("default")) == {}
    report = bench.ingestor.ingest([bench.docs / "a.md"], IngestRequest("default", readers=("li",)))
    assert [w.code for w in report.warnings] == [NEAR_DUPLICATE], "compared again without being parsed again"
    assert ("copy", (bench.docs / "a.md").as_posix()) in bench.index.history


def test_collections_are_apart(bench):
    bench.ingestor.ingest([bench.write("a.md", ZH)], IngestRequest("one"))
    report = bench.ingestor.ingest([bench.write("b.md", ZH_COPY)], IngestRequest("two"))
    assert report.warnings == []


class TestLink:
    """`link`: a near copy is done, named, and not in the index."""

    @pytest.fixture(autouse=True)
    def linking(self, bench):
        bench.restart(near_duplicates="link")
        bench.write("a.md", ZH)
        bench.write("b.md", ZH_COPY)

    def names(self, bench):
        rows = bench.ingestor.list("default")
        assert {row.status for row in rows} == {FileStatus.DONE}
        assert bench.ingestor.verify().is_sound
        return {Path(row.uri).name: row.chunks for row in rows}

    def test_it_is_not_indexed_twice(self, bench):
        report = ingest(bench)
        assert report.added == 2
        counts = self.names(bench)
        assert sorted(bool(count) for count in counts.values()) == [False, True]
        linked = next(name for name, count in counts.items() if not count)
        assert texts_of(bench) == {"a.md", "b.md"} - {linked}
        assert "linked" in warned(bench.ingestor.list("default"))[linked]
        assert ingest(bench).skipped == 2

    def test_what_is_done_before_is_not_even_embedded(self, bench):
        bench.ingestor.ingest([bench.docs / "a.md"], IngestRequest("default"))
        bench.index.history.clear()
        ingest(bench)
        assert not [step for step in bench.index.history if step[0] == "write"]
        assert self.names(bench)["b.md"] == 0

    def linked_b(self, bench):
        bench.ingestor.ingest([bench.docs / "a.md"], IngestRequest("default"))
        ingest(bench)
        assert self.names(bench)["b.md"] == 0

    def test_when_the_first_is_deleted_the_other_is_indexed(self, bench):
        self.linked_b(bench)
        assert bench.ingestor.delete("default", (bench.docs / "a.md").as_posix())
        assert self.names(bench)["b.md"] > 0 and texts_of(bench) == {"b.md"}

    def test_when_the_first_changes_the_other_is_indexed(self, bench):
        self.linked_b(bench)
        bench.write("a.md", ZH_OTHER)
        ingest(bench)
        assert self.names(bench)["b.md"] > 0 and texts_of(bench) == {"a.md", "b.md"}

    def test_when_the_first_changes_a_little_the_link_is_made_anew(self, bench):
        self.linked_b(bench)
        bench.write("a.md", ZH + "本规定自发布之日起施行。")
        ingest(bench)
        assert sorted(map(bool, self.names(bench).values())) == [False, True]

    def test_when_the_first_vanishes_the_other_is_indexed(self, bench):
        self.linked_b(bench)
        (bench.docs / "a.md").unlink()
        assert ingest(bench, prune=True).removed == 1
        assert self.names(bench)["b.md"] > 0

    def test_when_the_first_gets_other_readers_the_other_is_indexed(self, bench):
        self.linked_b(bench)
        bench.ingestor.ingest([bench.docs / "a.md"], IngestRequest("default", readers=("li",)))
        assert self.names(bench)["b.md"] > 0 and texts_of(bench) == {"a.md", "b.md"}

    def test_a_first_that_fails_keeps_its_link_as_it_stays_searchable(self, bench):
        self.linked_b(bench)
        bench.write("a.md", "")
        assert ingest(bench).failed == 1
        assert texts_of(bench) == {"a.md"}
        assert "a.md" in warned(bench.ingestor.list("default"))["b.md"]

    def test_exact_copies_of_a_linked_file_come_back_together(self, bench):
        bench.write("c.md", ZH_COPY)
        self.linked_b(bench)
        assert self.names(bench)["c.md"] == 0
        bench.ingestor.delete("default", (bench.docs / "a.md").as_posix())
        counts = self.names(bench)
        assert counts["b.md"] == counts["c.md"] > 0

    def test_a_linked_file_can_go(self, bench):
        self.linked_b(bench)
        assert bench.ingestor.delete("default", (bench.docs / "b.md").as_posix())
        assert self.names(bench) == {"a.md": 1} or texts_of(bench) == {"a.md"}

    def test_another_policy_indexes_what_was_linked(self, bench):
        self.linked_b(bench)
        bench.restart(near_duplicates="flag")
        report = ingest(bench)
        assert (report.updated, report.skipped) == (1, 1)
        assert self.names(bench)["b.md"] > 0

    def test_cutting_again_keeps_one_of_them(self, bench):
        self.linked_b(bench)
        bench.ingestor.rechunk("default")
        assert sorted(map(bool, self.names(bench).values())) == [False, True]

    def test_a_figure_that_differs_is_no_copy_to_leave_out(self, bench):
        bench.write("a.md", ZH + "罚款为300元。")
        bench.write("b.md", ZH + "罚款为900元。")
        ingest(bench)
        assert all(self.names(bench).values()), "both are indexed"
        assert len(warned(bench.ingestor.list("default"))) == 1

    def test_verify_mends_a_link_to_nothing(self, bench):
        self.linked_b(bench)
        row = bench.ledger.get("default", (bench.docs / "a.md").as_posix())
        bench.index.remove_document("default", row.document_id)
        bench.ledger.remove("default", row.uri)
        bench.originals.remove(row.document_id)
        assert [fault.kind for fault in bench.ingestor.verify("default").faults] == ["missing"]
        bench.ingestor.verify("default", repair=True)
        assert self.names(bench)["b.md"] > 0 and texts_of(bench) == {"b.md"}

    def test_a_dropped_collection_leaves_no_signature(self, bench):
        self.linked_b(bench)
        bench.ingestor.drop_collection("default")
        with bench.ledger.transaction() as connection:
            for table in ("ingest_signatures", "ingest_bands"):
                assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def change(folder, fuse):
    """The first file changes to something else, a third one goes, in a process that may die."""
    parts = (
        FusedLedger(folder / "attest.db"),
        FusedIndex(folder / "index"),
        FusedOriginals(folder / "originals"),
    )
    for part in parts:
        part.fuse = fuse
    settings = IngestSettings(chunk_tokens=60, overlap_tokens=0, near_duplicates="link")
    ingestor = Ingestor(*parts, settings, DirectParserRunner())
    ingestor.ingest([folder / "docs"], IngestRequest("default", prune=True))
    ingestor.close()


def change_apart(folder, steps):
    return run_to_end(change, folder, Fuse(steps))


def check(folder, names):
    """Each file is done, and either in the index or linked to one that is."""
    ledger, index = Ledger(folder / "attest.db"), FolderIndex(folder / "index")
    settings = IngestSettings(chunk_tokens=60, overlap_tokens=0, near_duplicates="link")
    ingestor = Ingestor(ledger, index, Originals(folder / "originals"), settings, DirectParserRunner())
    rows = ledger.rows("default")
    assert {Path(row.uri).name for row in rows} == names
    assert {row.status for row in rows} == {FileStatus.DONE}
    assert index.count_chunks("default") == {row.document_id: row.chunks for row in rows if row.chunks}
    assert ingestor.verify().is_sound
    linked = {Path(row.uri).name for row in rows if not row.chunks}
    assert linked <= set(warned(ingestor.list("default"))), "what is not searched names what stands for it"
    ingestor.close()
    return linked


@pytest.mark.slow
def test_links_survive_a_kill_at_every_step(tmp_path):
    for steps in range(200):
        folder = tmp_path / str(steps)
        docs = folder / "docs"
        docs.mkdir(parents=True)
        for name, text in (("a.md", ZH), ("b.md", ZH_COPY), ("c.md", EN)):
            (docs / name).write_text(text, encoding="utf-8")
        change_apart(folder, steps)
        assert change_apart(folder, -1)
        assert len(check(folder, {"a.md", "b.md", "c.md"})) == 1
        first = "b.md" if "a.md" in check(folder, {"a.md", "b.md", "c.md"}) else "a.md"
        (docs / first).write_text(ZH_OTHER, encoding="utf-8")
        (docs / "c.md").unlink()
        (docs / "d.md").write_text(EN_COPY, encoding="utf-8")
        finished = change_apart(folder, steps)
        assert change_apart(folder, -1)
        assert check(folder, {"a.md", "b.md", "d.md"}) == set(), "what was linked is indexed itself"
        if finished:
            break
    assert 15 < steps < 199
