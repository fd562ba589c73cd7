"""Curated answers, thumbs and bad cases over the whole of the API: real store, real embedder."""

import json

import pytest

from agents.kept_answers import KeptAnswers
from app.library import Library
from app.services import Services
from core.errors import StoreError
from evals.answers import read_questions
from tests.app.curating import GOOD, PAY, PAY_QUESTION, PAY_TEXT, QUESTION, WARRANTY, open_desk

ANSWER = "TM-20 主机的保修期为 18 个月。"


@pytest.fixture(scope="module")
def module_desk(tmp_path_factory, built_in_embedder):
    with open_desk(tmp_path_factory.mktemp("desk"), built_in_embedder) as desk:
        yield desk


@pytest.fixture
def desk(module_desk):
    """The same desk, with its documents as they were and nothing curated or kept."""
    yield module_desk
    module_desk.services.loop().drop_collection("default")
    module_desk.write("warranty.md", WARRANTY)
    module_desk.write("pay.md", PAY, ("hr",))


class DyingIngestor:
    """Is killed before it removes anything."""

    def drop_collection(self, name):
        raise StoreError("killed")


class TestEntries:
    def test_a_known_question_is_answered_at_once_without_a_model(self, desk):
        added = desk.add("bob", questions=[QUESTION], answer=ANSWER)
        assert added.status_code == 201 and added.json()["status"] == "valid"
        for wording in (QUESTION, "請問ＴＭ-20主機的保修期是多久", "tm-20 主机的保修期多久呢？"):
            answer = desk.ask("eve", wording)
            assert (answer["route"], answer["status"]) == ("faq", "answered"), wording
            assert answer["text"] == f"{ANSWER}[1]" and desk.chat.replies == [""] * 3
            assert answer["usage"]["model_calls"] == 0 and answer["timings_ms"]["first_sentence"] > 0
            [citation] = answer["citations"]
            assert citation["quote"] == ANSWER and answer["sentences"][0]["verdict"]["label"] == "supported"

    @pytest.mark.parametrize(
        "other",
        ["TM-20L 主机的保修期是多久？", "TM-21 主机的保修期是多久？", "TM-20 电池的保修期是多久？",
         "TM-20 主机的保修期不是多久？", "TM-20 主机的保质期是多久？", "TM-20 主机的保修期从何时开始？"],
    )  # fmt: skip
    def test_another_question_is_not(self, desk, other):
        desk.add("bob", questions=[QUESTION], answer=ANSWER)
        assert desk.ask("eve", other, "资料中没有提到。")["route"] == "search"

    def test_a_sentence_that_the_documents_do_not_bear_out_is_refused(self, desk):
        refused = desk.add("bob", questions=[QUESTION], answer="TM-20 主机的保修期为 24 个月。")
        assert refused.status_code == 400 and "24" in refused.json()["detail"]
        assert desk.entries("bob") == []
        forced = desk.add(
            "bob", questions=[QUESTION], answer=f"{ANSWER}欢迎致电服务台。", force=True
        ).json()
        assert forced["status"] == "unverified"
        assert [bool(s["citations"]) for s in forced["sentences"]] == [True, False]
        assert forced["sentences"][1]["verdict"]["guard"] == "curator"
        answer = desk.ask("eve")
        assert answer["sentences"][1]["verdict"]["label"] == "unsure" and "未能完全核实" in answer["text"]
        desk.chat.replies = [GOOD] * 3
        strict = {"question": QUESTION, "policy": "strict"}
        assert desk.call("eve", "POST", "/v1/ask", json=strict).json()["route"] == "search"

    def test_a_kill_while_its_collection_is_removed_leaves_no_entry(self, desk):
        desk.add("bob", questions=[QUESTION], answer="欢迎致电服务台。", force=True)
        own = desk.services
        parts = {name: getattr(own, name)() for name in ("loop", "store", "ledger")}
        with pytest.raises(StoreError):
            Library(Services(own.settings, parts | {"ingestor": DyingIngestor()})).drop_collection("default")
        assert desk.ask("eve", QUESTION, GOOD)["route"] == "search" and desk.entries("bob") == []

    def test_it_expires_when_a_cited_document_changes_and_returns_with_it(self, desk):
        desk.add("bob", questions=[QUESTION], answer=ANSWER)
        desk.write("warranty.md", WARRANTY.replace("18", "24"))
        [entry] = desk.entries("bob")
        assert entry["status"] == "expired" and "warranty.md" in entry["reason"]
        assert desk.ask("eve", reply="资料中没有提到。")["route"] == "search"
        [shown] = desk.entries("ann")
        assert shown["text"] == "" and shown["citations"] == [] and "warranty.md" not in shown["reason"]
        desk.write("warranty.md", WARRANTY)
        assert desk.entries("bob")[0]["status"] == "valid" and desk.ask("eve")["route"] == "faq"

    def test_it_expires_when_a_cited_document_gets_other_readers(self, desk):
        desk.add("bob", questions=[QUESTION], answer=ANSWER)
        desk.write("warranty.md", WARRANTY, ("hr",))
        assert desk.entries("bob")[0]["status"] == "expired"
        assert desk.ask("eve", reply="资料中没有提到。")["route"] == "search"

    def test_it_is_for_those_alone_who_may_read_all_that_it_cites(self, desk):
        both = f"{PAY_TEXT} {ANSWER}"
        entry = desk.add("ann", questions=[PAY_QUESTION], answer=both).json()
        assert entry["status"] == "valid" and entry["readers"] == [["hr"]]
        assert desk.ask("eve", PAY_QUESTION)["route"] == "faq"
        assert desk.ask("bob", PAY_QUESTION, "It is not given.")["route"] == "search"
        assert [e["id"] for e in desk.entries("eve")] == [entry["id"]] and desk.entries("bob") == []
        assert desk.call("bob", "DELETE", f"/v1/faq/{entry['id']}").status_code == 404
        assert desk.call("eve", "DELETE", f"/v1/faq/{entry['id']}").status_code == 403
        assert desk.call("ann", "DELETE", f"/v1/faq/{entry['id']}").status_code == 200
        assert desk.entries("owner") == []

    def test_curating_needs_the_right_to_write_and_to_read(self, desk):
        assert desk.add("eve", questions=[QUESTION], answer=ANSWER).status_code == 403
        assert desk.add("bob", questions=[PAY_QUESTION], answer=PAY_TEXT).status_code == 400
        assert desk.add("bob", questions=[QUESTION], answer=ANSWER, readers=["hr"]).status_code == 403
        own = desk.add("bob", questions=[QUESTION], answer=ANSWER, readers=["it"]).json()
        assert own["readers"] == [["it"]] and desk.entries("ann") == []
        assert desk.ask("ann", reply=GOOD)["route"] == "search"

    @pytest.mark.parametrize(
        "body", [{}, {"questions": [QUESTION]}, {"questions": [" "], "answer": ANSWER}, {"answer": ANSWER}]
    )
    def test_half_an_entry_is_refused(self, desk, body):
        assert desk.add("bob", **body).status_code == 400

    def test_a_follow_up_is_not_taken_for_the_known_question(self, desk):
        desk.add("bob", questions=["那电池的保修期是多久？"], answer="电池的保修期为 6 个月。")
        assert desk.ask("eve", "那电池的保修期是多久？")["route"] == "faq"
        session = desk.ask("eve", reply=GOOD)["session_id"]
        body = {"question": "那电池的保修期是多久？", "session_id": session}
        desk.chat.replies = [GOOD] * 3
        assert desk.call("eve", "POST", "/v1/ask", json=body).json()["route"] == "search"

    def test_a_past_answer_becomes_an_entry_with_its_citations(self, desk):
        answer = desk.ask("bob", reply=GOOD)
        assert desk.add("ann", from_answer=answer["id"]).status_code == 404
        entry = desk.add("bob", from_answer=answer["id"]).json()
        assert entry["questions"] == [QUESTION] and entry["citations"] == answer["citations"]
        desk.write("warranty.md", WARRANTY.replace("18", "24"))
        assert desk.add("bob", from_answer=answer["id"]).status_code == 400


