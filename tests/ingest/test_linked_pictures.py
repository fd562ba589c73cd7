"""What is kept of the pictures of a document that is linked to another one."""

from ingest.pipeline import IngestRequest
from tests.ingest.pictures import save_docx


def test_of_a_link_that_is_found_at_its_end_no_picture_is_expected(bench):
    """Both are new in one run, so that the second is cut whole before it turns out to be a copy."""
    import docx

    bench.restart(near_duplicates="link", workers=2)
    for name, last in (("a.docx", "Afterwards."), ("b.docx", "Afterwards, at noon.")):
        path = save_docx(bench.docs / name)
        word = docx.Document(str(path))
        for topic in ("pump", "valve", "filter", "sensor", "cable", "panel", "gauge", "motor"):
            word.add_paragraph(f"The {topic} is inspected by the shift leader, who notes the {topic}'s wear.")
        word.add_paragraph(last)
        word.save(str(path))
    bench.ingestor.ingest([bench.docs], IngestRequest("default"))
    rows = sorted(bench.ledger.rows("default"), key=lambda row: row.chunks)
    assert [(row.chunks > 0, row.figures) for row in rows] == [(False, 0), (True, 1)]
