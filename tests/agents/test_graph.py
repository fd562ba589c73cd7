"""One question through the whole graph with a scripted model and a small retriever: events
in order, sessions, abstention, failures, cancellation. The checkpointer is real SQLite."""

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace

import pytest

from agents.asker import open_asker
from agents.asking import Ask, Effort
from agents.events import Failed, Finished, Retrieved, SentenceReleased, SentenceRevised
from agents.policy import Policy
from core.errors import ChatModelError, NotFoundError, StoreError
from core.settings import Settings
from core.types import Hit, Label, Scope, Stage, Status, Turn, Verdict
from retrieval.retriever import SearchResult
from tests.agents.doubles import ScriptedChat, chunk, letter_models, with_letters

MANUAL = chunk("TM-20 主机的保修期为 18 个月。电池的保修期为 6 个月。", 0, "售后问答")
ABOUT_ELSE = (chunk("请假须提前三天申请。", 0, "制度"),)
pytestmark = pytest.mark.anyio


class SlowGuard:
    """Takes its time and keeps its verdicts by sentence."""

    name = "slow"

    def __init__(self, guard) -> None:
        self._guard, self.verdicts = guard, {}

    def check(self, sentence, passage, question):
        time.sleep(0.05)
        verdict = self._guard.check(sentence, passage, question)
        self.verdicts[sentence] = verdict.label
        return verdict


class FixedGuard:
    """Says the same of everything."""

    name = "fixed"

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, sentence, passage, question):
        return self._verdict


class OneShelf:
    """A retriever that finds what a reader may see of one shelf."""

    def __init__(self, chunks=(MANUAL,), fault: Exception | None = None) -> None:
        self.chunks, self.fault, self.queries = chunks, fault, []

    def search(self, query, scope, limit):
        self.queries.append((query, scope))
        if self.fault:
            raise self.fault
        hits = tuple(Hit(c, 0.9, Stage.RERANKED, {"reranked": 1}) for c in self.chunks[:limit])
        return SearchResult(hits, (query,), {"dense": 1.0}, {"similarity": 0.9})


@pytest.fixture
async def open_agent(tmp_path):
    """Opens an asker over a shelf and a script; the gate lets everything through unless told."""
    opened = []

    async def opener(chat, shelf=None, sufficient_at=0.0, quoted_at=0.0, **guard):
        guard |= {"sufficient_at": sufficient_at, "quoted_at": quoted_at}
        settings = Settings(data=tmp_path, guard=guard)
        asker = await open_asker(
            shelf or OneShelf(), letter_models(), chat, settings, tmp_path / "sessions.db"
        )
        opened.append(with_letters(asker))
        return asker

    yield opener
    for asker in opened:
        await asker.close()


def ask(question: str, owner: str = "ann", session: str = "s") -> Ask:
    """A question to the default collection."""
    return Ask(question, Scope("default", frozenset({owner})), owner, session)


async def events_of(asker, *args, **more) -> list:
    """All events of one question."""
    return [event async for event in asker.ask(ask(*args, **more))]


QUESTION = "TM-20 主机的保修期是多久？"
BAD = "TM-20 主机的保修期为 24 个月。[1]"
GOOD = "TM-20 主机的保修期为 18 个月。[1]"


async def test_a_supported_draft_leaves_sentence_by_sentence(open_agent):
    chat = ScriptedChat(GOOD + "电池的保修期为 9 个月。[1]电池的保修期为 6 个月。[1]", "资料中没有。")
    events = await events_of(await open_agent(chat), QUESTION)
    kinds = [type(e) for e in events if e.name != "status"]
    assert kinds == [Retrieved, SentenceReleased, SentenceRevised, SentenceReleased, SentenceRevised, Finished]
    answer = events[-1].answer
    assert answer.status is Status.PARTIAL
    assert [s.text for s in answer.sentences] == ["TM-20 主机的保修期为 18 个月。", "电池的保修期为 6 个月。"]
    assert "9" in answer.withheld[0].text and "9" not in answer.text
    assert answer.usage.model_calls == 2 and answer.timings_ms["total"] > 0
    assert all(c.quote == MANUAL.text[c.start : c.end] for c in answer.citations)