class TestFeedback:
    def test_only_who_asked_may_rate(self, desk):
        answer = desk.ask("eve", reply=GOOD)
        vote = {"answer_id": answer["id"], "vote": "down", "reason": "out of date"}
        for other in ("ann", "bob", "root", "owner"):
            assert desk.call(other, "POST", "/v1/feedback", json=vote).status_code == 404
        assert desk.call("eve", "POST", "/v1/feedback", json=vote).json()["vote"] == "down"
        [case] = desk.call("eve", "GET", "/v1/feedback/cases").json()["cases"]
        assert case["causes"] == [{"kind": "thumb_down", "text": "out of date", "detail": ""}]
        desk.call("eve", "POST", "/v1/feedback", json=vote | {"vote": "up"})
        assert desk.call("eve", "GET", "/v1/feedback/cases").json()["cases"] == []

    def test_what_the_guards_hold_back_is_a_case_of_the_one_who_asked(self, desk):
        answer = desk.ask("eve", PAY_QUESTION, "The bonus of a team lead is 9000 euros a year.[1]")
        [case] = desk.call("eve", "GET", "/v1/feedback/cases").json()["cases"]
        assert case["answer_id"] == answer["id"] and "9000" in case["causes"][0]["text"]
        assert desk.call("ann", "GET", "/v1/feedback/cases").json()["cases"] == []
        [seen] = desk.call("root", "GET", "/v1/feedback/cases").json()["cases"]
        assert seen["question"] == PAY_QUESTION and seen["causes"][0]["text"] == ""
        assert "9000" not in str(seen) and seen["causes"][0]["detail"] == "exact"
        assert "9000" in str(desk.call("owner", "GET", "/v1/feedback/cases").json())

    def test_a_forgotten_session_leaves_nothing(self, desk):
        answer = desk.ask("eve", reply="资料中没有提到价格。")
        assert desk.call("eve", "GET", "/v1/feedback/cases").json()["cases"] != []
        desk.call("eve", "DELETE", f"/v1/sessions/{answer['session_id']}")
        assert desk.call("eve", "GET", "/v1/feedback/cases").json()["cases"] == []
        vote = {"answer_id": answer["id"], "vote": "up"}
        assert desk.call("eve", "POST", "/v1/feedback", json=vote).status_code == 404

    def test_nothing_is_kept_for_longer_than_the_settings_say(self, desk):
        answer = desk.ask("eve", reply=GOOD)
        kept = desk.services.loop().answers.get(answer["id"], "eve")
        KeptAnswers(desk.services.engine(), 0).keep(kept)
        desk.ask("bob", reply=GOOD)
        assert desk.services.loop().answers.get(answer["id"], "eve").question == QUESTION
        again = KeptAnswers(desk.services.engine(), 1e-9)
        later = desk.services.loop().answers.get(desk.ask("bob", reply=GOOD)["id"], "bob")
        desk.services.loop().answers.forget_session("bob", later.answer.session_id)
        again.keep(later)
        vote = {"answer_id": answer["id"], "vote": "up"}
        assert desk.call("eve", "POST", "/v1/feedback", json=vote).status_code == 404


