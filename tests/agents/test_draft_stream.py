"""A model that loops, breaks off, says nothing or changes the language is stopped and asked
once more; whatever a server sends, the stream ends within its limits."""

import pytest

from agents.asking import Sampling
from agents.draft_stream import CHARS_PER_TOKEN, TOTAL_FACTOR, DraftRequest, DraftStream, Fault
from core.seams import ChatDelta, Message
from core.types import Usage

pytestmark = pytest.mark.anyio
GOOD = "TM-20 主机的保修期为 18 个月。[1]"


class Replies:
    """Plays replies, each a text, or a function of the number of the delta that goes on for
    ever; keeps the options and how many deltas were taken."""

    name = "replies"

    def __init__(self, *replies, finish: str | None = "stop") -> None:
        self.replies, self.finish = list(replies), finish
        self.options, self.deltas, self.closed = [], 0, 0

    async def stream(self, messages, options):
        self.options.append(options)
        reply = self.replies.pop(0)
        try:
            number = 0
            while callable(reply) or number * 3 < len(reply):
                self.deltas += 1
                assert self.deltas < 10_000, "nobody stops it"
                yield ChatDelta(reply(number) if callable(reply) else reply[number * 3 : number * 3 + 3])
                number += 1
        except GeneratorExit:
            self.closed += 1
            raise
        yield ChatDelta(usage=Usage(100, 50, 1), finish_reason=self.finish)


def request(retries: int = 1, language: str = "zh", max_tokens: int = 64) -> DraftRequest:
    return DraftRequest(
        [Message("user", "问题")], "TM-20 主机的保修期是多久？", language, max_tokens, Sampling(retries=retries)
    )


async def drafted(model, asked=None, answered=lambda: False):
    stream = DraftStream(model, asked or request())
    return [sentence async for sentence in stream.sentences(answered)], stream


async def test_an_ordinary_draft_is_given_in_sentences():
    sentences, stream = await drafted(Replies(GOOD + "电池的保修期为 6 个月[2]"))
    assert sentences == [GOOD, "电池的保修期为 6 个月[2]"]
    assert stream.faults == [] and stream.usage == Usage(100, 50, 1)


async def test_a_loop_is_cut_and_asked_again_with_a_penalty():
    model = Replies(lambda n: "我是大天才，"[n % 6], GOOD)
    sentences, stream = await drafted(model)
    assert sentences == [GOOD] and stream.faults == [Fault.REPETITION]
    assert model.closed == 1 and model.deltas < 100
    first, second = model.options
    assert (first.temperature, first.frequency_penalty) == (0.0, 0.0)
    assert second.temperature > 0 and second.frequency_penalty > 0
    assert stream.usage.model_calls == 2 and stream.usage.completion_tokens > 50


async def test_what_was_good_before_a_loop_stays_and_is_not_asked_for_again():
    text = GOOD + "\n" + "我是大天才，" * 400
    model = Replies(text)
    sentences, stream = await drafted(model, answered=lambda: True)
    assert sentences == [GOOD] and stream.faults == [Fault.REPETITION] and model.replies == []


async def test_a_model_that_loops_twice_is_not_asked_a_third_time():
    forever = lambda n: "我是大天才，不要停止。"[n % 11]  # noqa: E731
    model = Replies(forever, forever, forever)
    _, stream = await drafted(model, request(retries=2))
    assert stream.faults == [Fault.REPETITION] * 2 and len(model.options) == 2


@pytest.mark.parametrize("nothing", ["", "   \n", "……", "[1]"])
async def test_an_empty_draft_is_asked_for_again(nothing):
    sentences, stream = await drafted(Replies(nothing, GOOD))
    assert sentences[-1] == GOOD and stream.faults == [Fault.EMPTY]


async def test_a_draft_that_breaks_off_may_be_longer_the_second_time():
    model = Replies("TM-20 主机的保修期为 18 个月，从交货之日起", "TM-20 主机的保修期为", finish="length")
    sentences, stream = await drafted(model)
    assert sentences == [] and stream.faults == [Fault.CUT_OFF] * 2
    assert model.options[1].max_tokens == 2 * model.options[0].max_tokens


async def test_a_whole_last_sentence_at_the_limit_is_no_break():
    sentences, stream = await drafted(Replies(GOOD.removesuffix("[1]"), finish="length"))
    assert len(sentences) == 1 and stream.faults == []


async def test_another_language_is_never_given():
    english = "The warranty of the main unit is eighteen months from the day of delivery. "
    sentences, stream = await drafted(Replies(english, GOOD))
    assert sentences == [GOOD] and stream.faults == [Fault.OFF_LANGUAGE]
    sentences, stream = await drafted(Replies(english, english + GOOD))
    assert sentences == [GOOD] and stream.faults == [Fault.OFF_LANGUAGE] * 2


@pytest.mark.parametrize(
    "endless",
    [
        lambda n: "",
        lambda n: " ",
        lambda n: chr(0x4E00 + n * 7919 % 20000),
        lambda n: f"{n} ",
        lambda n: chr(0x4E00 + n * 7919 % 20000) * 50,
        lambda n: f"第 {n} 条 {chr(0x4E00 + n * 7919 % 20000) * 3}。",
    ],
)
async def test_every_endless_stream_ends(endless):
    model = Replies(endless, endless)
    _, stream = await drafted(model)
    assert stream.faults and model.closed == len(model.options)
    assert model.deltas <= TOTAL_FACTOR * (64 * CHARS_PER_TOKEN + 50)


@pytest.mark.parametrize(
    "endless", [lambda n: chr(0x4E00 + n * 7919 % 20000), lambda n: "", lambda n: "天才"[n % 2]]
)
async def test_a_stream_ends_also_behind_a_sentence_that_was_passed_over(endless):
    english = "The warranty of the main unit is eighteen months from the day of delivery. "
    model = Replies(lambda n: english[n] if n < len(english) else endless(n))
    sentences, stream = await drafted(model, request(retries=0))
    assert sentences == [] and stream.faults and model.closed == 1
    assert model.deltas <= 64 * CHARS_PER_TOKEN + 1


async def test_without_retries_there_is_one_call():
    _, stream = await drafted(Replies("", GOOD), request(retries=0))
    assert stream.usage.model_calls == 1
