"""The graph: front → plan → gather → answer → revise → extract → finish, the last but one where
needed; front → finish for a known question, plan → finish for what is refused.

Knows which node follows which; each node is a file of its own.
"""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.asking import BUDGETS, Effort
from agents.context import AskContext
from agents.draft_stream import Fault
from agents.nodes.answer import answer
from agents.nodes.extract import extract
from agents.nodes.finish import finish
from agents.nodes.front import front, route_of
from agents.nodes.gather import gather
from agents.nodes.plan import plan
from agents.nodes.revise import revise
from agents.records import read_checked
from agents.state import AskState


def build_graph(checkpointer: BaseCheckpointSaver) -> CompiledStateGraph:
    """The compiled graph; sessions live in the checkpointer."""
    graph = StateGraph(AskState, context_schema=AskContext)
    for node in (front, plan, gather, answer, revise, extract, finish):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "front")
    graph.add_conditional_edges("front", route_of, ["plan", "finish"])
    graph.add_conditional_edges("plan", _after_plan, ["gather", "finish"])
    graph.add_edge("gather", "answer")
    graph.add_conditional_edges("answer", after_answer, ["revise", "extract", "finish"])
    graph.add_conditional_edges("revise", after_revise, ["extract", "finish"])
    graph.add_edge("extract", "finish")
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer)


def _after_plan(state: AskState) -> str:
    return "finish" if state["refusal"] else "gather"


def after_answer(state: AskState) -> str:
    """What was withheld is rewritten where the effort allows it; a refusal stands, and a model
    that could not write the draft is not asked again."""
    is_broken = any(fault in state["outcome"]["guarded"] for fault in Fault)
    may_revise = BUDGETS[Effort(state["effort"])].revises and not is_broken
    return "revise" if may_revise and read_checked(state["outcome"]).lost else after_revise(state)


def after_revise(state: AskState) -> str:
    """A quote, when a draft was made and no sentence of it holds, unless it was a refusal."""
    outcome, checked = state["outcome"], read_checked(state["outcome"])
    return "extract" if outcome["drafted"] and not checked.sentences and not checked.refused else "finish"