class TestSuggestions:
    def test_a_recurring_question_is_proposed_and_accepted_with_one_call(self, desk):
        answer = desk.ask("bob", reply=GOOD)
        desk.call("bob", "POST", "/v1/feedback", json={"answer_id": answer["id"], "vote": "up"})
        desk.ask("bob", "请问 TM-20 主机的保修期是多久", "TM-20 主机的保修期为 9 个月。[1]")
        [found] = desk.call("bob", "GET", "/v1/faq/suggestions").json()["suggestions"]
        assert (found["count"], found["thumbs_up"], len(found["questions"])) == (2, 1, 2)
        assert found["answer"]["answer_id"] == answer["id"]
        assert desk.call("ann", "GET", "/v1/faq/suggestions").json()["suggestions"] == []
        assert desk.call("eve", "GET", "/v1/faq/suggestions").status_code == 403
        entry = desk.add("bob", suggestion=found["id"]).json()
        assert entry["questions"] == found["questions"] and entry["status"] == "valid"
        assert desk.call("bob", "GET", "/v1/faq/suggestions").json()["suggestions"] == []

    def test_an_admin_sees_all_questions_but_no_answer_from_what_it_may_not_read(self, desk):
        for who in ("ann", "eve"):
            answer = desk.ask(who, PAY_QUESTION, f"{PAY_TEXT}[1]")
            desk.call(who, "POST", "/v1/feedback", json={"answer_id": answer["id"], "vote": "up"})
        [found] = desk.call("root", "GET", "/v1/faq/suggestions").json()["suggestions"]
        assert found["count"] == 2 and found["answer"] is None
        assert desk.add("root", suggestion=found["id"]).status_code == 400
        [full] = desk.call("owner", "GET", "/v1/faq/suggestions").json()["suggestions"]
        entry = desk.add("owner", suggestion=full["id"]).json()
        assert entry["readers"] == [["hr"]] and desk.ask("eve", PAY_QUESTION)["route"] == "faq"

    def test_cases_become_rows_of_the_evaluation_once_the_right_answer_is_known(self, desk, tmp_path):
        answer = desk.ask("bob", "电池的保修期是多久？", "电池的保修期为 9 个月。[1]")
        down = {"answer_id": answer["id"], "vote": "down", "right_answer": "6 个月"}
        assert desk.call("bob", "GET", "/v1/feedback/golden").json() == {"rows": [], "unknown": 1}
        desk.call("bob", "POST", "/v1/feedback", json=down)
        desk.ask("bob", reply="TM-20 主机的保修期为 9 个月。[1]")
        desk.add("bob", questions=[QUESTION], answer=ANSWER)
        found = desk.call("bob", "GET", "/v1/feedback/golden").json()
        assert [row["must_match"] for row in found["rows"]] == [[["6 个月"]], [["18"], ["TM-20"]]]
        assert found["rows"][1]["sources"] == ["warranty.md"] and found["unknown"] == 0
        assert desk.call("ann", "GET", "/v1/feedback/golden").json()["rows"] == []
        lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in found["rows"])
        (tmp_path / "golden.jsonl").write_text(lines, encoding="utf-8")
        assert read_questions(tmp_path / "golden.jsonl") == found["rows"]
