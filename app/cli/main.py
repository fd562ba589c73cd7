"""The command `attest`. Knows which commands there are; each imports what it needs itself,
so that `attest --help` is quick."""

import typer

from app.cli import (
    asking,
    assistants,
    batching,
    documents,
    drawing,
    entities,
    evaluating,
    faq,
    feedback,
    ingesting,
    keys,
    memory,
    models,
    protocol,
    rebuilding,
    serving,
    sessions,
    setup,
    tools,
    verifying,
)
from app.cli.group import CommandGroup
from app.cli.options import EXIT_CODES

app = typer.Typer(
    name="attest",
    cls=CommandGroup,
    help="Answers over your own documents, every sentence bound to evidence.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _commands in (
    setup, ingesting, documents, rebuilding, verifying, asking, batching, entities, faq, feedback, memory,
    assistants, tools, protocol, serving, models, drawing, keys, sessions, evaluating,
):  # fmt: skip
    _commands.add_commands(app)


def run() -> None:
    """The entry point."""
    app()
