"""Asks the graph and tells what happens. The one door to the agent.

Knows the graph, the sessions and the events; knows nothing of HTTP.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from langgraph.types import Command

from agents.allowance import Allowance, MeteredChat
from agents.asking import Ask, limits_of
from agents.binding import EvidenceBinder
from agents.checkpoints import open_saver
from agents.closing_words import WAITING
from agents.context import AskContext
from agents.events import Event, Failed, Finished, Retrieved
from agents.graph import FREE, build_graph
from agents.guards.answer_check import AnswerCheck
from agents.guards.building import GuardModels, build_guard
from agents.guards.evidence_screen import EvidenceScreen
from agents.guards.question_guard import clean_question
from agents.guards.sufficiency import SufficiencyGate
from agents.kept_answers import now
from agents.masking import build_mask
from agents.memory.background import Background, Recaller
from agents.memory.model_summary import ChatSummaryWriter
from agents.nodes.finish import made_answer
from agents.policy import Policy, policy_of
from agents.prompt_library import PromptLibrary
from agents.question_loop import QuestionLoop
from agents.records import guidance_record
from agents.sessions import SessionIndex, thread_id
from agents.signing import session_key
from agents.tables.reading import TableReader
from agents.taking_up import ask_of, is_begun, spent_before, standing, stored_answer
from agents.tools.approvals import Approval, Decision, check_free
from agents.tools.invoker import ToolInvoker, check_arguments
from agents.turn_order import TurnOrder
from core.chat_tenants import TenantChatModel, tenant_of
from core.database import open_sessions
from core.errors import AttestError, ConflictError, NotFoundError, StoreError
from core.seams import ChatModel
from core.settings import Settings
from core.text import detect_language
from core.types import Answer, Scope, Status, Turn, Usage
from retrieval.evidence import EvidenceCutter
from retrieval.retriever import Retriever
from retrieval.token_cache import CachedTokenEmbedder

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decided:
    """What an owner says of a call that waits. `role` is theirs now; `arguments` are those to call
    with instead, None: as proposed."""

    owner: str
    role: str
    approval_id: str
    decision: Decision
    arguments: Mapping[str, Any] | None = None


class Asker:
    """Answers questions in sessions. Made by `open_asker`; closed by `close`."""

    def __init__(
        self,
        graph,
        context: AskContext,
        sessions: SessionIndex,
        resources: AsyncExitStack,
        loop: QuestionLoop | None = None,
    ) -> None:
        self._graph = graph
        self._context = context
        self._sessions = sessions
        self._resources = resources
        self._loop = loop
        self._turns = TurnOrder(graph.checkpointer.engine)

    async def ask(self, ask: Ask) -> AsyncIterator[Event]:
        """The events of one question; the last one is `Finished` or `Failed`. Closing the
        iterator cancels the work. A failed turn is not remembered."""
        session_id = ask.session_id or uuid.uuid4().hex
        thread = thread_id(ask.owner, session_id)
        try:
            async with (
                self._turns.turn(thread, session_id),
                aclosing(self._ask(ask, session_id, thread)) as events,
            ):
                async for event in events:
                    yield event
        except ConflictError as exc:
            yield Failed(exc.code, exc.message, exc.remedy)

    async def _ask(self, ask: Ask, session_id: str, thread: str) -> AsyncIterator[Event]:
        state = {
            "run": ask.run or uuid.uuid4().hex,
            "thread": thread,
            "steps": [],
            "done": [],
            "session_id": session_id,
            "question": ask.question.strip(),
            "collection": ask.scope.collection,
            "readers": sorted(ask.scope.readers),
            "effort": ask.effort.value,
            "policy": self._policy_of(ask).value,
            "started": time.time(),
            **({"memory": ask.memory} if ask.memory else {}),
            **guidance_record(ask.guidance),
        }
        async with aclosing(self._run(ask, session_id, thread, state)) as events:
            async for event in events:
                yield event

    async def _run(
        self, ask: Ask, session_id: str, thread: str, given: dict | Command | Finished | None
    ) -> AsyncIterator[Event]:
        """From the start with the state that is given, or on from where the thread stands."""
        config = {"configurable": {"thread_id": thread}}
        known, waiting = await asyncio.to_thread(self._standing, ask.owner, session_id)
        finished: Finished | None = None
        had_evidence, mask = False, self._context.mask
        try:
            if isinstance(given, dict):
                check_free(waiting)
                given = None if await is_begun(self._graph, given, config) else given
            background = await asyncio.to_thread(self._background, ask, session_id)
            spent = Usage() if isinstance(given, dict) else await spent_before(self._graph, config)
            context = self.context_of(ask, background, spent)
            async with aclosing(self._told(given, config, context)) as events:
                async for event in events:
                    shown = event if mask is None else mask.event(event)
                    if isinstance(shown, Finished):
                        finished = shown
                    else:
                        had_evidence |= isinstance(event, Retrieved) and bool(event.hits)
                        yield shown
            await self._turns.check(thread, session_id)
            await self._graph.checkpointer.keep_latest(thread)
            finished = finished or Finished(await self._waiting_answer(ask, session_id, config))
            answer, asked = finished.answer, self._masked(ask)
            turn = Turn(clean_question(asked.question), answer.text, answer.status, answer.id, now())
            await asyncio.to_thread(
                self._sessions.record_turn, ask.owner, session_id, turn, ask.guidance.assistant
            )
            known = True
            if answer.status is not Status.WAITING:
                await self._note(asked, turn, answer, session_id, had_evidence)
        except AttestError as exc:
            logger.info("question failed: %s", exc)
            yield Failed(exc.code, exc.message, exc.remedy)
            return
        except Exception as exc:
            # The edge of the stream: whatever it was, the caller gets a clean end.
            logger.exception("question failed")
            yield Failed("internal", f"the question could not be answered ({type(exc).__name__})")
            return
        finally:
            self._graph.checkpointer.let_go(thread)
            if not known:
                # What no list names could never be forgotten by its owner.
                await asyncio.shield(self._drop(ask.owner, session_id))
        # Only now is the turn stored: who reads `finished` may ask on at once.
        yield finished

    async def _told(
        self, given: dict | Command | Finished | None, config: dict, context: AskContext
    ) -> AsyncIterator[Event]:
        """The events of the graph; or the end alone, where only that was not told and recorded."""
        if isinstance(given, Finished):
            yield given
            return
        run = self._graph.astream(given, config, context=context, stream_mode="custom", durability="sync")
        async with aclosing(run) as events:
            async for event in events:
                yield event

    def _standing(self, owner: str, session_id: str) -> tuple[bool, list[Approval]]:
        """Whether its owner can find it, among the sessions or by what waits for their approval; and that."""
        tools = self._context.tools
        waiting = tools.approvals.waiting(owner, session_id) if tools is not None else []
        return bool(waiting) or self._sessions.has(owner, session_id), waiting

    async def _waiting_answer(self, ask: Ask, session_id: str, config: dict) -> Answer:
        """What is answered while a call waits for its owner's approval."""
        state = (await self._graph.aget_state(config)).values
        waiting = await asyncio.to_thread(self._context.tools.approvals.waiting, ask.owner, session_id)
        names = ", ".join(approval.tool for approval in waiting)
        text = WAITING[detect_language(ask.question)].format(tool=names)
        return Answer(
            state["run"], Status.WAITING, text, route=state["route"], policy=state["policy"],
            trace_id=state["run"], session_id=session_id,
        )  # fmt: skip

    def use_tools(self, tools: ToolInvoker) -> None:
        """From now on questions may be answered by these tools."""
        self._context = replace(self._context, tools=tools)

    async def decide(self, decided: Decided) -> AsyncIterator[Event]:
        """Writes a decision down and goes on with the turn that waited for it: its events, as of
        `ask`.

        Raises:
            NotFoundError: nothing of this id waits for this owner.
            ConflictError: it was decided otherwise, or the conversation has gone on.
            InputError: the tool does not take the edited arguments.
            AccessError: the role may not use the tool any more.
        """
        tools = self._context.tools
        if tools is None:
            raise NotFoundError("there are no tools here", remedy="see the settings of tools")
        approval = await asyncio.to_thread(tools.approvals.get, decided.owner, decided.approval_id)
        if decided.decision is not Decision.REJECTED:
            found = tools.registry.get(approval.tool, decided.role)
            check_arguments(found, approval.arguments if decided.arguments is None else decided.arguments)
        await asyncio.to_thread(
            tools.approvals.decide, decided.owner, approval.id, decided.decision, decided.arguments
        )
        async with aclosing(self.resume(decided.owner, approval.session_id, decided.role)) as events:
            async for event in events:
                yield event

    async def resume(
        self, owner: str, session_id: str, role: str, check: Callable[[Scope], object] = lambda scope: None
    ) -> AsyncIterator[Event]:
        """Goes on with a turn that was broken off, by a kill or to wait for an approval: from its last
        step on. `check` raises where the caller may not look any more where it was asked.

        Raises:
            ConflictError: no turn of the session is unfinished, or it waits for an approval still.
        """
        thread = thread_id(owner, session_id)
        async with self._turns.turn(thread, session_id):
            check_free((await asyncio.to_thread(self._standing, owner, session_id))[1])
            snapshot, values = await standing(self._graph, {"configurable": {"thread_id": thread}})
            given = Command(resume=True) if snapshot.interrupts else None
            # Not `next`: a step whose result is stored, and not yet part of the state, is not in it.
            if not snapshot.tasks:
                given = await self._unrecorded(owner, session_id, values)
            ask = ask_of(values, owner, role)
            check(ask.scope)
            async with aclosing(self._run(ask, session_id, thread, given)) as events:
                async for event in events:
                    yield event

    async def stored(self, owner: str, session_id: str, run: str, check: Callable[[Ask], object]) -> Finished:
        """The end of a turn that is over, as it was told; the rest as of `stored_answer`."""
        place, mask = (owner, session_id, run), self._context.mask
        finished = Finished(await stored_answer(self._graph, self._sessions, place, check))
        return finished if mask is None else mask.event(finished)

    async def _unrecorded(self, owner: str, session_id: str, state: dict) -> Finished:
        """The end of a turn whose process died before it was recorded. Raises ConflictError when
        there is none."""
        run = state.get("run", "")
        if not run or await asyncio.to_thread(self._sessions.has_turn, owner, session_id, run):
            raise ConflictError(f"no turn of the session {session_id!r} is unfinished", remedy="ask on")
        return Finished(made_answer(state))

    async def _note(
        self, asked: Ask, turn: Turn, answer: Answer, session_id: str, had_evidence: bool
    ) -> None:
        """Keeps the answer for its rating, and what the question says of its user. The turn is over: who
        asked shall have it all the same."""
        if self._loop is None or not asked.keep:
            return
        try:
            await asyncio.to_thread(self._loop.note, asked, answer, had_evidence)
            await asyncio.to_thread(self._loop.take_up, asked, turn, session_id)
        except StoreError as exc:
            logger.warning("answer %s or what its question told was not kept: %s", answer.id, exc)

    def _background(self, ask: Ask, session_id: str) -> Background:
        turns = [*ask.history, *self._sessions.turns(ask.owner, session_id)]
        users = self._loop.memory if self._loop is not None else None
        return users.background(ask.owner, turns) if users is not None else Background(tuple(turns))

    def context_of(self, ask: Ask, background: Background, spent: Usage) -> AskContext:
        """What nodes work with, also for what is written beside the graph: metered for a question."""
        allowance = Allowance(limits_of(ask.effort, self._context.efforts), spent)
        tenant = TenantChatModel(self._context.chat_model, tenant_of(ask.owner, ask.scope.readers))
        chat_model = MeteredChat(tenant, allowance)
        return replace(
            self._context, background=background, chat_model=chat_model, allowance=allowance, owner=ask.owner,
            role=ask.role,
        )  # fmt: skip

    def _masked(self, ask: Ask) -> Ask:
        mask = self._context.mask
        return ask if mask is None else replace(ask, question=mask.text(ask.question))

    def _policy_of(self, ask: Ask) -> Policy:
        guards = self._context.guards
        return policy_of(ask.scope.collection, guards.policy, guards.policies).stricter(ask.policy)

    async def sessions(self, owner: str) -> list[dict]:
        """The owner's sessions, newest first."""
        return await asyncio.to_thread(self._sessions.list_sessions, owner)

    async def history(self, owner: str, session_id: str) -> list[Turn]:
        """The turns of a session, oldest first.

        Raises:
            NotFoundError: the owner has no such session.
        """
        if not await asyncio.to_thread(self._sessions.has, owner, session_id):
            raise NotFoundError(f"there is no session {session_id!r}")
        return await asyncio.to_thread(self._sessions.turns, owner, session_id)

    async def assistant_of(self, owner: str, session_id: str) -> str:
        """The id of the assistant that answered last in a session; empty when none did."""
        return await asyncio.to_thread(self._sessions.assistant_of, owner, session_id)

    async def forget(self, owner: str, session_id: str) -> bool:
        """Deletes a session with all its checkpoints; False when the owner has none such."""
        if not await asyncio.to_thread(self._sessions.forget, owner, session_id):
            return False
        await self._drop(owner, session_id)
        if self._loop is not None:
            await asyncio.to_thread(self._loop.forget_session, owner, session_id)
        return True

    async def _drop(self, owner: str, session_id: str) -> None:
        """Deletes the checkpoints of a session, and what waits for approval to go on from them."""
        await self._graph.checkpointer.adelete_thread(thread_id(owner, session_id))
        if self._context.tools is not None:
            await asyncio.to_thread(self._context.tools.approvals.forget_session, owner, session_id)

    def use_tables(self, tables: TableReader) -> None:
        """From now on questions are answered from tables where rules are sure."""
        self._context = replace(self._context, tables=tables)

    async def close(self) -> None:
        """Closes the sessions' database, which lets others go on with what is under way; the chat model
        belongs to the caller."""
        await self._resources.aclose()


