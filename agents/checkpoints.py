"""Where the graph of a session stands between its steps: LangGraph's checkpoints in the database of
sessions, SQLite or PostgreSQL, signed and kept short.

A step costs one write at most: what its node gave is part of the state that follows, and is not written by
itself unless nodes run beside each other. A step that is made anew for nothing, or is the last one of a turn,
is held until something rests on it. Knows three tables and the names of steps; knows nothing of what is in a
state but the thread that it belongs to.
"""

import asyncio
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    RunnableConfig,
    get_checkpoint_metadata,
)
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    delete,
    func,
    select,
)

from agents.signing import SessionKey, SignedSerializer, tampered
from core.database import TEXT, create_tables, insert_into, place_of, replace_rows, serialize
from core.errors import SettingsError

THREAD = "thread"
"""The field of a state that names its thread."""
ASKED = "__start__"
"""How LangGraph names the channel of what a turn begins with, until its first step is written."""
_NEXT, _SENT = "branch:to:", "__pregel_tasks"
"""How LangGraph names the channels that say which node comes next, and what was sent to several."""
_ALONE = "~__pregel_pull"
"""How it begins the path of a task that nothing was sent to."""
KEY_LOCK = "attest: who says which key signs checkpoints"
_log = logging.getLogger(__name__)

