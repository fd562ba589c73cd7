"""Streams that can be taken up again: nothing lost, nothing twice, and for their caller alone."""

import asyncio
import contextlib
import threading

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.events import StatusChanged
from app.auth import LOCAL_OWNER, Caller
from app.keys import Role
from app.streams import KEPT_CHARS, STREAMS_PER_OWNER, EventId, StreamBook, read_event_id
from core.errors import ConflictError, InputError, NotFoundError
from tests.app.fakes import EVENTS
from tests.app.test_ask_route import read_events

CALLER = Caller(LOCAL_OWNER, None, Role.ADMIN)
ASKED = {"question": "q"}


def first(run: int = 0, session: str = "s1") -> EventId:
    return EventId(session, f"{run:032x}", 0)


class Work:
    """Events that come when they are let out; whether it was ended."""

    def __init__(self, payloads) -> None:
        self.payloads = list(payloads)
        self.may_go_on = asyncio.Event()
        self.is_closed = False

    async def __aiter__(self):
        try:
            for payload in self.payloads:
                if payload is None:
                    await self.may_go_on.wait()
                else:
                    yield "status", payload
        finally:
            self.is_closed = True


def numbers(payloads):
    return [{"n": n} for n in payloads]


async def read(events, count=None):
    found = []
    async for event in events:
        found.append(event)
        if count is not None and len(found) == count:
            await events.aclose()
            break
    return found


@given(count=st.integers(1, 12), cuts=st.lists(st.integers(0, 12), max_size=5))
def test_wherever_the_line_breaks_every_event_comes_once_and_in_order(count, cuts):
    async def run():
        book = StreamBook(60)
        events = await book.open(first(), CALLER, ASKED, aiter(Work(numbers(range(count)))))
        got = []
        for cut in cuts:
            if cut:
                got += await read(events, cut)
            last = read_event_id(got[-1][0]) if got else first()
            events = book.resume(last, CALLER, ASKED)
        got += await read(events)
        await book.aclose()
        return got

    got = asyncio.run(run())
    assert [payload["n"] for _, _, payload in got] == list(range(count))
    assert [read_event_id(event_id).number for event_id, _, _ in got] == list(range(1, count + 1))


async def test_a_turn_goes_on_without_its_reader_and_is_cancelled_when_nobody_comes_back():
    book, work = StreamBook(0.05), Work([{"n": 1}, None, {"n": 2}])
    await read(await book.open(first(), CALLER, ASKED, aiter(work)), 1)
    assert not work.is_closed
    back = book.resume(EventId("s1", first().run, 1), CALLER, ASKED)
    work.may_go_on.set()
    assert [payload for *_, payload in await read(back)] == [{"n": 2}]
    gone = Work([{"n": 1}, None])
    await read(await book.open(first(1), CALLER, ASKED, aiter(gone)), 1)
    while not gone.is_closed:
        await asyncio.sleep(0.01)
    [(_, name, payload)] = await read(book.resume(EventId("s1", first(1).run, 1), CALLER, ASKED))
    assert (name, payload["code"]) == ("failed", "cancelled")
    while book.resume(EventId("s1", first(1).run, 2), CALLER, ASKED) is not None:
        await asyncio.sleep(0.01)


async def test_a_stream_is_its_callers_alone():
    book = StreamBook(60)
    ann = Caller("ann", frozenset({"ann", "hr"}), Role.READER)
    await book.open(first(), ann, ASKED, aiter(Work(numbers([1]))))
    for other in (CALLER, Caller("ann", frozenset({"ann"}), Role.READER), Caller("bob", frozenset({"hr"}), Role.READER)):
        with pytest.raises(NotFoundError):
            book.resume(first(), other, ASKED)
    with pytest.raises(NotFoundError):
        book.resume(EventId("s2", first().run, 0), ann, ASKED)
    with pytest.raises(InputError, match="another question"):
        book.resume(first(), ann, {"question": "else"})
    with pytest.raises(ConflictError):
        book.resume(EventId("s1", first().run, 99), ann, ASKED)
    await book.aclose()


