"""Long-term memory: nothing of one user reaches another, and the newest word holds."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import StaticPool, create_engine

from agents.memory import facts as module
from agents.memory.facts import FOREVER, Fact, Facts, in_future, read_expiry
from agents.sessions import SessionIndex
from core.errors import InputError, NotFoundError
from core.types import Status, Turn

USERS, SESSIONS = ("ann", "bob"), ("s", "t")
KEYS = ("name", "workplace", "answer language", "deadline")
PAST, FUTURE = in_future(timedelta(days=-1)), in_future(timedelta(days=9))
COUNTED = Counter()


class TwoUsers(RuleBasedStateMachine):
    """Two users with the same sessions and keys against a dictionary each. A value names its
    owner, so that one which crosses is seen wherever it comes out."""

    engine = None

    @initialize()
    def open(self):
        self.facts = Facts(self.engine)
        for user in USERS:
            self.facts.forget(user, None)
            self.facts.switch(user, True)
        self.known = {user: {} for user in USERS}
        self.enabled = dict.fromkeys(USERS, True)
        # Sessions lie in a file of their own, SQLite whatever the ledger is.
        self.sessions = SessionIndex(self.engine) if self.engine.dialect.name == "sqlite" else None
        self.asked = {(user, session): [] for user in USERS for session in SESSIONS}
        for user, session in self.asked if self.sessions else ():
            self.sessions.forget(user, session)
        self.number = 0

    def ids(self, user):
        return {fact.key: fact.id for fact in self.facts.list(user)}

    @rule(user=st.sampled_from(USERS), keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=3), session=st.sampled_from(SESSIONS))
    def remember(self, user, keys, session):
        self.number += 1
        self.facts.remember(user, [Fact(key, f"{user} {self.number} {at}", session, "turn") for at, key in enumerate(keys)])
        for at, key in enumerate(keys):
            self.known[user][key] = (f"{user} {self.number} {at}", session)
        COUNTED["remember"] += 1

    @rule(user=st.sampled_from(USERS), key=st.sampled_from(KEYS))
    def remember_what_is_older(self, user, key):
        self.facts.remember(user, [Fact(key, f"{user} stale", "s", "turn", said=PAST)])
        self.known[user].setdefault(key, (f"{user} stale", "s"))
        COUNTED["older"] += 1

    @rule(user=st.sampled_from(USERS), key=st.sampled_from(KEYS))
    def remember_what_has_expired(self, user, key):
        self.facts.remember(user, [Fact(key, f"{user} expired", "s", "turn", expires=PAST)])
        self.known[user].pop(key, None)
        COUNTED["expired"] += 1

    @precondition(lambda self: any(self.known.values()))
    @rule(key=st.sampled_from(KEYS), user=st.sampled_from(USERS), by=st.sampled_from(USERS), how=st.sampled_from(["edit", "end", "delete", "get"]))
    def touch_by_id(self, key, user, by, how):
        """By the owner or by the other one, who knows the id."""
        fact_id = self.ids(user).get(key, "none")
        may = by == user and key in self.known[user]
        calls = {
            "edit": lambda: self.facts.edit(by, fact_id, value=f"{by} edited"),
            "end": lambda: self.facts.edit(by, fact_id, expires=FUTURE),
            "delete": lambda: self.facts.delete(by, fact_id),
            "get": lambda: self.facts.get(by, fact_id),
        }
        if not may:
            with pytest.raises(NotFoundError):
                calls[how]()
        else:
            calls[how]()
            if how == "edit":
                self.known[user][key] = (f"{by} edited", "")
            if how == "delete":
                del self.known[user][key]
        COUNTED[f"{how} {'own' if may else 'foreign or gone'}"] += 1

    @rule(user=st.sampled_from(USERS), keys=st.none() | st.lists(st.sampled_from(KEYS)))
    def forget(self, user, keys):
        gone = [key for key in self.known[user] if keys is None or key in keys]
        assert self.facts.forget(user, keys) == len(gone)
        for key in gone:
            del self.known[user][key]
        COUNTED["forget"] += 1

    @precondition(lambda self: self.sessions is not None)
    @rule(user=st.sampled_from(USERS), session=st.sampled_from(SESSIONS))
    def ask(self, user, session):
        self.number += 1
        question = f"{user} asks {self.number}"
        self.sessions.record_turn(user, session, Turn(question, f"{user} hears", Status.ANSWERED, str(self.number)))
        self.asked[user, session].append(question)
        COUNTED["ask"] += 1

    @precondition(lambda self: self.sessions is not None)
    @rule(user=st.sampled_from(USERS), session=st.sampled_from(SESSIONS))
    def leave_session(self, user, session):
        assert self.sessions.forget(user, session) == bool(self.asked[user, session])
        self.asked[user, session] = []
        COUNTED["leave session"] += 1

    @rule(user=st.sampled_from(USERS), enabled=st.booleans())
    def switch(self, user, enabled):
        self.facts.switch(user, enabled)
        self.enabled[user] = enabled
        COUNTED["switch"] += 1

    @invariant()
    def each_has_their_own(self):
        if not hasattr(self, "known"):
            return
        for user in USERS:
            found = self.facts.list(user)
            assert {fact.key: (fact.value, fact.session_id) for fact in found} == self.known[user]
            assert all(fact.value.startswith(f"{user} ") for fact in found)
            assert self.facts.is_enabled(user) == self.enabled[user]
        for (user, session), asked in self.asked.items() if self.sessions else ():
            assert [turn.question for turn in self.sessions.turns(user, session)] == asked
            assert self.sessions.has(user, session) == bool(asked)


def drive(engine, examples: int, steps: int) -> int:
    """How many operations were made."""
    before = sum(COUNTED.values())
    machine = type("TwoUsersHere", (TwoUsers,), {"engine": engine})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=checks, database=None)
    )
    return sum(COUNTED.values()) - before


@pytest.mark.slow
def test_nothing_crosses_between_two_users_in_ten_thousand_operations():
    """In memory: what waits for the disk is done on real files and a real server below."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    made = 0
    while made < 10_000:
        made += drive(engine, 100, 50)
    engine.dispose()
    assert COUNTED["get own"] and COUNTED["edit foreign or gone"]


