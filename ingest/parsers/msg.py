"""Mail as Outlook saves it (.msg) to elements, with its attachments.

By python-oxmsg, which only reads; attachments that are mails themselves are read from their
storage within the same file.
"""

import io
import struct
from pathlib import Path
from typing import Any, ClassVar

from core.errors import FileError
from core.types import Element
from ingest.parse_options import ParseOptions
from ingest.parsers.mail_text import decode_body, mail_elements
from ingest.parsers.media_types import MSG
from ingest.parsers.members import Members, read_container

_BODY, _HTML, _HTML_TEXT, _RTF = 0x1000, 0x1013, 0x1013, 0x1009
_SUBJECT, _TO, _CC, _HEADERS, _SENT = 0x0037, 0x0E04, 0x0E03, 0x007D, 0x0039
_SENDER_NAME, _SENDER_ADDRESS, _SENDER_SMTP, _SENT_FOR = 0x0C1A, 0x0C1F, 0x5D01, 0x0042
_FILE_NAME, _SHORT_NAME, _DISPLAY_NAME = 0x3707, 0x3704, 0x3001
_EMBEDDED = "__substg1.0_3701000D"
_TOP_OFFSET, _EMBEDDED_OFFSET = 32, 24
_MAX_ATTACHMENTS = 500


class MsgParser:
    """The parser of .msg files. After a parse `warnings` names attachments that were not read."""

    media_types: ClassVar[frozenset[str]] = frozenset({MSG})

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
        from olefile import OleFileIO
        from oxmsg.storage import Storage

        try:
            with OleFileIO(str(path)) as ole:
                storage = Storage.from_ole(ole)
            _read_mail(storage, _TOP_OFFSET, found)
        except (OSError, KeyError, IndexError, ValueError, TypeError, struct.error, AttributeError) as exc:
            raise FileError(
                f"it is not a readable Outlook mail: {exc}"[:300], code="corrupt", remedy="save it again"
            ) from exc


def _read_mail(storage: Any, offset: int, found: Members) -> None:
    fields = _Fields(storage, offset)
    attachments = list(storage.iter_attachment_storages())[:_MAX_ATTACHMENTS]
    names = [_attachment_name(attachment) for attachment in attachments]
    shown = [found.shown(name).rsplit("/", 1)[-1] for name in names]
    found.take(list(mail_elements(fields.header(storage), fields.html(), fields.plain(), shown)))
    for name, attachment in zip(names, attachments, strict=True):
        embedded = next((s for s in attachment.storages if s.name == _EMBEDDED), None)
        if embedded is not None:
            _read_embedded(embedded, name, found)
        elif (data := _attachment_bytes(attachment)) is not None:
            found.add(name, io.BytesIO(data))
        else:
            error = FileError("it is a link, its content is elsewhere", code="missing")
            found.warn(found.shown(name), error)


def _read_embedded(storage: Any, name: str, found: Members) -> None:
    inner = found.below(name)
    try:
        inner.check_depth()
        _read_mail(storage, _EMBEDDED_OFFSET, inner)
    except FileError as error:
        found.warn(found.shown(name), error)
    finally:
        found.absorb(inner)


class _Fields:
    """The properties of one message."""

    def __init__(self, storage: Any, offset: int) -> None:
        from oxmsg.properties import Properties

        self._properties = Properties(storage, properties_header_offset=offset)

    def text(self, *ids: int) -> str:
        """The first of these properties that holds text."""
        for pid in ids:
            try:
                value = self._properties.str_prop_value(pid)
            except (LookupError, UnicodeDecodeError, ValueError):
                continue
            if value and value.strip():
                return value.replace("\0", "").strip()
        return ""

    def header(self, storage: Any) -> list[tuple[str, str]]:
        """Names and values of the header lines that a reader asks about."""
        sent = self._properties.date_prop_value(_SENT)
        return [
            ("From", self._sender()),
            ("To", self.text(_TO) or ", ".join(_recipients(storage))),
            ("Cc", self.text(_CC)),
            ("Date", sent.strftime("%Y-%m-%d %H:%M %Z") if sent else ""),
            ("Subject", " ".join(self.text(_SUBJECT).split())),
        ]

    def _sender(self) -> str:
        name = self.text(_SENDER_NAME, _SENT_FOR)
        address = self.text(_SENDER_SMTP, _SENDER_ADDRESS)
        if not address or address == name or address.startswith("/"):
            return name or address
        return f"{address} ({name})" if name else address

    def html(self) -> str:
        """The HTML body, which most programs keep as bytes."""
        try:
            data = self._properties.binary_prop_value(_HTML)
        except (LookupError, ValueError):
            data = None
        if not data:
            return self.text(_HTML_TEXT)
        try:
            charset = self._properties.body_encoding
        except (LookupError, ValueError, AssertionError):
            charset = None
        return decode_body(data, charset)

    def plain(self) -> str:
        """The plain body, or the words of the RTF body when there is no other."""
        return self.text(_BODY) or self._rtf()

    def _rtf(self) -> str:
        from ingest.parsers.rtf import parse_rtf
        from ingest.parsers.rtf_unpack import unpack_rtf

        try:
            data = self._properties.binary_prop_value(_RTF)
            return "\n\n".join(e.text for e in parse_rtf(unpack_rtf(data))) if data else ""
        except (LookupError, ValueError, FileError):
            return ""


def _recipients(storage: Any) -> list[str]:
    from oxmsg.recipient import Recipient

    people = [Recipient(one) for one in list(storage.iter_recipient_storages())[:200]]
    return [text for one in people if (text := one.email_address or one.name or "")]


def _attachment_name(storage: Any) -> str:
    from oxmsg.properties import Properties

    properties = Properties(storage, properties_header_offset=8)
    for pid in (_FILE_NAME, _SHORT_NAME, _DISPLAY_NAME):
        try:
            value = properties.str_prop_value(pid)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
        if value and (name := value.replace("\0", "").strip()):
            return name
    return "attachment"


def _attachment_bytes(storage: Any) -> bytes | None:
    from oxmsg.attachment import Attachment

    try:
        return Attachment(storage).file_bytes
    except (LookupError, ValueError, AssertionError):
        return None
