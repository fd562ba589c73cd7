"""The signature of what a session has stored, and the key that it is made with.

Knows plain values and a file; knows nothing of databases or of graphs.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import SecretStr

from core.errors import SettingsError, StoreError, TamperedError

KEY_BYTES = 32
LEAST_SECRET = 32
"""Characters."""


class SignedSerializer(JsonPlusSerializer):
    """Plain values with a keyed hash in front (HMAC, RFC 2104, over SHA-256): what was not written
    with this key is not read."""

    def __init__(self, key: bytes) -> None:
        super().__init__(pickle_fallback=False)
        self._key = key

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """See `SerializerProtocol`."""
        kind, data = super().dumps_typed(obj)
        return kind, self._sign(kind, data) + data

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """See `SerializerProtocol`.

        Raises:
            TamperedError: it was changed, or written with another key.
        """
        return super().loads_typed((data[0], self._opened(*data)))

    def signed_by(self, other: "SignedSerializer", kind: str, signed: bytes) -> bytes:
        """What was written with this key, as the other one writes it. Raises TamperedError as
        `loads_typed`."""
        plain = self._opened(kind, signed)
        return other._sign(kind, plain) + plain

    def _opened(self, kind: str, signed: bytes) -> bytes:
        if not isinstance(kind, str) or not isinstance(signed, bytes | memoryview):
            raise tampered()  # a column may have been given anything
        size = hashlib.sha256().digest_size
        signature, plain = bytes(signed[:size]), bytes(signed[size:])
        if not hmac.compare_digest(signature, self._sign(kind, plain)):
            raise tampered()
        return plain

    def _sign(self, kind: str, data: bytes) -> bytes:
        return hmac.digest(self._key, kind.encode() + b"\x00" + data, "sha256")


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What sessions are signed with; `is_new`: made just now."""

    value: bytes = field(repr=False)
    is_new: bool = False

    @property
    def fingerprint(self) -> str:
        """By which it is known again, and from which it cannot be found. No signature looks like it: one
        is over a kind and a zero byte."""
        return hmac.digest(self.value, b"id", "sha256").hex()


def session_key(secret: SecretStr, file: Path) -> SessionKey:
    """The key of a secret of the settings, or else that of the file, which is made at the first time.

    Raises:
        SettingsError: the secret is too short.
        StoreError: the file cannot be read or made.
    """
    given = secret.get_secret_value()
    return key_of(given) if given else SessionKey(*read_key(file))


def key_of(secret: str, what: str = "ledger.session_secret") -> SessionKey:
    """The key of a secret. Raises SettingsError when it is too short."""
    if len(secret) < LEAST_SECRET:
        raise SettingsError(
            f"{what} has {len(secret)} characters, which are too few",
            remedy=f"make one of {LEAST_SECRET} or more: openssl rand -hex 32",
        )
    return SessionKey(hashlib.sha256(secret.encode()).digest())


def read_key(path: Path) -> tuple[bytes, bool]:
    """The key that checkpoints are signed with, and whether it was made just now. The file is
    readable by this user alone. Raises StoreError."""
    try:
        # Written whole under another name first: two processes may start at once, or one be killed.
        if not path.exists():
            fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)
                return bytes.fromhex(path.read_text("ascii")), True
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        key = bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError) as exc:
        raise StoreError(
            f"the key of the sessions, {path}, cannot be read or made: {exc}",
            remedy="mend its rights; or delete it, and unfinished turns are forgotten",
        ) from exc
    if len(key) != KEY_BYTES:
        raise StoreError(
            f"the key of the sessions, {path}, is damaged",
            remedy="restore it; or delete it, and unfinished turns are forgotten",
        )
    return key, False


def tampered() -> TamperedError:
    """What is said of a checkpoint that is not what was stored."""
    return TamperedError(
        "the stored state of this session was changed outside of attest, so it is not used",
        remedy="forget the session, and begin another",
    )
