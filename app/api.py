"""The REST API: routes, middleware and errors put together.

Knows the order in which a request meets its checks; knows nothing of what routes do.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from app import problems
from app.amending import Amending
from app.assistants import Assistants
from app.auth import AuthenticationMiddleware, Authenticator
from app.body_limit import BodyLimit
from app.communities import Communities
from app.curation import Curation
from app.jobs import JobBook
from app.known_parameters import refuse_unknown
from app.library import Library
from app.memory import UserFacts
from app.metrics import CountRequests, Metrics
from app.origin_guard import OriginGuard, is_loopback
from app.rate_limit import RateLimit
from app.routes import (
    ask,
    assistants,
    chat,
    collections,
    documents,
    faq,
    feedback,
    graph,
    health,
    jobs,
    memory,
    metrics,
    search,
    sessions,
    tools,
)
from app.services import Services
from app.streams import StreamBook
from app.threads import Background, WriteQueue
from app.tools import ToolBox
from core.errors import AttestError
from core.settings import Settings

logger = logging.getLogger(__name__)
RESUME_EVERY_S = 30.0
FETCHES_AT_ONCE = 2


def create_app(services: Services, local_token: str, *, warm_up: bool = False) -> FastAPI:
    """The API over these services, which it closes at its end.

    `local_token` is the secret of `server.json`: its bearer is the owner of the data. With
    `warm_up` the models load as soon as it serves, not with the first question.
    """
    settings = services.settings
    on_loopback = is_loopback(settings.server.host)
    # The page at /docs brings its scripts along: by itself it would fetch them from elsewhere.
    app = FastAPIOffline(title="Attest", version="1", lifespan=_lifespan, redoc_url=None)
    app.state.services = services
    app.state.warm_up = warm_up
    app.state.library = Library(services)
    app.state.amending = Amending(services, app.state.library)
    app.state.curation = Curation(services)
    app.state.communities = Communities(services)
    app.state.user_facts = UserFacts(services)
    app.state.assistants = Assistants(services)
    app.state.tool_box = ToolBox(services, app.state.library)
    app.state.writes = WriteQueue()
    app.state.fetches = WriteQueue(FETCHES_AT_ONCE)
    app.state.metrics = Metrics()
    app.state.jobs = JobBook(app.state.metrics.note_job)
    app.state.background = Background()
    app.state.streams = StreamBook(settings.server.resume_s)
    problems.install_problem_handlers(app)
    for routes in (
        ask, search, graph, documents, collections, faq, feedback, memory, assistants, jobs, sessions, tools,
    ):  # fmt: skip
        app.include_router(routes.router, dependencies=[Depends(refuse_unknown)])
    # Clients of OpenAI's and probes may send parameters of their own.
    for routes in (chat, health, metrics):
        app.include_router(routes.router)
    # The last one added is the first that a request meets.
    app.add_middleware(BodyLimit, max_upload_mb=settings.server.max_upload_mb)
    if settings.server.questions_per_minute:
        app.add_middleware(RateLimit, per_minute=settings.server.questions_per_minute)
    metrics_token = settings.server.metrics_token.get_secret_value()
    authenticator = Authenticator(services.keys, local_token, on_loopback, metrics_token)
    app.add_middleware(AuthenticationMiddleware, authenticator=authenticator)
    if on_loopback:
        app.add_middleware(OriginGuard, hosts=[settings.server.host], origins=ui_origins(settings))
    app.add_middleware(CountRequests, metrics=app.state.metrics)
    return app


def ui_origins(settings: Settings) -> list[str]:
    """The web origins of our own page."""
    hosts = {settings.ui.host, "127.0.0.1", "localhost"}
    return [f"http://{host}:{settings.ui.port}" for host in sorted(hosts)]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    warming = asyncio.create_task(_load_models(services)) if app.state.warm_up else None
    resuming = asyncio.create_task(_resume(app)) if app.state.warm_up else None
    try:
        yield
    finally:
        if warming is not None:
            await warming
        if resuming is not None:
            resuming.cancel()
            await asyncio.gather(resuming, return_exceptions=True)
        await app.state.streams.aclose()
        await app.state.background.aclose()
        await services.aclose()


async def _resume(app: FastAPI) -> None:
    """Finishes what a process that is gone had taken in, at the start; and from then on what
    may succeed at another attempt."""
    while True:
        try:
            await app.state.writes.run(app.state.library.resume)
        except AttestError as exc:
            logger.warning("files that were taken in still wait: %s", exc)
        except Exception:  # the edge of a loop that must not end before the server does
            logger.exception("files that were taken in still wait")
        await asyncio.sleep(RESUME_EVERY_S)


async def _load_models(services: Services) -> None:
    """What is missing is told again, with its remedy, to whoever asks first."""
    try:
        await services.asker()
    except AttestError as exc:
        logger.warning("questions cannot be answered yet: %s", exc)
