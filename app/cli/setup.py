"""`attest init` and `attest doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import Config, Data, Json
from app.cli.output import Output

INIT_CODES = "Exit codes: 0 written; 2 the file is there already."
DOCTOR_CODES = "Exit codes: 0 all that is needed is there; 2 wrong use; 3 something needed is missing."
MARKS = {"ok": "ok     ", "warning": "warning", "fault": "FAULT  "}


def add_commands(root: typer.Typer) -> None:
    """Adds the commands of this file."""
    root.command("init", epilog=INIT_CODES)(init)
    root.command("doctor", epilog=DOCTOR_CODES)(doctor)


def init(
    path: Annotated[Path | None, typer.Argument(help="File to write [default: ./attest.toml].")] = None,
    env: Annotated[bool, typer.Option("--env", help="Write .env.example instead.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    as_json: Json = False,
) -> None:
    """Write a commented settings file with every setting and its default."""
    from app.settings_files import write_env, write_toml
    from core.errors import ConflictError, InputError

    out = Output(as_json)
    target = path or Path(".env.example" if env else "attest.toml")
    if target.exists() and not force:
        raise ConflictError(f"{target} is there already", remedy="replace it with --force")
    try:
        target.write_text(write_env() if env else write_toml(), encoding="utf-8")
    except OSError as exc:
        raise InputError(f"{target} cannot be written: {exc.strerror}", remedy="name another file") from exc
    if as_json:
        out.result({"written": str(target)})
    else:
        out.line(f"wrote {target}")


def doctor(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Check models, store, ports, disk and permissions, and say what mends each fault."""
    from app.cli.backend import read_settings
    from app.cli.group import EXIT_SERVICE_MISSING
    from app.doctor import Grade, examine
    from app.services import Services

    out = Output(as_json)
    services = Services(read_settings(data, config))
    try:
        findings = examine(services)
    finally:
        services.close()
    healthy = all(finding.grade is not Grade.FAULT for finding in findings)
    if as_json:
        out.result({"healthy": healthy, "checks": [finding.to_dict() for finding in findings]})
    else:
        for finding in findings:
            out.line(f"{MARKS[finding.grade.value]}  {finding.check}: {finding.message}", hang=" " * 9)
            if finding.remedy:
                out.line(finding.remedy, indent=" " * 9)
    if not healthy:
        raise typer.Exit(EXIT_SERVICE_MISSING)
