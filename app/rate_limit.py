"""How many questions one user may ask, and tools call, in a minute.

A token bucket for each owner, in the memory of this process: several processes count each for
themselves. Stands behind the authentication, whose caller it counts. Knows paths and owners.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from app.problems import problem

LIMITED_PATHS = ("/v1/ask", "/v1/chat/completions", "/v1/tools/", "/v1/approvals/", "/v1/sessions/")
"""What begins so."""
KEPT_OWNERS = 10_000


class TokenBuckets:
    """One bucket an owner: full it holds `per_minute` questions, and it fills evenly."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, owner: str) -> float:
        """0 when the question may be asked; else the seconds until the next one may."""
        now = self._now()
        level, since = self._buckets.pop(owner, (float(self._per_minute), now))
        level = min(self._per_minute, level + (now - since) * self._per_minute / 60)
        allowed = level >= 1
        self._buckets[owner] = (level - allowed, now)
        # The one that asked longest ago has the fullest bucket: forgotten, it is full again.
        if len(self._buckets) > KEPT_OWNERS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - level) * 60 / self._per_minute


class RateLimit:
    """Middleware. Refuses questions past the limit with 429 and `Retry-After`."""

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self._app = app
        self._per_minute = per_minute
        self._buckets = TokenBuckets(per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limited = scope["type"] == "http" and scope["method"] == "POST"
        limited = limited and scope["path"].startswith(LIMITED_PATHS)
        if not limited or (wait_s := self._buckets.take(scope["state"]["caller"].owner)) == 0:
            await self._app(scope, receive, send)
            return
        seconds = math.ceil(wait_s)
        response = problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_questions",
            f"more than {self._per_minute} questions in a minute",
            f"ask again in {seconds} s, or raise ATTEST_SERVER__QUESTIONS_PER_MINUTE",
            retryable=True,
        )
        response.headers["Retry-After"] = str(seconds)
        await response(scope, receive, send)
