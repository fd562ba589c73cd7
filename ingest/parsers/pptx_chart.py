"""The data behind a chart as rows of a table. Knows python-pptx's charts, nothing of slides."""

from collections.abc import Sequence
from typing import Any

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def chart_rows(chart: Any) -> tuple[str, list[list[str]]]:
    """Title and rows: the first row names the series, the first column the categories.
    Charts of points have no categories: then their x values stand there."""
    title = ""
    if chart.has_title and chart.chart_title.has_text_frame:
        title = chart.chart_title.text_frame.text.strip()
    # From its XML: python-pptx knows no three-dimensional and no newer plots.
    series = list(chart._chartSpace.iter(f"{_CHART}ser"))
    if not series:
        return title, []
    columns = [_values(one, ("val", "yVal")) for one in series]
    labels = max((_values(one, ("cat", "xVal")) for one in series), key=len)
    count = max(len(labels), *(len(column) for column in columns))
    header = ["", *(_name(one) for one in series)]
    body = [[_at(labels, n), *(_at(column, n) for column in columns)] for n in range(count)]
    return title, [header, *body]


def _name(series: Any) -> str:
    source = series.find(f"{_CHART}tx")
    return " ".join(node.text or "" for node in source.iter(f"{_CHART}v")) if source is not None else ""


def _values(node: Any, names: Sequence[str]) -> list[str]:
    """The cached points of a series in their order; several levels of category are joined."""
    for name in names:
        source = node.find(f"{_CHART}{name}")
        if source is None:
            continue
        levels = list(source.iter(f"{_CHART}lvl")) or [source]
        found: dict[int, list[str]] = {}
        for level in reversed(levels):
            for point in level.iter(f"{_CHART}pt"):
                text = point.findtext(f"{_CHART}v") or ""
                found.setdefault(int(point.get("idx", 0)), []).append(text)
        size = min(max(found, default=-1) + 1, 10_000)
        return [" ".join(found.get(n, ())) for n in range(size)]
    return []


def _at(values: Sequence[str], index: int) -> str:
    return values[index] if index < len(values) else ""
