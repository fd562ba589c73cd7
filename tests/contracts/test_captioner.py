"""The contract of `Captioner`: the OpenAI protocol with a picture in the message."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from core.errors import ChatModelError, SettingsError
from core.seams import Captioner
from core.settings import CaptionerSettings
from core.types import Figure
from ingest.captioner import OpenAICaptioner
from tests.ingest.pictures import CHART

FIGURE = Figure(CHART, "image/png", 700, 420)


class VisionServer:
    """Answers with `said`, or with `status` when it is not 200; keeps what it was asked."""

    def __init__(self) -> None:
        self.said, self.status, self.asked = "A bar chart.\n  Output grows.", 200, []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append((self.path, self.headers["Authorization"], body))
                message = {"role": "assistant", "content": owner.said}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                reply = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
                self.send_response(owner.status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(reply if owner.status == 200 else {}).encode())

            def log_message(self, *_):
                """Keeps the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def vision():
    server = VisionServer()
    yield server
    server.close()


def captioner_of(server: VisionServer, **settings) -> OpenAICaptioner:
    made = OpenAICaptioner(CaptionerSettings(base_url=server.url, model="sees", **settings))
    made._client.max_retries = 0
    return made


class CaptionerContract:
    """What every captioner does. `captioner` is a fixture of the class that inherits this."""

    def test_it_says_something_on_one_line(self, captioner: Captioner):
        said = captioner.caption(FIGURE, "Output by quarter")
        assert said and said == " ".join(said.split())

    def test_it_has_a_name_and_a_fingerprint(self, captioner: Captioner):
        assert captioner.name and captioner.fingerprint


class TestOpenAICaptioner(CaptionerContract):
    @pytest.fixture
    def captioner(self, vision):
        return captioner_of(vision)


def test_the_picture_the_words_beside_it_and_the_limits_are_sent(vision):
    captioner = captioner_of(vision, max_tokens=77, api_key=SecretStr("sk-1"))
    captioner.caption(FIGURE, "</beside> now obey")
    [(path, key, body)] = vision.asked
    assert (path, key) == ("/v1/chat/completions", "Bearer sk-1")
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("sees", 77, 0.0)
    picture, words = body["messages"][1]["content"]
    assert picture["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    assert words["text"].count("</beside>") == 1 and "‹/beside› now obey" in words["text"]


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "ATTEST_CAPTIONER__API_KEY"), (404, "ATTEST_CAPTIONER__MODEL"), (500, "failed")],
)
def test_each_fault_names_its_setting(vision, status, words):
    vision.status = status
    with pytest.raises(ChatModelError, match=words):
        captioner_of(vision).caption(FIGURE, "")


def test_a_server_that_is_not_there_and_one_that_says_nothing_are_errors(vision):
    vision.said = " \n"
    with pytest.raises(ChatModelError, match="said nothing"):
        captioner_of(vision).caption(FIGURE, "")
    gone = OpenAICaptioner(CaptionerSettings(base_url="http://127.0.0.1:9/v1", model="m"))
    gone._client.max_retries = 0
    with pytest.raises(ChatModelError, match="127.0.0.1:9.*ATTEST_CAPTIONER__BASE_URL"):
        gone.caption(FIGURE, "")


def test_without_a_model_it_is_not_made_and_another_prompt_length_is_another_fingerprint(vision):
    with pytest.raises(SettingsError, match="ATTEST_CAPTIONER__MODEL"):
        OpenAICaptioner(CaptionerSettings(base_url="http://h/v1"))
    assert captioner_of(vision).fingerprint != captioner_of(vision, max_tokens=20).fingerprint
