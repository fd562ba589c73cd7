"""`attest keys`. Works on the table itself, while the API runs too."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from app.cli.options import EXIT_CODES, Config, Data, Json
from app.cli.output import Output


def add_commands(root: typer.Typer) -> None:
    """Adds the group of commands of this file."""
    keys = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True, epilog=EXIT_CODES)
    keys.command("create", epilog=EXIT_CODES)(create)
    keys.command("list", epilog=EXIT_CODES)(list_keys)
    keys.command("revoke", epilog=EXIT_CODES)(revoke)
    root.add_typer(keys, name="keys")


def create(
    user: Annotated[str, typer.Option("--user", help="Who will hold the key.")],
    group: Annotated[list[str] | None, typer.Option("--group", help="A group (repeatable).")] = None,
    role: Annotated[str, typer.Option("--role", help="admin, editor or reader.")] = "reader",
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once: only its sha256 is kept.

    From the first key on, the API demands one of every caller.
    """
    from app.keys import Role
    from core.errors import InputError

    out = Output(as_json)
    if role not in set(Role):
        raise InputError(f"there is no role {role!r}", remedy=f"choose: {', '.join(Role)}")
    with _table(data, config) as table:
        key, info = table.create(user, group or (), Role(role))
    if as_json:
        out.result({"key": key, **info.to_dict()})
    else:
        out.piece(f"{key}\n")
        out.note(f"key {info.id} of {info.user}, shown only now; send it as Authorization: Bearer KEY")


def list_keys(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """List keys, without their secrets."""
    out = Output(as_json)
    with _table(data, config) as table:
        found = [info.to_dict() for info in table.list()]
    if as_json:
        out.result({"keys": found})
        return
    for row in found:
        state = f"revoked {row['revoked'][:10]}" if row["revoked"] else "valid"
        groups = f" ({', '.join(row['groups'])})" if row["groups"] else ""
        out.line(f"{row['id']}  {row['user']}{groups}, {row['role']}, made {row['created'][:10]}, {state}")
    if not found:
        out.line("No keys. On loopback none is needed; make one with: attest keys create --user NAME")


def revoke(
    key_id: Annotated[str, typer.Argument(help="As `attest keys list` shows it.")],
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """From now on the key is refused."""
    out = Output(as_json)
    with _table(data, config) as table:
        info = table.revoke(key_id)
    if as_json:
        out.result(info.to_dict())
    else:
        out.line(f"revoked {info.id} of {info.user}")


@contextmanager
def _table(data, config) -> Iterator:
    from app.cli.backend import read_settings
    from app.services import Services

    services = Services(read_settings(data, config))
    try:
        yield services.keys()
    finally:
        services.close()
