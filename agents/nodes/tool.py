"""tool: what a tool answers by itself, one call a step, each of them a checkpoint.

A question that is reckoned goes to `calculate`, without a model; calls that the user wrote are made
in their order. Before a call with effects the conversation waits for its owner's approval, for days
if need be, and goes on from there. Knows the invoker and approvals; knows nothing of single tools.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents.context import AskContext
from agents.events import ApprovalNeeded, SentenceReleased, ToolCalled, ToolReturned
from agents.guards.outgoing import strip_links
from agents.reckoning.spoken import read_calculation
from agents.records import may_use, read_citation, read_scope, sentence_record
from agents.routing import Route
from agents.state import AskState
from agents.tools.approvals import Approval, Decision
from agents.tools.invoker import ToolBudget, check_arguments
from agents.tools.steps import read_arguments, split_steps
from agents.tools.tool import ToolCall, ToolResult
from core.errors import AccessError, InputError, ToolError
from core.types import Label, Sentence, Status, Usage, Verdict

CALCULATE = "calculate"
REJECTED = {"zh": "{tool}：未获批准，没有执行。", "en": "{tool}: rejected, and not done."}
FAILED = {"zh": "{tool}：没有完成（{why}）。", "en": "{tool}: not done ({why})."}


async def tool(state: AskState, runtime: Runtime[AskContext]) -> dict:
    """Makes the next call and adds to `done`; with the last one it sets `outcome`. Sets nothing
    when no tool answers the question."""
    if runtime.context.tools is None:
        return {}
    try:
        steps = state["steps"] or _planned(state, runtime.context)
    except InputError as exc:
        return _outcome(state, [_failed("", exc, state["language"])], runtime)
    if not steps:
        return {}
    at = len(state["done"])
    record = await _made(steps[at], at, state, runtime)
    done = [*state["done"], record]
    if len(done) < len(steps) and not record["is_broken"]:
        return {"steps": steps, "done": done}
    return {"steps": [], "done": done, **_outcome(state, done, runtime)}


def _planned(state: AskState, context: AskContext) -> list[dict]:
    """The calls that the question asks for, as tool and what is written behind it."""
    question = state["question"]
    usable = {one.name for one in context.tools.registry.usable(context.role) if may_use(state, one.name)}
    if written := split_steps(question, usable):
        return [{"tool": name, "written": text} for name, text in written]
    if CALCULATE in usable and read_calculation(question, date.today()) is not None:
        return [{"tool": CALCULATE, "written": question}]
    return []


async def _made(step: dict, at: int, state: AskState, runtime: Runtime[AskContext]) -> dict:
    """The record of one call. What the caller can mend ends the run and is told; an outage of what
    the product itself needs ends the turn, which can be taken up again."""
    context, was_told, named = runtime.context, False, step["tool"]
    try:
        found = context.tools.registry.get(named, context.role)
        arguments = read_arguments(found, step["written"])
        check_arguments(found, arguments)
        if found.effects:
            decided = await _approved(found.name, arguments, at, state, runtime)
            if decided.decision is Decision.REJECTED:
                return _record(named, ToolResult(REJECTED[state["language"]].format(tool=named)))
            arguments = decided.arguments
        run, scope = f"{state['run']}/{at}", read_scope(state)
        call = ToolCall(context.owner, scope, context.role, state["session_id"], run)
        runtime.stream_writer(ToolCalled(found.name, dict(arguments)))
        was_told = True
        left = ToolBudget(context.tools.calls_per_turn - at)
        result = await context.tools.invoke(found.name, arguments, call, left)
    except (InputError, AccessError, ToolError) as exc:
        failed = _failed(named, exc, state["language"])
        if was_told:
            runtime.stream_writer(ToolReturned(named, failed["result"]["text"], has_failed=True))
        return failed
    runtime.stream_writer(ToolReturned(found.name, result.text))
    return _record(found.name, result)


async def _approved(
    name: str, arguments: Mapping[str, Any], at: int, state: AskState, runtime: Runtime[AskContext]
) -> Approval:
    """What the owner decided. Pauses the graph until they have; it then comes here again."""
    context = runtime.context
    wanted = Approval(
        f"{state['run']}-{at}", context.owner, state["session_id"], state["collection"],
        tuple(state["readers"]), name, arguments,
    )  # fmt: skip
    decided = await asyncio.to_thread(context.tools.approvals.propose, wanted)
    if decided.decision is Decision.WAITING:
        runtime.stream_writer(ApprovalNeeded(decided.id, name, dict(arguments)))
        interrupt({"approval": decided.id})
        # Only now can it be decided: the pause ends when it is.
        decided = await asyncio.to_thread(context.tools.approvals.get, context.owner, decided.id)
    return decided


def _record(name: str, result: ToolResult) -> dict:
    return {"tool": name, "result": result.record(), "is_broken": False}


def _failed(name: str, error: InputError | AccessError | ToolError, language: str) -> dict:
    text = FAILED[language].format(tool=name, why=str(error)) if name else str(error)
    return _record(name, ToolResult(text)) | {"is_broken": True}


def _outcome(state: AskState, done: list[dict], runtime: Runtime[AskContext]) -> dict:
    """An answer of one sentence a call, with the citations of each."""
    sentences, citations = [], []
    for record in done:
        result = record["result"]
        found = enumerate(map(read_citation, result["citations"]), len(citations) + 1)
        citations += (cited := [replace(citation, marker=marker) for marker, citation in found])
        is_sure = not result["is_untrusted"]
        label, score = (Label.SUPPORTED, 1.0) if is_sure else (Label.UNSURE, 0.5)
        text = result["text"] if is_sure else strip_links(result["text"], "")[0]
        markers, verdict = tuple(c.marker for c in cited), Verdict(label, score, record["tool"] or "tools")
        sentence = Sentence(text, markers, verdict)
        if not record["is_broken"]:
            sentences.append(sentence)
            runtime.stream_writer(SentenceReleased(sentence, tuple(cited)))
    broken = [record["result"]["text"] for record in done if record["is_broken"]]
    status = Status.ANSWERED if not broken else Status.PARTIAL if sentences else Status.ABSTAINED
    return {
        "route": Route.TOOL.value,
        "timings_ms": {**state["timings_ms"], "tool": round((time.time() - state["started"]) * 1000, 1)},
        "outcome": {
            "status": status.value,
            "text": "\n\n".join([*(sentence.text for sentence in sentences), *broken]),
            "sentences": [sentence_record(sentence) for sentence in sentences],
            "citations": [asdict(citation) for citation in citations],
            "withheld": [],
            "usage": asdict(Usage(**state["spent"])),
        },
    }
