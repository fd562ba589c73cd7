"""A small server of the embedding and reranking protocols, for tests.

It computes its answers from the texts that it is sent, so a mistake in the order shows, and
it is as strict as the real ones: key, model name, number of texts, length. Scores come back
best first and vectors in reverse, as the protocols allow.
"""

import json
import threading
import zlib
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

KEY = "sk-secret"
MODEL = "served-model"
DIMENSIONS = 24
MOST_TEXTS = 32
MOST_CHARS = 2000


def overlap(question: str, text: str) -> float:
    """Share of the question's letters that the text holds: the server's idea of relevance."""
    wanted = set(question.replace(" ", ""))
    return len(wanted & set(text)) / len(wanted) if wanted else 0.0


def vector(text: str) -> list[float]:
    """Counts of hashed letter pairs, of no particular length."""
    counts = np.full(DIMENSIONS, 0.01)
    for pair in zip(text, text[1:] + " ", strict=True):
        counts[zlib.crc32("".join(pair).encode("utf-8", "replace")) % DIMENSIONS] += 1
    return counts.tolist()


class Refusal(Exception):
    """What the server says no to."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ModelServerStandIn:
    """Serves `/v1/…` as vLLM does and `/…` as TEI does, until `close`.

    `replies` are given instead of the next answers: (status, headers, body); `requests`
    keeps (path, body) of all that came; `delay_s` makes every answer late.
    """

    def __init__(self) -> None:
        self.replies: deque[tuple[int, dict, str]] = deque()
        self.requests: list[tuple[str, dict]] = []
        self.delay_s = 0.0
        self.released = threading.Event()
        handler = type("Handler", (_Handler,), {"stand_in": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """The bare server, where TEI answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stops serving."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: dict) -> object:
        """The JSON of an answer. Raises Refusal."""
        routes = {
            "/v1/embeddings": self._openai, "/embed": self._tei_embed,
            "/v1/rerank": self._jina, "/rerank": self._tei_rerank,
        }  # fmt: skip
        if path not in routes:
            raise Refusal(404, f"no {path} here")
        return routes[path](body)

    def ask(self, path: str) -> object:
        """What GET gives."""
        if path == "/v1/models":
            return {"data": [{"id": MODEL, "root": "intfloat/multilingual-e5-small"}]}
        if path == "/info":
            return {"model_id": "intfloat/multilingual-e5-small", "model_sha": "abc123"}
        raise Refusal(404, f"no {path} here")

    def _openai(self, body: dict) -> object:
        texts = self._texts(body, "input", 400, body.get("truncate_prompt_tokens") == -1)
        if body["model"] != MODEL:
            raise Refusal(404, f"The model `{body['model']}` does not exist.")
        rows = [{"index": at, "embedding": vector(text)} for at, text in enumerate(texts)]
        return {"data": rows[::-1]}

    def _tei_embed(self, body: dict) -> object:
        return [vector(text) for text in self._texts(body, "inputs", 413, body["truncate"])]

    def _jina(self, body: dict) -> object:
        if body["model"] != MODEL:
            raise Refusal(404, f"The model `{body['model']}` does not exist.")
        texts = self._texts(body, "documents", 400, body.get("truncate_prompt_tokens") == -1)
        rows = self._ranked(body["query"], texts, "relevance_score")
        return {"results": rows[: body["top_n"]]}

    def _tei_rerank(self, body: dict) -> object:
        texts = self._texts(body, "texts", 413, body["truncate"])
        return self._ranked(body["query"], texts, "score")

    def _ranked(self, question: str, texts: list[str], name: str) -> list[dict]:
        rows = [{"index": at, name: overlap(question, text)} for at, text in enumerate(texts)]
        return sorted(rows, key=lambda row: -row[name])

    def _texts(self, body: dict, name: str, status: int, cut: bool) -> list[str]:
        texts = body[name]
        if not texts or "" in texts:
            raise Refusal(400, "an input is empty")
        if len(texts) > MOST_TEXTS:
            raise Refusal(413, f"batch size {len(texts)} > maximum allowed batch size {MOST_TEXTS}")
        if not cut and max(map(len, texts)) > MOST_CHARS:
            raise Refusal(status, "an input is longer than the model takes")
        return [text[:MOST_CHARS] for text in texts]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: ModelServerStandIn

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.stand_in.requests.append((self.path, body))
        self._reply(lambda: self.stand_in.answer(self.path, body))

    def do_GET(self) -> None:
        self._reply(lambda: self.stand_in.ask(self.path))

    def _reply(self, answer) -> None:
        if self.stand_in.delay_s:
            self.stand_in.released.wait(self.stand_in.delay_s)
        status, headers, text = 200, {}, ""
        if self.stand_in.replies:
            status, headers, text = self.stand_in.replies.popleft()
        elif self.headers.get("Authorization") != f"Bearer {KEY}":
            status, text = 401, f"wrong key {self.headers.get('Authorization')}"
        else:
            try:
                text = json.dumps(answer())
            except Refusal as refusal:
                status, text = refusal.status, json.dumps({"error": str(refusal)})
        payload = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_) -> None:
        """Keeps the test's output clean."""
