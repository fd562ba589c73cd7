"""Evidence cut to what a pair can hold."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.pairs.window import cut_window

SENTENCES = st.lists(
    st.sampled_from(
        [
            "The north gate closes at six.", "Visitors sign the book. ", "泵的压力是三兆帕。", "阀门每天检查一次。",
            "The pump is red.", "A very long sentence " + "about nothing " * 30 + ".",
        ]
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


def count(text: str) -> int:
    return len(text) // 3


@given(SENTENCES, st.integers(5, 60))
def test_a_window_is_made_of_the_text_and_fits(sentences, budget):
    text = " ".join(sentences)
    window = cut_window("When does the north gate close?", text, budget, count)
    assert window.strip()
    lines = [line.strip() for line in window.splitlines()]
    assert all(line in text for line in lines)
    assert count(window) <= budget + len(lines) or len(lines) == 1


def test_what_fits_stays_whole():
    assert cut_window("x", "One. Two.\n\nThree.", 100, count) == "One. Two.\n\nThree."


def test_the_sentence_that_speaks_of_it_is_kept_with_its_neighbour():
    filler = [f"Room {n} holds {n * 7} chairs and a lamp." for n in range(30)]
    text = " ".join([*filler, "The tower has a gate.", "It closes at six.", *filler])
    window = cut_window("When does the gate of the tower close?", text, 30, count)
    assert "The tower has a gate." in window and "It closes at six." in window


def test_one_sentence_longer_than_all_is_not_lost():
    text = "word " * 400
    assert cut_window("word", text, 20, count).strip()


def test_the_best_sentence_is_kept_even_when_it_is_longer_than_the_budget():
    long = "The gate of the tower closes " + "and closes again " * 30 + "."
    assert cut_window("When does the gate of the tower close?", f"Rules\n\n{long} Other words.", 20, count).strip() == long
