"""The contract of `Reranker`: the same hits, best first, none added or lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from core.errors import ModelFileError, RerankerError, SettingsError
from core.seams import Reranker
from core.settings import RetrievalSettings
from core.types import Chunk, Hit, Stage
from retrieval.rerankers import build_reranker
from retrieval.rerankers.budget import BudgetedReranker
from retrieval.rerankers.fused_order import FusedOrder
from retrieval.rerankers.late_interaction import ENCODED_AT_ONCE, LateInteractionReranker, max_sim
from retrieval.token_vectors import ENCODED_KEPT, TokenVectors
from tests.contracts.model_server import KEY, MODEL, MOST_CHARS, overlap
from tests.contracts.tiny_models import save_cross_encoder, save_generative_reranker


class LetterTokens:
    """A multi-vector embedder whose tokens are letters: equal letters have cosine 1."""

    fingerprint, token_fingerprint, token_gap = "letters", "letters/1", 0.5

    def __init__(self) -> None:
        self.texts_seen = 0

    def embed_query_tokens(self, text):
        return letters(text).astype(np.float32)

    def embed_documents_and_tokens(self, texts):
        self.texts_seen += len(texts)
        return np.ones((len(texts), 4), np.float32) / 2, [letters(text) * np.int8(127) for text in texts]


def letters(text: str) -> np.ndarray:
    """One row a letter."""
    return np.eye(128, dtype=np.int8)[[ord(c) % 128 for c in text if c.isalpha()]]


def kept_vectors() -> TokenVectors:
    """A place of token vectors in memory."""
    made = LetterTokens()
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    return TokenVectors(engine, lambda: made)


def hits(*texts: str) -> list[Hit]:
    """Fused hits with those texts."""
    return [
        Hit(Chunk(f"c{i}", "d", i, text, "", ""), 1.0 - i / 10, Stage.FUSED, {"fused": i + 1})
        for i, text in enumerate(texts)
    ]


class RerankerContract:
    """What every reranker must do."""

    def test_none_is_added_or_lost(self, reranker: Reranker):
        given = hits("abc", "", "xyz", "abc")
        ranked = reranker.rerank("abc", given)
        assert sorted(h.chunk.id for h in ranked) == sorted(h.chunk.id for h in given)
        assert [h.ranks["reranked"] for h in ranked] == [1, 2, 3, 4]
        assert all(h.stage is Stage.RERANKED and "fused" in h.ranks for h in ranked)
        scores = [h.score for h in ranked]
        assert scores == sorted(scores, reverse=True)

    def test_nothing_gives_nothing(self, reranker: Reranker):
        assert reranker.rerank("abc", []) == []


class TestFusedOrder(RerankerContract):
    """The one that leaves the order."""

    @pytest.fixture
    def reranker(self):
        return FusedOrder()


class TestLateInteraction(RerankerContract):
    """MaxSim over token vectors."""

    @pytest.fixture
    def reranker(self):
        return LateInteractionReranker(kept_vectors())

    def test_the_text_that_holds_all_letters_comes_first(self, reranker):
        ranked = reranker.rerank("abc", hits("xyz", "ab", "cab"))
        assert [h.chunk.text for h in ranked] == ["cab", "ab", "xyz"]
        assert ranked[0].score == pytest.approx(1, abs=0.01)

    def test_the_gap_between_languages_is_made_up(self, reranker):
        ranked = reranker.rerank("ab", hits("ax", "全", "bz"))
        assert {h.chunk.text: round(h.score, 3) for h in ranked} == {"ax": 0.5, "bz": 0.5, "全": 0.5}

    def test_what_ingestion_kept_is_not_encoded_again(self):
        tokens = kept_vectors()
        texts = ["x", "yz"]
        chunks = [Chunk(f"d-{at}", "d", at, text, "", "") for at, text in enumerate(texts)]
        tokens.write_chunks("c", chunks, texts, tokens.embedder.embed_documents_and_tokens(texts)[1])
        before = tokens.embedder.texts_seen
        ranked = LateInteractionReranker(tokens).rerank("z", hits("x", "yz"))
        assert [hit.chunk.text for hit in ranked] == ["yz", "x"]
        assert tokens.embedder.texts_seen == before

    def test_what_was_encoded_for_one_question_is_there_for_the_next(self):
        tokens = kept_vectors()
        reranker = LateInteractionReranker(tokens)
        reranker.rerank("abc", hits("x", "y"))
        assert tokens.embedder.texts_seen == 2
        reranker.rerank("abc", hits("x", "y", "z"))
        assert tokens.embedder.texts_seen == 3
        for at in range(ENCODED_KEPT):
            tokens.encode([f"t{at}"])
        assert not tokens.kept(["x"]) and tokens.kept([f"t{ENCODED_KEPT - 1}"])

    def test_where_too_many_are_missing_the_tail_keeps_its_place(self):
        many = hits(*(chr(ord("a") + at % 26) * (1 + at // 26) for at in range(ENCODED_AT_ONCE + 5)))
        ranked = LateInteractionReranker(kept_vectors()).rerank("zyx", many)
        assert [h.stage for h in ranked] == [Stage.RERANKED] * ENCODED_AT_ONCE + [Stage.FUSED] * 5
        assert ranked[ENCODED_AT_ONCE:] == many[ENCODED_AT_ONCE:]


class TestWithinABudget(RerankerContract):
    """A budget that is not spent changes nothing."""

    @pytest.fixture
    def reranker(self):
        return BudgetedReranker(LateInteractionReranker(kept_vectors()), budget_ms=60_000)


@pytest.mark.parametrize("style", ["jina", "vllm", "tei"])
class TestHttp(RerankerContract):
    """A server of each protocol, over a real connection."""

    @pytest.fixture
    def settings(self, model_server, style):
        return RetrievalSettings(
            reranker="http", reranker_style=style, reranker_model=MODEL, reranker_api_key=KEY,
            reranker_batch=4, reranker_base_url=model_server.url + ("" if style == "tei" else "/v1"),
        )  # fmt: skip

    @pytest.fixture
    def reranker(self, settings):
        return build_reranker(settings, kept_vectors)

    def test_each_score_belongs_to_its_chunk(self, reranker):
        texts = ["xyz", "a", "abcd", "zzz", "ab", "abc", "", "cde", "dx", "bcd"]
        ranked = reranker.rerank("abcd", hits(*texts))
        assert [hit.score for hit in ranked] == [overlap("abcd", hit.chunk.text) for hit in ranked]
        assert ranked[0].chunk.text == "abcd" and len({hit.chunk.id for hit in ranked}) == len(texts)

    def test_a_chunk_that_is_too_long_is_cut_or_refused(self, reranker, style):
        long = hits("b" * MOST_CHARS + "a", "a")
        if style == "jina":
            with pytest.raises(RerankerError, match="longer than the model") as caught:
                reranker.rerank("a", long)
            assert "RERANKER_BATCH" in caught.value.remedy and not caught.value.retryable
        else:
            assert [hit.chunk.id for hit in reranker.rerank("a", long)] == ["c1", "c0"]

    def test_a_wrong_key_is_told_without_the_key(self, settings):
        wrong = RetrievalSettings(reranker_api_key="sk-wrong").reranker_api_key
        reranker = build_reranker(settings.model_copy(update={"reranker_api_key": wrong}), kept_vectors)
        with pytest.raises(RerankerError, match="refused the key") as caught:
            reranker.rerank("a", hits("a"))
        assert "sk-wrong" not in str(caught.value)

    @pytest.mark.parametrize(
        ("pairs", "message"),
        [
            ([(0, 0.5)], "1 scores for 2 texts"),
            ([(0, 0.5), (0, 0.6)], "two scores for text 0"),
            ([(0, 0.5), (2, 0.6)], "text 2 of 2"),
            ([(0, 0.5), (-1, 0.6)], "text -1 of 2"),
            ([(0, 0.5), ("1", 0.6)], "text '1' of 2"),
            ([(0, 0.5), (1, float("nan"))], "nan for text 1"),
            ([(0, 0.5), (1, None)], "None for text 1"),
            ([(0, 0.5), (1, True)], "True for text 1"),
        ],
    )
    def test_a_reply_that_makes_no_sense_is_an_error(self, reranker, model_server, style, pairs, message):
        name = "score" if style == "tei" else "relevance_score"
        rows = [{"index": index, name: score} for index, score in pairs]
        body = json.dumps(rows if style == "tei" else {"results": rows})
        model_server.replies.append((200, {}, body))
        with pytest.raises(RerankerError, match=message):
            reranker.rerank("ab", hits("a", "b"))

    def test_the_other_protocol_is_told_apart(self, reranker, model_server, style):
        other = {"results": []} if style == "tei" else [{"index": 0, "score": 0.5}]
        model_server.replies.append((200, {}, json.dumps(other)))
        with pytest.raises(RerankerError, match=f"another shape than that of {style}") as caught:
            reranker.rerank("ab", hits("a"))
        assert "RERANKER_STYLE" in caught.value.remedy


@pytest.mark.torch
class TestCrossEncoder(RerankerContract):
    """A tiny BERT with a head for pairs, random weights."""

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls, tmp_path_factory):
        folder = save_cross_encoder(tmp_path_factory.mktemp("tiny") / "pairs")
        return RetrievalSettings(
            reranker="cross-encoder", reranker_model=str(folder), reranker_batch=3, reranker_device="cpu"
        )

    @pytest.fixture(scope="class")
    @classmethod
    def reranker(cls, settings):
        return build_reranker(settings, kept_vectors)

    def test_a_chunk_has_the_same_score_in_any_company(self, reranker):
        texts = ["abc", "x" * 40, "年假", "", "保修期", "zz"]
        together = {hit.chunk.text: hit.score for hit in reranker.rerank("年假 abc", hits(*texts))}
        for text in texts:
            assert reranker.rerank("年假 abc", hits(text))[0].score == pytest.approx(together[text], abs=1e-5)
        assert len(set(together.values())) > 3

    def test_threads_take_turns(self, reranker):
        given = hits("abc", "xyz", "年假", "bc")
        expected = [hit.chunk.id for hit in reranker.rerank("abc", given)]
        with ThreadPoolExecutor(4) as threads:
            orders = list(threads.map(lambda _: reranker.rerank("abc", given), range(12)))
        assert all([hit.chunk.id for hit in order] == expected for order in orders)

    def test_a_model_of_several_labels_is_refused(self, settings, tmp_path):
        folder = save_cross_encoder(tmp_path / "labels", labels=3)
        with pytest.raises(ModelFileError, match="3 labels instead of one score"):
            build_reranker(settings.model_copy(update={"reranker_model": str(folder)}), kept_vectors)


@pytest.mark.torch
class TestGenerativeReranker(RerankerContract):
    """A tiny Qwen3 that says yes or no, through its own chat template."""

    @pytest.fixture(scope="class")
    @classmethod
    def reranker(cls, tmp_path_factory):
        folder = save_generative_reranker(tmp_path_factory.mktemp("tiny") / "yes-no", with_template=True)
        return build_reranker(
            RetrievalSettings(reranker="cross-encoder", reranker_model=str(folder)), LetterTokens
        )

    def test_it_reads_the_question_and_the_chunk(self, reranker):
        first = {hit.chunk.text: hit.score for hit in reranker.rerank("abc", hits("xyz", "bc"))}
        other = {hit.chunk.text: hit.score for hit in reranker.rerank("年假", hits("xyz", "bc"))}
        assert first["xyz"] != pytest.approx(first["bc"], abs=1e-7)
        assert first["xyz"] != pytest.approx(other["xyz"], abs=1e-7)

    def test_a_template_that_drops_the_pair_is_refused(self, tmp_path):
        folder = save_generative_reranker(tmp_path / "chat", with_template=False)
        settings = RetrievalSettings(reranker="cross-encoder", reranker_model=str(folder))
        with pytest.raises(ModelFileError, match="cannot read a pair"):
            build_reranker(settings, kept_vectors)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"reranker": "http"}, "RERANKER_BASE_URL"),
        ({"reranker": "http", "reranker_base_url": "http://127.0.0.1:9"}, "RERANKER_MODEL"),
        ({"reranker": "http", "reranker_base_url": "host:9", "reranker_model": "m"}, "RERANKER_BASE_URL"),
        ({"reranker": "cross-encoder"}, "RERANKER_MODEL"),
    ],
)
def test_what_is_missing_is_named(given, message):
    with pytest.raises(SettingsError, match=message):
        build_reranker(RetrievalSettings(**given), kept_vectors)


@pytest.mark.skipif(find_spec("sentence_transformers") is not None, reason="the library is installed here")
def test_without_the_library_the_command_is_named():
    settings = RetrievalSettings(reranker="cross-encoder", reranker_model="owner/name")
    with pytest.raises(SettingsError, match=r"attest\[models\]"):
        build_reranker(settings, kept_vectors)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, LateInteractionReranker),
        ({"reranker": "none"}, FusedOrder),
        ({"rerank_limit": 0}, FusedOrder),
        ({"rerank_budget_ms": 100}, BudgetedReranker),
    ],
)
def test_the_settings_choose(given, kind):
    assert isinstance(build_reranker(RetrievalSettings(**given), kept_vectors), kind)


def test_threads_may_share_it():
    reranker = LateInteractionReranker(kept_vectors())
    given = hits(*(f"text{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(ENCODED_KEPT + 100)))
    with ThreadPoolExecutor(4) as threads:
        parts = [given[at : at + 16] for at in range(0, len(given), 16)] * 4
        ranked = list(threads.map(lambda part: reranker.rerank("abc", part), parts))
    assert [len(r) for r in ranked] == [len(part) for part in parts]


def test_max_sim_of_nothing_is_zero():
    nothing, asked = np.zeros((0, 4), np.float32), np.eye(4, dtype=np.float32)[:1]
    rows, none = np.full((2, 4), 127, np.int8), np.zeros((0, 4), np.int8)
    assert max_sim(nothing, [rows]) == [0.0] and max_sim(asked, []) == []
    assert max_sim(asked, [none, rows]) == [0.0, pytest.approx(1.0)]