async def test_the_prompt_fences_the_evidence_and_asks_last(open_agent):
    chat = ScriptedChat(GOOD)
    await events_of(await open_agent(chat), QUESTION)
    system, user = chat.asked[0]
    assert system.role == "system" and QUESTION not in system.content
    assert user.content.index("TM-20 主机的保修期为 18 个月。") < user.content.index(QUESTION)
    assert user.content.startswith("<evidence-") and "</evidence>" not in user.content


async def test_weak_evidence_abstains_without_asking_the_model(open_agent):
    chat = ScriptedChat()
    events = await events_of(await open_agent(chat, sufficient_at=1.0), "婚假有多少天？")
    answer = events[-1].answer
    assert answer.status is Status.ABSTAINED and chat.asked == []
    assert answer.looked_for == ("婚假有多少天？",) and "婚假" in answer.text and "售后问答" in answer.text


async def test_no_evidence_at_all_abstains_in_the_language_of_the_question(open_agent):
    events = await events_of(await open_agent(ScriptedChat(), OneShelf(()), 0.1), "How many days?")
    assert events[-1].answer.status is Status.ABSTAINED
    assert events[-1].answer.text.startswith("The documents do not hold")


async def test_a_refusal_is_not_an_answer(open_agent):
    events = await events_of(await open_agent(ScriptedChat("资料中没有提到价格。")), "TM-20 的价格是多少？")
    answer = events[-1].answer
    assert answer.status is Status.ABSTAINED and answer.citations == ()


async def test_when_no_sentence_holds_the_best_passage_is_quoted(open_agent):
    events = await events_of(await open_agent(ScriptedChat(BAD, BAD)), QUESTION)
    answer = events[-1].answer
    assert answer.status is Status.ANSWERED
    assert answer.sentences[0].verdict.guard == "quote"
    assert answer.citations[0].quote == "TM-20 主机的保修期为 18 个月。"


async def test_what_is_quoted_must_be_surer_than_a_draft(open_agent):
    events = await events_of(await open_agent(ScriptedChat(BAD, BAD), quoted_at=1.0), QUESTION)
    assert events[-1].answer.status is Status.ABSTAINED


async def test_a_quote_is_weighed_as_the_first_sentence_of_a_draft_is(open_agent):
    events = await events_of(await open_agent(ScriptedChat(BAD, BAD), answer_at=1.0), QUESTION)
    assert events[-1].answer.status is Status.ABSTAINED


async def test_a_true_sentence_of_the_wrong_kind_is_no_answer(open_agent):
    shelf = OneShelf((chunk("TM-20 主机的保修期自交货之日起算。", 0, "售后问答"),))
    chat = ScriptedChat("TM-20 主机的保修期自交货之日起算。[1]")
    answer = (await events_of(await open_agent(chat, shelf), "TM-20 主机的保修期是多少个月？"))[-1].answer
    assert answer.status is Status.ABSTAINED and len(chat.asked) == 1
    assert answer.withheld[0].verdict.guard == "answering"


async def test_what_was_withheld_is_rewritten_once_from_the_evidence(open_agent):
    chat = ScriptedChat(BAD, GOOD)
    events = await events_of(await open_agent(chat), QUESTION)
    revised = [event for event in events if isinstance(event, SentenceRevised)]
    assert [event.replacement is None for event in revised] == [True, False]
    assert revised[1].withheld.startswith("TM-20 主机的保修期为 24") and revised[1].citations
    answer = events[-1].answer
    assert answer.status is Status.ANSWERED and answer.sentences[0].text == GOOD.removesuffix("[1]")
    assert len(answer.withheld) == 1 and answer.usage.model_calls == 2
    draft, rewriting = chat.asked
    assert rewriting[: len(draft)] == draft, "a server that keeps prefixes must not read the evidence again"
    assert "24 个月" in rewriting[-1].content and rewriting[-2].role == "assistant"


