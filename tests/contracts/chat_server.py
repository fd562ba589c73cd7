"""A small server of the chat completions protocol, for tests: says, streamed or whole, what a function makes
of the last message, and refuses when it is told to."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = Callable[[str], str]


class ChatServerStandIn:
    """Serves `/v1/chat/completions` until `close`.

    `requests` keeps the bodies; `most_at_once` how many were open together; an `int` for a
    reply is a status to refuse with.
    """

    def __init__(self, reply: Callable[[str], str | int]) -> None:
        self.reply = reply
        self.delay_s = 0.0
        self.requests: list[dict] = []
        self.most_at_once = 0
        self._open = 0
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"stand_in": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def base_url(self) -> str:
        """Ends in /v1."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def asked(self) -> list[str]:
        """The last message of each request."""
        return [body["messages"][-1]["content"] for body in self.requests]

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: dict) -> str | int:
        """The reply to one request."""
        with self._lock:
            self.requests.append(body)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            time.sleep(self.delay_s)
            return self.reply(body["messages"][-1]["content"])
        finally:
            with self._lock:
                self._open -= 1


class _Handler(BaseHTTPRequestHandler):
    stand_in: ChatServerStandIn

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        reply = self.stand_in.answer(body)
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        if isinstance(reply, int):
            self.send_error(reply)
            return
        self.send_response(200)
        if not body.get("stream"):
            self._whole(reply, usage)
            return
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for choice in ({"delta": {"content": reply}}, {"delta": {}, "finish_reason": "stop"}):
            self._event({"choices": [{"index": 0, **choice}]})
        self._event({"choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def _whole(self, reply: str, usage: dict) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": reply}, "finish_reason": "stop"}
        about = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
        data = json.dumps(about | {"choices": [choice], "usage": usage}).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _event(self, value: dict) -> None:
        about = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        self.wfile.write(f"data: {json.dumps(about | value)}\n\n".encode())

    def log_message(self, *_) -> None:
        """Keeps the test's output clean."""
