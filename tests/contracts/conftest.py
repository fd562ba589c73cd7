"""Fixtures of the contract tests."""

import pytest

from tests.contracts.model_server import ModelServerStandIn


@pytest.fixture
def model_server():
    """A server of the embedding and reranking protocols, new for each test."""
    server = ModelServerStandIn()
    yield server
    server.close()
