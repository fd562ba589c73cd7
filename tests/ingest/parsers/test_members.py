"""Archives and mail: their members by their own parsers, under their own names."""

import gzip
import tarfile
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import FileError
from core.types import ElementKind
from ingest.media_types import detect_media_type
from ingest.parsers.members import Members, check_member_name
from ingest.parsing import parse_file
from tests.evals.conftest import eval_data  # noqa: F401
from tests.ingest.hostile_files import WHOLE, mail, pdf, tar_member, tar_of, word, zip_of


def read(tmp_path, name, data):
    path = tmp_path / "stored"
    path.write_bytes(data)
    return parse_file(path, detect_media_type(path, name))


def told(found):
    return [(str(e.kind), e.level, e.text) for e in found.elements]


def test_members_stand_under_their_names_one_level_lower(tmp_path):
    data = zip_of(
        {"docs/a.md": "# Head\n\nwords", "b.docx": word("in Word"), "c.pdf": pdf("in PDF"), "x/": ""}
    )
    found = read(tmp_path, "all.zip", data)
    assert told(found) == [
        ("title", 1, "docs/a.md"),
        ("title", 2, "Head"),
        ("text", 0, "words"),
        ("title", 1, "b.docx"),
        ("text", 0, "in Word"),
        ("title", 1, "c.pdf"),
        ("text", 0, "in PDF"),
    ]
    assert found.title("all.zip") == "all", "the first member is not the whole"
    assert found.elements[-1].page == 1 and found.elements[-1].box is None


def test_an_archive_in_an_archive_has_one_path(tmp_path):
    inner = tar_of(tar_member("a.txt"), mode="w:gz")
    assert told(read(tmp_path, "x.zip", zip_of({"in/b.tgz": inner}))) == [
        ("title", 1, "in/b.tgz/a.txt"),
        ("text", 0, "words in a member"),
    ]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_in_each_packing(tmp_path, mode):
    data = tar_of(tar_member("资料/a.txt"), mode=mode)
    assert told(read(tmp_path, "a", data))[0] == ("title", 1, "资料/a.txt")


def test_one_packed_file_has_the_name_that_it_remembers(tmp_path):
    with (tmp_path / "notes.md.gz").open("wb") as raw, gzip.GzipFile("notes.md", "wb", fileobj=raw) as file:
        file.write(b"# Head")
    found = read(tmp_path, "x.gz", (tmp_path / "notes.md.gz").read_bytes())
    assert told(found) == [("title", 1, "notes.md"), ("title", 2, "Head")]


def test_names_from_a_chinese_windows_are_read(tmp_path):
    name = "说明.txt".encode("gbk").decode("cp437")
    data = zip_of({"aaaaaaaa.txt": "words"}).replace(b"aaaaaaaa", "说明书页".encode("gbk"))
    assert name and told(read(tmp_path, "x.zip", data))[0][2] == "说明书页.txt"


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path):
    found = read(
        tmp_path, "x.zip", zip_of({"a.bin": b"\0\1\2", "b.txt": "words", "c.txt": "", "d.pdf": b"%PDF-1"})
    )
    assert [e.text for e in found.elements] == ["b.txt", "words"]
    assert [words.split(":")[0] for _, words in found.warnings] == ["a.bin", "c.txt", "d.pdf"]
    with pytest.raises(FileError, match=r"a\.bin"):
        read(tmp_path, "x.zip", zip_of({"a.bin": b"\0\1\2"}))
    with pytest.raises(FileError, match="no members"):
        read(tmp_path, "x.zip", zip_of({"folder/": ""}))


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "..\\a", "C:\\a", "C:a", "\\\\host\\a"])
def test_names_that_lead_out_are_refused(name):
    with pytest.raises(FileError, match="leads out"):
        check_member_name(name)


@given(st.text(max_size=60))
def test_a_shown_name_is_one_printable_line(name):
    shown = Members().shown(name)
    assert shown and "\n" not in shown and shown.encode() and not any(ord(c) < 32 for c in shown)


def test_a_mail_with_html_and_an_attached_mail(tmp_path):
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "里面的信", "c@x.example"
    inner.set_content("Inner words.")
    inner.add_attachment(b"# Deep", maintype="text", subtype="markdown", filename="deep.md")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "李 <a@x.example>", "b@x.example", "合同 2024"
    message.set_content("Plain words.")
    message.add_alternative("<h1>Offer</h1><p>HTML words.</p>", subtype="html")
    message.add_attachment(inner)
    found = read(tmp_path, "x.eml", bytes(message))
    assert told(found) == [
        ("title", 1, "合同 2024"),
        (
            "text",
            0,
            "From: 李 <a@x.example>\nTo: b@x.example\nSubject: 合同 2024\nAttachments: attachment.eml",
        ),
        ("title", 2, "Offer"),
        ("text", 0, "HTML words."),
        ("title", 1, "attachment.eml"),
        ("title", 2, "里面的信"),
        ("text", 0, "From: c@x.example\nSubject: 里面的信\nAttachments: deep.md"),
        ("text", 0, "Inner words."),
        ("title", 1, "attachment.eml/deep.md"),
        ("title", 2, "Deep"),
    ]
    assert found.title("x.eml") == "合同 2024"


def test_a_body_in_gbk_is_read_by_its_charset(tmp_path):
    head = "Subject: =?gb2312?B?{}?=\nFrom: a@x.example\nContent-Type: text/plain; charset=gb2312\n\n"
    text = head.format("uqTNrA==").encode() + "保修期为二十四个月，镕。".encode("gb18030")
    assert told(read(tmp_path, "x.eml", text))[2] == ("text", 0, "保修期为二十四个月，镕。")


def test_outlook_mail(tmp_path, eval_data):  # noqa: F811
    data = (eval_data / "docling/email/sources/msg_with_attachment.msg").read_bytes()
    found = read(tmp_path, "x.msg", data)
    assert found.elements[0].text == "Email with Attachment"
    assert found.elements[1].text.startswith("From: alice@example.com (Alice Example)\nTo: Bob Example")
    assert ("title", 1, "test.txt") in told(found)
    assert found.warnings[0][1].startswith("report.pdf: it is a damaged PDF")
    for end in range(600, len(data), 1500):
        try:
            assert read(tmp_path, "x.msg", data[:end]).elements
        except FileError as error:
            assert error.code in ("corrupt", "unknown_type", "no_text")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in WHOLE if kind not in ("docx", "pdf", "html")])
def test_a_damaged_file_is_read_or_refused(tmp_path, kind):
    whole = WHOLE[kind]()

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.integers(0, len(whole) - 1), st.binary(min_size=1, max_size=6), st.integers(1, len(whole)))
    def damage(at, noise, end):
        data = (whole[:at] + noise + whole[at + len(noise) :])[:end]
        try:
            found = read(tmp_path, f"x.{kind}", data)
        except FileError as error:
            assert error.code
        else:
            assert any(e.text.strip() for e in found.elements)

    damage()


def test_a_mail_keeps_attachments_of_any_name(tmp_path):
    found = read(tmp_path, "x.eml", mail('a "b" c.txt'))
    assert [e.text for e in found.elements if e.kind is ElementKind.TITLE] == ["Greetings", 'a "b" c.txt']


def test_tar_members_that_are_no_files_are_named(tmp_path):
    found = read(tmp_path, "x.tar", tar_of(tar_member("l", tarfile.SYMTYPE, "/etc"), tar_member("a.txt")))
    assert found.warnings == (("outside_root", "l: it is a link"),)
