"""Mail in the form of the internet (.eml, RFC 5322) to elements, with its attachments."""

import contextlib
import io
from collections.abc import Iterator
from email import policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.parser import BytesParser
from pathlib import Path
from typing import ClassVar

from core.errors import FileError
from core.types import Element
from ingest.parse_options import ParseOptions
from ingest.parsers.mail_text import decode_body, mail_elements
from ingest.parsers.media_types import EML
from ingest.parsers.members import Members, read_container

_FIELDS = ("From", "To", "Cc", "Date", "Subject")
_MAX_PARTS = 1000
_SUFFIXES = {"text/html": ".html", "text/plain": ".txt", "message/rfc822": ".eml"}


class EmlParser:
    """The parser of .eml files. After a parse `warnings` names attachments that were not read."""

    media_types: ClassVar[frozenset[str]] = frozenset({EML})

    def __init__(self, options: ParseOptions | None = None) -> None:
        self._options = options
        self.warnings: list[tuple[str, str]] = []

    def parse(self, path: Path) -> list[Element]:
        """The mail, then its attachments.

        Raises:
            FileError: `corrupt`.
        """
        found = read_container(self, path, self._options)
        self.warnings = found.warnings
        return found.elements

    def parse_into(self, path: Path, found: Members) -> None:
        """See ContainerParser."""
        # The older policy: the newer one raises over headers that are common in real mail.
        try:
            mail = BytesParser(policy=policy.compat32).parsebytes(path.read_bytes())
        except (MessageError, ValueError, LookupError, AttributeError) as exc:
            raise FileError(f"it is not a mail: {exc}", code="corrupt", remedy="save it again") from exc
        bodies: dict[str, list[str]] = {"text/html": [], "text/plain": []}
        attached: list[tuple[str, Message]] = []
        for part in _leaves(mail):
            kind, name = part.get_content_type(), _file_name(part)
            # A part inside alternatives comes once more in another form: both are kept apart.
            if kind in bodies and not name and part.get_content_disposition() != "attachment":
                bodies[kind].append(_decoded(part))
            else:
                attached.append((name or f"attachment{_SUFFIXES.get(kind, '')}", part))
        fields = [(name, _header(mail, name)) for name in _FIELDS]
        html, plain = "\n".join(bodies["text/html"]), "\n\n".join(bodies["text/plain"])
        names = [found.shown(name).rsplit("/", 1)[-1] for name, _ in attached]
        found.take(list(mail_elements(fields, html, plain, names)))
        for name, part in attached:
            found.add(name, io.BytesIO(_content(part)))


def _leaves(mail: Message) -> Iterator[Message]:
    """Parts that are not multipart, in their order; a mail within is one part."""
    stack, seen = [mail], 0
    while stack and seen < _MAX_PARTS:
        part = stack.pop()
        seen += 1
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            stack.extend(reversed(part.get_payload()))
        else:
            yield part


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return decode_body(payload or b"", part.get_content_charset())


def _content(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        inner = part.get_payload(0)
        return inner.as_bytes() if isinstance(inner, Message | EmailMessage) else b""
    return part.get_payload(decode=True) or b""


def _file_name(part: Message) -> str:
    return _unfolded(part.get_filename() or "")


def _header(mail: Message, name: str) -> str:
    return ", ".join(_unfolded(value) for value in mail.get_all(name, []))


def _unfolded(value: object) -> str:
    """A header value as people read it: encoded words decoded, on one line. Bytes that stand
    there unencoded are taken for what they look like."""
    text = str(value)
    if "\ufffd" in text or any("\udc80" <= c <= "\udcff" for c in text):
        raw = text.encode("utf-8", "surrogateescape")
        text = decode_body(raw, None)
    with contextlib.suppress(MessageError, ValueError, LookupError, TypeError):
        text = str(make_header(decode_header(text)))
    return " ".join(text.encode("utf-8", "replace").decode().split())