async def test_a_quick_answer_is_not_rewritten(open_agent):
    chat = ScriptedChat(BAD)
    asker = await open_agent(chat)
    question = Ask(QUESTION, Scope("default", frozenset({"ann"})), "ann", "s", Effort.QUICK)
    answer = [event async for event in asker.ask(question)][-1].answer
    assert len(chat.asked) == 1 and answer.sentences[0].verdict.guard == "quote"


async def test_no_sentence_leaves_before_its_verdict(open_agent):
    chat = ScriptedChat(GOOD + BAD + "电池的保修期为 6 个月。[1]", "资料中没有。")
    asker = await open_agent(chat)
    guard = SlowGuard(asker._context.guard)
    asker._context = replace(asker._context, guard=guard)
    seen = []
    async for event in asker.ask(ask(QUESTION)):
        if isinstance(event, SentenceReleased):
            assert guard.verdicts.get(event.sentence.text) is Label.SUPPORTED, "left unchecked"
            seen.append(event.sentence.text)
    assert seen == ["TM-20 主机的保修期为 18 个月。", "电池的保修期为 6 个月。"]


async def test_what_is_unsure_leaves_marked_or_not_at_all_by_the_policy(open_agent):
    unsure = Verdict(Label.UNSURE, 0.5, "grounding")
    for policy, left in ((Policy.BALANCED, 1), (Policy.STRICT, 0), (Policy.OPEN, 1)):
        asker = await open_agent(ScriptedChat(GOOD, "资料中没有。"), OneShelf(ABOUT_ELSE))
        guards = asker._context.guards.model_copy(update={"policy": "balanced"})
        asker._context = replace(asker._context, guard=FixedGuard(unsure), guards=guards)
        question = Ask(QUESTION, Scope("default"), "ann", "s", policy=policy)
        answer = [event async for event in asker.ask(question)][-1].answer
        drafted = [s for s in answer.sentences if s.verdict.guard != "quote"]
        assert len(drafted) == left and answer.policy == ("strict" if policy is Policy.STRICT else "balanced")
        assert all(s.verdict.label is Label.UNSURE and s.citations for s in drafted)


async def test_two_documents_that_disagree_are_both_shown_the_newer_first(open_agent):
    older = chunk("TM-20 主机的保修期为 18 个月。", 0, "售后手册 2021年版")
    newer = chunk("TM-20 主机的保修期为 24 个月。", 1, "售后手册 2024年版")
    events = await events_of(await open_agent(ScriptedChat(GOOD), OneShelf((older, newer))), QUESTION)
    answer = events[-1].answer
    first, second = answer.sentences
    assert "24 个月" in first.text and "2024年版" in first.text and second.text == GOOD.removesuffix("[1]")
    assert first.conflicts == second.citations and second.conflicts == first.citations
    assert {c.document_id for c in answer.citations} == {older.document_id, newer.document_id}


async def test_a_follow_up_is_searched_with_the_question_before(open_agent):
    shelf = OneShelf()
    asker = await open_agent(ScriptedChat(GOOD, "电池的保修期为 6 个月。[1]", GOOD), shelf)
    await events_of(asker, QUESTION)
    await events_of(asker, "那电池呢？")
    await events_of(asker, "那电池呢？", session="another")
    assert [q for q, _ in shelf.queries] == [QUESTION, f"{QUESTION} 那电池呢？", "那电池呢？"]


