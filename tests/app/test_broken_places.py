"""A data directory or a database that cannot be used is said in one message, not a traceback."""

import pytest
from sqlalchemy import text

from app.weights.catalogue import CATALOGUE
from app.weights.fetch import WeightsStore
from core.database import open_database
from core.errors import ServiceError, StoreError
from core.paths import DataPaths


@pytest.fixture
def plain_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"no database, " * 500)
    return path


def test_a_data_directory_that_cannot_be_made(plain_file):
    with pytest.raises(StoreError, match="cannot be made") as caught:
        DataPaths(plain_file / "data").create()
    assert "--data" in caught.value.remedy


def test_a_database_that_is_none(plain_file):
    with pytest.raises(StoreError, match="not a database"), open_database(plain_file).connect():
        pass


def test_a_statement_that_fails(tmp_path):
    engine = open_database(tmp_path / "attest.db")
    with engine.connect() as connection, pytest.raises(StoreError, match="no such table"):
        connection.execute(text("SELECT * FROM missing"))


def test_a_cache_that_cannot_be_made(plain_file):
    with pytest.raises(ServiceError, match="cannot be made") as caught:
        WeightsStore(plain_file / "models").fetch(CATALOGUE[0].name)
    assert "ATTEST_CACHE" in caught.value.remedy
