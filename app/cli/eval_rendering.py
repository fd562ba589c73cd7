"""Reports of measurements as lines. Knows reports; knows nothing of how they come about."""

from app.cli.output import Output


def show_tables(out: Output, report: dict) -> None:
    """The report of `attest eval tables`."""
    out.line(
        f"{report['n']} questions ({report['half']}), answers from a confidence of {report['sure_at']:g} on"
    )
    out.line(f"{'set':12}{'route':26}{'n':>6}{'exact':>8}{'answered':>10}{'precision':>11}{'exactness':>11}")
    for name, row in report["sets"].items():
        for route, found in row["routes"].items():
            values = [found[key] for key in ("exact_match", "answered", "precision", "numeric_exactness")]
            told = ["-" if value is None else f"{value:.3f}" for value in values]
            out.line(f"{name:12}{route:26}{found['n']:6}{told[0]:>8}{told[1]:>10}{told[2]:>11}{told[3]:>11}")


def show_parsing(out: Output, report: dict) -> None:
    """The report of `attest eval parsing`."""
    counts = report["counts"]
    out.line(
        f"{counts['found']} of {counts['strings']} strings found in {counts['files']} files, "
        f"{counts['forbidden']} of {counts['must_not']} forbidden ones; "
        f"{counts['markup_only']} more are markup alone"
    )
    out.line(f"{report['failed_files']} files failed; {report['pages_per_second'] or 0:g} pages a second")
    for row in report["files"]:
        for what in ("missing", "forbidden", "warnings"):
            for text in row[what]:
                out.line(f"{row['filename']}: {what}: {text}", indent="  ")
    for failure in report["failures"]:
        out.line(f"{failure['filename']}: {failure['reason']} ({failure['code']})", indent="  ")
    for name in report["absent_files"]:
        out.line(f"{name}: not in the folder, not counted", indent="  ")
