"""The documents against the code: what they name exists, what exists is named."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from core.settings import Settings
from tests.structure.source_tree import ROOT, tracked_files

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# Read by the page, which shares no code with the settings.
UI_VARIABLES = {"ATTEST_UI_API_URL", "ATTEST_UI_API_TOKEN"}


def read(name: str) -> str:
    path = ROOT / name
    assert path.is_file(), f"{name} is missing"
    return path.read_text(encoding="utf-8")


def commands() -> Iterator[str]:
    """`attest ask`, `attest keys create` and so on, as typed."""
    import typer

    from app.cli.main import app

    def walk(command, words: tuple[str, ...]) -> Iterator[str]:
        children = getattr(command, "commands", None)
        if not children:
            yield " ".join(words)
            return
        for name, child in children.items():
            yield from walk(child, (*words, name))

    yield from walk(typer.main.get_command(app), ("attest",))


def routes(tmp_path: Path) -> set[str]:
    """Paths of the REST API without parameters: /v1/documents/{id} counts as /v1/documents."""
    from app.api import create_app
    from app.services import Services

    api = create_app(Services(Settings(data=tmp_path)), "token")
    return {re.sub(r"/\{.*", "", path) for path in api.openapi()["paths"]}


def setting_names() -> set[str]:
    """ATTEST_SECTION__FIELD of every setting."""
    names = set()
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names.update(f"ATTEST_{name}__{inner}".upper() for inner in kind.model_fields)
        else:
            names.add(f"ATTEST_{name}".upper())
    return names


def anchor(heading: str) -> str:
    """The fragment that code forges give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def broken_links(path: Path) -> list[str]:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    broken = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        aim = (path.parent / file).resolve() if file else path
        if not aim.exists() or (fragment and aim.suffix == ".md" and fragment not in anchors(aim)):
            broken.append(target)
    return broken


def anchors(path: Path) -> set[str]:
    return {anchor(heading) for heading in HEADING.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", ".env.example"])
def test_expected_files(name):
    assert read(name).strip()


def test_readme_names_every_command():
    text = re.sub(r"\s+", " ", read("README.md"))
    found = list(commands())
    assert len(found) > 5
    assert [c for c in found if not named(c, text)] == []


def named(command: str, text: str) -> bool:
    """As `attest keys create`, or in a list: `attest keys create|list|revoke`."""
    head, _, last = command.rpartition(" ")
    return bool(re.search(rf"{re.escape(head)} (?:[\w-]+\|)*{re.escape(last)}\b", text))


def test_readme_names_no_command_that_is_not_there():
    known = {c.split()[1] for c in commands()}
    mentioned = set(re.findall(r"(?:`|^\s*(?:\$ )?)attest ([a-z][a-z-]*)", read("README.md"), re.MULTILINE))
    assert sorted(mentioned - known) == []


def test_readme_names_every_route(tmp_path):
    text = read("README.md")
    found = routes(tmp_path)
    assert "/v1/ask" in found
    assert sorted(path for path in found if path not in text) == []


def test_env_example_lists_every_setting():
    listed = set(re.findall(r"^#?\s*([A-Z][A-Z0-9_]+)=", read(".env.example"), re.MULTILINE))
    assert sorted(setting_names() - listed) == [], "settings that .env.example does not list"
    assert sorted(listed - setting_names() - UI_VARIABLES) == [], "names that are no settings"


def test_compose_example_lists_what_compose_reads():
    wanted = set(re.findall(r"\$\{(\w+):[?-]", read("docker-compose.yml")))
    listed = set(re.findall(r"^#?\s*([A-Z][A-Z0-9_]+)=", read("compose.env.example"), re.MULTILINE))
    assert wanted == listed
    assert "compose.env" in read(".gitignore")


@pytest.mark.parametrize("name", [".env.example", "compose.env.example"])
def test_examples_hold_no_secret(name):
    assert re.findall(r"^([A-Z_]*(?:PASSWORD|TOKEN|KEY|SECRET))=(\S+)", read(name), re.MULTILINE) == []


@pytest.mark.parametrize("path", tracked_files("*.md"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_resolve(path):
    assert broken_links(path) == []


def test_a_broken_link_is_seen(tmp_path):
    (tmp_path / "there.md").write_text("# A heading\n", encoding="utf-8")
    page = tmp_path / "page.md"
    links = "[a](there.md#a-heading) [b](there.md#none) [c](gone.md) [d](https://x.example/)"
    page.write_text(links, encoding="utf-8")
    assert broken_links(page) == ["there.md#none", "gone.md"]


def test_make_targets_in_the_documents_exist():
    targets = set(re.findall(r"^([a-z][a-z-]*):", read("Makefile"), re.MULTILINE)) | {"up", "serve"}
    for path in tracked_files("*.md"):
        mentioned = set(re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")))
        assert mentioned - targets == set(), path
