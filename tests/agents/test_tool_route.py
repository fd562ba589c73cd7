"""What tools answer, through the whole graph: without a model or a search, one call a step; before
an effect the conversation waits, also for another process, and no other owner can decide."""

import asyncio
from contextlib import aclosing

import pytest

from agents.asker import Decided, open_asker
from agents.events import ApprovalNeeded, Failed, Finished, ToolCalled, ToolReturned
from agents.tools.approvals import Decision
from agents.tools.calculate import CalculateTool
from agents.tools.steps import split_steps
from core.errors import AccessError, ConflictError, InputError, NotFoundError
from core.settings import Settings
from core.types import Status
from tests.agents.doubles import ScriptedChat, letter_models, with_letters
from tests.agents.test_graph import GOOD, QUESTION, OneShelf, ask, events_of
from tests.agents.tools.doubles import Killed, KnowingNoteTool, SlowTool, open_invoker

pytestmark = pytest.mark.anyio


@pytest.fixture
async def opened(tmp_path):
    """Opens an asker with tools over one data directory; several stand for several processes."""
    askers = []

    async def opener(*tools, chat=None, shelf=None):
        settings = Settings(data=tmp_path, guard={"sufficient_at": 0.0, "quoted_at": 0.0})
        asker = await open_asker(
            shelf or OneShelf(), letter_models(), chat or ScriptedChat(), settings, tmp_path / "sessions.db"
        )
        asker.use_tools(open_invoker(tmp_path, CalculateTool(), *tools)[0])
        askers.append(with_letters(asker))
        return asker

    yield opener
    for asker in askers:
        await asker.close()


def answer_of(events):
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1].answer


async def decide(asker, approval_id, decision, owner="ann", arguments=None):
    decided = Decided(owner, "reader", approval_id, decision, arguments)
    return [event async for event in asker.decide(decided)]


async def test_a_calculation_needs_neither_search_nor_model(opened):
    chat, shelf = ScriptedChat(), OneShelf()
    asker = await opened(chat=chat, shelf=shelf)
    answer = answer_of(await events_of(asker, "What is 18% of 2,340?"))
    assert (answer.route, answer.status, answer.text) == ("tool", Status.ANSWERED, "18% of 2340 = 421.2")
    assert answer.sentences[0].verdict.guard == "calculate"
    assert chat.asked == [] and shelf.queries == []
    assert answer_of(await events_of(asker, "三万五千的12%是多少")).text.endswith("4,200")


async def test_what_reckons_with_the_documents_is_searched(opened):
    shelf = OneShelf()
    asker = await opened(chat=ScriptedChat(GOOD), shelf=shelf)
    assert answer_of(await events_of(asker, "TM-20 主机保修期的18%是多少？")).route == "search"
    assert shelf.queries


async def test_calls_by_name_are_made_in_their_order(opened):
    asker = await opened()
    events = await events_of(asker, "/calculate 1+1\n/calculate {\"expression\": \"2*3\"}\n/calculate 18% of\n 50")
    assert answer_of(events).text == "1+1 = 2\n\n2*3 = 6\n\n18% of 50 = 9"
    assert [event.tool for event in events if isinstance(event, ToolCalled)] == ["calculate"] * 3


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("/calculate 1/0\n/calculate 1+1", "zero"),
        ("/calculate {\"expression\": }", "no JSON object"),
        ("/calculate {\"more\": 1}", "expression"),
    ],
)
async def test_a_call_that_cannot_be_made_ends_the_run_and_says_why(opened, question, words):
    answer = answer_of(await events_of(await opened(), question))
    assert answer.status is Status.ABSTAINED and words in answer.text and "1+1 = 2" not in answer.text


async def test_each_call_that_was_told_has_a_result_that_is_told(opened):
    events = await events_of(await opened(), "/calculate 1+1\n/calculate 1/0\n/calculate 2+2")
    told = [(type(event), event) for event in events if isinstance(event, ToolCalled | ToolReturned)]
    assert [kind for kind, _ in told] == [ToolCalled, ToolReturned] * 2
    assert [event.has_failed for kind, event in told if kind is ToolReturned] == [False, True]
    assert "zero" in told[3][1].text
    refused = await events_of(await opened(), '/calculate {"more": 1}')
    assert not [event for event in refused if isinstance(event, ToolCalled | ToolReturned)], "it was never called"


async def test_what_is_no_tool_of_the_caller_is_a_question_to_the_documents(opened):
    asker = await opened(SlowTool(), chat=ScriptedChat(GOOD, GOOD))
    for question in ("/etc/hosts 是什么？", f"/slow {QUESTION}"):
        assert answer_of(await events_of(asker, question)).route == "search"


async def test_an_effect_waits_for_approval_and_is_had_once(opened):
    tool = KnowingNoteTool()
    asker = await opened(tool)
    events = await events_of(asker, "/calculate 1+1\n/note buy milk\n/calculate 2+2")
    [needed] = [event for event in events if isinstance(event, ApprovalNeeded)]
    waiting = answer_of(events)
    assert (waiting.status, needed.arguments, tool.written) == (Status.WAITING, {"text": "buy milk"}, [])
    # Days later, another process.
    other = await opened(tool)
    answer = answer_of(await decide(other, needed.id, Decision.APPROVED))
    assert answer.text == "1+1 = 2\n\nnoted buy milk\n\n2+2 = 4" and answer.id == waiting.id
    assert [text for _, text in tool.written] == ["buy milk"]
    [turn] = await other.history("ann", "s")
    assert (turn.status, turn.answer) == (Status.ANSWERED, answer.text)
    with pytest.raises(ConflictError, match="unfinished"):
        await decide(other, needed.id, Decision.APPROVED)
    assert len(tool.written) == 1


