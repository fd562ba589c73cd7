"""Curated answers, suggestions and bad cases as JSON, the same for REST and the command line."""

from typing import TYPE_CHECKING

from agents.drafting import join_sentences
from app.rendering import render_citation, render_sentence
from core.types import EVERYONE

if TYPE_CHECKING:
    from agents.bad_cases import BadCase
    from agents.faq import ListedEntry
    from agents.kept_answers import KeptAnswer
    from agents.suggestions import Suggestion

VALID, EXPIRED, UNVERIFIED = "valid", "expired", "unverified"
SOMETHING_LOST = "a document that it cites has changed, is gone or has other readers"


def render_entry(found: "ListedEntry", show_lost: bool) -> dict:
    """`status`: valid, expired (not used; `reason` says why) or unverified (used, but some of it
    is curated without evidence). Without `show_lost` an expired entry shows its questions alone."""
    entry, standing = found.entry, found.standing
    is_shown = standing.stands or show_lost
    citations = standing.citations if standing.stands else entry.citations
    reason = "; ".join(standing.lost) if show_lost else SOMETHING_LOST
    status = VALID if entry.is_evidenced else UNVERIFIED
    return {
        "id": entry.id,
        "collection": entry.collection,
        "questions": list(entry.questions),
        "status": status if standing.stands else EXPIRED,
        "reason": "" if standing.stands else reason,
        "text": join_sentences(entry.sentences) if is_shown else "",
        "sentences": [render_sentence(sentence) for sentence in entry.sentences] if is_shown else [],
        "citations": [render_citation(citation) for citation in citations] if is_shown else [],
        "readers": [list(group) for group in entry.audience if EVERYONE not in group] or [[EVERYONE]],
        "owner": entry.owner,
        "created": entry.created,
    }


def render_suggestion(found: "Suggestion", best: "KeptAnswer | None") -> dict:
    """A question that recurs, and the best verified answer, null when there is none."""
    up, down = found.thumbs
    return {
        "id": found.id,
        "question": found.questions[0],
        "questions": list(found.questions),
        "count": found.count,
        "thumbs_up": up,
        "thumbs_down": down,
        "causes": sorted({c.kind.value for one in found.asked if one.case for c in one.case.causes}),
        "right_answers": list(found.right_answers),
        "answer": _answer(best) if best else None,
    }


def render_case(case: "BadCase", show_drafts: bool) -> dict:
    """A bad case. Without `show_drafts` what the guards held back is left out."""
    from agents.bad_cases import CauseKind

    causes = [
        {
            "kind": cause.kind.value,
            "text": cause.text if show_drafts or cause.kind is CauseKind.THUMB_DOWN else "",
            # The guard's word holds words of the draft; its name does not.
            "detail": cause.detail if show_drafts else cause.detail.partition(":")[0],
        }
        for cause in case.causes
    ]
    return {
        "answer_id": case.answer_id,
        "question": case.question,
        "collection": case.scope.collection,
        "owner": case.owner,
        "causes": causes,
        "right_answer": case.right_answer,
        "created": case.created,
    }


def _answer(kept: "KeptAnswer") -> dict:
    return {
        "answer_id": kept.answer.id,
        "text": kept.answer.text,
        "citations": [render_citation(citation) for citation in kept.answer.citations],
    }
