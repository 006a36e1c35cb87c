"""What several test files use: a web server whose answers a test writes down beforehand, and configuration groups."""

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message

import pytest
from groups import SCHEMAS, write_groups

from lociflow.config import Configuration

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@dataclass
class WebServer:
    address: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By path; each request takes the next, the last one stays."""
    requests: list[tuple[str, Message]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"{self.address}{path}"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = WebServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            server.requests.append((self.path, self.headers))
            answers = server.answers.get(self.path)
            if not answers:
                self.send_error(404)
                return
            (answers.pop(0) if len(answers) > 1 else answers[0])(self)

        def log_message(self, *arguments: object) -> None:
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    listener.shutdown()
    thread.join()
    listener.server_close()


@pytest.fixture
def home(tmp_path):
    """A folder of groups with one file each, to be changed."""
    return write_groups(tmp_path / "config")


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    """The same groups unchanged, composed once for all tests."""
    return Configuration(write_groups(tmp_path_factory.mktemp("groups") / "config"), SCHEMAS)