async def test_what_is_kept_is_bounded():
    book, big = StreamBook(60), {"text": "x" * (KEPT_CHARS // 2)}
    stream = await book.open(first(), CALLER, ASKED, aiter(Work([big, big, big])))
    [(_, name, payload)] = await read(stream)
    assert (name, payload["code"]) == ("failed", "cancelled"), "a reader that is too slow hears of it"
    with pytest.raises(ConflictError, match="not there"):
        book.resume(first(), CALLER, ASKED)
    works = [Work([{"n": 1}, None]) for _ in range(STREAMS_PER_OWNER + 5)]
    for run, work in enumerate(works, start=1):
        await read(await book.open(first(run, f"s{run}"), CALLER, ASKED, aiter(work)), 1)
    assert sum(not work.is_closed for work in works) == STREAMS_PER_OWNER
    await book.aclose()
    assert all(work.is_closed for work in works)


async def test_a_new_question_ends_one_of_its_session_that_nobody_reads():
    book, left, read_on, other = StreamBook(60), *(Work([{"n": 1}, None]) for _ in range(3))
    await read(await book.open(first(1), CALLER, ASKED, aiter(left)), 1)
    await read(await book.open(first(2, "s2"), CALLER, ASKED, aiter(other)), 1)
    listening = await book.open(first(3), CALLER, ASKED, aiter(read_on))
    assert left.is_closed and not other.is_closed
    await anext(listening)
    await book.open(first(4), CALLER, ASKED, aiter(Work([])))
    assert not read_on.is_closed, "somebody reads it"
    await listening.aclose()
    await book.aclose()


@given(st.text(max_size=120))
def test_any_text_is_an_id_or_is_refused(text):
    with contextlib.suppress(InputError):
        assert str(read_event_id(text)).rpartition(".")[0] == text.strip().rpartition(".")[0]


def ask(client, last="", **more):
    headers = {"Last-Event-ID": last} if last else {}
    return client.post("/v1/ask", json={"question": "q", "stream": True} | more, headers=headers)


def test_the_rest_of_a_stream_comes_by_the_same_request(client, asker):
    told = read_events(ask(client).text)
    again = read_events(ask(client, told[1]["id"]).text)
    assert [event["event"] for event in again] == ["sentence", "finished"]
    assert again == told[2:] and len(asker.asked) == 1
    assert told[0]["id"].startswith(f"{asker.asked[0].session_id}.{asker.asked[0].run}.")
    assert read_events(ask(client, told[-1]["id"]).text) == []


def test_ids_that_cannot_be_are_problem_documents(client, services):
    told = read_events(ask(client).text)
    assert ask(client, "7").status_code == 400
    assert ask(client, told[0]["id"], question="else").status_code == 400
    assert ask(client, f"s1.{'0' * 32}.1").status_code == 404, "of no turn"
    key, _ = services.keys().create("li", [], Role.READER)
    headers = {"Authorization": f"Bearer {key}", "Last-Event-ID": told[0]["id"]}
    assert client.post("/v1/ask", json={"question": "q", "stream": True}, headers=headers).status_code == 404


class SlowAsker:
    """Tells one event, and the others when it may; whether it was ended before."""

    def __init__(self) -> None:
        self.may_go_on, self.is_cancelled = threading.Event(), threading.Event()

    async def ask(self, ask):
        try:
            yield StatusChanged("searching")
            while not self.may_go_on.is_set():
                await asyncio.sleep(0.01)
            for event in EVENTS[1:]:
                yield event
        except (asyncio.CancelledError, GeneratorExit):
            self.is_cancelled.set()
            raise

    async def close(self):
        pass


class TestOverTheWire:
    @pytest.fixture
    def asker(self):
        return SlowAsker()

    def test_a_line_that_broke_is_taken_up_again(self, live_url, asker):
        body = {"question": "q", "stream": True}
        with httpx.stream("POST", f"{live_url}/v1/ask", json=body, timeout=60) as reply:
            lines = reply.iter_lines()
            last = next(line.removeprefix("id: ") for line in lines if line.startswith("id: "))
        asker.may_go_on.set()
        headers = {"Last-Event-ID": last}
        again = httpx.post(f"{live_url}/v1/ask", json=body, headers=headers, timeout=60)
        assert [event["event"] for event in read_events(again.text)] == ["retrieved", "sentence", "finished"]
        assert not asker.is_cancelled.is_set()