_TABLES = MetaData()
CHECKPOINTS = Table(
    "checkpoints",
    _TABLES,
    Column("thread_id", TEXT, primary_key=True),
    Column("checkpoint_ns", TEXT, primary_key=True),
    Column("checkpoint_id", TEXT, primary_key=True),
    Column("parent_checkpoint_id", TEXT),
    Column("type", TEXT),
    Column("checkpoint", LargeBinary),
    Column("metadata", LargeBinary),
)
WRITES = Table(
    "writes",
    _TABLES,
    Column("thread_id", TEXT, primary_key=True),
    Column("checkpoint_ns", TEXT, primary_key=True),
    Column("checkpoint_id", TEXT, primary_key=True),
    Column("task_id", TEXT, primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("task_path", TEXT, nullable=False, default=""),
    Column("channel", TEXT, nullable=False),
    Column("type", TEXT),
    Column("value", LargeBinary),
)
KEYS = Table(
    "checkpoint_keys",
    _TABLES,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", TEXT, nullable=False),
)
"""One row: the key that the checkpoints are signed with."""
_C, _W = CHECKPOINTS.c, WRITES.c
_INSERT = CHECKPOINTS.insert()
# Made once: to put a statement together costs more than to execute it.
_LATEST = (
    select(CHECKPOINTS)
    .where(_C.thread_id == bindparam("thread_id"), _C.checkpoint_ns == bindparam("checkpoint_ns"))
    .order_by(_C.checkpoint_id.desc())
    .limit(1)
)
_THIS = _LATEST.where(_C.checkpoint_id == bindparam("checkpoint_id"))
_RESULTS = (
    select(WRITES)
    .where(
        _W.thread_id == bindparam("thread_id"),
        _W.checkpoint_ns == bindparam("checkpoint_ns"),
        _W.checkpoint_id == bindparam("checkpoint_id"),
    )
    .order_by(_W.task_path, _W.task_id, _W.idx)
)
# For share: who changes the key waits for those that write with it, and they for whoever changes it.
_SIGNED_WITH = select(KEYS.c.fingerprint).with_for_update(read=True)
_LAST_ID = select(func.max(_C.checkpoint_id)).where(_C.thread_id == bindparam("thread_id"))
_OF_THREAD = [delete(t).where(t.c.thread_id == bindparam("thread_id")) for t in (WRITES, CHECKPOINTS)]
_BEFORE = [
    statement.where(statement.table.c.checkpoint_id < bindparam("checkpoint_id")) for statement in _OF_THREAD
]


class SessionSaver(BaseCheckpointSaver[str]):
    """Stores plain values only: neither pickles nor classes are read back. Of one event loop; the database
    is asked in threads."""

    def __init__(self, engine: Engine, key: bytes, free: Collection[str] = ()) -> None:
        """`free` are nodes before which nothing was done that is worth a write."""
        super().__init__(serde=SignedSerializer(key))
        self.engine = engine
        self._fingerprint = SessionKey(key).fingerprint
        self._free = {f"{_NEXT}{name}" for name in free}
        self._held: dict[str, dict[str, Any]] = {}
        create_tables(engine, _TABLES)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """See `BaseCheckpointSaver`; versions are ordered as texts."""
        return f"{int(current.split('.')[0]) + 1 if current else 1:032}"

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """See `BaseCheckpointSaver`. A checkpoint of another session, signed as it is, is refused too.

        Raises:
            TamperedError: it is not what was stored here.
            StoreError: the database cannot be read.
        """
        thread_id = config["configurable"]["thread_id"]
        found = await asyncio.to_thread(self._read, config)
        values = found.checkpoint["channel_values"] if found else {}
        if not is_of(thread_id, values):
            raise tampered()
        return found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """See `BaseCheckpointSaver`. Of a thread only the last step is held: one that follows replaces it."""
        place = {**_place(config), "checkpoint_id": checkpoint["id"]}
        kind, data = self.serde.dumps_typed(checkpoint)
        row = {
            **place,
            "parent_checkpoint_id": config["configurable"].get("checkpoint_id"),
            "type": kind,
            "checkpoint": data,
            "metadata": json.dumps(get_checkpoint_metadata(config, metadata)).encode(),
        }
        if metadata["source"] == "loop" and self._may_wait(checkpoint):
            self._held[place["thread_id"]] = row
        else:
            self._held.pop(place["thread_id"], None)
            await asyncio.to_thread(self._write, [row])
        return {"configurable": place}

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """See `BaseCheckpointSaver`. What a node gave that runs by itself is not written: the step that
        follows holds it."""
        named = [channel in WRITES_IDX_MAP for channel, _ in writes]
        if task_path.startswith(_ALONE) and not any(named):
            return
        place = {**_place(config), "checkpoint_id": config["configurable"]["checkpoint_id"]}
        rows = []
        for at, (channel, value) in enumerate(writes):
            kind, data = self.serde.dumps_typed(value)
            what = {"idx": WRITES_IDX_MAP.get(channel, at), "channel": channel, "type": kind, "value": data}
            rows.append({**place, "task_id": task_id, "task_path": task_path, **what})
        held, rests_on = self._held.get(place["thread_id"]), []
        if held and held["checkpoint_id"] == place["checkpoint_id"]:
            rests_on = [self._held.pop(place["thread_id"])]
        await asyncio.to_thread(self._write, rests_on, rows, replaces=all(named))

    async def keep_latest(self, thread_id: str) -> None:
        """Writes the last step of a turn down and forgets all checkpoints of its thread before it: each is
        a full copy of the state, and a turn goes on from its last one only."""
        await asyncio.to_thread(self._keep_latest, thread_id, self._held.pop(thread_id, None))

    def let_go(self, thread_id: str) -> None:
        """Forgets what is held of a turn that was broken off: it goes on from what is written."""
        self._held.pop(thread_id, None)

    async def adelete_thread(self, thread_id: str) -> None:
        """See `BaseCheckpointSaver`."""
        self.let_go(thread_id)
        await asyncio.to_thread(self._delete, thread_id)

    def settle_key(self, key: SessionKey) -> None:
        """Makes sure that all checkpoints are signed with this key. In a file those of another one are
        forgotten: the turns of sessions lie elsewhere, and stay. On a server other processes may use them.

        Raises:
            SettingsError: the server's are signed with another key.
            StoreError: the database does not answer.
        """
        with self.engine.begin() as connection:
            serialize(connection, KEY_LOCK)
            known = connection.scalar(select(KEYS.c.fingerprint))
            if known == key.fingerprint:
                return
            is_file = connection.dialect.name == "sqlite"
            if known is not None and not is_file:
                raise another_key(self.engine)
            if is_file and (known is not None or key.is_new):
                for table in (WRITES, CHECKPOINTS):
                    connection.execute(delete(table))
            replace_rows(connection, KEYS, [{"id": 1, "fingerprint": key.fingerprint}])
        if known is not None:
            _log.warning(
                "the key of the sessions in %s is another one than before: unfinished turns are forgotten "
                "(attest sessions change-secret would have kept them)",
                place_of(self.engine),
            )

    def _may_wait(self, checkpoint: Checkpoint) -> bool:
        values = checkpoint["channel_values"]
        return not values.get(_SENT) and {n for n in values if n.startswith(_NEXT)} <= self._free

    def _read(self, config: RunnableConfig) -> CheckpointTuple | None:
        place, wanted = _place(config), config["configurable"].get("checkpoint_id")
        with self.engine.connect() as connection:
            found = connection.execute(
                _THIS if wanted else _LATEST, {**place, "checkpoint_id": wanted} if wanted else place
            )
            if (row := found.mappings().first()) is None:
                return None
            here = {**place, "checkpoint_id": row["checkpoint_id"]}
            writes = connection.execute(_RESULTS, here).mappings().all()
        before = {**place, "checkpoint_id": row["parent_checkpoint_id"]}
        return CheckpointTuple(
            {"configurable": here},
            self.serde.loads_typed((row["type"], row["checkpoint"])),
            json.loads(row["metadata"]),
            {"configurable": before} if row["parent_checkpoint_id"] else None,
            [(w["task_id"], w["channel"], self.serde.loads_typed((w["type"], w["value"]))) for w in writes],
        )

    def _write(self, steps: Sequence[dict], results: Sequence[dict] = (), *, replaces: bool = False) -> None:
        with self.engine.begin() as connection:
            if steps:
                connection.execute(_INSERT, steps)
            if replaces:
                replace_rows(connection, WRITES, results)
            elif results:
                connection.execute(insert_into(connection, WRITES).on_conflict_do_nothing(), results)
            self._check_key(connection)

    def _keep_latest(self, thread_id: str, last: dict | None) -> None:
        with self.engine.begin() as connection:
            if last:
                connection.execute(_INSERT, last)
            here = {"thread_id": thread_id}
            kept = last["checkpoint_id"] if last else connection.scalar(_LAST_ID, here)
            for statement in _BEFORE:
                connection.execute(statement, {**here, "checkpoint_id": kept or ""})
            self._check_key(connection)

    def _check_key(self, connection: Connection) -> None:
        """After what was written, before it is kept: what is signed with a key that is the key no more
        would be refused ever after. Raises SettingsError."""
        if connection.scalar(_SIGNED_WITH) not in (None, self._fingerprint):
            raise another_key(self.engine)

    def _delete(self, thread_id: str) -> None:
        with self.engine.begin() as connection:
            for statement in _OF_THREAD:
                connection.execute(statement, {"thread_id": thread_id})


def _place(config: RunnableConfig) -> dict[str, str]:
    names = config["configurable"]
    return {"thread_id": names["thread_id"], "checkpoint_ns": names.get("checkpoint_ns", "")}


def open_saver(engine: Engine, key: SessionKey, free: Collection[str] = ()) -> SessionSaver:
    """The saver over a database. Raises as `SessionSaver.settle_key`."""
    saver = SessionSaver(engine, key.value, free)
    saver.settle_key(key)
    return saver


def is_of(thread_id: str, values: Mapping[str, Any]) -> bool:
    """Whether the values of a checkpoint are of this thread; before anything ran they name none."""
    return all(part.get(THREAD, thread_id) == thread_id for part in (values, values.get(ASKED, {})))


def another_key(engine: Engine) -> SettingsError:
    """What is said to who has another key than that of the checkpoints."""
    return SettingsError(
        f"the sessions in {place_of(engine)} are signed with another key than that of ledger.session_secret",
        remedy="give all processes the same ATTEST_LEDGER__SESSION_SECRET (without one: the same data "
        "directory); to change it on purpose: attest sessions change-secret; where the old one is lost, stop "
        "them all and run in psql: TRUNCATE checkpoints, writes, checkpoint_keys; unfinished turns are lost, "
        "sessions stay",
    )
