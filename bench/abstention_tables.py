"""Tables of docs/abstention.md, from the result files. Measures nothing."""

from collections.abc import Callable, Mapping

from bench.markdown import table


def gate_table(measured: Mapping) -> str:
    """The gate as a whole: how wrong it would be to answer the best so many of each set."""
    return _curves(measured["with the second reading"])


def small_gate_table(measured: Mapping) -> str:
    """The same of the small reader alone, on the same questions."""
    return _curves(measured["gate on the quarter"])


def _curves(sets: Mapping) -> str:
    rows, heads = [], []
    for name, row in sets.items():
        risks = [_short(risk) for risk in row["risk"].values()]
        heads = [f"risk at {float(at):.0%}" for at in row["risk"]]
        declined = f"{row['declined_at_precision_0.95']:.2f}".removeprefix("0")
        rows.append([name, str(row["n"]), str(row["unanswerable"]), _short(row["auroc"]), *risks, declined])
    return table(["set", "n", "unanswerable", "AUROC", *heads, "declined at precision .95"], rows)


def answers_table(measured: Mapping) -> str:
    """The whole with the chat model, at each share of noise."""
    keys = ("accuracy", "abstention_precision", "abstention_recall", "citation_precision")
    rows = []
    for name, row in measured["sets"].items():
        values = ["" if row[key] is None else _short(row[key]) for key in keys]
        first = row["first_sentence_median_ms"]
        seconds = "" if first is None else f"{first / 1000:.1f}"
        rows.append([name, str(row["n"]), *values, str(row["prompt_tokens_median"]), seconds])
    heads = [key.replace("_", " ") for key in keys]
    return table(["questions", "n", *heads, "prompt tokens, median", "s to the first sentence"], rows)


def _short(share: float) -> str:
    return f"{share:.3f}".removeprefix("0")


ABSTENTION_TABLES: Mapping[str, tuple[str, Callable[[Mapping], str]]] = {
    "abstention-gate": ("abstention", gate_table),
    "abstention-small": ("abstention", small_gate_table),
    "rgb-answers": ("rgb_answers", answers_table),
}
