"""What a whole turn comes to: attempts that are abandoned, what a judge takes, what is masked of it."""

import asyncio
from dataclasses import replace

import pytest

from agents.guards.grounding import GroundingGuard
from agents.guards.judge import ChatJudge
from agents.masking import AnswerMask
from core.personal_data import KINDS
from core.types import Status, Usage
from tests.agents.doubles import LetterReader, ReadingAlone, ScriptedChat
from tests.agents.test_graph import (
    GOOD,
    MANUAL,
    QUESTION,
    OneShelf,
    events_of,
    open_agent,  # noqa: F401
)

pytestmark = pytest.mark.anyio
LOOP = "我是大天才，" * 1000
WRONG_BATTERY = "电池的保修期为 9 个月。[1]"


async def test_what_an_abandoned_attempt_said_is_no_loss_of_the_next(open_agent):  # noqa: F811
    chat = ScriptedChat(f"{WRONG_BATTERY}\n{LOOP}", GOOD)
    answer = (await events_of(await open_agent(chat), QUESTION))[-1].answer
    assert answer.status is Status.ANSWERED and answer.guarded == {"repetition": 1}
    assert [s.text for s in answer.withheld] == [WRONG_BATTERY.removesuffix("[1]")] and len(chat.asked) == 2


async def test_what_the_next_attempt_says_again_is_its_loss(open_agent):  # noqa: F811
    chat = ScriptedChat(f"{WRONG_BATTERY}\n{LOOP}", GOOD + WRONG_BATTERY)
    answer = (await events_of(await open_agent(chat), QUESTION))[-1].answer
    assert answer.status is Status.PARTIAL and len(answer.withheld) == 1


async def test_a_refusal_after_an_abandoned_attempt_is_one(open_agent):  # noqa: F811
    chat = ScriptedChat(f"{WRONG_BATTERY}\n{LOOP}", "资料中没有提到。")
    answer = (await events_of(await open_agent(chat), QUESTION))[-1].answer
    assert answer.status is Status.ABSTAINED and answer.citations == ()


class JudgingScript(ScriptedChat):
    """Judges beside what it writes."""

    def __init__(self, *replies) -> None:
        super().__init__(*replies)
        self.judged = 0

    async def structured(self, messages, schema, options):
        self.judged += 1
        return {"verdict": "supported", "reason": "it is"}, Usage(40, 7, 1)


async def test_what_a_judge_takes_counts_as_the_turns(open_agent):  # noqa: F811
    chat = JudgingScript(GOOD)
    asker = await open_agent(chat)
    judge = ChatJudge(chat, asker._context.prompts, asyncio.get_running_loop(), 5.0)
    guard = GroundingGuard(LetterReader(), 0.999, 0.001, ReadingAlone(), [judge])
    asker._context = replace(asker._context, guard=guard)
    usage = (await events_of(asker, QUESTION))[-1].answer.usage
    assert chat.judged > 0 and usage.model_calls == 1 + chat.judged
    assert usage.prompt_tokens == 100 + 40 * chat.judged
    assert usage.completion_tokens == len(GOOD) + 7 * chat.judged


async def test_personal_data_is_masked_in_the_names_of_sessions_and_files(open_agent):  # noqa: F811
    phone = "13812345678"
    shelf = OneShelf((replace(MANUAL, uri=f"file:///cards/{phone}.txt"),))
    asker = await open_agent(ScriptedChat(GOOD), shelf)
    asker._context = replace(asker._context, mask=AnswerMask(KINDS))
    events = await events_of(asker, f"{phone} 买的 TM-20 主机的保修期是多久？")
    assert phone not in str(events) and events[-1].answer.citations[0].uri == "file:///cards/[phone].txt"
    assert [phone in session["title"] for session in await asker.sessions("ann")] == [False]
    assert [phone in turn.question for turn in await asker.history("ann", "s")] == [False]
