"""Files that mean harm, or that something went wrong with: what a folder may hold of them."""

import bz2
import gzip
import io
import json
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import docx
import pptx
from reportlab.pdfgen.canvas import Canvas

MEGABYTE = 2**20
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
XXE = '<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>'
ODT = "application/vnd.oasis.opendocument.text"
OFFICE = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
)


def zip_of(members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_of(*members: tarfile.TarInfo, data: bytes = b"words in a member", mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for info in members:
            if info.isreg():
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return buffer.getvalue()


def tar_member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def word(text: str = "A paragraph with words.") -> bytes:
    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph(text)
    document.save(buffer)
    return buffer.getvalue()


def slides() -> bytes:
    buffer = io.BytesIO()
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = "A slide"
    deck.save(buffer)
    return buffer.getvalue()


def replaced(package: bytes, name: str, prefix: str, old: bytes, new: bytes) -> bytes:
    """A package with a document type put in front of a part and a text in it replaced."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        parts = {item: archive.read(item) for item in archive.namelist()}
    head, _, rest = parts[name].partition(b"?>")
    parts[name] = head + b"?>" + prefix.encode() + rest.replace(old, new)
    return zip_of(parts)


def odt(body: str = "<text:p>Words.</text:p>", prefix: str = "") -> bytes:
    content = f"{prefix}<office:document-content {OFFICE}><office:body><office:text>{body}</office:text></office:body></office:document-content>"
    return zip_of({"mimetype": ODT, "content.xml": content})


def epub(prefix: str = "", chapter: str = "<html><body><p>Words.</p></body></html>") -> bytes:
    package = f"{prefix}<package><metadata><title>Book</title></metadata><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/></manifest><spine><itemref idref='a'/></spine></package>"
    container = "<container><rootfiles><rootfile full-path='o.opf'/></rootfiles></container>"
    return zip_of(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "o.opf": package,
            "a.xhtml": chapter,
        }
    )


def pdf(text: str = "Words on a page.") -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 700, text)
    canvas.save()
    return buffer.getvalue()


def flate_bomb_pdf(size: int = 400 * MEGABYTE) -> bytes:
    """One page whose content stream unpacks to `size` bytes."""
    packer, parts = zlib.compressobj(9), []
    for _ in range(size // MEGABYTE):
        parts.append(packer.compress(b" " * MEGABYTE))
    stream = b"".join(parts) + packer.flush()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        out
        + b"xref\n0 5\n0000000000 65535 f \n%strailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            table,
            len(out),
        )
    )


def locked_office() -> bytes:
    """What Word makes of a document with a password: an OLE file with these entries."""
    entry = "EncryptedPackage".encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 34)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0") + entry.ljust(512, b"\0")


def mail(attachment: str = "", data: bytes = b"Words of the attachment.", parts: int = 1) -> bytes:
    head = b"From: a@x.example\nTo: b@x.example\nSubject: Greetings\nMIME-Version: 1.0\n"
    if not attachment:
        return head + b"Content-Type: text/plain\n\nWords of the mail.\n"
    part = (
        b"--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename="
        + json.dumps(attachment).encode()
    )
    body = b"".join(part + b"\n\n" + data + b"\n" for _ in range(parts))
    return (
        head + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nWords of the mail.\n" + body + b"--b--\n"
    )


def deep_mail(depth: int) -> bytes:
    head = b"From: a@x.example\nSubject: deep\nMIME-Version: 1.0\n"
    for n in range(depth):
        head += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n)
    return head + b"Content-Type: text/plain\n\nWords.\n"


def nested_zip(depth: int) -> bytes:
    data = zip_of({"a.txt": "words"})
    for _ in range(depth):
        data = zip_of({"inner.zip": data, "beside.txt": "words beside"})
    return data


def wide_bomb() -> bytes:
    """Each level is small; what it unpacks to in all is not."""
    leaf = zip_of({"zeros.txt": b"0" * (7 * MEGABYTE)})
    middle = zip_of({f"{n}.zip": leaf for n in range(16)})
    return zip_of({f"{n}.zip": middle for n in range(16)})


def wide_text() -> bytes:
    """The same of ordinary text, which packs to a hundredth."""
    page = "\n".join(f"{n:x} {n * n:x} words and more words" for n in range(800))[:28_000] + "\n\n"
    leaf = zip_of({"pages.txt": page * 200})
    middle = zip_of({f"{n}.zip": leaf for n in range(16)}, zipfile.ZIP_STORED)
    return zip_of({f"{n}.zip": middle for n in range(16)}, zipfile.ZIP_STORED)


def locked_zip() -> bytes:
    """The bit that says a member is locked is set in both places."""
    data = bytearray(zip_of({"a.txt": "words", "b.txt": "words that can be read"}))
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def linked_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link.txt")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("b.txt", "words that can be read")
    return buffer.getvalue()


def png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + b"\0" * 64
    )


WHOLE: dict[str, Callable[[], bytes]] = {
    "pdf": pdf,
    "docx": word,
    "pptx": slides,
    "odt": odt,
    "epub": epub,
    "zip": lambda: zip_of({"a.txt": "words", "b.md": "# More words"}),
    "tar.gz": lambda: tar_of(tar_member("a.txt"), data=os.urandom(9000), mode="w:gz"),
    "rtf": lambda: rb"{\rtf1\ansi{\b Words} that go on and on\par {\i and on}\par}",
    "eml": lambda: mail("a.txt"),
    "json": lambda: json.dumps({"a": [{"b": "words"}] * 9}).encode(),
    "ipynb": lambda: b'{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# Words"}]}',
    "html": lambda: b"<html><body><p>Words</p><table><tr><td>a</td></tr></table></body></html>",
    "xml": lambda: b"<?xml version='1.0'?><a><b>Words</b><c>and more</c></a>",
}

HOSTILE: dict[str, Callable[[], bytes]] = {
    "bomb.zip": lambda: zip_of({"zeros.txt": b"0" * (60 * MEGABYTE), "b.txt": "words beside it"}),
    "wide-bomb.zip": wide_bomb,
    "wide-text.zip": wide_text,
    "nested.zip": lambda: nested_zip(12),
    "many-members.zip": lambda: zip_of({f"{n}.txt": "words" for n in range(3000)}),
    "bomb.tar.gz": lambda: tar_of(tar_member("zeros.txt"), data=b"0" * (150 * MEGABYTE), mode="w:gz"),
    "bomb.txt.gz": lambda: gzip.compress(b"0" * (20 * MEGABYTE)) * 20,
    "bomb.txt.bz2": lambda: bz2.compress(b"0" * (10 * MEGABYTE)) * 40,
    "flate-bomb.pdf": flate_bomb_pdf,
    "bomb.docx": lambda: zip_of({"word/document.xml": b"<a>" + b" " * (60 * MEGABYTE) + b"</a>"}),
    "xxe.docx": lambda: replaced(word("MARK"), "word/document.xml", XXE, b"MARK", b"&j;"),
    "laughs.docx": lambda: replaced(word("MARK"), "word/document.xml", LAUGHS, b"MARK", b"&j;"),
    "xxe.pptx": lambda: replaced(slides(), "ppt/slides/slide1.xml", XXE, b"A slide", b"&j;"),
    "xxe.odt": lambda: odt("<text:p>&j;</text:p>", XXE),
    "laughs.odt": lambda: odt("<text:p>&j;</text:p>", LAUGHS),
    "laughs.epub": lambda: epub(LAUGHS),
    "xxe.svg": lambda: f"<?xml version='1.0'?>{XXE}<svg><text>&j;</text></svg>".encode(),
    "laughs.xml": lambda: f"<?xml version='1.0'?>{LAUGHS}<a>&j;</a>".encode(),
    "laughs.html": lambda: f"{LAUGHS}<html><body>&j; words</body></html>".encode(),
    "repeated-cells.odt": lambda: odt(
        '<table:table><table:table-row table:number-rows-repeated="99999"><table:table-cell '
        'table:number-columns-repeated="99999"><text:p>x</text:p></table:table-cell></table:table-row></table:table>'
    ),
    "traversal.zip": lambda: zip_of(
        {"../../escaped.txt": "words", "/tmp/escaped.txt": "words", "b.txt": "words"}
    ),
    "traversal.tar": lambda: tar_of(
        tar_member("../../escaped.txt"), tar_member("/tmp/escaped.txt"), tar_member("b.txt")
    ),
    "traversal.eml": lambda: mail("../../../../tmp/escaped.txt"),
    "links.tar": lambda: tar_of(
        tar_member("link", tarfile.SYMTYPE, "/etc/passwd"),
        tar_member("hard", tarfile.LNKTYPE, "/etc/passwd"),
        tar_member("device", tarfile.CHRTYPE),
        tar_member("pipe", tarfile.FIFOTYPE),
        tar_member("b.txt"),
    ),
    "link.zip": linked_zip,
    "locked.zip": locked_zip,
    "locked.docx": locked_office,
    "zip-then-pdf.zip": lambda: zip_of({"a.pdf": pdf()}, zipfile.ZIP_STORED),
    "pdf-then-zip.pdf": lambda: pdf() + zip_of({"a.txt": "words"}),
    "page.pdf": lambda: b"<!DOCTYPE html><p>Words of a page",
    "spaces.txt": lambda: b" " * (60 * MEGABYTE),
    "too-many-spaces.txt": lambda: b" " * (100 * MEGABYTE),
    "one-line.txt": lambda: b"word " * (2 * MEGABYTE),
    "deep.json": lambda: b"[" * 200_000 + b"]" * 200_000,
    "big-number.json": lambda: b'{"n": ' + b"9" * 2_000_000 + b"}",
    "deep.html": lambda: b"<div>" * 200_000 + b"words",
    "deep.xml": lambda: b"<?xml version='1.0'?>" + b"<a>" * 100_000,
    "deep.rtf": lambda: rb"{\rtf1 " + b"{" * 200_000 + b"words",
    "deep.eml": lambda: deep_mail(3000),
    "bin.rtf": lambda: rb"{\rtf1 words \bin4294967295 x\u-99999999 \'zz}",
    "many-parts.eml": lambda: mail("a.txt", parts=5000),
    "spans.html": lambda: b"<table>" + b"<tr>" + b"<td colspan=100 rowspan=100>x" * 3000 + b"</table>",
    "brackets.md": lambda: b"[" * 100_000 + b"](" * 50_000 + b"*_" * 50_000,
    "nul.txt": lambda: b"words\0words" * 100,
    "not-utf8.txt": lambda: bytes(range(128, 256)) * 40,
    "empty.pdf": lambda: b"",
    "mark-only.txt": lambda: b"\xef\xbb\xbf",
    "huge.png": lambda: png(2**31 - 1, 2**31 - 1),
    "random.bin": lambda: os.urandom(4096),
    "ole-noise.msg": lambda: (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\xff")
        + "__properties_version1.0".encode("utf-16-le").ljust(512, b"\0")
    ),
    "na\nme.txt": lambda: b"words under a name of two lines",
    "na'me\".txt": lambda: b"words under a quoted name",
    "na\x1bme.txt": lambda: b"words under a name with a control character",
}


def write_hostile(folder: Path) -> None:
    """Puts them all there, and what is no file at all."""
    for name, make in HOSTILE.items():
        (folder / name).write_bytes(make())
    for kind, make in WHOLE.items():
        data = make()
        (folder / f"truncated.{kind}").write_bytes(data[: len(data) * 6 // 10])
    os.mkfifo(folder / "pipe.txt")
    (folder / "out.txt").symlink_to("/etc/passwd")
    (folder / "zero.txt").symlink_to("/dev/zero")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
