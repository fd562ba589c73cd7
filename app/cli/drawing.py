"""`attest graph`. Knows how a drawing is printed; the graph draws itself."""

from typing import Annotated

import typer

from app.cli.options import Json
from app.cli.output import Output


def add_commands(root: typer.Typer) -> None:
    """Adds the command of this file."""
    root.command("graph", epilog="Exit codes: 0 printed; 2 wrong use.")(graph)


def graph(
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid flowchart.")] = False,
    as_json: Json = False,
) -> None:
    """Print the graph that answers questions: which step follows which."""
    from agents.drawing import draw_graph

    out, drawing = Output(as_json), draw_graph()
    if as_json:
        edges = [{"from": one, "to": other, "depends": depends} for one, other, depends in drawing.edges]
        whole = {"nodes": list(drawing.nodes), "edges": edges}
        out.result(whole | {"mermaid": drawing.mermaid, "text": drawing.text})
        return
    for line in (drawing.mermaid if mermaid else drawing.text).splitlines():
        out.line(line)
