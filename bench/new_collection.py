"""How long a new, empty collection takes: bench/results/new_collection.json.

As the catalogue makes it, and as pymilvus makes it when it is handed the indexes with the schema and waits
for them by itself; by turns in one store. `python -m bench.new_collection` on Milvus Lite,
`--uri http://HOST:19530` on a server, of which nothing is written down. Measures nothing of what is in one.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from core.paths import DataPaths
from core.settings import MilvusSettings
from evals.record import spread, write_result
from retrieval import schema
from retrieval.catalogue import Catalogue
from retrieval.connections import Connection, connect_server, open_lite

DIMENSIONS = 384
PREFIX = "attestbench_"


def make_by_pymilvus(connection: Connection, name: str) -> None:
    """The same schema and indexes in one call of the client."""
    client, has_sparse = connection.client, connection.has_sparse
    client.create_collection(
        name,
        schema=schema.build_schema(client, DIMENSIONS, "", has_sparse),
        index_params=schema.build_indexes(client, connection.is_lite, has_sparse),
        consistency_level="Strong",
    )


def measure(connection: Connection, runs: int) -> dict:
    """Seconds of each way; what was made is dropped again."""
    catalogue, client = Catalogue(connection, PREFIX), connection.client
    taken: dict[str, list[float]] = {"catalogue": [], "pymilvus_waits": []}
    for _ in range(runs):
        begun = time.perf_counter()
        catalogue.create("bench", DIMENSIONS, "bench")
        taken["catalogue"].append(time.perf_counter() - begun)
        catalogue.drop("bench")
        begun = time.perf_counter()
        make_by_pymilvus(connection, f"{PREFIX}other")
        taken["pymilvus_waits"].append(time.perf_counter() - begun)
        client.drop_collection(f"{PREFIX}other")
    return {f"{way}_s": spread(seconds) for way, seconds in taken.items()}


def main() -> None:
    """Measures in a folder that is removed again, or on the server that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--uri", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        on_server = bool(asked.uri)
        connection = (
            connect_server(MilvusSettings(uri=asked.uri))
            if on_server
            else open_lite(DataPaths(Path(folder)).lite_store)
        )
        try:
            figures = {"store": f"Milvus {connection.version}", **measure(connection, asked.runs)}
        finally:
            connection.close()
    if on_server:
        print(json.dumps(figures, indent=1))
    else:
        write_result("new_collection", "python -m bench.new_collection", figures)


if __name__ == "__main__":
    main()
