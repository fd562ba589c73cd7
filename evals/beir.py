"""The BEIR layout: a corpus, queries and judgements in one folder.

    corpus.jsonl     {"_id", "title", "text"}          title may be missing
    queries.jsonl    {"_id", "text"}                   metadata.subset may name a part
    qrels/test.tsv   query-id  corpus-id  score        with or without the header line
    pools.jsonl      {"query-id", "corpus-ids"}        optional: what a query may choose from

Knows files and what can be wrong with them; knows nothing of searching or measuring.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError

CORPUS, QUERIES, QRELS, POOLS = "corpus.jsonl", "queries.jsonl", "qrels/test.tsv", "pools.jsonl"
QRELS_HEADER = "query-id\tcorpus-id\tscore"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    """One document of a corpus."""

    id: str
    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query with what is relevant to it: `gains` above 0 by document id. `pool` is empty
    when the query chooses from the whole corpus; `subset` names the part of the queries
    that it is also reported with."""

    id: str
    text: str
    gains: Mapping[str, float]
    subset: str = ""
    pool: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """A corpus and the queries judged over it. `unjudged` counts the queries that were left
    out because nothing is relevant to them."""

    name: str
    documents: Sequence[CorpusDocument]
    queries: Sequence[JudgedQuery]
    unjudged: int = 0
    judgements: int = field(default=0)


def read_retrieval_set(folder: Path) -> RetrievalSet:
    """A folder in the BEIR layout.

    Raises:
        InputError: a file is missing or broken; names the file, the line and the fault.
    """
    documents = read_corpus(folder / CORPUS)
    known = {document.id for document in documents}
    texts = dict(_read_queries(folder / QUERIES))
    gains = _read_qrels(folder / QRELS, known, texts.keys())
    pools = _read_pools(folder / POOLS, known, texts.keys())
    queries = [
        JudgedQuery(query, text, gains[query], subset, pools.get(query, frozenset()))
        for query, (text, subset) in texts.items()
        if gains.get(query)
    ]
    if not queries:
        raise InputError(
            f"{folder} has no judged query", remedy=f"{QRELS} must give a score above 0 to some document"
        )
    total = sum(len(query.gains) for query in queries)
    name = folder.resolve().name
    return RetrievalSet(name, documents, queries, len(texts) - len(queries), total)


def read_corpus(path: Path) -> list[CorpusDocument]:
    """The documents of one corpus file, in its order; a document without text is kept.

    Raises:
        InputError: the file is missing or broken, or an id stands there twice.
    """
    documents: list[CorpusDocument] = []
    lines: dict[str, int] = {}
    for number, row in _rows(path):
        identity, text = _id_of(row, "_id", path, number), _text_of(row, path, number)
        _refuse_double(lines, identity, path, number)
        title = row.get("title")
        documents.append(CorpusDocument(identity, text, title if isinstance(title, str) else ""))
    if not documents:
        raise InputError(f"{path} holds no document", remedy='each line is {"_id", "title", "text"}')
    return documents


def write_retrieval_set(folder: Path, data: RetrievalSet) -> None:
    """Writes a set in the layout that `read_retrieval_set` reads; existing files are replaced."""
    (folder / QRELS).parent.mkdir(parents=True, exist_ok=True)
    _write_jsonl(folder / CORPUS, ({"_id": d.id, "title": d.title, "text": d.text} for d in data.documents))
    _write_jsonl(folder / QUERIES, (_query_row(query) for query in data.queries))
    lines = [f"{query.id}\t{doc}\t{gain:g}" for query in data.queries for doc, gain in query.gains.items()]
    (folder / QRELS).write_text("\n".join([QRELS_HEADER, *lines]) + "\n", encoding="utf-8")
    (folder / POOLS).unlink(missing_ok=True)
    if pooled := [query for query in data.queries if query.pool]:
        rows = ({"query-id": query.id, "corpus-ids": sorted(query.pool)} for query in pooled)
        _write_jsonl(folder / POOLS, rows)


def _query_row(query: JudgedQuery) -> dict:
    row = {"_id": query.id, "text": query.text}
    return {**row, "metadata": {"subset": query.subset}} if query.subset else row


