"""XML that cannot reach out or blow up, and packages (ZIP files of XML) within limits."""

import zipfile
from pathlib import Path

from lxml import etree

from core.errors import FileError

_MAX_UNPACKED_BYTES = 512 * 2**20
_MAX_XML_BYTES = 48 * 2**20


def parse_xml(data: bytes) -> etree._Element:
    """The root of an XML document. Entities of its own are refused, nothing is loaded.

    Raises:
        FileError: `corrupt`, or `unsafe` when it defines entities.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise FileError(f"it is damaged XML: {exc}", code="corrupt", remedy="save it again") from exc
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise FileError("it defines XML entities of its own", code="unsafe", remedy="save it without a DTD")
    return root


def open_package(path: Path, what: str) -> zipfile.ZipFile:
    """Opens a package whose parts unpack to what memory can hold.

    Raises:
        FileError: `corrupt` or `too_large`.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as exc:
        raise FileError(f"it is a damaged {what}", code="corrupt", remedy="save it again") from exc
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    largest_xml = max((p.file_size for p in parts if p.filename.endswith((".xml", ".rels"))), default=0)
    if unpacked > _MAX_UNPACKED_BYTES or largest_xml > _MAX_XML_BYTES:
        archive.close()
        raise FileError(
            f"it unpacks to {unpacked // 2**20} MB",
            code="too_large",
            remedy="split it or remove its pictures",
        )
    return archive


def read_part(archive: zipfile.ZipFile, name: str, what: str) -> bytes:
    """The bytes of a part.

    Raises:
        FileError: `corrupt` when it is not there or damaged, `encrypted`.
    """
    try:
        if archive.getinfo(name).flag_bits & 1:
            raise FileError("it is locked with a password", code="encrypted", remedy="save it without one")
        return archive.read(name)
    except KeyError as exc:
        raise FileError(f"this {what} has no {name}", code="corrupt", remedy="save it again") from exc
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as exc:
        raise FileError(f"it is a damaged {what}: {exc}", code="corrupt", remedy="save it again") from exc
