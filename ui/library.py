"""The documents of a collection: upload with its report, the list, deletion.

Knows Streamlit and the API's documents. Does not know what happens to a file after upload.
"""

import re
import time
from collections.abc import Iterator

import streamlit as st

from ui.client import ApiClient, ApiError, Json
from ui.markup import Html, element, join, plain_label
from ui.problem import draw_problem
from ui.sidebar import draw_confirmation
from ui.state import Page, forget_library, read_documents
from ui.texts import Texts

DOCUMENTS_SHOWN = 50
POLL_S = 0.5
JOB_STATES = ("waiting", "running", "done", "failed", "cancelled")
EVERYONE = "everyone"
COUNTS = ("added", "updated", "skipped", "failed")


def draw_library(here: Page, client: ApiClient, texts: Texts) -> None:
    """Upload above, the list below."""
    st.subheader(texts("view_documents"), anchor=False)
    _draw_upload(here, client, texts)
    if here.report is not None:
        draw_report(here.report, texts)
    try:
        documents = read_documents(client, here.collection)
    except ApiError as error:
        # Before its first document a collection does not exist.
        if error.status != 404:
            draw_problem(error, texts)
            return
        documents = []
    if documents:
        _draw_list(here, client, documents, texts)
    else:
        body = join(texts("no_documents_body"), " ", element("code", "attest ingest ./docs"))
        st.html(join(element("div", texts("no_documents"), css="attest-heading"), body))


def merge_reports(reports: list[Json]) -> Json:
    """One report of several: the counts summed, failures and warnings in order."""
    merged: Json = {name: sum(int(report.get(name) or 0) for report in reports) for name in COUNTS}
    for name in ("failures", "warnings"):
        merged[name] = [told for report in reports for told in report.get(name) or []]
    return merged


def draw_report(report: Json, texts: Texts) -> None:
    """How an upload went: the counts, then each failure with its code and reason, and what is to be known
    of files that went in."""
    failures = report.get("failures") or []
    line = texts("report", **{name: int(report.get(name) or 0) for name in COUNTS})
    if failures:
        st.warning(line, icon=":material/warning:")
        st.html(_told_html("failures", failures, texts))
    else:
        st.success(line, icon=":material/check:")
    if warnings := report.get("warnings"):
        st.html(_told_html("warnings", warnings, texts))


def _draw_upload(here: Page, client: ApiClient, texts: Texts) -> None:
    files = st.file_uploader(texts("upload_label"), accept_multiple_files=True, key=f"upload-{here.uploads}")
    named = st.text_input(
        texts("readers_label"), key="readers", placeholder=texts("everyone"), help=texts("readers_help")
    )
    label = texts("upload_button", name=plain_label(here.collection))
    if not st.button(label, key="upload_button", type="primary", disabled=not files):
        return
    reports, jobs, line, progress = [], [], st.empty(), st.progress(0.0)
    for number, file in enumerate(files, start=1):
        words = texts("uploading", name=file.name, number=number, count=len(files))
        line.html(element("div", words, css="attest-label", role="status"))
        progress.progress((number - 1) / len(files))
        try:
            told = client.upload(file.name, file.getvalue(), here.collection, names_in(named))
            jobs.append((file.name, str(told.get("job_id", ""))))
        except ApiError as error:  # a refusal counts as that file's failure: the others go on
            reports.append(report_of_job(file.name, _refused(error)))
    for number, (name, job_id) in enumerate(jobs, start=1):
        progress.progress((number - 1) / len(jobs))
        for job in watch_job(client, job_id):
            words = texts(f"job_{job['state']}", name=name, number=number, count=len(jobs))
            line.html(element("div", words, css="attest-label", role="status"))
        reports.append(report_of_job(name, job))
    here.report, here.uploads = merge_reports(reports), here.uploads + 1
    forget_library()
    st.rerun()


def names_in(text: str) -> list[str]:
    """The names in what somebody typed, parted by commas of either language."""
    return [name for part in re.split("[,，、;；]", text) if (name := part.strip())]


