import contextlib
import json
import re
import socketserver
import threading
import time
from email.utils import formatdate

import pytest

from lociflow import download as module
from lociflow.command import UserError
from lociflow.download import Patience, discard, download, state_path

BODY = bytes(range(256)) * 100
QUICK = Patience(tries=4, back_off=0.001, longest_wait=0.05, timeout=5)


def whole(body=BODY, **headers):
    def answer(handler):
        handler.send_response(200)
        for name, value in {"Content-Length": str(len(body)), "ETag": '"1"', **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def broken(sent, **headers):
    """Announce all of BODY and send less."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BODY)))
        for name, value in (headers or {"ETag": '"1"'}).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(BODY[:sent])

    return answer


def rest(etag='"1"', body=BODY, shift=0):
    """Answer a Range request as asked."""

    def answer(handler):
        begin = int(re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"])[1]) + shift
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        handler.send_header("Content-Length", str(len(body) - begin))
        handler.send_header("ETag", etag)
        handler.end_headers()
        handler.wfile.write(body[begin:])

    return answer


def refuse(code, **headers):
    def answer(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def get(web, part, *answers, digest_known=False, patience=QUICK):
    web.answers["/file"] = list(answers)
    return download(web.url("/file"), part, digest_known, "do something", patience)


def test_a_file_in_one_piece(web, tmp_path):
    part = tmp_path / "x.part"
    assert get(web, part, whole()) is False
    assert part.read_bytes() == BODY
    assert web.requests[0][1]["Range"] is None
    discard(part)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_transfer_is_resumed(web, tmp_path):
    part = tmp_path / "x.part"
    assert get(web, part, broken(1000), rest()) is True
    assert part.read_bytes() == BODY
    headers = web.requests[1][1]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=1000-", '"1"')


def test_the_next_call_goes_on_where_the_last_one_gave_up(web, tmp_path):
    part = tmp_path / "x.part"
    with pytest.raises(
        UserError, match="broke off after 1,000 of 25,600 bytes, expected the whole file; gave up after 1"
    ):
        get(web, part, broken(1000), patience=QUICK._replace(tries=1))
    assert part.stat().st_size == 1000
    assert get(web, part, rest()) is True
    assert part.read_bytes() == BODY


def test_a_part_that_is_whole_is_not_fetched_again(web, tmp_path):
    part = tmp_path / "x.part"
    get(web, part, whole())
    assert get(web, part) is True
    assert len(web.requests) == 1


def test_last_modified_serves_where_there_is_no_strong_etag(web, tmp_path):
    moment = formatdate(0, usegmt=True)
    get(web, tmp_path / "x.part", broken(1000, ETag='W/"1"', Last_Modified=moment), rest('W/"1"'))
    assert web.requests[1][1]["If-Range"] == moment


def test_a_server_that_ignores_range_is_taken_from_the_beginning(web, tmp_path):
    part = tmp_path / "x.part"
    assert get(web, part, broken(1000), whole()) is False
    assert part.read_bytes() == BODY


@pytest.mark.parametrize("other", [rest('"2"'), rest(body=BODY + b"x"), rest(shift=1)])
def test_the_rest_of_another_file_is_not_taken(web, tmp_path, other):
    part = tmp_path / "x.part"
    assert get(web, part, broken(1000), other, whole()) is False
    assert part.read_bytes() == BODY
    assert web.requests[2][1]["Range"] is None


def test_a_part_of_another_address_is_not_taken_up(web, tmp_path):
    part = tmp_path / "x.part"
    part.write_bytes(b"old")
    state_path(part).write_text(json.dumps({"url": web.url("/other"), "etag": '"1"', "total": 25600}))
    assert get(web, part, whole()) is False
    assert part.read_bytes() == BODY


def test_without_validators_only_a_known_digest_allows_to_resume(web, tmp_path):
    def bare(handler):
        broken(1000, Server="x")(handler)

    get(web, tmp_path / "a.part", bare, whole())
    assert web.requests[1][1]["Range"] is None
    web.requests.clear()
    get(web, tmp_path / "b.part", bare, rest(), digest_known=True)
    assert (web.requests[1][1]["Range"], web.requests[1][1]["If-Range"]) == ("bytes=1000-", None)


def test_a_part_longer_than_the_file_is_dropped(web, tmp_path):
    part = tmp_path / "x.part"
    assert get(web, part, broken(1000), refuse(416), whole()) is False
    assert part.read_bytes() == BODY


def test_more_than_announced_by_the_rest_is_refused(web, tmp_path):
    def too_much(handler):
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes 1000-{len(BODY) - 1}/{len(BODY)}")
        handler.end_headers()
        handler.wfile.write(BODY[1000:] + b"x")

    part = tmp_path / "x.part"
    get(web, part, broken(1000), too_much, whole())
    assert part.read_bytes() == BODY


def unannounced(body=BODY):
    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_without_a_length_only_a_known_digest_can_tell_a_whole_file(web, tmp_path):
    part = tmp_path / "x.part"
    with pytest.raises(UserError, match=r"/file: the server announces no length.*give the source its sha256"):
        get(web, part, unannounced(BODY[:1000]))
    assert not part.exists()
    get(web, part, unannounced(), digest_known=True)
    assert part.read_bytes() == BODY


def in_chunks(*pieces, last=b"0\r\n\r\n"):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        handler.wfile.write(last)

    return answer


@pytest.mark.parametrize("last", [b"", b"5\r\nAC", b"nonsense\r\n"])
def test_chunks_tell_whether_they_are_all_there(web, tmp_path, last):
    part = tmp_path / "x.part"
    get(web, part, in_chunks(BODY[:9000], last=last), in_chunks(BODY[:9000], BODY[9000:]))
    assert part.read_bytes() == BODY
    assert len(web.requests) == 2


def test_a_stream_without_an_end_is_given_up(web, tmp_path):
    part = tmp_path / "x.part"
    with pytest.raises(UserError, match="found more than 5,000 bytes and no end, expected a file; do something"):
        get(web, part, in_chunks(*[b"x" * 1000] * 100), patience=QUICK._replace(largest=5000))
    assert list(tmp_path.iterdir()) == []
    assert len(web.requests) == 1


def test_a_rest_without_an_end_is_given_up_at_the_length_of_the_file(web, tmp_path):
    sent = []

    def endless(handler):
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes 1000-{len(BODY) - 1}/{len(BODY)}")
        handler.send_header("ETag", '"1"')
        handler.end_headers()
        with contextlib.suppress(OSError):
            while len(sent) < 10_000:
                handler.wfile.write(b"x" * 100_000)
                sent.append(100_000)

    part = tmp_path / "x.part"
    assert get(web, part, broken(1000), endless, whole()) is False
    assert part.read_bytes() == BODY
    assert len(sent) < 10_000


def test_an_empty_answer_is_no_file_unless_its_digest_is_known(web, tmp_path):
    part = tmp_path / "x.part"
    with pytest.raises(UserError, match="/file: found an empty file, expected some content; do something"):
        get(web, part, whole(b""))
    assert list(tmp_path.iterdir()) == []
    get(web, part, whole(b""), digest_known=True)
    assert part.read_bytes() == b""


@pytest.mark.parametrize("code", [201, 203, 204, 205])
def test_only_200_brings_a_file(web, tmp_path, code):
    def answer(handler):
        handler.send_response(code)
        handler.send_header("Content-Length", str(len(BODY)))
        handler.end_headers()
        handler.wfile.write(BODY)

    with pytest.raises(UserError, match=f"/file: the server answered {code} .*, expected the file; do something"):
        get(web, tmp_path / "x.part", answer, digest_known=True)
    assert list(tmp_path.iterdir()) == []


def test_accepted_is_asked_again(web, tmp_path, monkeypatch):
    found = waits(monkeypatch)
    get(web, tmp_path / "x.part", refuse(202, Retry_After="5"), whole(), patience=QUICK._replace(longest_wait=9))
    assert found == [5]


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_file_that_is_packed_on_the_way_is_refused(web, tmp_path, encoding):
    with pytest.raises(
        UserError, match=rf"packed \(Content-Encoding: {encoding}\), expected it as it is; do something"
    ):
        get(web, tmp_path / "x.part", whole(Content_Encoding=encoding))
    assert web.requests[0][1]["Accept-Encoding"] == "identity"


def test_what_servers_call_the_encoding_of_a_gzip_file_is_the_file(web, tmp_path):
    web.answers["/x.fa.gz?v=1"] = [whole(Content_Encoding="x-gzip")]
    part = tmp_path / "x.part"
    download(web.url("/x.fa.gz?v=1"), part, False, "do something", QUICK)
    assert part.read_bytes() == BODY


def test_a_server_that_drips_counts_as_broken_off(web, tmp_path):
    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BODY)))
        handler.send_header("ETag", '"1"')
        handler.end_headers()
        with contextlib.suppress(OSError):
            for place in range(1000):
                handler.wfile.write(BODY[place : place + 1])
                time.sleep(0.005)

    part = tmp_path / "x.part"
    assert get(web, part, drip, rest(), patience=QUICK._replace(timeout=0.1, slowest=10_000)) is True
    assert part.read_bytes() == BODY
    assert web.requests[1][1]["Range"] != "bytes=0-"


def test_a_file_that_does_not_fit_is_refused_before_it_comes(web, tmp_path):
    def vast(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 60))
        handler.end_headers()

    with pytest.raises(UserError, match=r"/file: has 1,152,\d+,\d+,\d+,\d+,\d+ bytes to come, and .* has room for"):
        get(web, tmp_path / "x.part", vast)
    assert len(web.requests) == 1


@pytest.mark.parametrize("headers", [{}, {"Last_Modified": formatdate(9, usegmt=True)}])
def test_a_rest_that_no_longer_names_its_file_is_taken_only_with_a_digest(web, tmp_path, headers):
    def nameless(handler):
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes 1000-{len(BODY) - 1}/{len(BODY)}")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(b"x" * (len(BODY) - 1000))

    part = tmp_path / "x.part"
    begun = broken(1000, ETag='"1"', Last_Modified=formatdate(0, usegmt=True))
    assert get(web, part, begun, nameless, whole()) is False
    assert part.read_bytes() == BODY


def test_a_file_that_changes_between_a_break_and_the_rest_is_taken_anew(web, tmp_path):
    new = BODY[::-1]
    part = tmp_path / "x.part"
    # As RFC 9110 has it: If-Range no longer holds, so the whole new file comes.
    assert get(web, part, broken(1000), whole(new, ETag='"2"')) is False
    assert part.read_bytes() == new
    assert web.requests[1][1]["If-Range"] == '"1"'


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_no_is_not_asked_again(web, tmp_path, code):
    with pytest.raises(UserError, match=f"/file: the server answered {code} .*; do something"):
        get(web, tmp_path / "x.part", refuse(code))
    assert len(web.requests) == 1


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_later_is_asked_again(web, tmp_path, code):
    part = tmp_path / "x.part"
    get(web, part, refuse(code), refuse(code), whole())
    assert part.read_bytes() == BODY


def test_it_gives_up_after_its_tries(web, tmp_path):
    with pytest.raises(UserError, match=r"answered 503 .* gave up after 4 tries"):
        get(web, tmp_path / "x.part", refuse(503))
    assert len(web.requests) == 4


def waits(monkeypatch):
    found = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def test_back_off_doubles(web, tmp_path, monkeypatch):
    found = waits(monkeypatch)
    get(web, tmp_path / "x.part", refuse(503), refuse(503), refuse(503), whole(), patience=QUICK._replace(back_off=1))
    assert found == [1, 2, 4]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("7", 7),
        ("9999", 30),
        ("nonsense", 1),
        ("-3", 1),
        ("\u00b2", 1),
        ("Mon, 30 Nov 2026 03:00:00 +99999999999999999999", 1),
    ],
)
def test_retry_after_is_honoured_up_to_a_limit(web, tmp_path, monkeypatch, told, expected):
    found = waits(monkeypatch)
    patience = QUICK._replace(back_off=1, longest_wait=30)
    get(web, tmp_path / "x.part", refuse(429, Retry_After=told), whole(), patience=patience)
    assert found == [expected]


def test_retry_after_as_a_date(web, tmp_path, monkeypatch):
    found = waits(monkeypatch)
    moment = formatdate(time.time() + 20, usegmt=True)
    patience = QUICK._replace(back_off=1, longest_wait=30)
    get(web, tmp_path / "x.part", refuse(503, Retry_After=moment), whole(), patience=patience)
    assert 17 <= found[0] <= 21


def test_redirects_are_followed(web, tmp_path):
    web.answers["/true"] = [broken(1000), rest()]
    part = tmp_path / "x.part"
    get(web, part, refuse(302, Location="/true"))
    assert part.read_bytes() == BODY


def test_redirects_that_turn_in_circles_are_refused(web, tmp_path):
    with pytest.raises(UserError, match="redirects too often"):
        get(web, tmp_path / "x.part", refuse(302, Location="/file"))
    assert len(web.requests) < 10


def test_a_redirect_to_the_disk_is_refused(web, tmp_path):
    with pytest.raises(UserError, match="to a place that is not allowed"):
        get(web, tmp_path / "x.part", refuse(302, Location="file:///etc/passwd"))
    assert len(web.requests) == 1


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("ftp://127.0.0.1:9/x", r"not allowed \(.*ftp://127.0.0.1:9/x' is not allowed\); do something"),
        ("data:text/plain,ACGT", "not allowed .*data:text/plain,ACGT"),
        ("http://[x/y", "/file: is no address, or redirects to what is none"),
        ("http://user:word@127.0.0.1:9/y", "to a place that is not allowed"),
        ("http://a..b/", "/file: is no address, or redirects to what is none"),
    ],
)
def test_redirects_to_what_is_no_web_address_are_refused(web, tmp_path, location, sentence):
    with pytest.raises(UserError, match=sentence):
        get(web, tmp_path / "x.part", refuse(302, Location=location))
    assert len(web.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_nobody_there(tmp_path):
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as free:
        port = free.server_address[1]
    with pytest.raises(UserError, match=r"no connection .* gave up after 4 tries"):
        download(f"http://127.0.0.1:{port}/x", tmp_path / "x.part", False, "do something", QUICK)


def test_a_silent_server_times_out(web, tmp_path):
    release = threading.Event()
    patience = Patience(tries=1, timeout=0.1)
    try:
        with pytest.raises(UserError, match="timed out"):
            get(web, tmp_path / "x.part", lambda handler: release.wait(3), patience=patience)
    finally:
        release.set()


def test_a_full_disk_is_the_users_matter(web, tmp_path):
    with pytest.raises(UserError, match="cannot be written"):
        get(web, tmp_path / ("x" * 250), whole())


def test_progress_is_told_in_bytes_and_percent(web, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(module, "status", told.append)
    monkeypatch.setattr(module, "PROGRESS_SECONDS", -1.0)
    get(web, tmp_path / "x.part", whole())
    assert told[-1] == f"{web.url('/file')}: 25,600 bytes of 25,600 (100%)"