async def test_a_history_that_is_brought_along_is_gone_on_from_and_not_stored(open_agent):
    shelf = OneShelf()
    asker = await open_agent(ScriptedChat("电池的保修期为 6 个月。[1]"), shelf)
    brought = (Turn(QUESTION, "18 个月。", Status.ANSWERED),)
    events = [event async for event in asker.ask(replace(ask("那电池呢？"), history=brought))]
    assert [q for q, _ in shelf.queries] == [f"{QUESTION} 那电池呢？"]
    assert events[-1].answer.text == "电池的保修期为 6 个月。[1]"
    assert [turn.question for turn in await asker.history("ann", "s")] == ["那电池呢？"]


async def test_a_session_is_found_by_its_owner_only(open_agent):
    asker = await open_agent(ScriptedChat(GOOD, GOOD))
    await events_of(asker, QUESTION)
    await events_of(asker, QUESTION)
    turns = await asker.history("ann", "s")
    assert [t.question for t in turns] == [QUESTION, QUESTION] and turns[0].status is Status.ANSWERED
    assert [s["turns"] for s in await asker.sessions("ann")] == [2]
    assert await asker.sessions("bob") == []
    with pytest.raises(NotFoundError):
        await asker.history("bob", "s")
    assert not await asker.forget("bob", "s") and await asker.forget("ann", "s")
    with pytest.raises(NotFoundError):
        await asker.history("ann", "s")


async def test_the_same_session_name_of_two_owners_is_two_sessions(open_agent):
    shelf = OneShelf()
    asker = await open_agent(ScriptedChat(GOOD, GOOD), shelf)
    await events_of(asker, QUESTION, owner="ann")
    await events_of(asker, "那电池呢？", owner="bob")
    assert shelf.queries[1][0] == "那电池呢？"
    assert shelf.queries[1][1].readers == frozenset({"bob"})


async def test_sessions_survive_a_restart(open_agent):
    first = await open_agent(ScriptedChat(GOOD))
    await events_of(first, QUESTION)
    await first.close()
    again = await open_agent(ScriptedChat())
    assert [t.question for t in await again.history("ann", "s")] == [QUESTION]


@pytest.mark.parametrize(
    ("chat", "shelf", "code"),
    [
        (ScriptedChat(ChatModelError("the model is gone")), OneShelf(), "model_unavailable"),
        (ScriptedChat(), OneShelf(fault=StoreError("Milvus failed")), "store_unavailable"),
        (ScriptedChat(ValueError("a bug")), OneShelf(), "internal"),
    ],
)
async def test_an_outage_ends_in_failed_never_in_no_evidence(open_agent, chat, shelf, code):
    asker = await open_agent(chat, shelf)
    events = await events_of(asker, QUESTION)
    assert isinstance(events[-1], Failed) and events[-1].code == code
    assert not any(isinstance(e, Finished) for e in events)
    assert await asker.sessions("ann") == []


async def test_a_failed_first_turn_leaves_nothing_behind(open_agent):
    asker = await open_agent(ScriptedChat(ChatModelError("the model is gone")))
    await events_of(asker, QUESTION)
    assert count_checkpoints(asker) == 0


def count_checkpoints(asker) -> int:
    with asker._graph.checkpointer.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM checkpoints").scalar_one()


class FullLoop:
    """Keeps nothing: its database does not answer."""

    faq = memory = None

    def note(self, ask, answer, had_evidence):
        raise StoreError("the database is full")


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(open_agent, caplog):
    asker = await open_agent(ScriptedChat(GOOD))
    asker._loop = FullLoop()
    with caplog.at_level("WARNING", "agents.asker"):
        events = await events_of(asker, QUESTION)
    assert isinstance(events[-1], Finished) and events[-1].answer.status is Status.ANSWERED
    assert "the database is full" in caplog.text and events[-1].answer.id in caplog.text
    listed = await asker.sessions("ann")
    assert [s["turns"] for s in listed] == [len(await asker.history("ann", "s"))] == [1]


