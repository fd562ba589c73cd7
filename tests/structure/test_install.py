"""What an installation is made of: the locks, the exclusions, the wheel."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.structure.source_tree import PACKAGES, ROOT, product_files

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock", "requirements-ray.lock")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
TOO_HEAVY = re.compile(r"^(torch|nvidia-.*|triton|tensorflow|onnxruntime|xllamacpp|vllm|ray|cuda-.*)$")
# What an excluded distribution is called when it is imported.
MODULE_OF = {"faiss-cpu": "faiss"}

USE_WHAT_WE_USE = """
import importlib.abc, json, sys, tempfile
blocked = set(json.loads(sys.argv[1]))

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())

import openvino, openvino_genai
openvino.Core().available_devices
import langgraph.graph, langgraph.prebuilt, langgraph.checkpoint.serde.jsonplus
import numpy
from pathlib import Path
from docx import Document
from ingest.parsers.docx import DocxParser
document = Document()
document.add_heading("Title", 1)
document.add_paragraph("A sentence of some length stands here.")
document.add_table(1, 2)
folder = tempfile.TemporaryDirectory()
document.save(folder.name + "/file.docx")
assert len(DocxParser().parse(Path(folder.name, "file.docx"))) >= 2

from pymilvus import DataType, MilvusClient
client = MilvusClient(folder.name + "/store.db")
schema = client.create_schema(auto_id=False)
schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=64)
schema.add_field("dense", DataType.FLOAT_VECTOR, dim=8)
schema.add_field("lexical", DataType.SPARSE_FLOAT_VECTOR)
indexes = client.prepare_index_params()
indexes.add_index("dense", index_type="FLAT", metric_type="IP")
indexes.add_index("lexical", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
client.create_collection("c", schema=schema, index_params=indexes)
rows = numpy.eye(8, dtype="float32")
client.insert("c", [{"id": str(i), "dense": rows[i].tolist(), "lexical": {i: 1.0}} for i in range(8)])
client.flush("c")
assert client.search("c", [rows[3].tolist()], anns_field="dense", limit=1)[0][0]["id"] == "3"
assert client.search("c", [{5: 1.0}], anns_field="lexical", limit=1)[0][0]["id"] == "5"

from streamlit.testing.v1 import AppTest
page = "import streamlit as st; st.chat_input('question'); st.dataframe([{'a': 1}]); st.file_uploader('file')"
assert not AppTest.from_string(page).run(timeout=60).exception
print("used:", len(blocked))
"""


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / lock).read_text(encoding="utf-8")))


def excluded() -> set[str]:
    lines = (ROOT / "excludes.txt").read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text)
    pinned = [entry for entry in entries if PIN.match(entry)]
    assert pinned
    assert [entry.split()[0] for entry in pinned if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_machine(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links|(^|\s)/\w+/", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_heavy(lock):
    allowed = {"ray"} if lock == "requirements-ray.lock" else set()
    assert {name for name in pins(lock) if TOO_HEAVY.match(name)} == allowed


def test_ray_goes_beside_the_other_locks():
    """What several locks hold has one version: they are installed one on the other."""
    ray, dev = pins("requirements-ray.lock"), pins("requirements-dev.lock")
    assert {name: version for name, version in ray.items() if dev.get(name, version) != version} == {}
    extras = project()["optional-dependencies"]
    for line in [*extras["ray"], *extras["postgres"]]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(ray[canonicalize_name(requirement.name)])


def test_what_is_excluded_stays_out():
    assert excluded()
    assert excluded() & (set(pins("requirements.lock")) | set(pins("requirements-dev.lock"))) == set()


def test_locks_satisfy_the_project():
    wanted = project()["dependencies"]
    dev = project()["optional-dependencies"]["dev"]
    for lock, requirements in (("requirements.lock", wanted), ("requirements-dev.lock", wanted + dev)):
        locked = pins(lock)
        for line in requirements:
            requirement = Requirement(line)
            version = locked.get(canonicalize_name(requirement.name))
            assert version, f"{requirement.name} is not in {lock}: run make lock"
            assert requirement.specifier.contains(version), f"{lock}: run make lock"


def test_what_is_imported_is_asked_for():
    """No distribution is used only because another one happens to bring it."""
    asked = {canonicalize_name(Requirement(line).name) for line in all_requirements()}
    distributions = packages_distributions()
    missing = set()
    for file in product_files():
        for name in third_party(file.tree):
            owners = distributions.get(name, [name])
            if not {canonicalize_name(owner) for owner in owners} & asked:
                missing.add(f"{file.name}: {name}")
    assert sorted(missing) == []


def all_requirements() -> list[str]:
    extras = project()["optional-dependencies"]
    return [*project()["dependencies"], *(line for lines in extras.values() for line in lines)]


def third_party(tree: ast.Module) -> set[str]:
    """Top-level names of imported modules that are neither Python's nor ours."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - set(PACKAGES)


def test_development_has_the_versions_of_the_product():
    product, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: development.get(name) for name in product} == product


@pytest.mark.slow
def test_the_excluded_are_never_needed():
    """Their parents are imported and used, as we use them, with the excluded modules blocked."""
    blocked = sorted(MODULE_OF.get(name, name.replace("-", "_")) for name in excluded())
    result = subprocess.run(
        [sys.executable, "-c", USE_WHAT_WE_USE, json.dumps(blocked)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.splitlines()[-1] == f"used: {len(blocked)}"


@pytest.mark.slow
def test_the_wheel_is_complete(tmp_path):
    """Code and data of all packages, and the command."""
    source = tmp_path / "source"
    source.mkdir()
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in files:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    code = "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=source, capture_output=True, text=True, timeout=180
    )
    assert built.returncode == 0, built.stderr[-3000:]
    (wheel,) = tmp_path.glob("attest-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    ours = tuple(f"{package}/" for package in PACKAGES)
    expected = {name for name in files if name.startswith(ours) and (ROOT / name).is_file()}
    assert sorted(expected - held) == []
    assert not any(name.startswith(("tests/", "samples/", "docs/", "bench/")) for name in held)
    assert any(name.endswith("entry_points.txt") for name in held)
