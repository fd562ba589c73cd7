"""How commands end: every error of ours becomes one message and its exit code."""

import typer
from typer.core import TyperGroup

from app.cli.output import show_error
from core.errors import AttestError, ServiceError

EXIT_PART_FAILED = 1
EXIT_NOTHING_DONE = 2
EXIT_SERVICE_MISSING = 3


def exit_code_of(error: AttestError) -> int:
    """3 when something needed is not reachable, else 2."""
    return EXIT_SERVICE_MISSING if isinstance(error, ServiceError) else EXIT_NOTHING_DONE


class CommandGroup(TyperGroup):
    """The root group of commands."""

    def invoke(self, ctx):
        """Runs the command; nothing but a defect leaves as a traceback."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except AttestError as exc:
            show_error(exc, as_json)
            raise typer.Exit(exit_code_of(exc)) from exc
