"""Signs what sessions have stored anew, with another key: once, whole, or not at all.

Everything happens in one transaction, so a kill at any moment leaves all of it signed with the old key or all
of it with the new one. Processes that still run with the old key can store nothing from then on. Knows the
tables of checkpoints and two keys; knows nothing of graphs.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Table, select, update

from agents.checkpoints import CHECKPOINTS, KEY_LOCK, KEYS, WRITES, another_key, is_of
from agents.sessions import SessionIndex
from agents.signing import SessionKey, SignedSerializer, tampered
from core.database import create_tables, replace_rows, serialize
from core.errors import TamperedError


@dataclass(frozen=True, slots=True)
class Refused:
    """A session of which something was changed from outside, so that it is not signed anew. `owner` and
    `session_id` are empty where no session is listed for the thread."""

    thread: str
    owner: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Resigned:
    """What was signed anew; `is_done`: the key was the new one already, and nothing was left to do."""

    checkpoints: int = 0
    results: int = 0
    sessions: int = 0
    refused: tuple[Refused, ...] = ()
    is_done: bool = False


def change_key(engine: Engine, old: SessionKey, new: SessionKey) -> Resigned:
    """Signs all checkpoints, and the results beside them, with the new key. What the old one did not sign
    stays as it is, and is refused as before.

    Raises:
        SettingsError: what is stored is signed with neither.
        StoreError: the database does not answer.
    """
    create_tables(engine, KEYS.metadata)
    signers = SignedSerializer(old.value), SignedSerializer(new.value)
    with engine.begin() as connection:
        serialize(connection, KEY_LOCK)
        known = connection.scalar(select(KEYS.c.fingerprint).with_for_update())
        if known == new.fingerprint:
            return Resigned(is_done=True)
        if known not in (None, old.fingerprint):
            raise another_key(engine)
        # First of all: who writes with the old key now ends, or sees that it is the key no more.
        replace_rows(connection, KEYS, [{"id": 1, "fingerprint": new.fingerprint}])
        checkpoints, of_checkpoints = _sign_anew(connection, CHECKPOINTS, "checkpoint", signers)
        results, of_results = _sign_anew(connection, WRITES, "value", signers)
        sessions = connection.scalars(select(CHECKPOINTS.c.thread_id).distinct()).all()
    refused = of_checkpoints | of_results
    named = SessionIndex(engine).named(refused) if refused else {}
    listed = [Refused(thread, *named.get(thread, ("", ""))) for thread in sorted(refused)]
    return Resigned(checkpoints, results, len(set(sessions) - refused), tuple(listed))


def _sign_anew(
    connection: Connection, table: Table, column: str, signers: tuple[SignedSerializer, SignedSerializer]
) -> tuple[int, set[str]]:
    """How many rows were; and the threads of those that the first signer did not write."""
    old, new = signers
    count, refused = 0, set()
    keys = list(table.primary_key.columns)
    # Their places first: they are few, and a result is not read while its rows are changed.
    for place in connection.execute(select(*keys)).all():
        here = [key == value for key, value in zip(keys, place, strict=True)]
        kind, signed = connection.execute(select(table.c.type, table.c[column]).where(*here)).one()
        try:
            anew = old.signed_by(new, kind, signed)
            if table is CHECKPOINTS and not is_of(
                place.thread_id, old.loads_typed((kind, signed))["channel_values"]
            ):
                raise tampered()
        except TamperedError:
            refused.add(place.thread_id)
            continue
        connection.execute(update(table).where(*here).values({column: anew}))
        count += 1
    return count, refused
