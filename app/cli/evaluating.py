"""`attest eval` and `attest compare`.

The one place where the product calls its own measurements: everything of `evals` is
imported inside the commands, and nothing below may import it.
"""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.eval_rendering import show_parsing, show_tables
from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Json
from app.cli.output import Output

Folder = Annotated[Path, typer.Argument(help="Folder in the BEIR layout.", metavar="DIR")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the report to this file too.")]


def add_commands(root: typer.Typer) -> None:
    """Adds the commands of this file."""
    evaluations = typer.Typer(help="Measure on your own data.", no_args_is_help=True, epilog=EXIT_CODES)
    evaluations.command("retrieval", epilog=EXIT_CODES)(retrieval)
    evaluations.command("answers", epilog=EXIT_CODES)(answers)
    evaluations.command("parsing", epilog=EXIT_CODES)(parsing)
    evaluations.command("guard", epilog=EXIT_CODES)(guard)
    evaluations.command("injection", epilog=EXIT_CODES)(injection)
    evaluations.command("memory", epilog=EXIT_CODES)(memory)
    evaluations.command("tables", epilog=EXIT_CODES)(tables)
    root.add_typer(evaluations, name="eval")
    root.command("compare", epilog=EXIT_CODES)(compare)


def retrieval(
    folder: Folder,
    distractors: Annotated[
        list[Path] | None,
        typer.Option("--distractors", help="Put the documents of this corpus among them (repeatable)."),
    ] = None,
    limit_queries: Annotated[
        int | None, typer.Option("--limit-queries", min=1, help="Ask this many, evenly over the file.")
    ] = None,
    out_file: Out = None,
    keep_data: Annotated[
        Path | None, typer.Option("--keep-data", help="Keep the index here, and reuse one that fits.")
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask judged questions and measure each search leg, the fusion and the whole."""
    from evals.retrieval_run import RetrievalJob, evaluate_retrieval

    out = Output(as_json)
    _check_writable(out_file)
    job = RetrievalJob(folder, tuple(distractors or ()), limit_queries, keep_data)
    with _services(keep_data, config) as services:
        try:
            report = evaluate_retrieval(job, services, out.status)
        finally:
            out.clear_status()
    _write(out_file, report)
    out.give(report, _show_retrieval)


def answers(
    file: Annotated[Path, typer.Argument(help="Questions in JSON lines.", metavar="FILE")],
    collection: Collection = DEFAULT_COLLECTION,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Ask this many, evenly over the file.")
    ] = None,
    effort: Annotated[str, typer.Option("--effort", help="quick, standard or deep.")] = "standard",
    out_file: Out = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask questions whose answers are known; those with passages are answered from these alone."""
    import asyncio

    from agents.asking import Effort
    from app.cli.backend import read_settings
    from app.services import Services
    from core.errors import InputError
    from evals.answers import evaluate_answers, read_questions

    out = Output(as_json)
    _check_writable(out_file)
    if effort not in list(Effort):
        raise InputError(f"there is no effort {effort!r}", remedy=f"choose: {', '.join(Effort)}")
    questions = read_questions(file, limit)
    services = Services(read_settings(data, config))
    report = asyncio.run(evaluate_answers(services, questions, collection, Effort(effort)))
    _write(out_file, report)
    out.give(report, _show_answers)
    if report["failed"]:
        raise typer.Exit(1)


def guard(
    file: Annotated[
        Path | None,
        typer.Argument(help="Claims in JSON lines; with --train the folder of the sets.", metavar="FILE"),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="A public set instead of a file (repeatable); all: each of them."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the public sets.", envvar="ATTEST_EVAL_DATA")
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Fit the small model anew on the sets, and write its weights.")
    ] = False,
    drafts: Annotated[
        Path | None, typer.Option("--drafts", help="With --train: drafts to learn from too (evals.drafts).")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Judge this many, evenly.")] = None,
    out_file: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Tell claims that their evidence holds from others, as the grounding guard does."""
    from app.cli.backend import read_settings
    from evals.guard_run import GuardJob, run_guard

    out = Output(as_json)
    _check_writable(out_file)
    job = GuardJob(file, tuple(sets or ()), data, limit, train, drafts)
    try:
        report = run_guard(job, read_settings(None, config), out.status)
    finally:
        out.clear_status()
    _write(out_file, report)
    out.give(report, _show_guard)


def injection(
    folder: Annotated[Path, typer.Argument(help="Folder of the public sets.", metavar="DIR")],
    limit: Annotated[
        int | None, typer.Option("--limit", min=2, help="So many attacks, evenly from both halves.")
    ] = None,
    out_file: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask about documents that hold attacks, with a stand-in for the model that obeys them."""
    import asyncio

    from app.cli.backend import read_settings
    from evals.injection import measure

    out = Output(as_json)
    _check_writable(out_file)
    report = asyncio.run(measure(folder, read_settings(None, config), limit))
    _write(out_file, report)
    out.give(report, _show_injection)


def memory(
    file: Annotated[Path, typer.Argument(help="Conversations in the form of LoCoMo.", metavar="FILE")],
    strategy: Annotated[
        list[str] | None,
        typer.Option("--strategy", help="Only this one, or several joined by + (repeatable)."),
    ] = None,
    out_file: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask of long conversations: does what is recalled hold the turns that answer?"""
    from evals.memory import evaluate_memory

    out = Output(as_json)
    _check_writable(out_file)
    with _services(None, config) as services:
        try:
            report = evaluate_memory(file, strategy or (), services.embedder, out.status)
        finally:
            out.clear_status()
    _write(out_file, report)
    out.give(report, _show_memory)


def tables(
    file: Annotated[
        Path | None, typer.Argument(help="Questions to tables in JSON lines.", metavar="FILE")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="A public set instead of a file (repeatable); all: each of them."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the public sets.", envvar="ATTEST_EVAL_DATA")
    ] = None,
    half: Annotated[
        str, typer.Option("--half", help="Of a set: held-out, looked-at (rules were made on it) or all.")
    ] = "held-out",
    with_model: Annotated[
        bool, typer.Option("--model", help="Ask the chat model for plans too, alone and after the rules.")
    ] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Ask this many, evenly.")] = None,
    out_file: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Read and reckon answers from tables whose answers are known."""
    from app.cli.backend import read_settings
    from evals.tables_run import TablesJob, run_tables

    out = Output(as_json)
    _check_writable(out_file)
    job = TablesJob(file, tuple(sets or ()), data, half, limit, with_model)
    try:
        report = run_tables(job, read_settings(None, config), out.status)
    finally:
        out.clear_status()
    _write(out_file, report)
    out.give(report, show_tables)


def parsing(
    folder: Annotated[Path, typer.Argument(help="Folder of the files.", metavar="DIR")],
    expect: Annotated[
        Path | None,
        typer.Option("--expect", help="Strings that must (not) be found; without it every file is read."),
    ] = None,
    out_file: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Read files as ingestion does and look for strings in what comes out."""
    from app.cli.backend import read_settings
    from evals.indexing import settings_fingerprint
    from evals.parsing import evaluate_parsing, read_expectations
    from ingest.isolation import ProcessParserRunner
    from ingest.parser_pool import ParserPool

    out = Output(as_json)
    _check_writable(out_file)
    settings = read_settings(None, config).ingest
    wanted = read_expectations(_within(folder, expect)) if expect else None
    limit_s = settings.parse_timeout_s
    runner = ParserPool(
        lambda: ProcessParserRunner(limit_s, settings.parse_memory_mb, reads_pictures=False),
        1,
        lambda: ProcessParserRunner(limit_s, settings.ocr_memory_mb),
    )
    try:
        report = evaluate_parsing(folder, wanted, runner, int(settings.max_file_mb * 2**20), out.status)
    finally:
        out.clear_status()
        runner.close()
    report["settings_fingerprint"] = settings_fingerprint(settings.model_dump(mode="json"))
    _write(out_file, report)
    out.give(report, show_parsing)


def compare(
    run_a: Annotated[Path, typer.Argument(help="Report of one run.", metavar="RUN_A")],
    run_b: Annotated[Path, typer.Argument(help="Report of the other run.", metavar="RUN_B")],
    metric: Annotated[
        str | None, typer.Option("--metric", help="Value of each query; legs.fused.ndcg@10 for a leg.")
    ] = None,
    hit: Annotated[
        str | None, typer.Option("--hit", help="Value that is a hit when above 0 [default: recall@5].")
    ] = None,
    common: Annotated[bool, typer.Option("--common", help="Only the queries that both asked.")] = False,
    as_json: Json = False,
) -> None:
    """Compare two runs query by query: is B better than A, or is it chance?"""
    from evals.comparison import compare_runs, read_run

    out = Output(as_json)
    found = compare_runs(read_run(run_a), read_run(run_b), metric, hit, common)
    out.give(found, _show_comparison)


def _services(kept: Path | None, config: Path | None):
    """A context manager: the product over the kept data directory, or over one for now."""
    import tempfile
    from contextlib import ExitStack, contextmanager

    from app.cli.backend import read_settings
    from app.services import Services

    @contextmanager
    def opened():
        with ExitStack() as stack:
            data = kept or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attest-eval-")))
            services = Services(read_settings(data, config))
            stack.callback(services.close)
            yield services

    return opened()


def _within(folder: Path, name: Path) -> Path:
    """A path as given, or below the folder when there is none."""
    return name if name.exists() else folder / name


def _check_writable(path: Path | None) -> None:
    """Before the work of minutes, not after it."""
    from core.errors import InputError

    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise InputError(f"{path} cannot be written", remedy="name a file in a folder that exists")


def _write(path: Path | None, report: dict) -> None:
    import json

    from core.errors import InputError

    if path is None:
        return
    try:
        path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as exc:
        raise InputError(f"{path} cannot be written: {exc.strerror}", remedy="name another --out") from exc


def _show_retrieval(out: Output, report: dict) -> None:
    counts, indexing = report["counts"], report["indexing"]
    out.line(
        f"{report['set']}: {counts['queries']} queries over {counts['documents']} documents and "
        f"{counts['distractors']} distractors, {counts['chunks']} chunks"
    )
    out.line()
    names = [name for name in report if "@" in name]
    out.line(f"{'':10}" + "".join(f"{name:>11}" for name in names))
    for label, row in [*report["legs"].items(), ("whole", report)]:
        out.line(f"{label:10}" + "".join(f"{row[name]:11.4f}" for name in names))
    for label, row in report.get("subsets", {}).items():
        out.line(f"whole, {label} (n = {row['n']}): nDCG@10 {row['ndcg@10']:.4f}")
    if pool := report.get("pool"):
        stages = ", ".join(f"{name} {row['p@1']:.4f}" for name, row in pool.items() if isinstance(row, dict))
        out.line(f"first of the query's own pool right: {pool['p@1']:.4f} ({stages})")
    out.line()
    out.line(f"search: median {report['p50_ms']:.1f} ms, 99 of 100 within {report['p99_ms']:.1f} ms")
    stages = ", ".join(f"{name} {row['p50_ms']:.1f}" for name, row in report["stages_ms"].items())
    out.line(f"median of the stages: {stages}")
    how = "index reused" if indexing["reused"] else f"indexed in {indexing['seconds']:.1f} s"
    out.line(f"{how}, {indexing['documents_per_s']} documents a second")


def _show_answers(out: Output, report: dict) -> None:
    for name, value in report.items():
        if not isinstance(value, dict):
            out.line(f"{name:26} {'-' if value is None else value}")


def _show_guard(out: Output, report: dict) -> None:
    for name, row in report.get("sets", {"": report}).items():
        keys = ("auroc", "balanced_accuracy", "f1_unsupported", "ms_per_claim", "spearman", "n")
        values = {key: row[key] for key in keys if key in row}
        out.line(f"{name:16}" + "  ".join(f"{key} {'-' if v is None else v}" for key, v in values.items()))


def _show_injection(out: Output, report: dict) -> None:
    for name in ("screened", "unscreened"):
        for part, row in report[name].items():
            if part != "seconds":
                effects = ", ".join(f"{effect} {n}" for effect, n in row["effects"].items())
                out.line(
                    f"{name:11} {part:12} asked {row['asked']:4}  forbidden {row['forbidden']:3}  "
                    f"right {'-' if row['right'] is None else row['right']}  {effects}".rstrip()
                )


def _show_memory(out: Output, report: dict) -> None:
    budgets = [name.partition("@")[2] for name in report if name.startswith("best_recall@")]
    out.line(f"share of evidence turns recalled, {report['n']} questions; in brackets of their words")
    out.line(f"{'tokens':20}" + "".join(f"{budget:>16}" for budget in budgets) + f"{'ms':>9}")
    for name, row in report["strategies"].items():
        values = (f"{row[f'recall@{b}']:.3f} ({row[f'words@{b}']:.3f})" for b in budgets)
        out.line(f"{name:20}" + "".join(f"{value:>16}" for value in values) + f"{row['ms']:9.1f}")
    updates = report["updates"]
    out.line(
        f"facts said anew, {updates['n']} made dialogues: the newest is told in {updates['newest']:.3f} of "
        f"them, an older one in {updates['older']:.3f}"
    )


def _show_comparison(out: Output, found: dict) -> None:
    low, high = found["interval"]
    out.line(f"{found['metric']} over {found['n']} queries: A {found['mean_a']:.4f}, B {found['mean_b']:.4f}")
    out.line(f"B better {found['wins']}, equal {found['ties']}, worse {found['losses']}")
    out.line(f"difference B - A: {found['difference']:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}")
    if mcnemar := found["mcnemar"]:
        out.line(
            f"{mcnemar['hit']} above 0: only A {mcnemar['only_a']}, only B {mcnemar['only_b']}; "
            f"McNemar's exact p = {mcnemar['p']:.4g}"
        )
