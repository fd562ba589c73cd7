"""A corpus on its way into the index: distractors, ids, and when a kept index still fits."""

import json

import pytest

from core.errors import ConflictError, InputError
from core.settings import IngestSettings, Settings
from evals.beir import CorpusDocument
from evals.indexing import (
    MEMO,
    Corpus,
    KeptIndex,
    add_distractors,
    code_fingerprint,
    corpus_files,
    settings_fingerprint,
    write_corpus,
    write_path_files,
)

TABLE = "| a | b |\n| --- | --- |\n" + "\n".join(f"| row {n} | {n * n} |" for n in range(80))


class WrittenIndex:
    """Keeps what is written, by document id. A token is four characters."""

    fingerprint = "embedder 1"

    def __init__(self):
        self.written = {}
        self.open = []
        self.refuses = ""

    def drop_collection(self, collection):
        self.open.remove(collection)
        return True

    def open_collection(self, collection):
        self.open.append(collection)

    def collections(self):
        return self.open

    def count_tokens(self, text):
        return len(text) // 4 + 1

    def write_document(self, document, chunks):
        assert document.collection in self.open
        if document.uri == self.refuses:
            raise InputError("its text is too long")
        self.written[document.id] = (document, chunks)


def indexed(corpus: Corpus, index: WrittenIndex):
    return write_corpus(index, "made", corpus, IngestSettings(), lambda text: None)


def by_uri(index: WrittenIndex) -> dict:
    return {document.uri: (document, chunks) for document, chunks in index.written.values()}


def test_documents_go_the_way_of_the_ingest():
    index = WrittenIndex()
    documents = [
        CorpusDocument("short", "One sentence.", "Its title"),
        CorpusDocument("long", "\n\n".join(f"Paragraph {n} says that {n} is a number." for n in range(200))),
        CorpusDocument("table", TABLE),
        CorpusDocument("none", " \r\n "),
    ]
    report = indexed(Corpus(documents), index)
    found = by_uri(index)
    assert [(c.text, c.title) for c in found["short"][1]] == [("One sentence.", "Its title")]
    assert len(found["long"][1]) > 3
    assert len(found["table"][1]) > 1
    assert all(chunk.text.startswith("| a | b |\n| --- |") for chunk in found["table"][1])
    assert "none" not in found
    assert (report.documents, report.empty, report.chunks) == (4, 1, sum(len(c) for _, c in found.values()))


def test_a_document_with_a_title_alone_is_found_by_it():
    index = WrittenIndex()
    indexed(Corpus([CorpusDocument("bare", "", "Only a title")]), index)
    assert by_uri(index)["bare"][1][0].text == "Only a title"


def test_equal_texts_under_two_ids_stay_two_documents():
    index = WrittenIndex()
    indexed(Corpus([CorpusDocument("a", "Same."), CorpusDocument("b", "Same.")]), index)
    assert sorted(by_uri(index)) == ["a", "b"]


def test_a_document_that_the_index_refuses_is_named():
    index = WrittenIndex()
    index.refuses = "b"
    with pytest.raises(InputError, match="document 'b': its text is too long"):
        indexed(Corpus([CorpusDocument("a", "One."), CorpusDocument("b", "Two.")]), index)


def write_corpus_file(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"_id": identity, "text": text}) for identity, text in rows]
    path.write_text("\n".join(lines), encoding="utf-8")


def test_distractors_clash_with_nothing_and_repeat_nothing(tmp_path):
    write_corpus_file(tmp_path / "one" / "corpus.jsonl", [("a", "other text"), ("b", " the  answer\n")])
    write_corpus_file(tmp_path / "two" / "news.jsonl", [("a", "news"), ("c", "other text")])
    write_corpus_file(tmp_path / "two" / "more.jsonl", [("a", "more")])
    write_corpus_file(tmp_path / "two" / "queries.jsonl", [("a", "a question")])
    own = [CorpusDocument("a", "the answer")]
    corpus = add_distractors(own, [tmp_path / "one", tmp_path / "two"])
    assert [d.text for d in corpus.distractors] == ["other text", "more", "news"]
    assert corpus.doubled == 2
    ids = [document.id for document in corpus.all]
    assert len(set(ids)) == len(ids) == 4
    assert corpus.all[0] is own[0]


