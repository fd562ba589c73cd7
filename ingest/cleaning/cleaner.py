"""What happens to a parsed file before it is cut: the one place where cleaning joins the write
path. Broken characters are mended, hidden text is left out, personal data is found or masked;
what was found is told in warnings. Pure: a file in, a file and warnings out.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from core.settings import IngestSettings
from core.types import Element, Table
from ingest.cleaning.personal_data import count_personal_data, mask_personal_data
from ingest.parsers.tables import table_text
from ingest.parsing import ParsedFile

PII_FOUND = "pii"
PII_MASKED = "pii_masked"
# Raise it when the same policy leaves another text.
_VERSION = 1


class Cleaner:
    """Cleans by the policy of the settings."""

    def __init__(self, settings: IngestSettings) -> None:
        self._pii = settings.pii
        self._kinds = settings.pii_kinds

    def clean(self, parsed: ParsedFile) -> ParsedFile:
        """The file as it may be kept, and what was found in it."""
        return self._without_personal_data(parsed)

    def clean_title(self, title: str) -> str:
        """A title, which may be the name of the file: that says as much as a line of text."""
        return mask_personal_data(title, self._kinds)[0] if self._pii == "mask" else title

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


def policy_of(settings: IngestSettings) -> dict[str, object]:
    """What of the policy changes the text that is kept, for the fingerprint; empty as long as it
    is the policy of files that were ingested before there was one."""
    policy: dict[str, object] = {}
    if settings.pii != "off":
        policy |= {"pii": settings.pii, "pii_kinds": sorted(settings.pii_kinds), "cleaning": _VERSION}
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
