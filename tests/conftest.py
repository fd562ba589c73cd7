"""What holds for all tests: the order in which they run, and that nothing reports home.

Knows the marks of pyproject.toml. Fixtures belong to the folder that uses them.
"""

import os
from importlib.util import find_spec

import pytest
from hypothesis import settings

# Read by libraries when they are first imported, hence not in a fixture.
os.environ.setdefault("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "false")
os.environ.setdefault("LANGSMITH_TRACING", "false")
# A language model of a gigabyte is loaded by the tests that are about it alone.
os.environ.setdefault("ATTEST_GUARD__PROBES", "off")

# A loaded machine is slow at times; a speed is measured in bench/, not in a test.
settings.register_profile("attest", deadline=None)
# The same examples at each run: what CI says of a change depends on the change alone.
settings.register_profile("attest-ci", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "attest"))

COST_OF_MARK = {"slow": 1, "models": 2, "torch": 2, "ray": 2, "browser": 3}
NO_TORCH = "PyTorch or sentence-transformers is not installed here: make test-models"
NO_RAY = "Ray is not installed here: make install-ray"


def cost(item: pytest.Item) -> int:
    """0 for the quick tests, more for those that take longer or need more."""
    return max((COST_OF_MARK.get(mark.name, 0) for mark in item.iter_markers()), default=0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick tests first, so that an error shows early. Order is kept otherwise."""
    items.sort(key=cost)
    for item in items:
        if item.get_closest_marker("browser"):
            # A browser is not ours, nor is the machine (docs/decisions/050-steady-tests.md).
            item.add_marker(pytest.mark.flaky(reruns=1))
    if find_spec("torch") is None or find_spec("sentence_transformers") is None:
        for item in items:
            if item.get_closest_marker("torch"):
                item.add_marker(pytest.mark.skip(reason=NO_TORCH))
    if find_spec("ray") is None:
        for item in items:
            if item.get_closest_marker("ray"):
                item.add_marker(pytest.mark.skip(reason=NO_RAY))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def weights_folder():
    """The user's cache of model weights. Missing weights are a failure, not a skip: a test
    that never runs proves nothing."""
    from app.weights.fetch import WeightsStore
    from core.paths import weights_dir
    from core.settings import load_settings

    store = WeightsStore(weights_dir(load_settings().cache))
    missing = [s.weights.name for s in store.status() if s.weights.default and not s.present]
    if missing:
        pytest.fail(f"weights missing: {', '.join(missing)}; run: attest models fetch")
    return store.folder


@pytest.fixture(scope="session")
def built_in_embedder(weights_folder):
    """The real embedder, loaded once."""
    from retrieval.embedders.e5 import E5Embedder

    return E5Embedder(weights_folder)


@pytest.fixture(scope="session")
def pair_reader(weights_folder):
    """The real reader of pairs, loaded once."""
    from retrieval.pairs.reader import AdaptedReader

    return AdaptedReader(weights_folder)


@pytest.fixture(scope="session")
def probe_reader(weights_folder):
    """The real reader of a language model's states, loaded once."""
    from app.model_server.process import prepare_in_child
    from app.weights.catalogue import BUILT_IN_CHAT
    from retrieval.probes.reader import StateReader

    return StateReader(lambda: prepare_in_child(weights_folder / BUILT_IN_CHAT.file_name))


@pytest.fixture(scope="session")
def guard_models(built_in_embedder, pair_reader):
    """What guards read with, as in use."""
    from agents.guards.building import GuardModels

    return GuardModels(built_in_embedder, pair_reader)


@pytest.fixture(scope="session")
async def chat_model(weights_folder):
    """The real small chat model in its own process, started once."""
    from app.chat_models import build_chat_model
    from core.settings import ChatSettings

    model = build_chat_model(ChatSettings(), weights_folder)
    yield model
    await model.close()


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server of these tests alone."""
    from tests.postgres_server import MISSING, find_binaries, running_server

    binaries = find_binaries()
    if binaries is None:
        pytest.skip(MISSING)
    with running_server(binaries) as server:
        yield server


@pytest.fixture
def postgres(postgres_server):
    """An empty database of it."""
    from core.database import open_server
    from tests.postgres_server import PASSWORD

    engine = open_server(postgres_server.new_database(), PASSWORD)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path):
    """An empty SQLite database."""
    from core.database import open_database

    engine = open_database(tmp_path / "attest.db")
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    """An empty database of each kind in turn."""
    return request.getfixturevalue(request.param)
