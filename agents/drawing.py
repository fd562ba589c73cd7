"""The graph as a drawing: Mermaid, and plain text. Made from the compiled graph, so it cannot go stale.

Knows the graph's nodes and edges; knows nothing of what they do.
"""

from dataclasses import dataclass

from agents.graph import build_graph

START, END = "__start__", "__end__"


@dataclass(frozen=True, slots=True)
class Drawing:
    """`nodes` in the order in which a question can come to them; `edges` from, to, and whether it depends."""

    nodes: tuple[str, ...]
    edges: tuple[tuple[str, str, bool], ...]

    @property
    def mermaid(self) -> str:
        """A flowchart; dotted arrows are taken as the question has it."""
        lines = [f"    {one} {'-.->' if depends else '-->'} {other}" for one, other, depends in self.edges]
        return "\n".join(["flowchart TD", *lines])

    @property
    def text(self) -> str:
        """A line a node: what follows it; several after a bar are alternatives."""
        width = max(map(len, self.nodes))
        lines = []
        for node in self.nodes:
            after = " | ".join(other for one, other, _ in self.edges if one == node)
            lines.append(f"{node:<{width}} → {after}" if after else node)
        return "\n".join(lines)


def draw_graph() -> Drawing:
    """The drawing of the graph that answers questions."""
    graph = build_graph().get_graph()
    edges = [(edge.source, edge.target, edge.conditional) for edge in graph.edges if END not in edge]
    order = _order([(one, other) for one, other, _ in edges])
    place = {name: at for at, name in enumerate(order)}
    kept = sorted(
        (edge for edge in edges if edge[0] != START), key=lambda edge: (place[edge[0]], place[edge[1]])
    )
    return Drawing(tuple(order[1:]), tuple(kept))


def _order(edges: list[tuple[str, str]]) -> list[str]:
    """Each node behind all that lead to it, as far as that can be: those that are ready by name."""
    names = sorted({name for edge in edges for name in edge} - {START})
    order = [START]
    while names:
        ready = [n for n in names if all(one in (*order, n) for one, other in edges if other == n)]
        chosen = (ready or names)[0]
        order.append(chosen)
        names.remove(chosen)
    return order