def test_nothing_crosses_on_either_database(database):
    assert drive(database, 2, 12) > 0


def test_the_newest_fact_wins_whatever_the_order_of_writing(database):
    facts = Facts(database)
    facts.remember("ann", [Fact("name", "Ann", said="2026-01-02T00:00:00.000000+00:00")])
    facts.remember("ann", [Fact("name", "Anna", said="2026-01-03T00:00:00.000000+00:00")])
    facts.remember("ann", [Fact("name", "An", said="2026-01-01T00:00:00.000000+00:00")])
    assert [(fact.key, fact.value) for fact in facts.list("ann")] == [("name", "Anna")]


def test_of_too_many_the_oldest_are_forgotten(database, monkeypatch):
    monkeypatch.setattr(module, "MAX_FACTS", 3)
    facts = Facts(database)
    facts.remember("bob", [Fact("k0", "his")])
    for at in range(5):
        facts.remember("ann", [Fact(f"k{at}", str(at))])
    assert [fact.key for fact in facts.list("ann")] == ["k4", "k3", "k2"]
    assert [fact.value for fact in facts.list("bob")] == ["his"]


def test_text_that_no_database_takes_is_kept_without_it(database):
    facts = Facts(database)
    facts.remember("ann", [Fact("na\x00me", "An\x00n")])
    assert [(fact.key, fact.value) for fact in facts.list("ann")] == [("name", "Ann")]


def test_an_end_is_a_day_or_a_moment():
    assert read_expiry(" ") == FOREVER
    assert read_expiry("2999-12-31") == "3000-01-01T00:00:00.000000+00:00"
    assert read_expiry("2999-12-31T08:00:00+08:00") == "2999-12-31T00:00:00.000000+00:00"
    # In ten minutes: a test that begins just before midnight must not ask on the next day.
    today = (datetime.now(UTC) + timedelta(minutes=10)).date().isoformat()
    assert read_expiry(today) > in_future(timedelta())
    for wrong in ("soon", "2999-13-01", "2020-01-01", "9999-12-31"):
        with pytest.raises(InputError):
            read_expiry(wrong)
