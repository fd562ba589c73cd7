"""`attest search`, `attest ask` and `attest chat`."""

from collections.abc import Callable
from contextlib import aclosing
from typing import Annotated

import typer

from app.cli.frame import opened_backend
from app.cli.options import DEFAULT_COLLECTION, EXIT_CODES, Collection, Config, Data, Json, Readers
from app.cli.output import Output

Effort = Annotated[str, typer.Option("--effort", help="quick, standard or deep [default: standard].")]
Policy = Annotated[
    str, typer.Option("--policy", help="strict, balanced or open: no looser than the collection's.")
]
Memory = Annotated[
    str, typer.Option("--memory", help="What the session recalls by, from now on: as window+vector.")
]
AssistantName = Annotated[
    str | None, typer.Option("--assistant", help="Who answers in the session, from now on; '' for none.")
]
OneCollection = Annotated[
    str, typer.Option("--collection", help="The set of documents [default: default, or the assistant's].")
]
EFFORTS = ("quick", "standard", "deep")
POLICIES = ("strict", "balanced", "open")
DOUBTS = {"unsure": "unsure: read the source", "unsupported": "not in the sources"}
STAGES = {
    "planning": "reading the question",
    "searching": "searching",
    "answering": "writing",
    "researching": "planning the report",
    "noting": "noting a section",
    "noted": "noting the sections",
    "reporting": "putting the report together",
    "revising": "rewriting what the sources do not bear out",
    "checking": "checking against the sources",
}


def add_commands(root: typer.Typer) -> None:
    """Adds the commands of this file."""
    root.command("search", epilog=EXIT_CODES)(search)
    root.command("ask", epilog=EXIT_CODES)(ask)
    root.command("chat", epilog=EXIT_CODES)(chat)


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    limit: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Show ranks at each stage and times.")] = False,
    document: Annotated[
        list[str] | None, typer.Option("--document", help="In this document only, by id or uri (repeatable).")
    ] = None,
    uri_prefix: Annotated[
        str, typer.Option("--uri-prefix", help="In documents whose uri begins so only.")
    ] = "",
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only text, table, code… (repeatable).")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Only passages in zh or en.")] = "",
    collection: Collection = DEFAULT_COLLECTION,
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Find passages."""
    from app.cli.backend import Query

    out = Output(as_json)
    given = {"document": document, "uri_prefix": uri_prefix, "kind": kind, "language": language}
    narrowed = {field: value for field, value in given.items() if value}
    with opened_backend(data, config) as backend:
        found = backend.search(Query(query, collection, reader or None, limit, narrowed))
    out.give(found, lambda out, found: _show_hits(out, found, explain))


def ask(
    question: Annotated[str, typer.Argument(help="The question.")],
    session: Annotated[str, typer.Option("--session", help="Continue this session.")] = "",
    effort: Effort = "",
    policy: Policy = "",
    memory: Memory = "",
    assistant: AssistantName = None,
    collection: OneCollection = "",
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask a question. An answer that is held back for want of evidence is exit code 0 too."""
    from app.cli.backend import Question, open_backend

    out = Output(as_json)
    check_choices(effort, policy)
    asked = Question(question, collection, reader or None, session, effort, policy, memory, assistant)
    answer = in_loop(open_backend(data, config), lambda backend: _answer(backend, asked, out))
    if as_json:
        out.result(answer)


