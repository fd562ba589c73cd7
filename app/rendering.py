"""The nouns as JSON, the same for the REST API, its event stream and the command line.

Knows the shapes that users rely on; knows nothing of HTTP, terminals or files.
"""

from collections.abc import Sequence

from agents.events import (
    ApprovalNeeded,
    Event,
    Failed,
    Finished,
    Retrieved,
    SentenceReleased,
    SentenceRevised,
    StatusChanged,
    ToolCalled,
    ToolReturned,
)
from core.types import Answer, Box, Citation, Hit, Sentence, Turn, Verdict
from retrieval.query import describe


def render_answer(answer: Answer) -> dict:
    """The answer as it is everywhere: CLI `--json`, REST and the event `finished`."""
    return {
        "id": answer.id,
        "session_id": answer.session_id,
        "status": answer.status.value,
        "text": answer.text,
        "sentences": [render_sentence(sentence) for sentence in answer.sentences],
        "citations": [render_citation(citation) for citation in answer.citations],
        "withheld": [render_sentence(sentence) for sentence in answer.withheld],
        "looked_for": list(answer.looked_for),
        "route": answer.route,
        "policy": answer.policy,
        "usage": {
            "prompt_tokens": answer.usage.prompt_tokens,
            "completion_tokens": answer.usage.completion_tokens,
            "model_calls": answer.usage.model_calls,
            "cached_tokens": answer.usage.cached_tokens,
            "models": list(answer.usage.models),
        },
        "guarded": dict(answer.guarded),
        "timings_ms": _rounded(answer.timings_ms),
        "trace_id": answer.trace_id,
    }


def render_sentence(sentence: Sentence) -> dict:
    """`{"text", "citations": [marker], "conflicts": [marker], "verdict"}`."""
    return {
        "text": sentence.text,
        "citations": list(sentence.citations),
        "conflicts": list(sentence.conflicts),
        "verdict": render_verdict(sentence.verdict),
    }


def render_verdict(verdict: Verdict) -> dict:
    """`{"label", "score", "guard", "reason"}`."""
    return {
        "label": verdict.label.value,
        "score": round(verdict.score, 4),
        "guard": verdict.guard,
        "reason": verdict.reason,
    }


def render_citation(citation: Citation) -> dict:
    """A citation with its quote and the quote's span in the chunk, in characters."""
    return {
        "marker": citation.marker,
        "document_id": citation.document_id,
        "title": citation.title,
        "uri": citation.uri,
        "page": citation.page,
        "boxes": [render_box(box) for box in citation.boxes],
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "chunk_id": citation.chunk_id,
        "figure": _figure(citation.document_id, citation.figure),
        "flagged": citation.flagged,
    }


