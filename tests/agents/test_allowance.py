"""Where a question ends: calls, tokens, seconds. What is verified by then is the answer, and it says so."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from agents.allowance import Allowance, Limits, MeteredChat, tokens_of
from agents.asking import BUDGETS, Effort, limits_of
from agents.events import StatusChanged
from agents.guards.judge import ChatJudge
from agents.nodes.finish import cut_short
from agents.prompt_library import PromptLibrary
from core.errors import BudgetSpentError
from core.seams import ChatDelta, ChatOptions, Message, Passage, ToolCall
from core.settings_effort import EffortSettings
from core.types import Label, Status, Usage
from tests.agents.doubles import ScriptedChat
from tests.agents.test_graph import BAD, GOOD, QUESTION, events_of, open_agent  # noqa: F401

pytestmark = pytest.mark.anyio
ASKED = [Message("user", "问题" * 10)]


class StallingChat(ScriptedChat):
    """Says what it has to say, and then nothing for a long time."""

    async def stream(self, messages, options):
        self.asked.append(list(messages))
        try:
            yield ChatDelta(self.replies.pop(0))
            await asyncio.sleep(60)
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise

    async def structured(self, messages, schema, options):
        self.asked.append(list(messages))
        await asyncio.sleep(60)


def limited(asker, **limits):
    """The asker, each of whose efforts ends there."""
    each = {name: {effort.value: most for effort in Effort} for name, most in limits.items()}
    asker._context = replace(asker._context, efforts=EffortSettings(**each))
    return asker


async def test_at_the_deadline_the_answer_is_what_is_verified_and_says_so(open_agent):  # noqa: F811
    chat = StallingChat(GOOD + "电池的保修期")
    events = await events_of(limited(await open_agent(chat), seconds=3), QUESTION)
    answer = events[-1].answer
    assert answer.status is Status.PARTIAL and answer.sentences[0].text == GOOD.removesuffix("[1]")
    assert answer.sentences[0].verdict.guard != "quote"
    assert "时间上限" in answer.text and answer.guarded == {"cut_short": 1}
    assert StatusChanged("cut_short", "seconds") in events
    assert chat.cancelled == 1 and len(chat.asked) == 1
    assert answer.usage.model_calls == 1 and answer.usage.prompt_tokens > 50, "estimated, for nobody told"


async def test_an_end_before_any_sentence_is_no_word_on_the_documents(open_agent):  # noqa: F811
    answer = (
        await events_of(limited(await open_agent(StallingChat("嗯"), quoted_at=1.0), seconds=0.3), QUESTION)
    )[-1].answer
    assert answer.status is Status.ABSTAINED and "时间上限" in answer.text and "没有找到" not in answer.text


async def test_the_calls_of_an_effort_are_counted_over_all_nodes(open_agent):  # noqa: F811
    chat = ScriptedChat(BAD + "电池的保修期为 6 个月。[1]", GOOD)
    answer = (await events_of(limited(await open_agent(chat), model_calls=1), QUESTION))[-1].answer
    assert len(chat.asked) == 1, "the rewriting was refused"
    assert answer.status is Status.PARTIAL and "模型调用次数上限" in answer.text
    assert answer.usage.model_calls == 1


async def test_a_question_within_its_limits_says_nothing_of_them(open_agent):  # noqa: F811
    answer = (await events_of(await open_agent(ScriptedChat(GOOD)), QUESTION))[-1].answer
    assert answer.status is Status.ANSWERED and "上限" not in answer.text and answer.guarded == {}


async def test_the_next_question_has_an_allowance_of_its_own(open_agent):  # noqa: F811
    asker = limited(await open_agent(ScriptedChat(GOOD, GOOD)), model_calls=1)
    for _ in range(2):
        assert (await events_of(asker, QUESTION))[-1].answer.status is Status.ANSWERED


async def test_what_is_told_takes_the_place_of_what_was_estimated():
    allowance = Allowance(Limits(tokens=1000))
    chat = MeteredChat(ScriptedChat("a" * 30, "b"), allowance)
    for _ in range(2):
        async with aclosing(chat.stream(ASKED, ChatOptions(max_tokens=10_000))) as deltas:
            assert [delta async for delta in deltas]
    assert allowance._tokens == 100 + 30 + 100 + 1


async def test_no_call_may_write_more_than_is_left():
    allowance = Allowance(Limits(tokens=300))
    assert allowance.begin(tokens_of(ASKED), ChatOptions(max_tokens=10_000)).max_tokens < 300
    allowance.count(300)
    with pytest.raises(BudgetSpentError, match="tokens"):
        allowance.begin(tokens_of(ASKED), ChatOptions())
    assert allowance.ended_by == "tokens" and allowance.is_spent


async def test_what_a_run_took_before_it_was_taken_up_again_counts():
    allowance = Allowance(Limits(model_calls=3), Usage(10, 10, 2))
    allowance.begin(tokens_of(ASKED), ChatOptions())
    with pytest.raises(BudgetSpentError, match="model calls"):
        allowance.begin(tokens_of(ASKED), ChatOptions())


async def test_a_judge_is_cut_off_too_and_leaves_the_sentence_unsure():
    allowance = Allowance(Limits(seconds=1))
    chat = StallingChat()
    judge = ChatJudge(StallingChat(), PromptLibrary(), asyncio.get_running_loop(), 20.0)
    counted = judge.spending(lambda usage: None, MeteredChat(chat, allowance))
    verdict = await asyncio.to_thread(counted.check, GOOD, Passage((GOOD,), (GOOD,)), QUESTION)
    assert verdict.label is Label.UNSURE and allowance.ended_by == "seconds" and len(chat.asked) == 1


def test_efforts_are_ordered_and_settings_go_before_them():
    quick, standard, deep = (BUDGETS[effort] for effort in Effort)
    for less, more in ((quick, standard), (standard, deep)):
        assert less.limits.model_calls < more.limits.model_calls and less.limits.seconds < more.limits.seconds
        assert less.limits.tokens < more.limits.tokens
        assert less.hops <= more.hops and less.routes <= more.routes
    limits = limits_of(Effort.DEEP, EffortSettings(seconds={"deep": 5}))
    assert limits == replace(deep.limits, seconds=5)


def test_the_table_of_the_page_is_that_of_the_code():
    page = (Path(__file__).parents[2] / "docs" / "how-it-answers.md").read_text(encoding="utf-8")
    budgets = [BUDGETS[effort] for effort in Effort]
    rows = {
        "calls of the chat model": [f"{b.limits.model_calls}" for b in budgets],
        "tokens read and written": [f"{b.limits.tokens:,}" for b in budgets],
        "seconds": [f"{b.limits.seconds}" for b in budgets],
        "new attempts at a faulty draft": [f"{b.sampling.retries}" for b in budgets],
        "evidence and length of the draft": [f"× {b.evidence:g}" for b in budgets],
        "searches for parts of a question": [f"{b.hops}" for b in budgets],
        "what was withheld is rewritten": ["once" if b.revises else "no" for b in budgets],
    }
    for name, cells in rows.items():
        assert f"| {name} | {' | '.join(cells)} |" in page


async def test_a_call_of_a_tool_counts_as_one():
    class Calling(ScriptedChat):
        async def call_tool(self, messages, tools, options):
            return ToolCall("search", {"query": "保修"}), Usage(10, 5, 1)

    metered = MeteredChat(Calling(), Allowance(Limits(model_calls=1)))
    call, _ = await metered.call_tool(ASKED, [], ChatOptions())
    assert call.name == "search"
    with pytest.raises(BudgetSpentError):
        await metered.call_tool(ASKED, [], ChatOptions())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_end_by_a_limit_does_not_vouch_for_what_a_policy_let_through_unsure(language):
    outcome = {"status": "answered", "text": "TM-20 … [1] (not fully verified)", "guarded": {}}
    text = cut_short(outcome, "tokens", {"language": language})["text"].removeprefix(outcome["text"])
    assert text.strip() and "verified" not in text and "核实" not in text
