"""What can be done with curated answers, thumbs and bad cases, for REST and the command line alike.

Knows who may see and change what; knows nothing of HTTP or terminals. Every method is
synchronous and gives what is shown, as plain JSON values.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.asking import check_question, check_unicode
from app.auth import Caller
from app.curation_rendering import render_case, render_entry, render_suggestion
from app.keys import Role
from app.services import Services
from core.errors import InputError, NotFoundError
from core.types import EVERYONE, Scope
from retrieval.filters import check_name

if TYPE_CHECKING:
    from agents.bad_cases import BadCase
    from agents.curating import CuratedText
    from agents.faq import FaqEntry
    from agents.kept_answers import KeptAnswer, Rating
    from agents.suggestions import Suggestion

MAX_WORDINGS = 50


@dataclass(frozen=True, slots=True)
class FaqOrder:
    """A wish for an entry: its words in `text`, or a past answer, or a suggestion that brings
    wordings and, without a text, its best answer. `readers`: as whom the documents are read, and
    for whom the entry is; None: all that the caller is, and whoever may read what is cited."""

    collection: str
    questions: tuple[str, ...] = ()
    text: str = ""
    from_answer: str = ""
    suggestion: str = ""
    readers: tuple[str, ...] | None = None
    force: bool = False


class Curation:
    """The loop from a bad case to a curated answer, over one data directory."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def entries(self, caller: Caller, collection: str, readers: tuple[str, ...] | None = None) -> dict:
        """`{"entries": […], "may_curate"}`: those whose documents the caller may read, and whether
        the caller may add and delete some."""
        check_name("collection", collection)
        listed = self._services.loop().faq.entries(collection, caller.visible(readers))
        entries = [render_entry(found, _may_read_lost(caller, found.entry)) for found in listed]
        return {"entries": entries, "may_curate": caller.may(Role.EDITOR)}

    def add(self, caller: Caller, order: FaqOrder) -> dict:
        """The new entry.

        Raises:
            AccessError: the caller may not curate, or not for these readers.
            InputError: nothing is asked or answered, or the documents do not bear out a sentence.
            NotFoundError: the answer or the suggestion is not there, or not for the caller.
        """
        caller.require(Role.EDITOR)
        check_name("collection", order.collection)
        caller.check_grant(order.readers or ())
        check_unicode(order.text, "answer")
        questions, text, scope = self._wanted(caller, order)
        if text.refused and not order.force:
            from agents.curating import refusal

            raise refusal(text)
        from agents.faq import FaqEntry

        entry = FaqEntry(
            collection=order.collection,
            questions=questions,
            sentences=text.sentences,
            citations=text.citations,
            audience=self._audience(order, text, scope),
            owner=caller.owner,
        )
        faq = self._services.loop().faq
        faq.add(entry)
        # As an owner without a name of its own: it has just been made.
        return render_entry(faq.get(entry.id, None), True)

    def delete(self, caller: Caller, entry_id: str) -> dict:
        """Removes an entry that the caller may see."""
        caller.require(Role.EDITOR)
        faq = self._services.loop().faq
        faq.get(entry_id, caller.visible())
        faq.delete(entry_id)
        return {"deleted": entry_id}

    def suggestions(
        self, caller: Caller, collection: str, readers: tuple[str, ...] | None = None, min_count: int = 2
    ) -> dict:
        """`{"suggestions": […]}`: questions that came up so often, with a thumb or as bad cases,
        and that no valid entry answers; the best verified answer that the caller may read."""
        caller.require(Role.EDITOR)
        check_name("collection", collection)
        found = self._suggestions(caller, collection, readers)
        shown = [
            render_suggestion(suggestion, self._best(caller, suggestion, readers))
            for suggestion in found
            if suggestion.count >= min_count
        ]
        return {"suggestions": shown}

    def rate(self, caller: Caller, answer_id: str, rating: "Rating") -> dict:
        """A thumb of the one who asked. Raises NotFoundError for an answer of another one."""
        check_unicode(rating.reason, "reason")
        check_unicode(rating.right_answer, "right answer")
        kept = self._services.loop().rate(answer_id, caller.owner, rating)
        return {"answer_id": answer_id, "vote": rating.vote.value, "question": kept.question}

    def cases(self, caller: Caller, collection: str) -> dict:
        """`{"cases": […]}`: the caller's own bad cases, or all for an admin."""
        check_name("collection", collection)
        cases = self._services.loop().cases.cases(collection, _owner(caller))
        return {"cases": [render_case(case, _may_read_drafts(caller, case)) for case in cases]}

    def golden_rows(self, caller: Caller, collection: str) -> dict:
        """`{"rows": […], "unknown": n}`: the cases of `cases` whose right answer is known, from who
        asked or from a valid entry, as rows of the answers evaluation; and how many are not."""
        from agents.golden_rows import golden_row

        check_name("collection", collection)
        cases = self._services.loop().cases.cases(collection, _owner(caller))
        entries = self._valid_entries(caller, collection, None)
        known = [(question, entry) for entry in entries for question in entry.questions]
        same, rows = self._services.same_question(), []
        for case in cases:
            at = None if case.right_answer else same.find(case.question, [question for question, _ in known])
            if case.right_answer:
                rows.append(golden_row(case, case.right_answer, case.sources))
            elif at is not None:
                entry = known[at][1]
                words = " ".join(sentence.text for sentence in entry.sentences)
                rows.append(golden_row(case, words, [citation.uri for citation in entry.citations]))
        return {"rows": rows, "unknown": len(cases) - len(rows)}

    def _wanted(self, caller: Caller, order: FaqOrder) -> "tuple[tuple[str, ...], CuratedText, Scope]":
        """The wordings, the text, and as whom its evidence is read."""
        from agents.curating import text_of_answer

        if order.text and order.from_answer:
            raise InputError("an entry has words of its own or those of an answer", remedy="give one of both")
        suggestion = self._suggestion(caller, order) if order.suggestion else None
        questions = order.questions or (suggestion.questions if suggestion else ())
        if order.text:
            questions = self._checked(questions)
            scope = caller.scope(order.collection, order.readers)
            finder = self._services.evidence_finder()
            return questions, finder.bind(questions[0], order.text, scope), scope
        kept = self._taken_up(caller, order, suggestion)
        questions = self._checked(questions or (kept.question,))
        scope = self._reading_scope(caller, kept, order.readers)
        if not self._stands(kept, scope):
            raise InputError(
                f"what the answer {kept.answer.id!r} cites has changed, is gone or is not yours to read",
                remedy="ask again, or give the words: --answer TEXT",
            )
        return questions, text_of_answer(kept.answer), scope

    def _taken_up(self, caller: Caller, order: FaqOrder, suggestion: "Suggestion | None") -> "KeptAnswer":
        if order.from_answer:
            kept = self._services.loop().answers.get(order.from_answer, _owner(caller))
            if kept.scope.collection != order.collection:
                raise InputError(
                    f"that answer is from the collection {kept.scope.collection!r}",
                    remedy="name it: --collection",
                )
            return kept
        best = self._best(caller, suggestion, order.readers) if suggestion else None
        if best is None:
            raise InputError(
                "there is no answer to take over", remedy="give --answer TEXT or --from-answer ID"
            )
        return best

    def _checked(self, questions: tuple[str, ...]) -> tuple[str, ...]:
        if not questions or len(questions) > MAX_WORDINGS:
            raise InputError(
                f"an entry has 1 to {MAX_WORDINGS} questions", remedy="name one: --question TEXT"
            )
        for question in questions:
            check_question(question, self._services.settings.server.max_question_chars)
        return tuple(dict.fromkeys(question.strip() for question in questions))

    def _audience(self, order: FaqOrder, text: "CuratedText", scope: Scope) -> tuple[tuple[str, ...], ...]:
        """The readers of the entry itself and of each document it cites, as groups of names."""
        own = tuple(sorted(order.readers)) if order.readers else (EVERYONE,)
        cited = sorted({citation.document_id for citation in text.citations})
        held = self._services.ledger().holding_many(order.collection, cited) if cited else {}
        groups = {own}
        for document_id in cited:
            names = {name for row in held.get(document_id, ()) for name in row.readers}
            # A document that no ledger knows is shown to nobody but those who have just read it.
            groups.add(tuple(sorted(names or scope.readers)) or (EVERYONE,))
        return tuple(sorted(groups))

    def _suggestions(
        self, caller: Caller, collection: str, readers: tuple[str, ...] | None
    ) -> "list[Suggestion]":
        from agents.suggestions import suggest

        loop, owner, same = self._services.loop(), _owner(caller), self._services.same_question()
        cases = loop.cases.cases(collection, owner)
        answers = loop.answers.find_many([case.answer_id for case in cases], owner)
        found = suggest(loop.answers.liked(collection, owner), cases, answers, same)
        entries = self._valid_entries(caller, collection, readers)
        known = [question for entry in entries for question in entry.questions]
        return [suggestion for suggestion in found if same.find(suggestion.questions[0], known) is None]

    def _suggestion(self, caller: Caller, order: FaqOrder) -> "Suggestion":
        for suggestion in self._suggestions(caller, order.collection, order.readers):
            if suggestion.id == order.suggestion:
                return suggestion
        raise NotFoundError(f"there is no suggestion {order.suggestion!r}", remedy="see: attest faq suggest")

    def _best(
        self, caller: Caller, suggestion: "Suggestion", readers: tuple[str, ...] | None
    ) -> "KeptAnswer | None":
        for kept in suggestion.candidates:
            if self._stands(kept, self._reading_scope(caller, kept, readers)):
                return kept
        return None

    def _stands(self, kept: "KeptAnswer", scope: Scope) -> bool:
        from agents.standing import find_standing

        return find_standing(self._services.store(), scope, kept.answer.citations).stands

    @staticmethod
    def _reading_scope(caller: Caller, kept: "KeptAnswer", readers: tuple[str, ...] | None) -> Scope:
        if caller.readers is None and readers is None:
            return kept.scope
        return caller.scope(kept.scope.collection, readers)

    def _valid_entries(
        self, caller: Caller, collection: str, readers: tuple[str, ...] | None
    ) -> "list[FaqEntry]":
        listed = self._services.loop().faq.entries(collection, caller.visible(readers))
        return [found.entry for found in listed if found.standing.stands]


def _owner(caller: Caller) -> str | None:
    """Whose questions are read: an admin's are everyone's."""
    return None if caller.role is Role.ADMIN else caller.owner


def _may_read_drafts(caller: Caller, case: "BadCase") -> bool:
    """What a guard held back may be taken from documents that only the one who asked may read."""
    return caller.readers is None or caller.owner == case.owner


def _may_read_lost(caller: Caller, entry: "FaqEntry") -> bool:
    """An entry that has lost its evidence may tell what is now for fewer readers."""
    return caller.readers is None or caller.owner == entry.owner
