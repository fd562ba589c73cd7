"""The drawing says what the graph is, and the page holds the drawing."""

from pathlib import Path

from agents.drawing import draw_graph

ROOT = Path(__file__).parents[2]


def test_the_page_holds_the_drawing():
    page = (ROOT / "docs" / "how-it-answers.md").read_text(encoding="utf-8")
    held = page.split("<!-- graph -->\n")[1].split("<!-- end of graph -->")[0]
    drawing = draw_graph()
    assert held == f"```\n{drawing.text}\n```\n\n```mermaid\n{drawing.mermaid}\n```\n", (
        "put in what `attest graph` and `attest graph --mermaid` print"
    )


def test_it_fits_on_one_page():
    drawing = draw_graph()
    assert len(drawing.text.splitlines()) <= 24 and len(drawing.mermaid.splitlines()) <= 60


def test_every_step_is_a_file_and_leads_to_the_end():
    drawing = draw_graph()
    files = {path.stem for path in (ROOT / "agents" / "nodes").glob("*.py")} - {"__init__"}
    assert set(drawing.nodes) == files
    after = {one: {other for frm, other, _ in drawing.edges if frm == one} for one in drawing.nodes}
    assert [one for one in drawing.nodes if not after[one]] == ["finish"]
    reached, waiting = set(), [drawing.nodes[0]]
    while waiting:
        one = waiting.pop()
        waiting += after[one] - reached
        reached |= {one}
    assert reached == set(drawing.nodes)


def test_each_node_is_short():
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in (ROOT / "agents/nodes").glob("*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > 150} == {}
