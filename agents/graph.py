"""The graph: front → plan → gather → answer → revise → extract → finish, the last but one where
needed, and table before the answer where one was found; front → finish for a known question and
small talk, plan → finish for what is refused. A route of its own (`WAYS`) goes from plan to its node.

Knows which node follows which; each node is a file of its own.
"""

from collections.abc import Callable, Mapping
from functools import partial

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.asking import BUDGETS, Effort
from agents.context import AskContext
from agents.nodes.answer import answer
from agents.nodes.extract import extract
from agents.nodes.finish import finish
from agents.nodes.front import front, route_of
from agents.nodes.gather import gather
from agents.nodes.hops import hops
from agents.nodes.note import note
from agents.nodes.plan import plan
from agents.nodes.related import related
from agents.nodes.report import report
from agents.nodes.research import research, send_sections
from agents.nodes.revise import after_answer, after_revise, revise
from agents.nodes.table import after_gather, table
from agents.nodes.tool import tool
from agents.routing import Route
from agents.state import AskState

WAYS: Mapping[Route, Callable] = {
    Route.RELATED: related, Route.HOPS: hops, Route.TOOL: tool, Route.RESEARCH: research,
}  # fmt: skip
"""The first node of a route beside the search. It sets `outcome` (that is the answer), or `evidence` with its
`signals` (the answer is read or drafted from it), or neither, when the way led nowhere: then it is
searched. What is not among them is searched. Where it came to something it sets `route` to its own."""

FREE = (front.__name__, plan.__name__)
"""Nodes before which nothing was done that a kill would cost: they are read from the question again."""


def build_graph(
    checkpointer: BaseCheckpointSaver | None = None, ways: Mapping[Route, Callable] = WAYS
) -> CompiledStateGraph:
    """The compiled graph; sessions live in the checkpointer."""
    graph = StateGraph(AskState, context_schema=AskContext)
    for node in (front, plan, gather, table, answer, revise, extract, finish, *dict.fromkeys(ways.values())):
        graph.add_node(node.__name__, node)
    entries = {route.value: node.__name__ for route, node in ways.items()}

    def after_plan(state: AskState) -> str:
        if state["refusal"]:
            return "finish"
        is_open = Route(state["route"]) in BUDGETS[Effort(state["effort"])].routes
        return entries.get(state["route"], "gather") if is_open else "gather"

    def branch(name: str, choose: Callable, ends: list[str]) -> None:
        async def at_once(state: AskState):
            return choose(state)  # LangGraph would take a thread for a function that is no coroutine

        graph.add_conditional_edges(name, at_once, ends)

    graph.add_edge(START, "front")
    branch("front", route_of, ["plan", "finish"])
    branch("plan", after_plan, ["gather", "finish", *sorted({*entries.values()})])
    for name in sorted({*entries.values()} - {research.__name__}):
        branch(name, partial(after_way, again=name), ["gather", "table", "answer", "finish", name])
    if Route.RESEARCH in ways:
        graph.add_node("note", note)
        graph.add_node("report", report)
        branch("research", send_sections, ["note", "gather"])
        graph.add_edge("note", "report")
        graph.add_edge("report", "finish")
    branch("gather", after_gather, ["table", "answer"])
    branch("table", after_table, ["answer", "finish"])
    branch("answer", after_answer, ["revise", "extract", "finish"])
    branch("revise", after_revise, ["extract", "finish"])
    graph.add_edge("extract", "finish")
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer)


def after_way(state: AskState, again: str) -> str:
    """What a route's own node came to decides what follows; it is taken again while it has steps."""
    if state["steps"]:
        return again
    if state["outcome"]:
        return "finish"
    return after_gather(state) if state["evidence"] else "gather"


def after_table(state: AskState) -> str:
    """What no rule is sure of is drafted."""
    return "finish" if state["outcome"] else "answer"
