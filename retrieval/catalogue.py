"""Which Milvus collections stand for which of ours: names, aliases, editions.

A collection of ours is read through an alias that points at one of its editions, so that
a new edition can be built beside the live one and take its place at once. Milvus takes
letters, digits and `_` only, so names are told apart by a hash:

    attest_NAME_HASH_live    the alias
    attest_NAME_HASH_v1      an edition; the alias says whether it is the live one
    attest_NAME_HASH         an edition of the first release, live as long as there is no alias

Knows nothing of rows. Methods that change something expect the caller to hold the store's
write lock.
"""

import hashlib
import json
import re
import time
from dataclasses import dataclass

from core.errors import ConflictError
from retrieval import schema
from retrieval.connections import Connection, translated
from retrieval.filters import Readership
from retrieval.index_building import make_indexes

PREFIX = "attest_"
MEMO = "attest.memo"
FRESH_S = 5.0
"""How long a server's answer is believed: another process may have switched editions."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One Milvus collection that holds, held or will hold a collection of ours. `address` is
    the name to read by: the alias once there is one. `fingerprint` is the embedder's."""

    physical: str
    address: str
    fields: frozenset[str]
    fingerprint: str
    readership: Readership


class Catalogue:
    """The collections behind one connection. Thread-safe for reading."""

    def __init__(self, connection: Connection, prefix: str = PREFIX) -> None:
        """`prefix` is what the names of all its Milvus collections begin with."""
        self._prefix = prefix
        self._connection = connection
        self._client = connection.client
        self._known: dict[str, tuple[Edition, float]] = {}

    def find(self, collection: str) -> Edition | None:
        """The live edition; None when there is no such collection.

        Raises:
            ConflictError: the Milvus collection of that name belongs to another of ours.
        """
        edition, read_at = self._known.get(collection, (None, 0.0))
        if edition and (self._connection.is_lite or time.monotonic() - read_at < FRESH_S):
            return edition
        with translated():
            edition = self._look_up(collection)
        if edition:
            self._known[collection] = (edition, time.monotonic())
        else:
            self._known.pop(collection, None)
        return edition

    def names(self) -> list[str]:
        """All collections that have a live edition."""
        with translated():
            found = {name for name in map(self._owner, self._physical(self._prefix)) if name}
        return sorted(name for name in found if self.find(name))

    def create(self, collection: str, dimensions: int, fingerprint: str) -> Edition:
        """An empty collection, live. What a kill left of an earlier attempt goes first."""
        self.sweep(collection)
        edition = self.begin_edition(collection, dimensions, fingerprint)
        return self.switch(collection, edition)

    def begin_edition(self, collection: str, dimensions: int, fingerprint: str) -> Edition:
        """A new empty edition, loaded, that is not live yet."""
        name = self._next_name(collection)
        memo = json.dumps({"name": collection, "fingerprint": fingerprint})
        is_lite, has_sparse = self._connection.is_lite, self._connection.has_sparse
        # Lite drops descriptions but keeps properties; a server may refuse a property that
        # it does not know.
        kept = {"properties": {MEMO: memo}} if is_lite else {}
        with translated():
            self._client.create_collection(
                name,
                schema=schema.build_schema(self._client, dimensions, memo, has_sparse),
                consistency_level="Strong",
                **kept,
            )
            indexes = schema.build_indexes(self._client, is_lite, has_sparse)
            make_indexes(self._client, name, indexes)
            self._client.load_collection(name)
            return self._read(name, name)

    def switch(self, collection: str, edition: Edition) -> Edition:
        """Makes `edition` the live one, in one step; gives it as it is read from now on."""
        alias = self._base(collection) + "_live"
        with translated():
            if alias in self._client.list_aliases()["aliases"]:
                self._client.alter_alias(edition.physical, alias)
            else:
                self._client.create_alias(edition.physical, alias)
            live = self._read(edition.physical, alias)
        self._known[collection] = (live, time.monotonic())
        return live

    def sweep(self, collection: str) -> int:
        """Drops the editions that are not live; how many there were."""
        live = self.find(collection)
        stale = [name for name in self._editions(collection) if not live or name != live.physical]
        with translated():
            for name in stale:
                if self._owner(name) == collection:
                    self._client.drop_collection(name)
        return len(stale)

    def drop(self, collection: str) -> bool:
        """Removes all editions; False when none was live."""
        live = self.find(collection)
        self._known.pop(collection, None)
        with translated():
            if live and live.address != live.physical:
                self._client.drop_alias(live.address)
            if live:
                self._client.drop_collection(live.physical)
        self._known.pop(collection, None)
        self.sweep(collection)
        return live is not None

    def forget(self, collection: str) -> None:
        """Looks the collection up again at the next call."""
        self._known.pop(collection, None)

    def _look_up(self, collection: str) -> Edition | None:
        base = self._base(collection)
        for address in (f"{base}_live", base):
            if self._client.has_collection(address):
                physical = self._client.describe_collection(address)["collection_name"]
                owner = self._owner(physical)
                if owner != collection:
                    raise ConflictError(
                        f"the index has no room for {collection!r}: {owner!r} has taken its place",
                        remedy="choose another name",
                    )
                return self._read(physical, address)
        return None

    def _read(self, physical: str, address: str) -> Edition:
        about = self._client.describe_collection(physical)
        fields = frozenset(field["name"] for field in about["fields"])
        by_token = self._connection.is_lite and schema.ACCESS in fields
        return Edition(
            physical,
            address,
            fields,
            self._memo(about).get("fingerprint", ""),
            Readership.TOKENS if by_token else Readership.NAMES,
        )

    def _owner(self, physical: str) -> str:
        """The collection that an edition belongs to; empty when it does not say."""
        return self._memo(self._client.describe_collection(physical)).get("name", "")

    def _memo(self, about: dict) -> dict:
        kept = about.get("properties", {}).get(MEMO) if self._connection.is_lite else about.get("description")
        try:
            return json.loads(kept or "{}")
        except ValueError:  # somebody else's collection, described in their own words
            return {}

    def _physical(self, prefix: str) -> list[str]:
        with translated():
            return [name for name in self._client.list_collections() if name.startswith(prefix)]

    def _editions(self, collection: str) -> list[str]:
        base = self._base(collection)
        return [name for name in self._physical(base) if re.fullmatch(r"(_v\d+)?", name[len(base) :])]

    def _next_name(self, collection: str) -> str:
        tails = [name.rpartition("_v")[2] for name in self._editions(collection)]
        highest = max((int(tail) for tail in tails if tail.isdigit()), default=0)
        return f"{self._base(collection)}_v{highest + 1}"

    def _base(self, collection: str) -> str:
        readable = re.sub(r"[^A-Za-z0-9]+", "_", collection)[:40]
        return f"{self._prefix}{readable}_{hashlib.sha256(collection.encode()).hexdigest()[:8]}"
