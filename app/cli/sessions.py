"""`attest sessions`. Works on the database of sessions itself, while no API runs."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from app.cli.group import EXIT_PART_FAILED
from app.cli.options import EXIT_CODES, Config, Data, Json
from app.cli.output import Output

if TYPE_CHECKING:
    from agents.change_of_key import Resigned
    from agents.signing import SessionKey
    from app.services import Services

SIGNED_WITH = "ATTEST_LEDGER__SESSION_SECRET"


def add_commands(root: typer.Typer) -> None:
    """Adds the group of commands of this file."""
    sessions = typer.Typer(help="What sessions are signed with.", no_args_is_help=True, epilog=EXIT_CODES)
    sessions.command("change-secret", epilog=EXIT_CODES)(change_secret)
    root.add_typer(sessions, name="sessions")


def change_secret(data: Data = None, config: Config = None, as_json: Json = False) -> None:
    """Sign the state of all sessions with a new secret, read from stdin.

    The settings hold the old one still (without one: sessions.key). Stop all API processes first, and start
    them with the new one. Killed in the middle, nothing is changed: run it again.
    """
    from agents.change_of_key import change_key
    from agents.signing import key_of
    from app.cli.backend import read_settings
    from app.services import Services
    from core.errors import InputError

    out = Output(as_json)
    services = Services(read_settings(data, config))
    try:
        old = _old_key(services)
        new = key_of(_new_secret(), "the new secret")
        if new == old:
            raise InputError("the new secret is the old one", remedy="make another: openssl rand -hex 32")
        done = change_key(services.sessions_engine(), old, new)
    finally:
        services.close()
    told = asdict(done)
    told.pop("is_done")
    out.give({"changed": not done.is_done, **told}, lambda out, _found: _show(out, done))
    if done.refused:
        raise typer.Exit(EXIT_PART_FAILED)


def _old_key(services: "Services") -> "SessionKey":
    """That of the settings, without making one. Raises InputError when there is none."""
    from agents.signing import session_key
    from core.errors import InputError

    secret, file = services.settings.ledger.session_secret, services.paths.sessions.with_suffix(".key")
    if not secret.get_secret_value() and not file.exists():
        raise InputError(
            f"no session was ever signed here: {SIGNED_WITH} is not set, and there is no {file}",
            remedy=f"name the right place with --data, or set {SIGNED_WITH} to the secret that is in use",
        )
    return session_key(secret, file)


def _new_secret() -> str:
    """Never an argument: other users of the machine see those."""
    if sys.stdin.isatty():
        return typer.prompt("The new secret", hide_input=True, confirmation_prompt=True, err=True)
    return sys.stdin.readline().strip()


def _show(out: Output, done: "Resigned") -> None:
    if done.is_done:
        out.line("The sessions are signed with the new secret already; nothing was left to do.")
    else:
        out.line(
            f"Signed anew: {done.checkpoints} checkpoints and {done.results} results of "
            f"{done.sessions} sessions."
        )
    for one in done.refused:
        whose = f"session {one.session_id} of {one.owner}" if one.session_id else f"the thread {one.thread}"
        out.line(f"refused, for it was changed outside of attest: {whose}", hang="  ")
    out.line(f"Set {SIGNED_WITH} to the new secret now, and start the API processes with it.")
