"""Downloads by FTP, from a server of our own."""

import socketserver
import threading

import pytest

from lociflow.command import UserError
from lociflow.download import Patience, download

BODY = bytes(range(256)) * 100
QUICK = Patience(tries=4, back_off=0.001, longest_wait=0.05, timeout=5)


class FtpServer(socketserver.StreamRequestHandler):
    """As much of RFC 959 as urllib needs."""

    announced = f"opening ({len(BODY)} bytes)"

    def handle(self):
        def say(text):
            self.wfile.write(f"{text}\r\n".encode())

        say("220 hello")
        with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as data:
            for line in self.rfile:
                command, _, argument = line.decode().strip().partition(" ")
                if command == "USER":
                    say("331 password")
                elif command == "PASS":
                    say("230 in")
                elif command in ("TYPE", "CWD"):
                    say("200 ok" if argument != "absent.fa" else "550 no such folder")
                elif command == "PWD":
                    say('257 "/"')
                elif command == "PASV":
                    port = data.server_address[1]
                    say(f"227 entering (127,0,0,1,{port // 256},{port % 256})")
                elif command == "RETR" and argument == "genome.fa":
                    say(f"150 {self.announced}")
                    connection, _ = data.get_request()
                    with connection:
                        connection.sendall(BODY[: self.server.sent.pop(0)])
                    say("226 done")
                elif command == "QUIT":
                    say("221 bye")
                    return
                else:
                    say("550 no such file")


@pytest.fixture
def ftp(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), FtpServer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_ftp_begins_again_where_a_transfer_broke_off(ftp, tmp_path):
    ftp.sent = [1000, len(BODY)]
    part = tmp_path / "x.part"
    url = f"ftp://127.0.0.1:{ftp.server_address[1]}/pub/genome.fa"
    assert download(url, part, True, "do something", QUICK) is False
    assert part.read_bytes() == BODY


def test_ftp_without_a_length_needs_a_digest(ftp, tmp_path, monkeypatch):
    monkeypatch.setattr(FtpServer, "announced", "opening")
    ftp.sent = [1000, len(BODY)]
    url = f"ftp://127.0.0.1:{ftp.server_address[1]}/pub/genome.fa"
    with pytest.raises(UserError, match="announces no length"):
        download(url, tmp_path / "x.part", False, "do something", QUICK)
    assert download(url, tmp_path / "x.part", True, "do something", QUICK) is False


def test_ftp_refusal_is_not_asked_again(ftp, tmp_path):
    url = f"ftp://127.0.0.1:{ftp.server_address[1]}/pub/absent.fa"
    with pytest.raises(UserError, match=r"the server answered 550 .*, expected the file; do something"):
        download(url, tmp_path / "x.part", False, "do something", QUICK)
