"""The measurement of new collections leaves none behind."""

from bench.new_collection import measure
from core.paths import DataPaths
from retrieval.connections import open_lite


def test_both_ways_are_measured_and_nothing_stays(tmp_path):
    connection = open_lite(DataPaths(tmp_path).lite_store)
    try:
        figures = measure(connection, 1)
        assert {way: figure["runs"] for way, figure in figures.items()} == {
            "catalogue_s": 1, "pymilvus_waits_s": 1,
        }  # fmt: skip
        assert connection.client.list_collections() == []
    finally:
        connection.close()
