"""A worker that needs nothing: it counts common characters. `fail` as argument ends it.

Stands in for a retrieval library at the process boundary.
"""

import json
import sys
from pathlib import Path

from bench.peers.protocol import serve


class TinySystem:
    """Ranks passages by how many of the question's characters they hold."""

    ways = ("forward", "backward")

    def __init__(self, folder: str) -> None:
        print("noise that a library prints on stdout")
        self._folder = Path(folder)
        self._libraries: dict[str, dict[str, str]] = {}
        self._encoded = ""

    def about(self) -> dict:
        return {"packages": {}, "default_way": "forward"}

    def add(self, library, passages):
        self._libraries.setdefault(library, {}).update({p.id: p.text for p in passages})

    def finish(self, library):
        pass

    def encode(self, question):
        self._encoded = question
        return [float(len(question)), 1.0]

    def search(self, way, library, question, limit):
        assert question == self._encoded, "a search comes after its encoding"
        texts = self._libraries[library]
        order = sorted(texts, key=lambda i: (-len(set(question) & set(texts[i])), i))
        return (order if way == "forward" else order[::-1])[:limit]

    def save(self, library, folder):
        (Path(folder) / "tiny.json").write_text(json.dumps(self._libraries[library]), encoding="utf-8")

    def open(self, library, folder):
        texts = (Path(folder) / "tiny.json").read_text(encoding="utf-8")
        self._libraries[library] = json.loads(texts)

    def close(self):
        (self._folder / "closed").touch()


if __name__ == "__main__":
    if sys.argv[1] == "fail":
        sys.exit("the tiny system was told to fail")
    serve(lambda: TinySystem(sys.argv[1]))
