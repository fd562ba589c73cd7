"""The contract of `Memory`: within the budget, in the order of the conversation, sources that are
there, nothing made up, and nothing of another conversation. Run against every strategy."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from agents.memory.building import NAMES, MemoryStrategies
from agents.memory.model_summary import ModelSummary
from agents.memory.rendering import render
from core.types import Remark
from retrieval.evidence import estimate_tokens
from retrieval.terms import split_terms

COMBINED = ("window+vector", "summary+entities+vector", "first-and-latest+key-turns")
TEXTS = st.text("abc 的年假是天多少0123.。?\n", min_size=0, max_size=60)
REMARKS = st.lists(st.tuples(st.sampled_from(["Ann", "张伟", ""]), TEXTS, st.sampled_from(["May 1", "May 2", ""])), max_size=12)


class LetterVectors:
    """Vectors that count letters; equal texts have cosine 1."""

    dimensions, fingerprint, language_gap = 97, "letters", 0.0

    def embed_query(self, text):
        vector = np.full(self.dimensions, 1e-3, np.float32)
        for char in text:
            vector[ord(char) % self.dimensions] += 1
        return vector / np.linalg.norm(vector)

    def embed_documents(self, texts):
        return np.stack([self.embed_query(text) for text in texts])

    def count_tokens(self, text):
        return len(text)


def history_of(rows) -> list[Remark]:
    """Sittings follow each other, as they do."""
    ordered = sorted(rows, key=lambda row: row[2])
    return [Remark(f"r{at}", speaker, text, said) for at, (speaker, text, said) in enumerate(ordered)]


TALK = history_of(
    [("Ann", f"On floor {n} the printer is called Dora {n}. It broke last week.", "May 1") for n in range(9)]
    + [("张伟", f"第{n}季度的销售额是{n * 100}万元，由李雷负责。", "May 2") for n in range(2, 9)]
)


def repeat_last_lines(summary: str, talk: str) -> str:
    """A writer of summaries that makes nothing up."""
    return "\n".join([*summary.splitlines(), talk.splitlines()[-1]][-4:])


@pytest.fixture(scope="module", params=[*NAMES, *COMBINED, "summary by a model"])
def memory(request):
    if request.param == "summary by a model":
        return ModelSummary(repeat_last_lines)
    return MemoryStrategies(LetterVectors()).get(request.param)


class TestMemoryContract:
    """What every strategy must do."""

    @examples(max_examples=40)
    @given(rows=REMARKS, question=TEXTS, budget=st.integers(0, 120))
    def test_it_keeps_to_the_budget_and_the_order(self, memory, rows, question, budget):
        history = history_of(rows)
        found = memory.recall(history, question, budget)
        assert estimate_tokens(render(found)) <= budget + 1e-6
        places = {remark.id: at for at, remark in enumerate(history)}
        assert all(line.sources and set(line.sources) <= places.keys() for line in found)
        order = [min(places[source] for source in line.sources) for line in found if line.said]
        assert order == sorted(order)
        assert len({(line.text, line.sources) for line in found}) == len(found)

    def test_every_word_was_said(self, memory):
        said = {term for remark in TALK for term in split_terms(f"{remark.speaker} {remark.text}")}
        for line in memory.recall(TALK, "What is the printer on floor 3 called?", 150):
            assert set(split_terms(line.text)) <= said

    def test_a_line_is_dated_as_its_remark(self, memory):
        dates = {remark.id: remark.said for remark in TALK}
        found = memory.recall(TALK, "第3季度的销售额是多少？", 150)
        assert found and all(line.said in {dates[source] for source in line.sources} | {""} for line in found)

    @pytest.mark.parametrize("question", ["", "？", "x" * 5000, "printer\x00"])
    def test_strange_questions_are_no_fault(self, memory, question):
        memory.recall(TALK, question, 60)

    def test_it_gives_the_same_again_and_to_several_threads(self, memory):
        wanted = memory.recall(TALK, "Dora 4", 100)
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(memory.recall(TALK, "Dora 4", 100))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [wanted] * 4

    def test_one_conversation_is_not_known_in_another(self, memory):
        memory.recall(TALK, "Dora 4", 100)
        other = [Remark("s0", "Bob", "The canteen opens at noon.", "May 3")]
        found = memory.recall(other, "What is the printer on floor 4 called? Dora", 100)
        assert {source for line in found for source in line.sources} <= {"s0"}
        assert memory.recall([], "Dora 4", 100) == []