def test_a_folder_without_a_corpus_is_refused(tmp_path):
    write_corpus_file(tmp_path / "queries.jsonl", [("a", "a question")])
    with pytest.raises(InputError, match="holds no corpus"):
        corpus_files(tmp_path)


ONE = Corpus([CorpusDocument("a", "One.")])


def build(kept: KeptIndex, index: WrittenIndex) -> str:
    collection = kept.begin()
    report = write_corpus(index, collection, ONE, IngestSettings(), lambda text: None)
    kept.finish(collection, report)
    return collection


def test_a_kept_index_fits_while_nothing_changes(tmp_path):
    index = WrittenIndex()
    kept = KeptIndex(tmp_path / "index", index, ONE, Settings())
    assert kept.find() is None
    begun = kept.begin()
    index.open_collection(begun)
    assert kept.find() is None  # begun, not whole
    collection = build(kept, index)
    assert index.open == [collection] != [begun]
    found, report = KeptIndex(tmp_path / "index", index, ONE, Settings()).find()
    assert found == collection
    assert (report.documents, report.chunks, report.reused) == (1, 1, True)


def test_a_kept_index_whose_collection_is_gone_does_not_fit(tmp_path):
    index = WrittenIndex()
    kept = KeptIndex(tmp_path / "index", index, ONE, Settings())
    index.open.remove(build(kept, index))
    assert kept.find() is None


@pytest.mark.parametrize(
    ("corpus", "settings", "embedder", "fits"),
    [
        (ONE, {"ingest": {"max_file_mb": 1}, "retrieval": {"leg_limit": 7}}, "embedder 1", True),
        (ONE, {}, "embedder 2", False),
        (ONE, {"ingest": {"chunk_tokens": 100}}, "embedder 1", False),
        (ONE, {"milvus": {"uri": "http://elsewhere:19530"}}, "embedder 1", False),
        (Corpus([CorpusDocument("a", "Two.")]), {}, "embedder 1", False),
        (Corpus([CorpusDocument("a", "One.", "Title")]), {}, "embedder 1", False),
        (Corpus(ONE.documents, [CorpusDocument("x", "More.")]), {}, "embedder 1", False),
    ],
)
def test_what_a_kept_index_depends_on(tmp_path, corpus, settings, embedder, fits):
    index = WrittenIndex()
    build(KeptIndex(tmp_path / "index", index, ONE, Settings()), index)
    index.fingerprint = embedder
    found = KeptIndex(tmp_path / "index", index, corpus, Settings(**settings)).find()
    assert (found is not None) is fits


def test_a_folder_of_something_else_is_never_touched(tmp_path):
    (tmp_path / "attest.db").write_text("mine", encoding="utf-8")
    with pytest.raises(ConflictError, match="not made by attest eval"):
        KeptIndex.check(tmp_path)
    KeptIndex.check(tmp_path / "new")
    (tmp_path / MEMO).write_text("{}", encoding="utf-8")
    KeptIndex.check(tmp_path)


def test_the_write_path_is_the_code_that_makes_an_index():
    names = {path.name for path in write_path_files()}
    assert {"chunker.py", "lexical.py", "index.py", "plain.py"} <= names
    assert not {"retriever.py", "rerank.py", "fusion.py"} & names


def test_fingerprints_follow_what_they_are_made_from(tmp_path):
    file = tmp_path / "code.py"
    file.write_text("a = 1", encoding="utf-8")
    before = code_fingerprint([file])
    file.write_text("a = 2", encoding="utf-8")
    assert code_fingerprint([file]) != before
    assert settings_fingerprint({"a": 1, "b": 2}) == settings_fingerprint({"b": 2, "a": 1})
    assert settings_fingerprint({"a": 1}) != settings_fingerprint({"a": 2})
