"""Near-copies: dropped when they bring nothing, kept when a figure or a code differs."""

from hypothesis import given
from hypothesis import strategies as st

from core.types import Chunk, Hit, Stage
from retrieval.copies import drop_copies, jaccard, shingles

PAGE = "Instruments are returned with a return number. The parcel is sent to building 2. " * 4


def hit(text: str, at: int = 0, title: str = "Service") -> Hit:
    return Hit(Chunk(f"c{at}", f"d{at}", 0, text, title, f"{at}.md"), 1 - at / 10, Stage.FUSED)


def kept(*texts: str) -> list[str]:
    return [h.chunk.id for h in drop_copies([hit(text, at) for at, text in enumerate(texts)])]


def test_the_same_page_in_two_files_is_read_once():
    assert kept(PAGE, PAGE.replace(" ", "  "), "Something else entirely.") == ["c0", "c2"]


def test_versions_that_differ_in_a_number_or_a_code_are_both_kept():
    assert kept(PAGE, PAGE.replace("building 2", "building 3", 1)) == ["c0", "c1"]
    assert kept(PAGE + "For the TM-20.", PAGE + "For the TM-30.") == ["c0", "c1"]


def test_a_page_under_the_heading_of_another_product_is_kept():
    hits = [hit(PAGE, 0, "TM-20"), hit(PAGE, 1, "FS-85")]
    assert drop_copies(hits) == hits


def test_similarity_of_sets():
    assert jaccard(shingles("短"), shingles("短")) == 1.0 and jaccard(shingles("甲"), shingles("乙")) == 0.0


@given(st.lists(st.text(max_size=30), max_size=8))
def test_the_first_stays_and_order_is_kept(texts):
    hits = [hit(text, at) for at, text in enumerate(texts)]
    found = drop_copies(hits)
    assert found[:1] == hits[:1] and found == [h for h in hits if h in found]
    assert drop_copies(found) == found
