"""The part of the stand-in for the REST API that is a user's own: memory, assistants, instructions."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

HOSTILE = (
    "<script>document.title='owned'</script> ![x](http://198.51.100.7/x.png) "
    "[a](javascript:alert(1)) http://198.51.100.7/live :smile: -> $x$ <img src=x onerror=alert(1)>"
)


def problem(status: int, title: str, detail: str, remedy: str = "") -> JSONResponse:
    """An RFC 9457 problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "remedy": remedy}
    return JSONResponse(body, status, media_type="application/problem+json")


def add_memory(app: FastAPI) -> None:
    app.state.remembers = True
    said = {"said": "2026-11-26T08:00:00.000000+00:00", "session_id": "s1", "turn_id": "t1"}
    app.state.facts = [
        {
            "id": "m1",
            "key": "name",
            "value": f"张伟 {HOSTILE}",
            "expires": "2027-11-26T08:00:00+00:00",
            **said,
        },
        {"id": "m2", "key": "deadline", "value": "the deadline is Friday", "expires": None, **said},
    ]

    @app.get("/v1/memory")
    def facts() -> dict:
        return {"enabled": app.state.remembers, "facts": app.state.facts}

    @app.put("/v1/memory")
    async def switch(request: Request) -> dict:
        app.state.remembers = (await request.json())["enabled"]
        return {"enabled": app.state.remembers}

    @app.delete("/v1/memory")
    def clear() -> dict:
        app.state.facts.clear()
        return {}

    @app.patch("/v1/memory/{fact_id}")
    async def edit(fact_id: str, request: Request):
        words = await request.json()
        if words["value"] == "wrong":
            return problem(400, "Bad Request", "a memory has 1 to 300 characters", "shorten it")
        [fact] = [fact for fact in app.state.facts if fact["id"] == fact_id]
        fact.update(words, session_id="")
        return fact

    @app.delete("/v1/memory/{fact_id}")
    def forget(fact_id: str) -> dict:
        app.state.facts[:] = [fact for fact in app.state.facts if fact["id"] != fact_id]
        return {}


def add_assistants(app: FastAPI) -> None:
    app.state.assistants = []
    app.state.instructions = ""
    app.state.saved = []

    @app.get("/v1/tools")
    def tools() -> dict:
        return {"tools": [{"name": name} for name in ("calculate", "search")]}

    @app.get("/v1/assistants")
    def assistants() -> dict:
        return {"assistants": app.state.assistants}

    @app.post("/v1/assistants")
    async def create(request: Request):
        fields = await request.json()
        app.state.saved.append(("", fields))
        if not fields["name"]:
            return problem(
                400, "Bad Request", "the name of an assistant has 1 to 80 characters", "choose one"
            )
        app.state.assistants.append(
            {**fields, "id": f"a{len(app.state.assistants)}", "mine": True, "owner": "me"}
        )
        return app.state.assistants[-1]

    @app.patch("/v1/assistants/{assistant_id}")
    async def edit(assistant_id: str, request: Request) -> dict:
        fields = await request.json()
        app.state.saved.append((assistant_id, fields))
        [one] = [one for one in app.state.assistants if one["id"] == assistant_id]
        one.update(fields)
        return one

    @app.delete("/v1/assistants/{assistant_id}")
    def delete(assistant_id: str) -> dict:
        app.state.assistants[:] = [one for one in app.state.assistants if one["id"] != assistant_id]
        return {}

    @app.get("/v1/instructions")
    def instructions() -> dict:
        return {"instructions": app.state.instructions, "max_tokens": 200}

    @app.put("/v1/instructions")
    async def instruct(request: Request) -> dict:
        app.state.instructions = (await request.json())["instructions"]
        return {"instructions": app.state.instructions}


def add_graph(app: FastAPI) -> None:
    """Entities, one of a hostile name."""

    @app.get("/v1/graph")
    def graph(collection: str, entity: str, limit: int, to: str = ""):
        app.state.looked_up = (collection, entity, to)
        if entity == "Nobody":
            return problem(404, "Not Found", "there is no entity 'Nobody' in 'default'", "write the name as documents do")
        told = {"text": f"Acme supplies {HOSTILE}.", "document_id": "d1", "title": "员工手册", "uri": "file:///h.pdf", "page": 12}
        supplies = _link("acme", "tm20l", ("Acme", HOSTILE), "supplies", told)
        bought = _link("port", "tm20l", ("Port", HOSTILE), "with", told)
        asked = [_entity("acme", "Acme", aliases=["Acme Ltd"], values=["20 kg"]), _entity("port", "Port")]
        if not to:
            return {"entities": asked[:1], "links": [] if entity == "Alone" else [supplies]}
        return {"entities": asked, "links": [] if to == "Nowhere" else [supplies, bought]}


def add_communities(app: FastAPI, citation: dict, sentence: dict) -> None:
    """One community with a hostile name; 409 while `app.state.communities` is None."""
    one = {"id": "c1", "names": ["Acme", HOSTILE, "Port"], "text": "", "sentences": [sentence], "citations": [citation]}
    app.state.communities = [one]

    @app.get("/v1/graph/communities")
    def communities(collection: str, limit: int):
        if app.state.communities is None:
            return problem(409, "Conflict", "communities of entities are not summarised", "set ingest.communities")
        return {"communities": app.state.communities[:limit], "more": 3 * bool(app.state.communities)}


def _entity(key: str, name: str, **more) -> dict:
    empty = {"kind": "organisation", "aliases": [], "values": [], "chunks": 2, "documents": 1}
    return {"key": key, "name": name, **empty, **more}


def _link(source: str, target: str, names: tuple[str, str], kind: str, told: dict) -> dict:
    ends = {"source": source, "target": target, "names": names}
    return {**ends, "kind": kind, "words": "", "documents": 1, "evidence": [told]}
