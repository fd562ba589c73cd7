"""Entries, kept answers and bad cases in the database: nobody sees what is another's, whatever
is done in whatever order. SQLite and PostgreSQL; the chunks are those of a small shelf."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect

from agents.bad_cases import BadCases, CauseKind, causes_of
from agents.faq import Faq, FaqEntry
from agents.kept_answers import KeptAnswer, KeptAnswers, Rating, Vote
from agents.question_loop import QuestionLoop
from agents.same_question import SameQuestion
from core.errors import NotFoundError
from core.types import Answer, Citation, Label, Scope, Sentence, Status, Verdict
from tests.agents.doubles import CharacterVectors, chunk

USERS = ("ann", "bob")
HELD = {reader: chunk(f"{reader} 的保修期为 18 个月。", order) for order, reader in enumerate(USERS)}
GOOD = Verdict(Label.SUPPORTED, 0.9, "g")
QUESTION = "保修期是多久？"


class Shelf:
    """A store whose chunks each have one reader."""

    def get_chunks(self, scope, ids):
        held = [found for reader, found in HELD.items() if reader in scope.readers]
        return [found for found in held if found.id in ids]

    def find_chunks(self, scope, where, limit):
        [documents] = where
        return [c for r, c in HELD.items() if r in scope.readers and c.document_id in documents.ids]


def opened(engine) -> QuestionLoop:
    same = SameQuestion(CharacterVectors, 0.96)
    return QuestionLoop(Faq(engine, Shelf(), same), KeptAnswers(engine, 30), BadCases(engine, 180))


def cited(*readers: str) -> tuple[tuple[Sentence, ...], tuple[Citation, ...]]:
    """Sentences on the documents of these readers."""
    citations = tuple(
        Citation(n, c.id, c.document_id, c.title, c.uri, c.text, 0, len(c.text))
        for n, c in enumerate((HELD[reader] for reader in readers), start=1)
    )
    return tuple(Sentence(c.quote, (c.marker,), GOOD) for c in citations), citations


def entry(*readers: str, question: str = QUESTION) -> FaqEntry:
    sentences, citations = cited(*readers)
    return FaqEntry(
        "c", (question,), sentences, citations, tuple((reader,) for reader in readers), readers[0]
    )


def answer(name: str, **more) -> Answer:
    return Answer(name, Status.ANSWERED, "…", session_id=f"s-{name}", **more)


def ask_of(owner: str, kept: Answer, question: str = QUESTION) -> KeptAnswer:
    return KeptAnswer(kept, question, owner, Scope("c", frozenset({owner})))


class TestTables:
    def test_what_is_kept_comes_back_as_it_was(self, database):
        loop = opened(database)
        sentences, citations = cited("ann")
        made = answer("a1", sentences=sentences, citations=citations, timings_ms={"total": 1.5})
        loop.answers.keep(ask_of("ann", made))
        assert loop.answers.get("a1", "ann").answer == made
        loop.faq.add(entry("ann"))
        [listed] = opened(database).faq.entries("c", frozenset({"ann"}))
        assert listed.entry.sentences == sentences and listed.standing.citations == citations

    def test_a_rating_is_replaced_and_a_case_follows_it(self, database):
        loop = opened(database)
        loop.answers.keep(ask_of("ann", answer("a1")))
        loop.rate("a1", "ann", Rating(Vote.DOWN, "old", "18 个月"))
        loop.rate("a1", "ann", Rating(Vote.DOWN, "still old", "24 个月"))
        [case] = loop.cases.cases("c", "ann")
        assert [c.text for c in case.causes] == ["still old"] and case.right_answer == "24 个月"
        loop.rate("a1", "ann", Rating(Vote.UP))
        assert loop.cases.cases("c", None) == [] and len(loop.answers.liked("c", "ann")) == 1

    def test_text_of_any_kind_is_kept(self, database):
        loop = opened(database)
        kept = ask_of("ann", answer("a1"), "NUL \x00 and 😀?")
        loop.answers.keep(kept)
        loop.cases.note_answer(replace(kept, answer=replace(kept.answer, status=Status.ABSTAINED)), True)
        loop.rate("a1", "ann", Rating(Vote.DOWN, "\x00", "\x00 x"))
        loop.faq.add(entry("ann", question="NUL \x00 and 😀?"))
        [case] = loop.cases.cases("c", "ann")
        assert case.question == "NUL  and 😀?" and case.right_answer == " x"
        assert loop.faq.answer("nul \x00 and 😀", Scope("c", frozenset({"ann"}))) is not None

    def test_a_database_of_an_earlier_version_gets_the_tables(self, database):
        assert inspect(database).get_table_names() == []
        opened(database)
        opened(database)
        wanted = {"bad_cases", "faq_entries", "faq_questions", "kept_answers"}
        assert wanted <= set(inspect(database).get_table_names())

    def test_a_collection_that_is_removed_takes_all_of_it_along(self, database):
        loop = opened(database)
        loop.faq.add(entry("ann"))
        loop.answers.keep(ask_of("ann", answer("a1")))
        loop.rate("a1", "ann", Rating(Vote.DOWN))
        loop.drop_collection("c")
        assert loop.faq.entries("c", None) == [] and loop.cases.cases("c", None) == []
        with pytest.raises(NotFoundError):
            loop.answers.get("a1", None)


def test_a_quote_that_moved_within_its_document_is_found_again(sqlite):
    made = entry("ann")
    moved = replace(made.citations[0], chunk_id="elsewhere", start=3, end=9)
    loop = opened(sqlite)
    loop.faq.add(replace(made, citations=(moved,)))
    found = loop.faq.answer("请问保修期是多久", Scope("c", frozenset({"ann"})))
    assert found.standing.citations == made.citations


def test_withheld_sentences_and_faults_of_the_draft_are_causes():
    withheld = (Sentence("9 个月。", (), Verdict(Label.CONTRADICTED, 0.1, "grounding", "9")),)
    made = replace(
        answer("a"), withheld=withheld, status=Status.ABSTAINED, guarded={"repetition": 1, "dropped_links": 2}
    )
    kinds = [cause.kind for cause in causes_of(made, had_evidence=True)]
    assert kinds == [CauseKind.WITHHELD, CauseKind.ABSTAINED, CauseKind.DEGENERATED]
    assert causes_of(answer("a"), had_evidence=True) == ()


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from([("ann",), ("bob",), ("ann", "bob")])),
        st.tuples(st.just("ask"), st.sampled_from(USERS)),
        st.tuples(st.just("rate"), st.sampled_from(USERS), st.integers(0, 9), st.sampled_from(Vote)),
        st.tuples(st.just("forget"), st.sampled_from(USERS), st.integers(0, 9)),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(ACTIONS)
def test_two_users_never_see_each_others_entries_answers_or_cases(actions):
    loop = opened(create_engine("sqlite://"))
    owners: dict[str, str] = {}
    for number, (kind, *given_) in enumerate(actions):
        if kind == "add":
            loop.faq.add(entry(*given_[0]))
        elif kind == "ask":
            [who] = given_
            owners[f"a{number}"] = who
            made = replace(answer(f"a{number}"), withheld=(Sentence("x", (), GOOD),))
            loop.answers.keep(ask_of(who, made, f"{who} 的问题 {number}？"))
            loop.cases.note_answer(ask_of(who, made, f"{who} 的问题 {number}？"), True)
        elif kind == "rate" and f"a{given_[1]}" in owners:
            who, at, vote = given_
            _rate(loop, who, f"a{at}", owners[f"a{at}"], vote)
        elif kind == "forget":
            loop.forget_session(given_[0], f"s-a{given_[1]}")
    for who in USERS:
        names = frozenset({who})
        assert all(who in group for found in loop.faq.entries("c", names) for group in found.entry.audience)
        assert {case.owner for case in loop.cases.cases("c", who)} <= {who}
        assert {kept.owner for kept in loop.answers.liked("c", who)} <= {who}
        assert {kept.owner for kept in loop.answers.find_many(list(owners), who).values()} <= {who}
        found = loop.faq.answer(QUESTION, Scope("c", names))
        assert found is None or found.entry.audience == ((who,),)


def _rate(loop: QuestionLoop, who: str, answer_id: str, owner: str, vote: Vote) -> None:
    if who == owner:
        try:
            loop.rate(answer_id, who, Rating(vote, f"{who} says"))
        except NotFoundError:  # it was forgotten with its session
            return
    else:
        with pytest.raises(NotFoundError):
            loop.rate(answer_id, who, Rating(vote))
