"""How a table is written in Markdown."""

from collections.abc import Mapping, Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a line for each row."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def spread_words(row: Mapping) -> str:
    """Median, least and most of some runs (`evals.record.spread`)."""
    return f"{row['median']:.1f} ({row['min']:.1f}–{row['max']:.1f})"