async def open_asker(
    retriever: Retriever,
    models: GuardModels,
    chat_model: ChatModel,
    settings: Settings,
    sessions_file: Path,
    loop: QuestionLoop | None = None,
) -> Asker:
    """Opens the sessions' database, which is the file unless the settings put it beside the ledger, and
    builds the graph. Without a loop no answer is curated and none is kept."""
    resources = AsyncExitStack()
    engine = open_sessions(settings, sessions_file)
    resources.callback(engine.dispose)
    key = session_key(settings.ledger.session_secret, sessions_file.with_suffix(".key"))
    saver = await asyncio.to_thread(open_saver, engine, key, FREE)
    embedder = CachedTokenEmbedder(models.tokens)
    prompts = PromptLibrary()
    context = AskContext(
        retriever=retriever,
        cutter=EvidenceCutter(embedder),
        chat_model=chat_model,
        prompts=prompts,
        screen=EvidenceScreen(embedder),
        binder=EvidenceBinder(embedder),
        guard=await build_guard(models, chat_model, prompts, settings.guard),
        gate=SufficiencyGate(embedder, models.pairs, probes=models.probes),
        answers=AnswerCheck(models.pairs, settings.guard, probes=models.probes),
        retrieval=settings.retrieval,
        chat=settings.chat,
        guards=settings.guard,
        efforts=settings.effort,
        mask=build_mask(settings),
        faq=loop.faq if loop is not None else None,
        recaller=_recaller(loop, chat_model, prompts, settings),
    )
    return Asker(build_graph(saver), context, SessionIndex(engine), resources, loop)


def _recaller(
    loop: QuestionLoop | None, chat_model: ChatModel, prompts: PromptLibrary, settings: Settings
) -> Recaller:
    """That of the loop, whose summaries are written by the chat model where the settings say so."""
    recaller = loop.recaller if loop is not None else Recaller()
    if settings.memory.summary == "extractive" or recaller.strategies is None:
        return recaller
    running, timeout_s = asyncio.get_running_loop(), settings.chat.timeout_s
    writer = ChatSummaryWriter(chat_model, prompts, running, timeout_s)
    return replace(recaller, strategies=recaller.strategies.written_by(writer))
