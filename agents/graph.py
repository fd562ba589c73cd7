"""The graph: plan → gather → answer → finish.

Knows which node follows which; each node is a file of its own.
"""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.context import AskContext
from agents.nodes.answer import answer
from agents.nodes.finish import finish
from agents.nodes.gather import gather
from agents.nodes.plan import plan
from agents.state import AskState


def build_graph(checkpointer: BaseCheckpointSaver) -> CompiledStateGraph:
    """The compiled graph; sessions live in the checkpointer."""
    graph = StateGraph(AskState, context_schema=AskContext)
    graph.add_node("plan", plan)
    graph.add_node("gather", gather)
    graph.add_node("answer", answer)
    graph.add_node("finish", finish)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "gather")
    graph.add_edge("gather", "answer")
    graph.add_edge("answer", "finish")
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer)