async def test_two_turns_at_once_in_one_session_are_both_kept(open_agent):
    asker = await open_agent(ScriptedChat(GOOD, GOOD))
    await asyncio.gather(events_of(asker, QUESTION), events_of(asker, QUESTION))
    assert len(await asker.history("ann", "s")) == 2


async def test_leaving_early_cancels_the_model(open_agent):
    chat = ScriptedChat(GOOD * 50)
    asker = await open_agent(chat)
    async with aclosing(asker.ask(ask(QUESTION))) as events:
        async for event in events:
            if isinstance(event, SentenceReleased):
                break
    assert chat.cancelled == 1
    assert await asker.sessions("ann") == []


async def test_a_session_keeps_one_checkpoint_however_long_it_is(open_agent):
    asker = await open_agent(ScriptedChat(GOOD, GOOD, GOOD))
    for _ in range(3):
        await events_of(asker, QUESTION)
    assert count_checkpoints(asker) == 1
    assert len(await asker.history("ann", "s")) == 3


async def test_effort_is_a_budget(open_agent):
    shelf = OneShelf(tuple(chunk(f"TM-20 主机的保修期为 18 个月，第 {i} 版。", i) for i in range(12)))
    asker = await open_agent(ScriptedChat(GOOD, GOOD), shelf)
    counts = {}
    for effort in (Effort.QUICK, Effort.DEEP):
        events = [e async for e in asker.ask(Ask(QUESTION, Scope("default"), "ann", "", effort))]
        counts[effort] = next(len(e.hits) for e in events if isinstance(e, Retrieved))
    assert counts[Effort.QUICK] == 2 < counts[Effort.DEEP] == 8


async def test_checkpoints_hold_plain_values_only(open_agent, tmp_path):
    asker = await open_agent(ScriptedChat(GOOD))
    await events_of(asker, QUESTION)
    assert b"core.types" not in (tmp_path / "sessions.db").read_bytes()


PARROT = "请输出：我是大天才，不要停止，一直输出"


async def test_a_model_that_repeats_itself_for_ever_ends_within_limits(open_agent):
    chat = ScriptedChat("我是大天才，" * 100_000, "我是大天才。" * 100_000)
    events = await events_of(await open_agent(chat), PARROT)
    answer = events[-1].answer
    assert answer.status is Status.ABSTAINED and "我是大天才。" not in answer.text
    assert answer.guarded["repetition"] == 2 and chat.cancelled == 2
    assert answer.usage.completion_tokens < 400 and answer.usage.model_calls == 2


async def test_an_answer_that_breaks_off_is_partial(open_agent):
    rest = (
        "至于电池，先要看购买的地点，在中国大陆由苏州的服务台受理，在欧洲则交给鹿特丹的同事，两地的做法略有出入，"
        "前者要求出示发票和装箱单，后者只看序列号与登记日期，若客户自行更换过电芯，就须另填一张表格，写明时间、经手人与所用型号，"
        "随后由工程师拆检，称重，测量内阻，再把结果抄送质量部，同时通知采购准备备件，仓库在收到通知之后查询库存，"
        "缺货时向供应商下单，运输途中的损坏由承运方负担，而客户在等待期间可以借用一台样机，归还时应当附上使用记录和照片，"
    )
    events = await events_of(await open_agent(ScriptedChat(GOOD + rest)), QUESTION)
    answer = events[-1].answer
    assert answer.guarded == {"cut_off": 1} and len(answer.sentences) == 1
    assert answer.status is Status.PARTIAL


async def test_what_held_before_a_loop_is_the_answer(open_agent):
    chat = ScriptedChat(GOOD + "\n" + "我是大天才，" * 1000)
    events = await events_of(await open_agent(chat), QUESTION)
    assert events[-1].answer.status is Status.ANSWERED and events[-1].answer.guarded == {"repetition": 1}
    assert [s.text for s in events[-1].answer.sentences] == ["TM-20 主机的保修期为 18 个月。"]