async def test_a_call_is_edited_or_rejected(opened):
    tool = KnowingNoteTool()
    asker = await opened(tool)
    [one] = [e for e in await events_of(asker, "/note a") if isinstance(e, ApprovalNeeded)]
    with pytest.raises(InputError, match="text"):
        await decide(asker, one.id, Decision.EDITED, arguments={"wrong": 1})
    answer = answer_of(await decide(asker, one.id, Decision.EDITED, arguments={"text": "b"}))
    assert answer.text == "noted b" and [text for _, text in tool.written] == ["b"]
    [other] = [e for e in await events_of(asker, "/note c") if isinstance(e, ApprovalNeeded)]
    answer = answer_of(await decide(asker, other.id, Decision.REJECTED))
    assert "rejected" in answer.text and len(tool.written) == 1
    with pytest.raises(ConflictError, match="rejected already"):
        await decide(asker, other.id, Decision.APPROVED)


async def test_nobody_but_the_owner_decides(opened):
    tool = KnowingNoteTool()
    asker = await opened(tool)
    [needed] = [e for e in await events_of(asker, "/note a") if isinstance(e, ApprovalNeeded)]
    for decision in (Decision.APPROVED, Decision.REJECTED):
        with pytest.raises(NotFoundError):
            await decide(asker, needed.id, decision, owner="bob")
    assert asker._context.tools.approvals.waiting("bob") == [] and tool.written == []
    assert [a.id for a in asker._context.tools.approvals.waiting("ann")] == [needed.id]


async def test_a_session_that_waits_takes_no_new_question_and_can_be_forgotten(opened):
    asker = await opened(KnowingNoteTool())
    await events_of(asker, "/note a")
    [failed] = await events_of(asker, "What is 1+1?")
    assert isinstance(failed, Failed) and failed.code == "conflict" and "approval of note" in failed.message
    assert answer_of(await events_of(asker, "What is 1+1?", session="other")).status is Status.ANSWERED
    assert await asker.forget("ann", "s") and asker._context.tools.approvals.waiting("ann") == []


async def test_a_turn_that_broke_off_goes_on_from_its_last_step(opened):
    tool = KnowingNoteTool(breaks=Killed())
    asker = await opened(tool)
    [needed] = [e for e in await events_of(asker, "/calculate 1+1\n/note a") if isinstance(e, ApprovalNeeded)]
    with pytest.raises(Killed):
        await decide(asker, needed.id, Decision.APPROVED)
    tool.breaks = None
    other = await opened(tool)
    answer = answer_of([event async for event in other.resume("ann", "s", "reader")])
    assert answer.text == "1+1 = 2\n\nnoted a" and len(tool.written) == 1
    with pytest.raises(ConflictError, match="unfinished"):
        [event async for event in other.resume("bob", "s", "reader")]


async def test_who_may_no_longer_read_as_they_asked_takes_no_turn_up(opened):
    tool = KnowingNoteTool(breaks=Killed())
    asker = await opened(tool)
    [needed] = [e for e in await events_of(asker, "/note a\n/calculate 1+1") if isinstance(e, ApprovalNeeded)]
    with pytest.raises(Killed):
        await decide(asker, needed.id, Decision.APPROVED)

    def refuse(scope):
        raise AccessError(f"you may not act as {min(scope.readers)}", authenticated=True)

    other = await opened(tool)
    with pytest.raises(AccessError, match="act as"):
        [event async for event in other.resume("ann", "s", "reader", refuse)]
    assert answer_of([event async for event in other.resume("ann", "s", "reader")]).text.endswith("1+1 = 2")


async def test_what_a_client_left_before_its_session_was_kept_waits_no_more(opened):
    tool = KnowingNoteTool()
    asker = await opened(tool)
    async with aclosing(asker.ask(ask("/note a"))) as events:
        async for event in events:
            if isinstance(event, ApprovalNeeded):
                break
    assert asker._context.tools.approvals.waiting("ann") == [] and tool.written == []
    assert answer_of(await events_of(asker, "What is 1+1?")).text == "1+1 = 2"


async def test_a_session_that_was_killed_while_it_waited_is_not_lost_by_another_question(opened, monkeypatch):
    tool = KnowingNoteTool()
    asker = await opened(tool)

    def die(*_):
        raise Killed

    # The drop at the end would not be reached by a real kill.
    monkeypatch.setattr(asker._sessions, "record_turn", die)
    monkeypatch.setattr(asker, "_drop", lambda *_: asyncio.sleep(0))
    with pytest.raises(Killed):
        await events_of(asker, "/note a")
    other = await opened(tool)
    [needed] = other._context.tools.approvals.waiting("ann")
    [failed] = await events_of(other, "What is 1+1?")
    assert isinstance(failed, Failed) and failed.code == "conflict"
    assert answer_of(await decide(other, needed.id, Decision.APPROVED)).text == "noted a"


def test_a_question_begins_with_a_tool_or_calls_none():
    assert split_steps("see /note a", ["note"]) == []
    assert split_steps("/gone a\n/note b", ["note"]) == []
    assert split_steps("/note a /note b\n/notes c", ["note"]) == [("note", "a /note b\n/notes c")]
    assert ask("x").role == "reader"
