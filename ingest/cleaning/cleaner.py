"""What happens to a parsed file before it is cut: the one place where cleaning joins the write
path. Broken characters are mended, hidden text is left out, personal data is found or masked;
what was found is told in warnings. Pure: a file in, a file and warnings out.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from core.errors import FileError
from core.instructions import Instruction, excerpt, find_instructions
from core.personal_data import count_personal_data, mask_personal_data
from core.settings import IngestSettings
from core.types import Element, ElementKind, Table
from ingest.cleaning.hidden_text import take_unseen_characters
from ingest.cleaning.mojibake import mend
from ingest.parsers.tables import table_text
from ingest.parsing import ParsedFile

HIDDEN_TEXT = "hidden_text"
INSTRUCTIONS = "instructions"
ENCODING = "encoding"
PII_FOUND = "pii"
PII_MASKED = "pii_masked"
# Raise it when the same policy leaves another text.
_VERSION = 1


class Cleaner:
    """Cleans by the policy of the settings."""

    def __init__(self, settings: IngestSettings) -> None:
        self._pii = settings.pii
        self._kinds = settings.pii_kinds
        self._keeps_hidden = settings.hidden_text == "keep"
        self._mends = settings.repair_encoding

    def clean(self, parsed: ParsedFile) -> ParsedFile:
        """The file as it may be kept, and what was found in it.

        Raises:
            FileError: `no_text`, when all of its text is hidden.
        """
        # What is masked last is masked in the excerpts of the warnings too.
        return self._without_personal_data(self._without_tricks(self._with_mended_characters(parsed)))

    def clean_title(self, title: str) -> str:
        """A title, which may be the name of the file: that says as much as a line of text."""
        return mask_personal_data(title, self._kinds)[0] if self._pii == "mask" else title

    def _with_mended_characters(self, parsed: ParsedFile) -> ParsedFile:
        """Code is left as it is: there odd characters are what it is about."""
        if not self._mends:
            return parsed
        elements, mended = [], []
        for element in parsed.elements:
            changed = element if element.kind is ElementKind.CODE else change_text(element, mend)
            mended += [changed] if changed != element else []
            elements.append(changed)
        told = _told_of(ENCODING, "text in a wrong encoding was mended", mended)
        return replace(parsed, elements=tuple(elements), warnings=(*parsed.warnings, *told))

    def _without_tricks(self, parsed: ParsedFile) -> ParsedFile:
        """Hidden text goes, by the policy; visible text that speaks to a model stays: it is data."""
        hidden: list[Element] = []
        elements: list[Element] = []
        for element in parsed.elements:
            if element.hidden:
                hidden.append(element)
                elements += [replace(element, hidden="")] if self._keeps_hidden else []
                continue
            seen, messages = _without_unseen_characters(element)
            hidden += messages
            elements += [seen] if seen.text.strip() else []
        if not elements:
            raise FileError("all of its text is hidden from people", code="no_text")
        orders = [
            (element, next(find_instructions(element.text, element.kind), None))
            for element in (*hidden, *elements)
        ]
        warnings = _told_of_hidden(hidden) + _told_of_instructions(orders)
        return replace(parsed, elements=tuple(elements), warnings=(*parsed.warnings, *warnings))

    def _without_personal_data(self, parsed: ParsedFile) -> ParsedFile:
        if self._pii == "off":
            return parsed
        found: Counter[str] = Counter()
        if self._pii == "flag":
            for element in parsed.elements:
                found += count_personal_data(element.text, self._kinds)
            return replace(parsed, warnings=(*parsed.warnings, *_told(PII_FOUND, found)))

        def mask(text: str) -> str:
            masked, counts = mask_personal_data(text, self._kinds)
            found.update(counts)
            return masked

        elements = tuple(change_text(element, mask) for element in parsed.elements)
        # The words of a parser may hold a name from within the file.
        warnings = tuple((code, mask(words)) for code, words in parsed.warnings)
        return replace(parsed, elements=elements, warnings=(*warnings, *_told(PII_MASKED, found)))


def _without_unseen_characters(element: Element) -> tuple[Element, list[Element]]:
    """The element without characters that nothing draws, and what they say."""
    if element.text.isascii():
        return element, []
    messages: list[Element] = []

    def take(text: str) -> str:
        seen, found = take_unseen_characters(text)
        messages.extend(replace(element, text=words, hidden=reason, table=None) for reason, words in found)
        return seen

    return change_text(element, take), messages


def _told_of_hidden(hidden: Sequence[Element]) -> list[tuple[str, str]]:
    """A warning for each reason."""
    reasons = dict.fromkeys(element.hidden for element in hidden)
    return [
        warning
        for reason in reasons
        for warning in _told_of(
            HIDDEN_TEXT,
            f"text that nobody sees ({reason})",
            [element for element in hidden if element.hidden == reason],
        )
    ]


def _told_of_instructions(found: Sequence[tuple[Element, Instruction | None]]) -> list[tuple[str, str]]:
    places = [replace(e, text=excerpt(e.text, order.start)) for e, order in found if order is not None]
    return _told_of(INSTRUCTIONS, "text that speaks to a language model", places)


def _told_of(code: str, what: str, places: Sequence[Element]) -> list[tuple[str, str]]:
    """One warning that names the first place and counts the others."""
    if not places:
        return []
    page = f", page {places[0].page}" if places[0].page else ""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return [(code, f"{what}{page}: “{excerpt(places[0].text)}”{more}")]


def policy_of(settings: IngestSettings) -> dict[str, object]:
    """What of the policy changes the text that is kept, for the fingerprint; empty as long as it
    is the policy of files that were ingested before there was one."""
    policy: dict[str, object] = {}
    if settings.pii != "off":
        policy |= {"pii": settings.pii, "pii_kinds": sorted(settings.pii_kinds), "cleaning": _VERSION}
    if settings.hidden_text != "drop":
        policy["hidden_text"] = settings.hidden_text
    if not settings.repair_encoding:
        policy["repair_encoding"] = False
    return policy


def change_text(element: Element, change: Callable[[str], str]) -> Element:
    """The element with every text in it changed: a table cell by cell, and its Markdown anew, so
    that both say the same still."""
    table = element.table
    if table is None:
        return replace(element, text=change(element.text))
    changed = Table(
        tuple(tuple(change(cell) for cell in row) for row in table.rows),
        table.header_rows,
        change(table.caption),
        tuple(change(note) for note in table.footnotes),
        change(table.place),
        table.cells_read,
    )
    return element if changed == table else replace(element, text=table_text(changed), table=changed)


def _told(code: str, found: Counter[str]) -> list[tuple[str, str]]:
    """Kinds and counts, never a value."""
    if not found:
        return []
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(found.items()))
    return [(code, f"personal data {'masked' if code == PII_MASKED else 'found'}: {counts}")]
