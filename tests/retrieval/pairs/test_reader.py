"""The shipped reader of pairs: what it tells apart, and that batches do not matter."""

import numpy as np
import pytest

from core.wording import in_digits
from retrieval.pairs.adapter import FIRST, SECOND, PairAdapter
from retrieval.pairs.reader import AdaptedReader, both_ends, stretches

pytestmark = pytest.mark.models
LEAVE = "公司员工婚假为十天，产假为九十八天。2019年起，陪产假延长到十五天。"
VALVE = "The valve opens at 8 am and closes at 6 pm every day. The pump is serviced in May."


@pytest.mark.parametrize(
    ("evidence", "held", "not_held"),
    [
        (LEAVE, "婚假有10天。", "婚假有15天。"),
        (LEAVE, "产假是98天。", "产假不是98天。"),
        (LEAVE, "陪产假自2019年起为十五天。", "陪产假自2016年起为十五天。"),
        (VALVE, "The valve closes at 6 pm.", "The valve closes at 7 pm."),
        (VALVE, "Every day the valve closes at 6 pm.", "The valve does not close at 6 pm."),
        (VALVE, "In May the pump is serviced.", "In May the valve is serviced."),
    ],
)
def test_a_held_claim_is_told_from_a_changed_one(pair_reader, evidence, held, not_held):
    texts = [(in_digits(claim), in_digits(evidence)) for claim in (held, not_held)]  # as guards give them
    right, wrong = pair_reader.read_claims(texts)
    assert right > wrong + 0.5


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("婚假有几天？", LEAVE, "食堂每天十一点半开门，周末休息。"),
        ("病假有几天？", "病假每年最多三十天。", LEAVE),
        ("When does the valve close?", VALVE, "The canteen opens at noon and has two doors."),
        ("When is the pump serviced?", VALVE, "The valve opens at 8 am and closes at 6 pm."),
        ("婚假有几天？", "Staff get ten days of leave when they marry.", "Staff get a free lunch."),
    ],
)
def test_a_passage_that_answers_is_told_from_one_that_does_not(pair_reader, question, right, wrong):
    better, worse = pair_reader.read_questions([(question, right), (question, wrong)])
    assert better > worse + 0.5


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        ("婚假有几天？", LEAVE, "十天"),
        ("When does the valve close?", VALVE, "6 pm"),
        ("When is the pump serviced?", VALVE, "in May"),
        ("设备由谁维护？", "他说……设备由爱立信公司负责维护，地点在卑尔根。", "爱立信"),
    ],
)
def test_where_the_answer_stands_is_told(pair_reader, question, text, answer):
    other = "The canteen is on the second floor. " * 3
    found, beside = pair_reader.find_answers(question, [text, other])
    logits = pair_reader.read_questions([(question, text), (question, other)])
    assert [found.logit, beside.logit] == pytest.approx(logits, abs=0.35)
    assert sum(share for _, share in found.shares) == pytest.approx(1, abs=0.01)
    at = found.text.index(answer)
    inside = [share for span, share in found.shares if span.start < at + len(answer) and span.end > at]
    assert sum(inside) > 2 * len(inside) / len(found.shares)


def test_company_in_a_batch_changes_little(pair_reader):
    pairs = [("婚假有10天。", LEAVE), ("The valve closes at 6 pm.", VALVE), ("x", "y"), ("x", VALVE * 40)]
    together = pair_reader.read_claims(pairs)
    alone = [pair_reader.read_claims([pair])[0] for pair in pairs]
    assert np.allclose(together, alone, atol=0.35)


def test_empty_texts_and_no_pairs_are_read(pair_reader):
    assert pair_reader.read_claims([]) == []
    assert np.isfinite(pair_reader.read_claims([("", ""), ("？", "。")])).all()


def test_another_adapter_gives_another_graph(weights_folder, pair_reader):
    arrays = {
        f"{head}.{part}": np.zeros(384, np.float32)
        for head in ("wrong", "answer")
        for part in ("token", "frame")
    }
    arrays |= {
        f"{head}.{part}": np.float32(value)
        for head in ("wrong", "answer")
        for part, value in (("token_bias", -3), ("frame_bias", 1), ("pool", 1))
    }
    adapter = PairAdapter(arrays, "zero")
    assert AdaptedReader(weights_folder, adapter=adapter).fingerprint != pair_reader.fingerprint
    states, parts = np.zeros((1, 4, 384), np.float32), np.array([[0, FIRST, SECOND, SECOND]])
    for head, tokens in (("wrong", 1), ("answer", 2)):
        logit, table = adapter.logits(head, states, parts)
        assert logit[0] == pytest.approx(1 - 3 + np.log(tokens), abs=1e-5) and table.shape == (1, 4)


def test_the_end_of_a_long_claim_is_read(pair_reader):
    said = "In a long meeting that began in the morning and went on until late at night, with many guests from all over "
    said += "the country, with speeches by the mayor, the bishop and the head of the guild, and with music, it was decided that "
    held = said + "the wages of all workers shall be raised."
    right, wrong = pair_reader.read_claims(
        [(held, held), (said + "the wages of all workers shall be abolished by the king of France.", held)]
    )
    assert right > wrong + 1


def test_the_end_of_a_long_question_is_read(pair_reader):
    begun = "Which pump does the manual name for the cooling circuit of the northern plant, and who is to be called first when "
    begun += "it stops at night, during holidays or while the shift leader is away on a journey to one of the other plants? "
    passage = "The cooling pump of the northern plant weighs 42 kg."
    with_end, without = pair_reader.read_questions([(begun + "And how much does it weigh?", passage), (begun, passage)])
    assert with_end != without


def test_stretches_cover_all_and_overlap():
    for length in (0, 1, 56, 57, 96, 97, 300):
        ids = list(range(length))
        parts = stretches(ids)
        assert sorted(set().union(*parts)) == ids and all(len(part) <= 56 for part in parts)
        assert all(set(one) & set(other) for one, other in zip(parts, parts[1:], strict=False))
        [both] = both_ends(ids)
        assert len(both) <= 56 and both[-3:] == ids[-3:] and both[:3] == ids[:3]
