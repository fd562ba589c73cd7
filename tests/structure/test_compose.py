"""The shape of docker-compose.yml and Dockerfile: what can be checked without an engine."""

import re

import pytest
import yaml

from tests.structure.source_tree import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES = COMPOSE["services"]
OURS = ("api", "ui")
STORE = ("etcd", "minio", "milvus")
SECRET = re.compile(r"\$\{\w+:\?[^}]+\}")
SECRET_NAMES = re.compile(r"PASSWORD|TOKEN|SECRET|ROOT_USER|ACCESS_KEY|API_KEY")


def environment(name: str) -> dict[str, str]:
    return {key: str(value) for key, value in SERVICES[name].get("environment", {}).items()}


def ports(name: str) -> list[str]:
    return SERVICES[name].get("ports", [])


def test_services():
    assert set(SERVICES) == {*STORE, "vllm", *OURS}
    assert SERVICES["vllm"]["profiles"] == ["gpu"]
    assert all("profiles" not in SERVICES[name] for name in (*STORE, *OURS))


@pytest.mark.parametrize("name", [*STORE, "vllm"])
def test_images_are_pinned(name):
    tag = SERVICES[name]["image"].rpartition(":")[2]
    assert re.match(r"v\d+\.\d+\.\d+$|RELEASE\.\d{4}-\d\d-\d\dT", tag), tag


def test_vllm_runs_as_it_was_tried():
    from bench.vllm_cpu.server import FLAGS

    tried = (ROOT / "bench" / "vllm_cpu" / "requirements.txt").read_text(encoding="utf-8")
    version = SERVICES["vllm"]["image"].rpartition(":v")[2]
    assert f"vllm-cpu=={version}\n" in tried
    assert set(FLAGS) <= set(SERVICES["vllm"]["command"])
    page = (ROOT / "docs" / "chat-models.md").read_text(encoding="utf-8")
    assert [flag for flag in FLAGS if flag.replace("={", "='{") not in page] == []


def test_milvus_line():
    assert re.match(r"milvusdb/milvus:v2\.6\.\d+$", SERVICES["milvus"]["image"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_watched(name):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD" and {"interval", "timeout", "retries"} <= set(check)
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_who_waits_for_whom():
    waits = {
        name: {on: how["condition"] for on, how in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    healthy = "service_healthy"
    assert waits["milvus"] == {"etcd": healthy, "minio": healthy}
    assert waits["api"] == {"milvus": healthy, "vllm": healthy}
    assert waits["ui"] == {"api": healthy}
    assert SERVICES["api"]["depends_on"]["vllm"]["required"] is False, "vllm is there with --profile gpu only"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_data_lies_in_named_volumes(name):
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"], f"{source} is not a named volume"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_come_from_outside_and_have_no_default(name):
    for key, value in environment(name).items():
        if SECRET_NAMES.search(key):
            assert SECRET.search(value), f"{name}.{key} must be ${{NAME:?message}}"


def test_no_well_known_password():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert "minioadmin" not in text
    assert "root:Milvus" not in text


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_published_on_this_machine_alone(name):
    assert all(str(port).startswith("127.0.0.1:") for port in ports(name))


def test_what_is_published():
    published = {port.rpartition(":")[2] for name in SERVICES for port in ports(name)}
    assert published == {"8765", "8766"}, "the store, vLLM and Milvus' metrics (9091) stay inside"


def test_milvus_demands_a_login():
    given = environment("milvus")
    assert given["COMMON_SECURITY_AUTHORIZATIONENABLED"] == "true"
    assert SECRET.fullmatch(given["COMMON_SECURITY_DEFAULTROOTPASSWORD"])


def test_the_store_has_no_way_out():
    assert COMPOSE["networks"]["store"]["internal"] is True
    assert all(SERVICES[name]["networks"] == ["store"] for name in STORE)
    assert "store" not in SERVICES["ui"]["networks"]


@pytest.mark.parametrize("name", OURS)
def test_ours_run_with_few_rights(name):
    service = SERVICES[name]
    assert service["build"] == "."
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service["user"].startswith("0")


def test_every_attest_variable_is_a_setting():
    from core.settings import Settings

    for name in OURS:
        for key in environment(name):
            if key.startswith("ATTEST_") and not key.startswith("ATTEST_UI_API"):
                section, _, field = key.removeprefix("ATTEST_").lower().partition("__")
                assert section in Settings.model_fields, key
                assert field in Settings.model_fields[section].annotation.model_fields, key


def test_the_page_reads_the_address_that_compose_gives():
    assert environment("ui")["ATTEST_UI_API_URL"] == "http://api:8765"
    assert "ATTEST_UI_API_URL" in (ROOT / "ui" / "state.py").read_text(encoding="utf-8")


def test_image_is_small_and_unprivileged():
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(stages) == 2 and all(re.match(r"python:3\.\d+-slim", stage) for stage in stages)
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)
    assert users and not users[-1].startswith(("0", "root"))
    assert "HEALTHCHECK" in DOCKERFILE
    assert DOCKERFILE.count("--require-hashes") == 2


def test_image_holds_every_package():
    from tests.structure.source_tree import PACKAGES

    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for package in PACKAGES:
        assert f"COPY {package} {package}" in DOCKERFILE
        assert f"!{package}" in kept
