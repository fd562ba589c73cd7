"""`attest models`."""

from typing import Annotated

import typer

from app.cli.options import EXIT_CODES, Config, Data, Json
from app.cli.output import Output

Name = Annotated[str | None, typer.Argument(help="As `attest models list` shows it.")]
VERIFY_CODES = "Exit codes: 0 all are whole; 1 one is damaged or missing; 2 wrong use."


def add_commands(root: typer.Typer) -> None:
    """Adds the group of commands of this file."""
    models = typer.Typer(help="Local model weights.", no_args_is_help=True, epilog=EXIT_CODES)
    models.command("list", epilog=EXIT_CODES)(list_models)
    models.command("fetch", epilog=EXIT_CODES)(fetch)
    models.command("verify", epilog=VERIFY_CODES)(verify)
    root.add_typer(models, name="models")


def list_models(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """List the weights that attest knows, and which are here."""
    out = Output(as_json)
    found = [_as_dict(status) for status in _store(data, config).status()]
    if as_json:
        out.result({"models": found})
        return
    for row in found:
        here = "here" if row["present"] else "not here"
        out.line(f"{row['name']}: {row['kind']}, {row['size_bytes'] / 1e6:.0f} MB, {row['licence']}, {here}")
        out.line(row["about"], indent="    ")


def fetch(
    name: Name = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is here.")] = False,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Fetch weights and verify them by sha256; without a name, those of the defaults."""
    out = Output(as_json)
    store = _store(data, config)
    names = [name] if name else _defaults(store)
    fetched = [
        {"name": each, "path": str(store.fetch(each, force=force, on_progress=out.note))} for each in names
    ]
    if as_json:
        out.result({"models": fetched})
    else:
        for row in fetched:
            out.line(f"{row['name']}: {row['path']}")


def verify(name: Name = None, data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Compare weights with their pinned sha256; without a name, all that are here."""
    from app.cli.group import EXIT_PART_FAILED

    out = Output(as_json)
    store = _store(data, config)
    names = [name] if name else [s.weights.name for s in store.status() if s.present or s.weights.default]
    results = [{"name": each, "whole": store.verify(each)} for each in names]
    if as_json:
        out.result({"models": results})
    else:
        for row in results:
            mend = f"missing or damaged; run: attest models fetch {row['name']} --force"
            out.line(f"{row['name']}: {'whole' if row['whole'] else mend}")
    if not all(row["whole"] for row in results):
        raise typer.Exit(EXIT_PART_FAILED)


def _store(data, config):
    from app.cli.backend import read_settings
    from app.services import Services

    return Services(read_settings(data, config)).weights()


def _defaults(store) -> list[str]:
    return [status.weights.name for status in store.status() if status.weights.default]


def _as_dict(status) -> dict:
    entry = status.weights
    return {
        "name": entry.name,
        "kind": entry.kind,
        "licence": entry.licence,
        "size_bytes": entry.size_bytes,
        "about": entry.about,
        "default": entry.default,
        "present": status.present,
        "path": str(status.path),
    }
