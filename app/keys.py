"""API keys: who holds one, in which groups, with which role.

Knows the table `api_keys`; knows nothing of HTTP. A key itself is never stored, only its
sha256: it has 256 random bits, so a slow password hash would add nothing.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import JSON, Engine, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.database import create_tables, serialize
from core.errors import ConflictError, InputError, NotFoundError
from core.types import EVERYONE

LOCAL_OWNER = "local"
"""The owner of sessions asked by whoever owns the data directory."""

_NAME = re.compile(r"[\w.@+-]{1,128}", re.UNICODE)
_PREFIX = "attest_"


class Role(StrEnum):
    """What a key may do. Each role may do all that the ones after it may."""

    ADMIN = "admin"
    EDITOR = "editor"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """All that is known of a key, which is not the key."""

    id: str
    user: str
    groups: tuple[str, ...]
    role: Role
    created: str
    revoked: str | None

    def to_dict(self) -> dict:
        """As `attest keys list --json` shows it."""
        return {
            "id": self.id,
            "user": self.user,
            "groups": list(self.groups),
            "role": self.role.value,
            "created": self.created,
            "revoked": self.revoked,
        }


class _Tables(DeclarativeBase):
    pass


class _KeyRow(_Tables):
    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    user: Mapped[str] = mapped_column(String(128))
    groups: Mapped[list] = mapped_column(JSON)
    role: Mapped[str] = mapped_column(String(16))
    created: Mapped[str] = mapped_column(String(32))
    revoked: Mapped[str | None] = mapped_column(String(32), default=None)


class KeyTable:
    """Creates, finds, lists and revokes keys. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        create_tables(engine, _Tables.metadata)

    def create(self, user: str, groups: Sequence[str], role: Role) -> tuple[str, KeyInfo]:
        """A new key; this is the only time that it can be read.

        Raises:
            InputError: a name has characters that names may not have, or is reserved.
            ConflictError: a user would be called as a group is, or the other way round;
                both are readers of documents, so one could read what is the other's.
        """
        for name in (user, *groups):
            _check_name(name)
        key = _PREFIX + secrets.token_urlsafe(32)
        row = _KeyRow(
            id=secrets.token_hex(4),
            sha256=_digest(key),
            user=user,
            groups=sorted(set(groups)),
            role=role.value,
            created=_now(),
        )
        with Session(self._engine) as session, session.begin():
            serialize(session.connection(), "attest: names of keys")
            _check_collision(session, row)
            session.add(row)
            session.flush()
            info = _info(row)
        return key, info

    def find(self, key: str) -> KeyInfo | None:
        """Whose key it is; None when it is unknown or revoked."""
        with Session(self._engine) as session:
            row = session.scalar(select(_KeyRow).where(_KeyRow.sha256 == _digest(key)))
            return _info(row) if row and not row.revoked else None

    def list(self) -> list[KeyInfo]:
        """All keys, revoked ones too, oldest first."""
        with Session(self._engine) as session:
            return [_info(row) for row in session.scalars(select(_KeyRow).order_by(_KeyRow.created))]

    def any(self) -> bool:
        """Whether a key was ever made. Revoking the last one does not open the API again."""
        with Session(self._engine) as session:
            return session.scalar(select(_KeyRow.id).limit(1)) is not None

    def revoke(self, key_id: str) -> KeyInfo:
        """From now on the key is unknown.

        Raises:
            NotFoundError: there is no key of this id.
        """
        with Session(self._engine) as session, session.begin():
            row = session.get(_KeyRow, key_id)
            if row is None:
                raise NotFoundError(f"there is no API key {key_id!r}", remedy="see: attest keys list")
            row.revoked = row.revoked or _now()
            return _info(row)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a user or group",
            remedy="use letters, digits and . _ @ + - (1 to 128 of them)",
        )
    if name in (EVERYONE, LOCAL_OWNER):
        raise InputError(f"the name {name!r} is reserved", remedy="choose another")


def _check_collision(session: Session, new: _KeyRow) -> None:
    for row in session.scalars(select(_KeyRow)):
        clash = {row.user} & set(new.groups) | {new.user} & set(row.groups)
        if clash:
            raise ConflictError(
                f"{clash.pop()!r} would be the name of a user and of a group", remedy="choose another name"
            )
    if new.user in new.groups:
        raise ConflictError(f"{new.user!r} cannot be a user and a group", remedy="choose another name")


def _info(row: _KeyRow) -> KeyInfo:
    return KeyInfo(row.id, row.user, tuple(row.groups), Role(row.role), row.created, row.revoked)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
