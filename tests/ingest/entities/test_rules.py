"""Names and relations by rules: what they find, and that whatever they find stands in the text."""

from hypothesis import given
from hypothesis import strategies as st

from core.entities import WITH, ChunkGraph, EntityKind
from core.types import Chunk
from ingest.entities.rules import RuleExtractor

ENGLISH = (
    "Acme Robotics Inc. acquired Nordwind GmbH in 2019. Nordwind GmbH, the largest supplier of Rotterdam Port, "
    "is part of the World Trade Organization (WTO). The TM-20L, which weighs 25 kg, is supplied by Acme Robotics. "
    "Jane Miller, the head of Acme Robotics, was born in Oslo on 3 June 1970."
)
CHINESE = (
    "华盛精工有限公司（简称华盛精工）成立于2010年，位于苏州市。总经理张伟是华盛精工的创始人。"
    "李娜毕业于北京大学。TM-20L由华盛精工供应，重量为25公斤。2021年，华盛精工收购了恒达仪器有限公司。《保养手册》由恒达仪器编写。"
)
TRADITIONAL = "馬祖列島隸屬中華民國，位於臺灣海峽。威廉·瓊斯發現印歐語系。"


def read(text: str) -> ChunkGraph:
    return RuleExtractor().extract(Chunk("c-00000", "c", 0, text, "", ""))


def told(graph: ChunkGraph) -> set[tuple[str, str, str]]:
    return {(r.source, r.kind, r.target) for r in graph.relations if r.kind != WITH}


def names(text: str) -> dict[str, EntityKind]:
    return {mention.name: mention.kind for mention in read(text).mentions}


def test_english_names_relations_and_values():
    graph = read(ENGLISH)
    assert told(graph) >= {
        ("Acme Robotics Inc", "acquired", "Nordwind GmbH"),
        ("Nordwind GmbH", "belongs to", "World Trade Organization"),
        ("Acme Robotics", "supplies", "TM-20L"),
        ("Jane Miller", "leads", "Acme Robotics"),
        ("Jane Miller", "born in", "Oslo"),
    }
    assert ("Acme Robotics", "born in", "Oslo") not in told(graph)
    assert {m.name: m.alias for m in graph.mentions}["World Trade Organization"] == "WTO"
    assert graph.values["Jane Miller"] == ("1970-06-03",) and graph.values["TM-20L"] == ("25 kg",)


def test_chinese_names_relations_and_values():
    graph = read(CHINESE)
    assert told(graph) >= {
        ("华盛精工有限公司", "located in", "苏州"),
        ("李娜", "studied at", "北京大学"),
        ("华盛精工", "supplies", "TM-20L"),
        ("华盛精工", "acquired", "恒达仪器有限公司"),
    }
    kinds = names(CHINESE)
    assert kinds["张伟"] is kinds["李娜"] is EntityKind.PERSON and kinds["保养手册"] is EntityKind.WORK
    assert kinds["北京大学"] is EntityKind.ORGANISATION and kinds["TM-20L"] is EntityKind.PRODUCT
    assert {m.name: m.alias for m in graph.mentions}["华盛精工有限公司"] == "华盛精工"
    assert graph.values["TM-20L"] == ("25 kg",)


def test_traditional_characters_are_read_and_kept():
    kinds = names(TRADITIONAL)
    assert kinds["馬祖列島"] is EntityKind.PLACE and kinds["威廉·瓊斯"] is EntityKind.PERSON
    assert ("馬祖列島", "located in", "臺灣海峽") in told(read(TRADITIONAL))


def test_plain_words_are_no_names():
    assert names("Please see the table. However, it is cold. In March we stop. Delivery takes 5 days.") == {}
    assert names("我们的公司在城市里。这个大学的银行没有开门。他说时间不多了。") == {}
    assert names("It weighs 25kg and runs at 50Hz for 3h, the 2nd time.") == {}


def test_what_begins_a_sentence_is_a_name_when_it_stands_elsewhere_too():
    assert "Delivery" not in names("Delivery is free.")
    assert "Luther" in names("Luther wrote. Then came Luther again.")


@given(
    st.lists(
        st.one_of(
            st.sampled_from([ENGLISH, CHINESE, TRADITIONAL, "Anna met Bob Smith of IBM.", "《", "（简称", "(WTO)", "由", "·", "市", "\n", "| a | B1 |"]),
            st.text(max_size=30),
        ),
        max_size=6,
    )
)
def test_whatever_is_found_stands_in_the_text(parts):
    text = "".join(parts)
    graph = read(text)
    known = {mention.name for mention in graph.mentions}
    last = 0
    for mention in graph.mentions:
        assert text[mention.start : mention.end] == mention.name and mention.start >= last
        last = mention.end
    for relation in graph.relations:
        sentence = text[relation.start : relation.end]
        assert relation.source in sentence and relation.target in sentence
        assert {relation.source, relation.target} <= known and relation.source != relation.target
    assert graph.values.keys() <= known
