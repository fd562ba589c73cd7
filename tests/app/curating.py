"""A real API over real Milvus Lite and the real embedder, with a scripted chat model, some
documents of different readers and a key for each user. Test material only."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi.testclient import TestClient

from app.api import create_app
from app.keys import Role
from app.library import IngestOrder, Library
from app.services import Services
from core.settings import Settings
from tests.agents.doubles import ScriptedChat
from tests.app.fakes import TOKEN

WARRANTY = "# 售后\n\nTM-20 主机的保修期为 18 个月。电池的保修期为 6 个月。\n"
PAY = "# Pay\n\nThe bonus of a team lead is 4000 euros a year.\n"
QUESTION = "TM-20 主机的保修期是多久？"
GOOD = "TM-20 主机的保修期为 18 个月。[1]"
PAY_QUESTION = "How many euros is the bonus of a team lead?"
PAY_TEXT = "The bonus of a team lead is 4000 euros a year."


@dataclass
class Desk:
    """The API with its callers: `ann` reads what hr reads, `bob` does not; both may edit."""

    client: TestClient
    services: Services
    chat: ScriptedChat
    folder: Path
    keys: dict[str, str]

    def call(self, who: str, method: str, path: str, **more):
        """A request as one of the callers; `owner` is the holder of the local token."""
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        return self.client.request(method, path, headers=headers, **more)

    def ask(self, who: str, question: str = QUESTION, reply: str = "") -> dict:
        """The answer; the chat model says `reply`, if it is asked at all."""
        self.chat.replies = [reply] * 3
        answer = self.call(who, "POST", "/v1/ask", json={"question": question})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add(self, who: str, **body):
        """POST /v1/faq."""
        return self.call(who, "POST", "/v1/faq", json=body)

    def entries(self, who: str) -> list[dict]:
        """GET /v1/faq."""
        return self.call(who, "GET", "/v1/faq").json()["entries"]

    def write(self, name: str, text: str, readers: tuple[str, ...] = ("everyone",)) -> None:
        """Ingests a file, or its new version."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        report = Library(self.services).ingest(IngestOrder((path,), "default", readers))
        assert report["failed"] == 0, report


@contextmanager
def open_desk(folder: Path, embedder, chat=None, **sections):
    """A desk over a new data directory; a chat model other than the script for what is curated."""
    guard = {"sufficient_at": 0.0, "policy": "balanced"} | sections.pop("guard", {})
    settings = Settings(_env_file=None, data=folder / "data", guard=guard, **sections)
    chat = chat or ScriptedChat()
    parts = {"chat_model": chat, "embedder": embedder, "token_embedder": embedder}
    services = Services(settings, parts)
    users = {
        "ann": (["hr"], Role.EDITOR),
        "bob": (["it"], Role.EDITOR),
        "eve": (["hr"], Role.READER),
        "root": ([], Role.ADMIN),
    }
    keys = {name: services.keys().create(name, groups, role)[0] for name, (groups, role) in users.items()}
    files = folder / "files"
    files.mkdir()
    with TestClient(create_app(services, TOKEN), base_url="http://127.0.0.1:8765") as client:
        desk = Desk(client, services, chat, files, keys | {"owner": TOKEN})
        desk.write("warranty.md", WARRANTY)
        desk.write("pay.md", PAY, ("hr",))
        yield desk
