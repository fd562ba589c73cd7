"""Cranfield and CACM: long questions over abstracts, many of them relevant.

Knows both old formats and their traps; knows nothing of searching.
"""

import html
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

from evals.beir import CorpusDocument, JudgedQuery, RetrievalSet

# Its read-me: 1 is a complete answer, 4 of minimum interest, 5 none (and not listed).
# Code -1 is explained nowhere, so its judgements are left out.
CRANFIELD_GAINS = {1: 4.0, 2: 3.0, 3: 2.0, 4: 1.0}

_RECORD = re.compile(r"^\.I +(\d+)[ \t]*$", re.MULTILINE)
_TOPIC = re.compile(r"<DOCNO>\s*(\d+)\s*</DOCNO>(.*?)</DOC>", re.DOTALL)
_PAGE = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
# What follows the text of a CACM page: who keyed it in and when, then pairs of cited pages.
_KEYED_IN = re.compile(r"^CA\d{6}[A-Z]?\b.*", re.MULTILINE | re.DOTALL)


def convert_cranfield(folder: Path) -> Iterator[RetrievalSet]:
    """Judgements count the queries from 1 in the order of the file; the numbers that stand
    in the query file itself are others."""
    documents = [_cranfield_document(number, body) for number, body in _records(folder / "cran.all.1400")]
    gains: dict[int, dict[str, float]] = {}
    for line in _read(folder / "cranqrel").splitlines():
        query, document, code = map(int, line.split())
        if code in CRANFIELD_GAINS:
            known = gains.setdefault(query, {})
            known[str(document)] = max(CRANFIELD_GAINS[code], known.get(str(document), 0.0))
    texts = [_squeezed(body.partition(".W")[2]) for _, body in _records(folder / "cran.qry")]
    queries = [JudgedQuery(str(at), text, gains[at]) for at, text in enumerate(texts, start=1) if at in gains]
    yield RetrievalSet("cranfield", documents, queries)


def convert_cacm(folder: Path) -> Iterator[RetrievalSet]:
    """Twelve of the 64 topics have no judgement and are left out."""
    documents = []
    with tarfile.open(folder / "cacm.tar.gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            if file := archive.extractfile(member):
                page = file.read().decode("latin-1")
                # The files pad their numbers with zeros, the judgements do not.
                number = int(Path(member.name).stem.removeprefix("CACM-"))
                documents.append(_cacm_document(f"CACM-{number}", page))
    gains: dict[str, dict[str, float]] = {}
    for line in _read(folder / "qrels.cacm.txt").splitlines():
        query, _, document, relevant = line.split()
        if int(relevant) > 0:
            gains.setdefault(query, {})[document] = 1.0
    topics = _TOPIC.findall(_read(folder / "topics.cacm.txt"))
    queries = [JudgedQuery(n, _squeezed(text), gains[n]) for n, text in topics if n in gains]
    yield RetrievalSet("cacm", documents, queries)


def _records(path: Path) -> Iterator[tuple[str, str]]:
    """Number and body of each `.I` record."""
    parts = _RECORD.split(_read(path))
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _cranfield_document(number: str, body: str) -> CorpusDocument:
    """The abstract repeats its title as its first sentence; once is enough."""
    title, rest = re.split(r"^\.A[ \t]*$", body.partition(".T")[2], maxsplit=1, flags=re.MULTILINE)
    # Some abstracts hold a line `.A` or `.W` of their own: only the first marks count.
    text = _squeezed(re.split(r"^\.W[ \t]*$", rest, maxsplit=1, flags=re.MULTILINE)[-1])
    title = _squeezed(title)
    return CorpusDocument(number, text.removeprefix(title).strip(), title)


def _cacm_document(identity: str, page: str) -> CorpusDocument:
    """The first paragraph is the title; abstract, date, authors and key words follow."""
    match = _PAGE.search(page)
    text = _KEYED_IN.sub("", html.unescape(match.group(1) if match else page)).strip()
    title, _, rest = text.partition("\n\n")
    return CorpusDocument(identity, rest.strip(), _squeezed(title))


def _read(path: Path) -> str:
    return path.read_text(encoding="latin-1")


def _squeezed(text: str) -> str:
    return " ".join(text.split())
