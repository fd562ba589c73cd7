"""What holds for all tests: the order in which they run, and that nothing reports home.

Knows the marks of pyproject.toml. Fixtures belong to the folder that uses them.
"""

import os

import pytest

# Read by libraries when they are first imported, hence not in a fixture.
os.environ.setdefault("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "false")
os.environ.setdefault("LANGSMITH_TRACING", "false")

COST_OF_MARK = {"slow": 1, "models": 2, "browser": 3}


def cost(item: pytest.Item) -> int:
    """0 for the quick tests, more for those that take longer or need more."""
    return max((COST_OF_MARK.get(mark.name, 0) for mark in item.iter_markers()), default=0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick tests first, so that an error shows early. Order is kept otherwise."""
    items.sort(key=cost)


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the product does."""
    return "asyncio"
