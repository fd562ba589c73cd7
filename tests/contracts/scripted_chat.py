"""A server of the chat completions protocol that behaves as vLLM does, for tests.

Streams piece by piece and notices who leaves; follows schemas and calls tools; counts what of a
prompt it has read before, apart by `cache_salt`; refuses, hangs or breaks off when it is told to.
"""

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "sk-scripted"
MODEL = "scripted"
MOST_PROMPT_CHARS = 20_000
PIECES = 2000
HEAD = {"id": "1", "object": "chat.completion", "created": 0, "model": MODEL}


class ScriptedChatServer:
    """Serves `/v1/chat/completions` until `close`.

    `faults` are met by the next requests instead of an answer: a status to refuse with, "silence",
    or "break" (half a reply). `requests` keeps all bodies, `left` how many callers went away.
    """

    def __init__(self) -> None:
        self.faults: deque[int | str] = deque()
        self.requests: list[dict] = []
        self.left = 0
        self.released = threading.Event()
        self._read: set[tuple[str, str]] = set()
        handler = type("Handler", (_Handler,), {"server_of": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def base_url(self) -> str:
        """Ends in /v1."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        """Stops serving."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def usage(self, body: dict, written: int) -> dict:
        """A word is a token; what was read of this salt before is cached."""
        prompt = "\n".join(message["content"] for message in body["messages"]).split()
        salt, known = body.get("cache_salt", ""), 0
        for end in range(1, len(prompt) + 1):
            start = (salt, " ".join(prompt[:end]))
            known = end if start in self._read else known
            self._read.add(start)
        cached = {"cached_tokens": min(known, len(prompt) - 1)}
        total = {"total_tokens": len(prompt) + written, "prompt_tokens_details": cached}
        return {"prompt_tokens": len(prompt), "completion_tokens": written} | total


def instance_of(schema: dict) -> object:
    """The least value that follows a JSON schema of the simple kind."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: instance_of(inner) for name, inner in schema.get("properties", {}).items()}
        case "array":
            return []
        case "integer" | "number":
            return 0
        case "boolean":
            return False
        case _:
            return "words"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ScriptedChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server_of.requests.append(body)
        fault = self.server_of.faults.popleft() if self.server_of.faults else self._fault_of(body)
        if fault == "silence":
            self.server_of.released.wait(30)
            self.close_connection = True
        elif isinstance(fault, int):
            self._send({"error": {"message": f"status {fault}", "code": fault}}, fault)
        elif body.get("stream"):
            self._stream(body, breaks=fault == "break")
        else:
            self._send(self._whole(body))

    def _fault_of(self, body: dict) -> int | None:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return 401
        if body["model"] != MODEL:
            return 404
        too_long = sum(len(message["content"]) for message in body["messages"]) > MOST_PROMPT_CHARS
        return 400 if too_long else None

    def _whole(self, body: dict) -> dict:
        message, reason = {"role": "assistant", "content": None}, "stop"
        if tools := body.get("tools"):
            choice = body["tool_choice"]
            name = tools[-1]["function"]["name"] if choice == "required" else choice["function"]["name"]
            schema = next(t["function"]["parameters"] for t in tools if t["function"]["name"] == name)
            called = {"name": name, "arguments": json.dumps(instance_of(schema))}
            message["tool_calls"] = [{"id": "1", "type": "function", "function": called}]
            written = 5
        else:
            text = json.dumps(instance_of(body["response_format"]["json_schema"]["schema"]))
            message["content"] = text[: body["max_tokens"] * 4]
            reason = "stop" if message["content"] == text else "length"
            written = len(message["content"]) // 4
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return HEAD | {"choices": [choice], "usage": self.server_of.usage(body, written)}

    def _stream(self, body: dict, breaks: bool) -> None:
        asked = body["messages"][-1]["content"]
        said = asked.partition("Repeat exactly:")[2].split() or [str(n) for n in range(1, PIECES)]
        for stop in body.get("stop", []):
            said = said[: said.index(stop)] if stop in said else said
        reason = "stop" if len(said) <= body["max_tokens"] else "length"
        said = said[: body["max_tokens"]]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for number, piece in enumerate(said):
                if breaks and number == len(said) // 2:
                    self.close_connection = True
                    return
                self._event({"choices": [{"index": 0, "delta": {"content": f"{piece} "}}]})
                if number:
                    # Slow enough for the caller to leave before the end.
                    self.server_of.released.wait(0.002)
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
            self._event({"choices": [], "usage": self.server_of.usage(body, len(said))})
            self._chunk(b"data: [DONE]\n\n")
            self._chunk(b"")
        except (BrokenPipeError, ConnectionResetError):
            self.server_of.left += 1
            self.close_connection = True

    def _event(self, value: dict) -> None:
        self._chunk(f"data: {json.dumps(HEAD | {'object': 'chat.completion.chunk'} | value)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _send(self, value: dict, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_) -> None:
        """Keeps the test's output clean."""
