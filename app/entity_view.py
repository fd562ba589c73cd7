"""What is known of an entity, for REST and the command line alike, as plain JSON values.

Knows visibility and the graph's read path; knows nothing of HTTP or terminals.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.library import Library, Visible
from app.services import Services
from core.errors import ConflictError, InputError, NotFoundError
from core.types import Scope

if TYPE_CHECKING:
    from retrieval.graph.reader import Entity
    from retrieval.graph.ways import Evidence, Link

MAX_NAME_CHARS = 200
MAX_LINKS = 100


@dataclass(frozen=True, slots=True)
class EntityWish:
    """What shall be shown: an entity by name with at most `limit` links, or the way from it `to`
    another one."""

    name: str
    to: str = ""
    limit: int = 20


class EntityView:
    """The entities of one data directory."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._library = Library(services)

    def show(self, scope: Scope, wish: EntityWish, viewers: Visible = None) -> dict:
        """`{"entities": […], "links": […]}`: the entity, or both, and the links of it, or those of
        the way between both. All of it stands in documents that the caller may read.

        Raises:
            InputError: the name is empty or too long, or the limit is out of range.
            ConflictError: entities are not kept.
            NotFoundError: there is no such collection, or no such entity that the caller may know of.
        """
        for name in (wish.name, wish.to or wish.name):
            if not name.strip() or len(name) > MAX_NAME_CHARS:
                raise InputError(f"the name of an entity has 1 to {MAX_NAME_CHARS} characters")
        if not 1 <= wish.limit <= MAX_LINKS:
            raise InputError(f"there are 1 to {MAX_LINKS} links to be shown, not {wish.limit}")
        if self._services.settings.ingest.entities == "off":
            raise ConflictError(
                "entities of documents are not kept",
                remedy="set ingest.entities = rules, then run: attest ingest PATH",
            )
        self._library.require_collection(scope.collection, viewers)
        graph, one = self._services.entity_graph(), self._find(scope, wish.name)
        if not wish.to:
            return _rendered([one], graph.ways.links_of(scope, one, wish.limit))
        other = self._find(scope, wish.to)
        return _rendered([one, other], graph.ways.way(scope, one, other))

    def _find(self, scope: Scope, name: str) -> "Entity":
        reader = self._services.entity_graph().reader
        if found := reader.entity(scope, name):
            return found
        raise NotFoundError(
            f"there is no entity {name!r} in {scope.collection!r}",
            remedy="write the name as documents do; those that were ingested before ingest.entities was set "
            "are read again by: attest ingest PATH",
        )


def _rendered(entities: "list[Entity]", links: "list[Link]") -> dict:
    return {
        "entities": [
            {
                "key": entity.key,
                "name": entity.name,
                "kind": entity.kind.value,
                "aliases": list(entity.aliases),
                "values": list(entity.values),
                "chunks": entity.chunks,
                "documents": len({record.document_id for record in entity.records}),
            }
            for entity in entities
        ],
        "links": [
            {
                "source": link.source,
                "target": link.target,
                "names": list(link.names),
                "kind": link.kind,
                "words": link.words,
                "documents": link.documents,
                "evidence": [_told(evidence) for evidence in link.evidence],
            }
            for link in links
        ],
    }


def _told(evidence: "Evidence") -> dict:
    chunk = evidence.chunk
    return {
        "text": evidence.text,
        "chunk_id": chunk.id,
        "document_id": chunk.document_id,
        "title": chunk.title,
        "uri": chunk.uri,
        "page": chunk.page,
    }
