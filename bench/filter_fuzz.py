"""Searches by chance against Milvus and against plain Python, which must agree.

    python -m bench.filter_fuzz --examples 50000
    python -m bench.filter_fuzz --server http://127.0.0.1:19530 --examples 0

The bulk goes through Lite's own parser and evaluator over the file that Lite wrote; some
thousand go through the whole store, with and without a vector, and as many as the bulk
through the mirror that the store reads Lite from. With `--server` those go to
a server instead. Knows both ways of asking; the cases and the oracle are filter_cases.py.
"""

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench.filter_cases import DIMENSIONS, Case, expected, make_case, make_rows
from core.errors import InputError
from core.paths import DataPaths
from core.seams import IndexRow
from core.settings import MilvusSettings
from evals.record import write_result
from retrieval.catalogue import Catalogue
from retrieval.connections import connect_server, open_lite
from retrieval.filters import Readership, read_expression
from retrieval.store import MilvusStore

COLLECTION = "fuzz"
SEED = 20240501
AT_ONCE = 16
"""Searches at once on a server, each of which waits until all writes are seen."""
Finder = Callable[[Case], set[str]]


class Disagreement(AssertionError):
    """A search that found what it must not, or missed what it must find."""


def ask(finder: Finder, case: Case) -> set[str] | InputError:
    """What was found, or why the case was refused."""
    try:
        return finder(case)
    except InputError as exc:
        return exc


def check(rows: Sequence[IndexRow], case: Case, found: set[str] | InputError, seen: Counter) -> None:
    """Counts the case into `seen`. Raises Disagreement."""
    if isinstance(found, InputError):
        if case.valid:
            raise Disagreement(f"refused, though nothing is wrong with it: {case!r}") from found
        seen["names_refused"] += 1
        return
    if not case.valid:
        raise Disagreement(f"a name that must be refused was taken: {case!r}")
    wanted = expected(rows, case)
    if found != wanted:
        raise Disagreement(f"{case!r}: found {sorted(found - wanted)} too many, {sorted(wanted - found)} not")
    seen["searches"] += 1
    seen["rows_found"] += len(found)
    seen["found_something"] += bool(found)
    seen["rows_of_others_kept_back"] += len(rows) - len(expected(rows, Case(case.scope, (), True)))


def fill(store: MilvusStore, rows: Sequence[IndexRow]) -> None:
    """A new collection with the rows."""
    store.open_collection(COLLECTION, DIMENSIONS, "fuzz")
    store.upsert(COLLECTION, rows)


def by_evaluator(data: Path) -> Finder:
    """Lite's own parser and evaluator over the one file that it wrote."""
    import pyarrow.parquet as pq
    from milvus_lite.schema.persistence import load_schema
    from milvus_lite.search.filter import compile_filter, evaluate_mask

    schema_file = next(data.glob("milvus.db/**/schema.json"))
    loaded = load_schema(str(schema_file))
    schema = loaded[-1] if isinstance(loaded, tuple) else loaded
    (table_file,) = data.glob("milvus.db/**/*.parquet")
    table = pq.read_table(table_file)
    ids = table.column("id").to_pylist()

    def find(case: Case) -> set[str]:
        answers = []
        for readership in Readership:
            expression = read_expression(case.scope, case.where, readership)
            mask = evaluate_mask(compile_filter(expression, schema), table)
            answers.append({one for one, kept in zip(ids, mask, strict=True) if kept})
        if answers[0] != answers[1]:
            raise Disagreement(f"{case!r}: tokens and names differ")
        return answers[0]

    return find


def by_query(store: MilvusStore) -> Finder:
    """The whole store, without a vector."""
    return lambda case: {chunk.id for chunk in store.find_chunks(case.scope, case.where, 1000)}


def by_vector(store: MilvusStore, rows: Sequence[IndexRow]) -> Finder:
    """The whole store, by the dense leg."""
    return lambda case: {
        hit.chunk.id for hit in store.search_dense(case.scope, rows[0].dense, 1000, case.where)
    }


def by_terms(store: MilvusStore) -> Finder:
    """The whole store, by the lexical leg."""
    return lambda case: {
        hit.chunk.id for hit in store.search_lexical(case.scope, {7: 1.0}, 1000, case.where)
    }


def run(rows: Sequence[IndexRow], finder: Finder, examples: int, seed: int, at_once: int = 1) -> dict:
    """So many cases through one finder. Raises Disagreement at the first that fails."""
    chance, seen = random.Random(seed), Counter()
    cases = [make_case(chance, COLLECTION) for _ in range(examples)]
    started = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        answers = pool.map(partial(ask, finder), cases) if at_once > 1 else map(partial(ask, finder), cases)
        for case, found in zip(cases, answers, strict=True):
            check(rows, case, found, seen)
    return {"examples": examples, **seen, "seconds": round(time.perf_counter() - started, 1)}


def run_lite(examples: int, through_store: int, seed: int) -> dict:
    """All ways on Milvus Lite, in a folder of its own."""
    rows = make_rows(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        paths = DataPaths(Path(folder))
        paths.create()
        connection = open_lite(paths.lite_store)
        store, mirrored = MilvusStore(connection), MilvusStore(connection, mirror_chunks=len(rows))
        try:
            fill(store, rows)
            figures = {
                "query": run(rows, by_query(store), through_store, seed + 1),
                "dense": run(rows, by_vector(store, rows), through_store, seed + 2),
                "lexical": run(rows, by_terms(store), through_store, seed + 3),
                "mirror_query": run(rows, by_query(mirrored), examples, seed + 4),
                "mirror_dense": run(rows, by_vector(mirrored, rows), examples, seed + 5),
                "mirror_lexical": run(rows, by_terms(mirrored), examples, seed + 6),
            }
        finally:
            store.close()
        return {"evaluator": run(rows, by_evaluator(Path(folder)), examples, seed), **figures}


def run_server(uri: str, through_store: int, seed: int) -> dict:
    """What a server of any version can do; its collection is dropped at the end."""
    rows = make_rows(random.Random(seed))
    connection = connect_server(MilvusSettings(uri=uri))
    catalogue, store = Catalogue(connection), MilvusStore(connection)
    catalogue.drop(COLLECTION)
    catalogue.create(COLLECTION, DIMENSIONS, "fuzz")
    try:
        store.upsert(COLLECTION, rows)
        return {
            "version": connection.version,
            "query": run(rows, by_query(store), through_store, seed + 1, AT_ONCE),
            "dense": run(rows, by_vector(store, rows), through_store, seed + 2, AT_ONCE),
        }
    finally:
        store.drop_collection(COLLECTION)
        store.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=50_000, help="cases through Lite's evaluator")
    parser.add_argument("--through-store", type=int, default=2000, help="cases through each whole search")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--server", default="", help="address of a Milvus server, instead of Lite")
    given = parser.parse_args()
    if given.server:
        figures = run_server(given.server, given.through_store, given.seed)
        command = "python -m bench.filter_fuzz --server URI"
        name = "filter_fuzz_server"
    else:
        figures = run_lite(given.examples, given.through_store, given.seed)
        command = f"python -m bench.filter_fuzz --examples {given.examples}"
        name = "filter_fuzz"
    write_result(name, command, {"seed": given.seed, "disagreements": 0, **figures})


if __name__ == "__main__":
    main()
