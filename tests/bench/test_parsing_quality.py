"""The measure of parsing: words, shares, and what a set comes to."""

from bench.parsing_quality import share, summary, words


def test_words_are_latin_words_and_chinese_characters():
    assert words("The 年假 is 3,5 days_long") == ["the", "年", "假", "is", "3", "5", "days", "long"]


def test_what_is_expected_twice_must_be_there_twice():
    assert share(["a", "a", "b"], ["a", "b", "c"]) == 2 / 3
    assert share([], ["a"]) == 0


def test_a_set_weighs_its_files_by_what_is_expected_of_them():
    rows = {
        "a.pdf": {"found": 1.0, "pairs found": 0.5, "expected": 30, "seconds": 1.0},
        "b.pdf": {"found": 0.5, "pairs found": 0.5, "expected": 10, "seconds": 1.0},
        "c.png": {"code": "no_text", "seconds": 0.5},
    }
    assert summary(rows) == {
        "files": 3,
        "without expectations": 1,
        "failed": {"c.png": "no_text"},
        "found": 0.875,
        "pairs found": 0.5,
        "seconds": 2.5,
    }
