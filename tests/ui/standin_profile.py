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
