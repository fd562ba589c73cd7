"""Which files are read, under what name, and why others are not."""

import hashlib
import os
import zipfile

import pytest

from core.errors import InputError
from ingest.discover import FoundFile, RefusedFile, find_candidates, inspect_file
from ingest.parsers.media_types import DOCX, EML, EPUB, JSON, ODT, PPTX, RTF, XML, ZIP

MEGABYTE = 2**20


def inspect(*sources, root=None, limit=MEGABYTE):
    return [inspect_file(c, limit) for c in find_candidates(sources, root)]


def refusal(path):
    [found] = inspect(path)
    assert isinstance(found, RefusedFile)
    return found.error.code


def test_folders_are_walked_in_order_and_hidden_files_are_not(tmp_path):
    for name in ("b.txt", "a.md", ".hidden.md", "sub/c.txt", ".git/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("words")
    found = inspect(tmp_path, tmp_path / "a.md")
    assert [f.name for f in found] == ["a.md", "b.txt", "c.txt"]
    assert found[0].uri == (tmp_path / "a.md").resolve().as_posix()
    assert found[0].sha256 == hashlib.sha256(b"words").hexdigest()


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.txt", b"%PDF-1.4 x", "application/pdf"),
        ("a.md", b"# x", "text/markdown"),
        ("a", "中文".encode("gbk") * 9, "text/plain"),
        ("a.txt", b"\n<!DOCTYPE html><p>x", "text/html"),
        ("a.htm", b"x", "text/html"),
        ("a.txt", "words".encode("utf-16"), "text/plain"),
    ],
)
def test_the_content_decides_the_kind(tmp_path, name, data, kind):
    (tmp_path / name).write_bytes(data)
    [found] = inspect(tmp_path)
    assert isinstance(found, FoundFile) and found.media_type == kind


@pytest.mark.parametrize(
    ("member", "content", "kind"),
    [
        ("word/document.xml", "x", DOCX),
        ("ppt/presentation.xml", "x", PPTX),
        ("mimetype", "application/vnd.oasis.opendocument.text", ODT),
        ("mimetype", "application/epub+zip", EPUB),
        ("other.txt", "x", ZIP),
        ("first.pdf", "%PDF-1.4", ZIP),
    ],
)
def test_the_members_of_an_archive_say_what_it_is(tmp_path, member, content, kind):
    with zipfile.ZipFile(tmp_path / "a.bin", "w") as archive:
        archive.writestr(member, content)
    [found] = inspect(tmp_path)
    assert found.media_type == kind


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.bin", b"{\\rtf1 x}", RTF),
        ("a.txt", b"{\\rtf1 x}", RTF),
        ("a.json", b"[1]", JSON),
        ("a", b'{"a": 1}', JSON),
        ("a.txt", b'{"a": 1}', "text/plain"),
        ("a.eml", b"Subject: x\n\ny", EML),
        ("a", b"From: a@b.example\nMIME-Version: 1.0\nSubject: x\n\ny", EML),
        ("a.md", b"From: here\nReceived: there\nMIME-Version: 1.0\n", "text/markdown"),
        ("a.txt", b"From: here\nTo: there\n\nA letter.", "text/plain"),
        ("a.xml", b"<a>x</a>", XML),
        ("a", b"<?xml version='1.0'?><a>x</a>", XML),
        ("a.xml", b"<?xml version='1.0'?><html><p>x</p></html>", "text/html"),
    ],
)
def test_kinds_of_text(tmp_path, name, data, kind):
    (tmp_path / name).write_bytes(data)
    [found] = inspect(tmp_path)
    assert found.media_type == kind


def test_a_list_of_members_that_would_fill_the_memory_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(1000):
            archive.writestr(f"{'x' * 5000}{number}", "")
    assert refusal(tmp_path) == "too_large"


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty"), (b" \n", "empty"), (b"\x89PNG\0\0", "unknown_type"), (b"PK\x03\x04", "corrupt")],
)
def test_what_cannot_be_read_has_a_code(tmp_path, data, code):
    (tmp_path / "a.txt").write_bytes(data)
    assert refusal(tmp_path) == code


def test_the_size_limit_holds(tmp_path):
    (tmp_path / "a.txt").write_text("x" * 100)
    [found] = inspect(tmp_path, limit=99)
    assert found.error.code == "too_large"
    assert isinstance(inspect(tmp_path, limit=100)[0], FoundFile)


def test_links_that_lead_out_are_refused(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (inside / "file.txt").symlink_to(outside / "secret.txt")
    (inside / "folder").symlink_to(outside)
    (inside / "real.txt").write_text("words")
    (inside / "twin.txt").symlink_to(inside / "real.txt")
    (inside / "dangling.txt").symlink_to(inside / "gone.txt")
    found = {f.name: f for f in inspect(inside)}
    assert {n: f.error.code for n, f in found.items() if isinstance(f, RefusedFile)} == {
        "file.txt": "outside_root",
        "folder": "outside_root",
        "dangling.txt": "missing",
    }
    assert [n for n, f in found.items() if isinstance(f, FoundFile)] == ["real.txt"]


def test_a_root_fences_single_files_too(tmp_path):
    (tmp_path / "a.txt").write_text("words")
    (tmp_path / "in").mkdir()
    [found] = inspect(tmp_path / "a.txt", root=tmp_path / "in")
    assert found.error.code == "outside_root"


def test_no_source_at_all_is_the_callers_fault(tmp_path):
    with pytest.raises(InputError, match="gone"):
        find_candidates([tmp_path / "gone"], None)
    (tmp_path / "a.txt").write_text("words")
    codes = [
        f.error.code for f in inspect(tmp_path / "gone", tmp_path / "a.txt") if isinstance(f, RefusedFile)
    ]
    assert codes == ["missing"]


def test_a_name_that_is_no_utf8_is_refused(tmp_path):
    (tmp_path / "good.txt").write_text("words")
    with open(os.fsencode(tmp_path) + b"/\xff.txt", "wb") as file:
        file.write(b"words")
    bad, good = sorted(inspect(tmp_path), key=lambda found: found.name == "good.txt")
    assert (bad.error.code, bad.name) == ("bad_name", "\\xff.txt")
    assert bad.uri.encode() and isinstance(good, FoundFile)