def render_box(box: Box) -> dict:
    """Points from the page's top left corner."""
    return {"page": box.page, "left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom}


def render_hit(hit: Hit) -> dict:
    """A hit of `attest search --json`."""
    chunk = hit.chunk
    return {
        "chunk_id": chunk.id,
        "document_id": chunk.document_id,
        "title": chunk.title,
        "uri": chunk.uri,
        "page": chunk.page,
        "headings": list(chunk.headings),
        "text": chunk.text,
        "score": round(float(hit.score), 6),
        "stage": hit.stage.value,
        "ranks": dict(hit.ranks),
        "figure": _figure(chunk.document_id, chunk.figure),
    }


def _figure(document_id: str, name: str) -> str | None:
    """Path of the picture that a chunk speaks of. It wants the collection as a parameter, as
    that of a document does."""
    return f"/v1/documents/{document_id}/figures/{name}" if name else None


def render_search(result) -> dict:
    """A `retrieval.retriever.SearchResult`: hits, and how they were found."""
    return {
        "hits": [render_hit(hit) for hit in result.hits],
        "queries": list(result.queries),
        "timings_ms": _rounded(result.timings_ms),
        "signals": {name: round(float(value), 4) for name, value in result.signals.items()},
        "notes": list(result.notes),
        "understood": describe(result.question) if result.question else {},
    }


def render_document(row) -> dict:
    """An `ingest.ledger.LedgerRow` as a document for people and scripts. `newer`: what becomes of a
    newer version, `waiting` or `failed`; empty when there is none. `amended`: which of title, readers and
    meta are not as the file was ingested."""
    from ingest.searched import newer_of

    return {
        "document_id": row.document_id,
        "uri": row.uri,
        "title": row.title,
        "status": str(row.status),
        "media_type": row.media_type,
        "size_bytes": row.size_bytes,
        "readers": list(row.readers),
        "meta": dict(row.meta),
        "chunks": row.chunks,
        "pages": row.pages,
        "code": row.code,
        "reason": row.reason,
        "newer": newer_of(row),
        "amended": sorted(row.amended),
        "warnings": [{"code": code, "words": words} for code, words in row.warnings],
        "duplicate_of": row.duplicate_of,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def render_duplicate(row, near) -> dict | None:
    """What a `LedgerRow` is the same as; `near` is an `ingest.near_copies.NearCopy` or None. A
    file with the bytes of another one is called a copy of that."""
    if not (row.duplicate_of or near):
        return None
    is_exact = bool(row.duplicate_of)
    return {
        "uri": row.uri,
        "document_id": row.document_id,
        "kind": "exact" if is_exact else "near",
        "duplicate_of": row.duplicate_of or near.uri,
        "similarity": 1.0 if is_exact else round(near.similarity, 3),
        "linked": is_exact or near.linked,
    }


def render_failure(row) -> dict:
    """A failed `LedgerRow` as it stands in a list of failures."""
    return {"uri": row.uri, "code": row.code, "reason": row.reason, "attempts": row.attempts}


def render_taken(taken) -> dict:
    """An `ingest.intake.Taken`: what is on disk and in the queue, what is there already, and
    what was refused."""
    works = [work for work in taken.works if work.refused is None]
    refused = [(work.row.uri, work.refused) for work in taken.works if work.refused is not None]
    refused += [(decision.uri, decision.error) for decision in taken.settled if decision.error]
    return {
        "accepted": [{"uri": work.row.uri, "document_id": work.row.document_id} for work in works],
        "unchanged": [decision.uri for decision in taken.settled if not decision.error],
        "failures": [{"uri": uri, "code": error.code, "reason": str(error)} for uri, error in refused],
    }


def render_progress(progress) -> str:
    """An `ingest.report.Progress` as a line for people."""
    return f"{progress.done}/{progress.total} {progress.outcome} {progress.uri}"


def render_turns(turns: Sequence[Turn]) -> dict:
    """`{"turns": [{"question", "answer", "status"}]}`, oldest first."""
    return {
        "turns": [
            {"question": turn.question, "answer": turn.answer, "status": turn.status.value} for turn in turns
        ]
    }


def render_event(event: Event) -> dict:
    """The payload of one event; its name on the wire is `event.name`."""
    match event:
        case StatusChanged():
            return {"stage": event.stage, "detail": event.detail}
        case Retrieved():
            hits = [render_hit(hit) for hit in event.hits]
            return {"hits": hits, "queries": list(event.queries), "notes": list(event.notes)}
        case ToolCalled():
            return {"tool": event.tool, "arguments": dict(event.arguments)}
        case ToolReturned():
            return {"tool": event.tool, "text": event.text, "failed": event.has_failed}
        case ApprovalNeeded():
            return {"id": event.id, "tool": event.tool, "arguments": dict(event.arguments)}
        case SentenceReleased():
            return {
                "sentence": render_sentence(event.sentence),
                "citations": [render_citation(citation) for citation in event.citations],
            }
        case SentenceRevised():
            replacement = event.replacement
            return {
                "withheld": event.withheld,
                "verdict": render_verdict(event.verdict),
                "replacement": render_sentence(replacement) if replacement else None,
                "citations": [render_citation(citation) for citation in event.citations],
            }
        case Finished():
            return render_answer(event.answer)
        case Failed():
            return {
                "code": event.code,
                "message": event.message,
                "remedy": event.remedy,
                "meta": dict(event.meta),
            }


def _rounded(timings_ms) -> dict:
    return {name: round(float(value), 1) for name, value in timings_ms.items()}