def watch_job(client: ApiClient, job_id: str) -> Iterator[Json]:
    """A job as it is now and then, its end last. One that the API no longer answers for ends as
    `failed`, with what it said."""
    while True:
        try:
            job = client.job(job_id)
        except ApiError as error:
            job = _refused(error)
        if job.get("state") not in JOB_STATES:
            job = {**job, "state": "failed"}
        yield job
        if job["state"] not in ("waiting", "running"):
            return
        time.sleep(POLL_S)


def _refused(error: ApiError) -> Json:
    told = {"code": error.code or str(error.status), "message": error.message, "remedy": error.remedy}
    return {"state": "failed", "error": told}


def report_of_job(name: str, job: Json) -> Json:
    """What became of one uploaded file."""
    if isinstance(report := job.get("report"), dict):
        return report
    error = job.get("error") or {}
    reason = ". ".join(str(error[key]) for key in ("message", "remedy") if error.get(key))
    code = str(error.get("code") or job["state"])
    return {"failed": 1, "failures": [{"uri": name, "code": code, "reason": reason or job["state"]}]}


def _told_html(heading: str, told: list[Json], texts: Texts) -> Html:
    names = ("file", "code", "reason")
    head = element("tr", *[element("th", texts(f"failure_{name}")) for name in names])
    rows = [element("tr", *[element("td", value) for value in _cells(one)]) for one in told]
    table = element("table", element("thead", head), element("tbody", *rows), css="attest-table")
    return join(element("div", texts(heading), css="attest-heading"), table)


def _cells(told: Json) -> tuple[str, str, str]:
    words = told.get("reason") or told.get("words") or ""
    return _plain_uri(told.get("uri")), str(told.get("code", "")), str(words)


def _draw_list(here: Page, client: ApiClient, documents: list[Json], texts: Texts) -> None:
    wanted = st.text_input(texts("filter"), key="filter", icon=":material/search:").strip().casefold()
    found = [row for row in documents if wanted in f"{row.get('title', '')} {row.get('uri', '')}".casefold()]
    if not found:
        st.caption(texts("none_match"))
    for row in found[:DOCUMENTS_SHOWN]:
        _draw_document(here, client, row, texts)
    if (more := len(found) - DOCUMENTS_SHOWN) > 0:
        st.caption(texts("more_documents", count=more))


def _draw_document(here: Page, client: ApiClient, row: Json, texts: Texts) -> None:
    # Not by its id: files with the same bytes share that, and one of them alone is to go.
    place = str(row.get("uri") or row.get("document_id") or "")
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(_document_html(row, texts), width="stretch")
            if st.button(
                "",
                key=f"drop-{place}",
                icon=":material/delete:",
                type="tertiary",
                help=texts("delete_document"),
            ):
                here.doomed = place
        if here.doomed == place:
            draw_confirmation(here, _title(row), lambda: _delete(here, client, place), texts)


def _document_html(row: Json, texts: Texts) -> Html:
    facts = [texts(f"newer_{row['newer']}")] if row.get("newer") in ("waiting", "failed") else []
    for name, count in ((name, row.get(name)) for name in ("pages", "chunks")):
        facts += [texts(f"one_{name}" if count == 1 else name, count=count)] if count else []
    readers = [str(name) for name in row.get("readers") or ()]
    facts += [texts("readable_by", names=", ".join(readers))] if readers and EVERYONE not in readers else []
    if _title(row) != _plain_uri(row.get("uri")):
        facts.append(_plain_uri(row.get("uri")))
    line = " · ".join(fact for fact in facts if fact)
    title = element("div", _title(row), css="attest-title")
    return element("div", title, element("div", line, css="attest-label"), css="attest-document")


def _title(row: Json) -> str:
    return str(row.get("title") or _plain_uri(row.get("uri")) or row.get("document_id") or "")


def _plain_uri(uri: object) -> str:
    """A uri as its reader knows it: what was uploaded goes by the name of its file."""
    return str(uri or "").removeprefix("upload:")


def _delete(here: Page, client: ApiClient, place: str) -> None:
    client.delete_document(place, here.collection)
    here.report = None
    forget_library()
