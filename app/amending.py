"""Changing the title, readers and notes of a document, for REST and the command line alike.

Knows who may do that, and logs it; what is done stands in `ingest.amending`. Knows nothing of HTTP.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.auth import Caller
from app.keys import Role
from app.library import Library
from app.rendering import render_document
from app.services import Services
from core.errors import AttestError, InputError
from core.types import Scope

LOGGED_AS = "document.edit"
"""The name of such a change in the log of tools."""


@dataclass(frozen=True, slots=True)
class AmendWish:
    """Which document, by id or uri, and what of it: `title` (None: that of the file), `readers` and `meta`,
    each where it is to be changed. `visible_to` narrows to what these readers may read."""

    collection: str
    reference: str
    given: Mapping[str, Any]
    visible_to: Sequence[str] | None = None


class Amending:
    """Amends the documents of one data directory."""

    def __init__(self, services: Services, library: Library) -> None:
        self._services = services
        self._library = library

    def amend(self, caller: Caller, wish: AmendWish) -> dict:
        """The document as it is then, and is searched.

        Raises:
            InputError: nothing is given, or something that cannot be.
            AccessError: the caller is no editor, or may not share with one of the readers.
            NotFoundError: the caller may read no such document.
            ConflictError: another version of it is on its way, or has failed.
            FileError: it could not be read again; if it should have had other readers, it has none then.
        """
        from ingest.amended import Amendment

        caller.require(Role.EDITOR)
        given = dict(wish.given)
        if not given:
            raise InputError("there is nothing to change", remedy="give a title, readers or notes")
        if "title" in given:
            given["title"] = given["title"] or ""
        amendment = Amendment(**given)
        visible = caller.visible(wish.visible_to)
        found = self._library.document(wish.collection, wish.reference, visible, caller.viewers)
        self._library.check_replaceable(wish.collection, [found["uri"]], visible)
        caller.check_grant(sorted({*(amendment.readers or ())} - {*found["readers"]}))
        told = {"uri": found["uri"], "document_id": found["document_id"], **given}
        with self._logged(caller, wish.collection, told), self._services.write_lock:
            row = self._services.ingestor().amend(wish.collection, found["uri"], amendment)
        return render_document(row)

    @contextmanager
    def _logged(self, caller: Caller, collection: str, told: Mapping[str, Any]) -> Iterator[None]:
        """In the log that admins read: rights that change by hand must not do so unseen."""
        from agents.tools.audit import Outcome, new_row
        from agents.tools.tool import ToolCall

        audit, began = self._services.tool_audit(), time.monotonic()
        call = ToolCall(caller.owner, Scope(collection, frozenset()), caller.role.value)
        row = new_row(call, LOGGED_AS, told)
        audit.begin(row)
        outcome, code = Outcome.FAILED, "internal"
        try:
            yield
            outcome, code = Outcome.DONE, ""
        except AttestError as exc:
            code = exc.code
            raise
        finally:
            audit.end(row.id, outcome, code, (time.monotonic() - began) * 1000)