def _write_jsonl(path: Path, rows) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _read_queries(path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Id, then text and subset."""
    lines: dict[str, int] = {}
    for number, row in _rows(path):
        identity = _id_of(row, "_id", path, number)
        _refuse_double(lines, identity, path, number)
        metadata = row.get("metadata")
        subset = metadata.get("subset", "") if isinstance(metadata, dict) else ""
        yield identity, (_text_of(row, path, number), str(subset))


def _read_qrels(path: Path, documents, queries) -> dict[str, dict[str, float]]:
    """Gains above 0 by query and document. Tabs or blanks; the four columns of TREC too."""
    gains: dict[str, dict[str, float]] = {}
    scores: dict[tuple[str, str], float] = {}
    for number, line in _lines(path):
        columns = line.split("\t") if "\t" in line else line.split()
        columns = [column.strip() for column in columns]
        if not scores and columns[-1].casefold() in ("score", "rel", "relevance"):
            continue
        if len(columns) not in (3, 4):
            raise _fault(path, number, f"{len(columns)} columns", "query-id, corpus-id, score, by tabs")
        query, document, score = columns[0], columns[-2], _score(columns[-1], path, number)
        if query not in queries:
            raise _fault(path, number, f"an unknown query {query!r}", f"add it to {QUERIES}")
        if document not in documents:
            raise _fault(path, number, f"an unknown document {document!r}", f"add it to {CORPUS}")
        if scores.setdefault((query, document), score) != score:
            raise _fault(path, number, f"a second score for {query!r} and {document!r}", "keep one")
        if score > 0:
            gains.setdefault(query, {})[document] = score
    return gains


def _read_pools(path: Path, documents, queries) -> dict[str, frozenset[str]]:
    if not path.exists():
        return {}
    pools: dict[str, frozenset[str]] = {}
    for number, row in _rows(path):
        query = _id_of(row, "query-id", path, number)
        if query not in queries:
            raise _fault(path, number, f"an unknown query {query!r}", f"add it to {QUERIES}")
        ids = row.get("corpus-ids")
        if not isinstance(ids, list) or not ids:
            raise _fault(path, number, "no list corpus-ids", "name the documents of the pool")
        pool = frozenset(str(identity) for identity in ids)
        if unknown := sorted(pool - documents):
            raise _fault(path, number, f"an unknown document {unknown[0]!r}", f"add it to {CORPUS}")
        pools[query] = pool
    return pools


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 with what is not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise InputError(f"there is no {path}", remedy="see docs/evaluation.md for the layout") from exc
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror}", remedy="mend its rights") from exc
    except UnicodeDecodeError as exc:
        raise InputError(
            f"{path} is not UTF-8: {exc.reason} at byte {exc.start}", remedy="convert it"
        ) from exc
    # Not splitlines: a JSON text may hold U+2028 and its kind as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _rows(path: Path) -> Iterator[tuple[int, dict]]:
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as exc:
            raise _fault(path, number, f"no JSON ({exc.msg})", "one JSON object a line") from exc
        if not isinstance(row, dict):
            raise _fault(path, number, "no JSON object", "one JSON object a line")
        if any(isinstance(value, str) and _SURROGATE.search(value) for value in row.values()):
            raise _fault(path, number, "half a character (a lone surrogate)", "mend the text")
        yield number, row


def _id_of(row: Mapping, key: str, path: Path, number: int) -> str:
    """Ids are strings; numbers are taken as their digits."""
    identity = row.get(key)
    if isinstance(identity, bool) or not isinstance(identity, str | int) or identity == "":
        raise _fault(path, number, f"no {key}", f"give each line a {key}")
    return str(identity)


def _text_of(row: Mapping, path: Path, number: int) -> str:
    if not isinstance(row.get("text"), str):
        raise _fault(path, number, "no text", 'give each line a "text"')
    return row["text"]


def _score(text: str, path: Path, number: int) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise _fault(path, number, f"the score {text!r}, which is no number", "write 1, or the grade")
    return score


def _refuse_double(lines: dict[str, int], identity: str, path: Path, number: int) -> None:
    if identity in lines:
        raise _fault(path, number, f"the id {identity!r} of line {lines[identity]} again", "ids are unique")
    lines[identity] = number


def _fault(path: Path, number: int, fault: str, remedy: str) -> InputError:
    return InputError(f"{path}:{number} has {fault}", remedy=remedy)