def chat(
    session: Annotated[str, typer.Option("--session", help="Continue this session.")] = "",
    effort: Effort = "",
    policy: Policy = "",
    memory: Memory = "",
    assistant: AssistantName = None,
    collection: OneCollection = "",
    reader: Readers = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Ask one question after the other. An empty line or Ctrl-D ends."""
    import asyncio
    from dataclasses import replace

    from app.cli.backend import Question, open_backend

    out = Output(False)
    check_choices(effort, policy)
    asked = Question("", collection, reader or None, session, effort, policy, memory, assistant)

    async def converse(backend) -> str:
        session_id = session
        while text := (await asyncio.to_thread(_read_question)).strip():
            # Once chosen the assistant is that of the session.
            wished = assistant if session_id == session else None
            turn = replace(asked, text=text, session_id=session_id, assistant=wished)
            answer = await _answer(backend, turn, out)
            session_id = answer["session_id"]
        return session_id

    if session_id := in_loop(open_backend(data, config), converse):
        out.note(f"continue with: attest chat --session {session_id}")


def in_loop(backend, work: Callable):
    """What `work(backend)` gives; the backend is closed however it ends."""
    import asyncio

    async def run():
        try:
            return await work(backend)
        finally:
            await backend.aclose()

    try:
        return asyncio.run(run())
    finally:
        backend.close()


def check_choices(effort: str, policy: str) -> None:
    """Raises InputError for an effort or a policy that there is not."""
    from core.errors import InputError

    if effort and effort not in EFFORTS:
        raise InputError(f"there is no effort {effort!r}", remedy=f"choose: {', '.join(EFFORTS)}")
    if policy and policy not in POLICIES:
        raise InputError(f"there is no policy {policy!r}", remedy=f"choose: {', '.join(POLICIES)}")


def _read_question() -> str:
    try:
        return input("? ")
    except EOFError:
        return ""


async def _answer(backend, question, out: Output) -> dict:
    return await show_turn(backend.ask(question), out)


async def show_turn(events, out: Output) -> dict:
    """Shows the events of a turn as they come (not with --json) and gives the answer."""
    # Closed here and not by the collector: the connection behind it has no event loop by then.
    async with aclosing(events):
        return await _shown(events, out)


async def _shown(events, out: Output) -> dict:
    from app.cli.backend import failed_turn

    async for name, payload in events:
        if name == "finished":
            out.clear_status()
            if not out.as_json:
                _show_end(out, payload)
            return payload
        if name == "failed":
            out.clear_status()
            raise failed_turn(payload)
        if name == "approval" and not out.as_json:
            out.clear_status()
            out.line(f"waits for you: attest approvals approve {payload['id']} (or edit, reject)")
        elif name == "status":
            out.status(f"… {STAGES.get(payload['stage'], payload['stage'])}")
        elif name == "sentence" and not out.as_json:
            out.clear_status()
            out.line(_marked(payload["sentence"]))
        elif name == "revised" and payload["replacement"] and not out.as_json:
            out.clear_status()
            out.line(_marked(payload["replacement"]))
    raise RuntimeError("the backend ended without a last event")


def _marked(sentence: dict) -> str:
    text = sentence["text"].rstrip()
    marks = "".join(f"[{marker}]" for marker in sentence["citations"] if f"[{marker}]" not in text)
    label = sentence["verdict"]["label"]
    doubt = "" if label == "supported" else f" ({DOUBTS.get(label, label)})"
    return f"{text} {marks}{doubt}" if marks else text + doubt


def _show_end(out: Output, answer: dict) -> None:
    if answer["status"] == "abstained":
        out.line(answer["text"] or "The documents do not hold the answer.")
        if answer["looked_for"]:
            out.line("Looked for: " + "; ".join(answer["looked_for"]))
        return
    if answer["route"] == "research":
        # It holds its sources itself.
        for line in answer["text"].split("\n"):
            out.line(line)
        return
    if not answer["sentences"]:
        out.line(answer["text"])
    if answer["guarded"].get("cut_short"):
        out.line("(stopped at a limit of this effort: there may be more)")
    if answer["withheld"]:
        count = len(answer["withheld"])
        out.line(f"({count} sentence{'s' if count > 1 else ''} held back: not borne out by the sources)")
    if answer["citations"]:
        out.line()
        out.line("Sources")
    for citation in answer["citations"]:
        page = f", page {citation['page']}" if citation["page"] else ""
        out.line(f"[{citation['marker']}] {citation['title']}{page}")
        out.line(citation["uri"], indent="    ")
        quote = " ".join(citation["quote"].split())
        out.line(f"“{quote}”", indent="    ")
        if citation.get("figure"):
            out.line(f"picture: {citation['figure']}", indent="    ")


def _show_hits(out: Output, found: dict, explain: bool) -> None:
    if not found["hits"]:
        out.line("Nothing found.")
    for number, hit in enumerate(found["hits"], start=1):
        page = f", page {hit['page']}" if hit["page"] else ""
        out.line(f"{number}. {hit['title']}{page}  ({hit['score']:.3f})")
        out.line(hit["uri"], indent="   ")
        text = " ".join(hit["text"].split())
        out.line(text[:237] + "…" if len(text) > 240 else text, indent="   ")
        if hit.get("figure"):
            out.line(f"picture: {hit['figure']}", indent="   ")
        if explain:
            ranks = ", ".join(f"{stage} {rank}" for stage, rank in hit["ranks"].items())
            out.line(f"ranks: {ranks}; chunk {hit['chunk_id']}", indent="   ")
    if explain:
        times = ", ".join(f"{stage} {ms:g} ms" for stage, ms in found["timings_ms"].items())
        out.line(f"times: {times}")
        for name, read in found.get("understood", {}).items():
            out.line(f"{name}: {read if isinstance(read, str) else ', '.join(read)}")
        out.line("signals: " + ", ".join(f"{name} {value:g}" for name, value in found["signals"].items()))
