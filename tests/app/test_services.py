"""What a process lets go of when its services are closed, while somebody still holds them."""

import gc
import weakref

import pytest

from app.services import Services
from core.settings import Settings


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(_env_file=None, data=tmp_path / "data")


async def test_what_was_built_goes_and_what_was_given_stays(settings):
    given = object()
    services = Services(settings, {"embedder": given})
    built = [weakref.ref(part) for part in (services.facts(), services.keys(), services.assistants())]
    await services.aclose()
    gc.collect()
    assert [part() for part in built] == [None] * 3 and services.embedder() is given
    # Whoever asks on gets new ones.
    assert services.facts().is_enabled("ann")
    services.close()


@pytest.mark.models
async def test_models_are_freed(settings, weights_folder):
    services = Services(settings)
    assert services.retriever()
    pairs = weakref.ref(services.guard_models().pairs)
    held = [pairs, *(weakref.ref(part) for part in (services.embedder(), services.reranker()))]
    await services.aclose()
    gc.collect()
    assert [part() for part in held] == [None] * 3
