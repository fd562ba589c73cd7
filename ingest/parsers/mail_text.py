"""What every kind of mail becomes: its subject as heading, its header lines, its body."""

from collections.abc import Iterator, Sequence

from core.errors import FileError
from core.types import Element, ElementKind
from ingest.parsers.charset import decode_text
from ingest.parsers.html import parse_html
from ingest.parsers.plain import parse_plain

NO_SUBJECT = "(no subject)"


def mail_elements(
    fields: Sequence[tuple[str, str]], html: str, plain: str, attached: Sequence[str]
) -> Iterator[Element]:
    """Elements of a mail; the HTML body is taken when there is one that holds text. Headings
    of the body stand below the subject."""
    subject = next((value for name, value in fields if name == "Subject" and value), NO_SUBJECT)
    yield Element(ElementKind.TITLE, subject, level=1)
    lines = [f"{name}: {value}" for name, value in fields if value]
    if attached:
        lines.append(f"Attachments: {', '.join(attached)}")
    if lines:
        yield Element(ElementKind.TEXT, "\n".join(lines))
    body = _html_elements(html) or parse_plain(plain.replace("\r\n", "\n"))
    for element in body:
        level = min(6, element.level + 1) if element.kind is ElementKind.TITLE else 0
        yield Element(element.kind, element.text, level=level)


def _html_elements(html: str) -> list[Element]:
    if not html.strip():
        return []
    try:
        return [e for e in parse_html(html) if e.text.strip()]
    except FileError:
        return []


def decode_body(data: bytes, charset: str | None) -> str:
    """By the charset that the mail names, if it fits; else by what the bytes look like."""
    if charset:
        name = "gb18030" if charset.lower() in ("gb2312", "gbk", "x-gbk") else charset
        try:
            return data.decode(name)
        except (LookupError, UnicodeDecodeError, ValueError):
            pass
    try:
        return decode_text(data)
    except FileError:
        return data.decode("latin-1")
