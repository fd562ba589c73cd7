"""What is kept of the found chunks: with letters for token vectors, and with the real ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Chunk, Hit, Stage
from retrieval.evidence import LEAST_TOKENS, CutLimits, EvidenceCutter, estimate_tokens
from tests.agents.doubles import CharacterVectors

FILLER = "会议室的预订须提前一天在系统中登记并写明人数。食堂午餐从十一点半开始供应到一点。"
LONG = "".join(f"第{n}条规定的是办公用品的领用手续以及归还期限。" for n in "一二三四五六七八九十")
WARRANTY = "主机的保修期为 18 个月，从发票日期算起。"
TABLE = (
    "| 项目 | TM-20 | TM-20L |\n| --- | --- | --- |\n| 防护等级 | IP67 | IP65 |\n"
    + "".join(f"| 其他指标{n} | {n}0 | {n}5 |\n" for n in range(1, 30))
)


def hit(text: str, order: int = 0, **more) -> Hit:
    return Hit(Chunk(f"c{order}", f"d{order}", order, text, more.get("title", ""), f"{order}.md"), 0.9, Stage.FUSED)


def cut(question: str, *texts: str, tokens: float = 400, chunks: int = 4, margin: float = 0.08):
    hits = [hit(text, order) for order, text in enumerate(texts)]
    return EvidenceCutter(CharacterVectors()).cut(question, hits, CutLimits(tokens, chunks, margin))


def test_the_sentence_that_speaks_of_the_question_stays_and_others_go():
    (excerpt,) = cut("主机的保修期多久？", LONG + WARRANTY + LONG)
    assert WARRANTY in excerpt.text
    assert estimate_tokens(excerpt.text) < estimate_tokens(LONG)


def test_short_evidence_is_not_cut():
    (excerpt,) = cut("主机的保修期多久？", FILLER + WARRANTY)
    assert excerpt.text == FILLER + WARRANTY and estimate_tokens(excerpt.text) < LEAST_TOKENS


def test_a_row_comes_with_its_header():
    (excerpt,) = cut("TM-20L 防护等级 IP", TABLE, tokens=60)
    assert excerpt.text.startswith("| 项目 | TM-20 | TM-20L |\n| 防护等级 | IP67 | IP65 |")


def test_the_budget_and_the_number_of_chunks_hold():
    texts = [f"{WARRANTY}第 {n} 版。{LONG}" for n in range(6)]
    excerpts = cut("主机的保修期多久？", *texts, tokens=80, chunks=2, margin=1)
    assert 1 <= len(excerpts) <= 2
    assert sum(estimate_tokens(e.text) for e in excerpts) <= 80 + 10


def test_the_best_piece_stays_whatever_its_size():
    (excerpt,) = cut("保修期", "保修期" * 400, tokens=10)
    assert excerpt.text == "保修期" * 400


def test_a_copy_is_left_out_but_another_figure_is_kept():
    same = cut("主机的保修期多久？", WARRANTY, WARRANTY)
    assert [e.chunk.id for e in same] == ["c0"]
    differing = cut("主机的保修期多久？", WARRANTY, WARRANTY.replace("18", "24"))
    assert [e.chunk.id for e in differing] == ["c0", "c1"]


def test_nothing_in_nothing_out():
    assert cut("问？") == []
    assert [e.text for e in cut("？", "甲。")] == ["甲。"]


TEXTS = st.text(alphabet="甲乙丙。！\n| -1.ab：:", max_size=80)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, max_size=5), TEXTS, st.integers(1, 200), st.integers(1, 4))
def test_excerpts_are_spans_of_their_chunks_in_order(texts, question, tokens, chunks):
    excerpts = cut(question, *texts, tokens=tokens, chunks=chunks)
    assert len(excerpts) <= chunks
    assert [e.chunk.order for e in excerpts] == sorted({e.chunk.order for e in excerpts})
    for excerpt in excerpts:
        assert excerpt.spans and all(s.of(excerpt.chunk.text).strip() for s in excerpt.spans)
        assert all(a.end <= b.start for a, b in zip(excerpt.spans, excerpt.spans[1:], strict=False))


@pytest.mark.models
def test_the_real_vectors_find_the_answer_across_languages(built_in_embedder):
    cutter = EvidenceCutter(built_in_embedder)
    hits = [hit(LONG + WARRANTY + LONG, title="售后问答")]
    (excerpt,) = cutter.cut("How long is the warranty of the main unit?", hits, CutLimits(120, 4))
    assert WARRANTY in excerpt.text and len(excerpt.text) < len(hits[0].chunk.text) / 2
