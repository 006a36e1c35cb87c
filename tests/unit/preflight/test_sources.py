import time
from pathlib import Path
from typing import Any

import pytest

from lociflow.preflight import sources
from lociflow.preflight.finding import ERROR, OK, WARN
from lociflow.preflight.preflight import table
from lociflow.preflight.sources import Answer, addresses_of, ask_address, ask_all, check_sources, local_file


def source(file: str = "a/A.bed", **more: Any) -> dict[str, Any]:
    return {"file": file, "url": None, "path": None, "sha256": None, "derived_from": None, **more}


def verdicts(found: sources.Reached) -> dict[str, str]:
    return {finding.what: finding.verdict for finding in found.findings}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_file_that_is_here_is_not_asked_for(tmp_path: Path) -> None:
    place = tmp_path / "resources/sources/a/A.bed"
    place.parent.mkdir(parents=True)
    place.write_text("1234")
    found = check_sources({"a/A.bed": source(url="https://a.org/A.bed")}, None, ask=lambda _: pytest.fail("asked"))
    assert verdicts(found) == {"sources": OK}
    assert found.sizes == {"a/A.bed": 4}


@pytest.mark.parametrize(
    ("given", "mirror"),
    [({"path": "own/A.bed"}, None), ({"url": "https://a.org/A.bed"}, "mirror"), ({}, "mirror")],
    ids=["the user's own path", "a mirror's folder", "a file that only a mirror has"],
)
def test_local_places_are_those_from_which_it_would_be_fetched(
    tmp_path: Path, given: dict[str, str], mirror: str | None
) -> None:
    for file in ("own/A.bed", "mirror/a/A.bed"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(file)
    found = local_file(source(**given), Path("nowhere"), mirror)
    assert found is not None
    assert found.read_text() == ("mirror/a/A.bed" if mirror else "own/A.bed")


def test_a_mirror_is_never_left_for_the_network() -> None:
    assert addresses_of(source(url="https://a.org/A.bed"), "/mirror") == []
    assert addresses_of(source(url="https://a.org/A.bed"), "https://b.org/m/") == ["https://b.org/m/a/A.bed"]
    found = check_sources({"a/A.bed": source(url="https://a.org/A.bed")}, "/mirror", ask=lambda _: Answer())
    assert found.findings[0].verdict == ERROR
    assert "the mirror /mirror lacks it" in found.findings[0].told


def test_a_source_without_address_says_what_it_is_made_from() -> None:
    found = check_sources({"a/A.bed": source(derived_from=["https://a.org/raw"])}, None)
    assert found.findings[0].verdict == ERROR
    assert "https://a.org/raw" in found.findings[0].told


def test_what_a_server_refuses_is_an_error_and_what_it_cannot_do_now_a_warning() -> None:
    status = {"https://a.org/1": 404, "https://a.org/2": 503, "https://a.org/3": None}
    files = {str(number): source(str(number), url=f"https://a.org/{number}") for number in (1, 2, 3)}
    found = check_sources(files, None, ask=lambda address: Answer(size=7, status=status[address]))
    assert verdicts(found) == {"source 1": ERROR, "source 2": WARN, "sources": OK}
    assert found.findings[-1].told == "0 here, 1 reachable"
    assert found.sizes == {"3": 7}


def test_being_offline_is_one_warning_that_names_what_is_missing() -> None:
    files = {str(number): source(str(number), url=f"https://a.org/{number}") for number in range(5)}
    found = check_sources(files, None, ask=lambda _: Answer(unreached="no route"))
    assert verdicts(found) == {"network": WARN, "sources": OK}
    assert "5 of 5 files" in found.findings[0].told
    assert "0, 1, 2 and 2 more" in found.findings[0].told


def test_a_host_that_is_not_reached_is_asked_once_by_each_thread_at_most() -> None:
    asked = []

    def ask(address: str) -> Answer:
        asked.append(address)
        time.sleep(0.01)
        return Answer(unreached="no route")

    answers = ask_all({f"https://a.org/{number}" for number in range(500)}, ask)
    assert len(answers) == 500
    assert len(asked) <= sources.WORKERS


def test_what_hangs_does_not_keep_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "DEADLINE", 0.2)

    def ask(address: str) -> Answer:
        time.sleep(2 if "slow" in address else 0)
        return Answer(size=1)

    begin = time.monotonic()
    answers = ask_all({"https://slow.org/1", "https://b.org/1"}, ask)
    assert time.monotonic() - begin < 1
    assert answers["https://b.org/1"].size == 1
    assert "no answer within" in str(answers["https://slow.org/1"].unreached)


def test_an_address_is_asked_for_its_headers_only(web: Any, tmp_path: Path) -> None:
    sent = []

    def answer(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000000")
        handler.end_headers()
        sent.append(handler.path)

    web.answers["/big"] = [answer]
    # This server knows no HEAD.
    assert ask_address(web.url("/big")) == Answer(size=1_000_000_000)
    assert ask_address(web.url("/none")) == Answer(status=404)
    assert sent == ["/big"]
    (tmp_path / "here").write_text("12")
    assert ask_address((tmp_path / "here").as_uri()) == Answer(size=2)
    assert ask_address((tmp_path / "gone").as_uri()) == Answer(status=404)
    assert ask_address("http://127.0.0.1:9/refused").unreached is not None


@pytest.mark.parametrize(
    ("location", "status"),
    [("/there", None), ("/round", 302), ("file:///etc/passwd", 302), ("ftp://127.0.0.1:9/x", 302)],
)
def test_redirects_are_followed_as_far_as_a_download_would(web: Any, location: str, status: int | None) -> None:
    def redirect(handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", location)
        handler.end_headers()

    def answer(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "7")
        handler.end_headers()

    web.answers["/round"], web.answers["/there"] = [redirect], [answer]
    found = ask_address(web.url("/round"))
    assert (found.status, found.size) == (status, None if status else 7)
    assert len(web.requests) <= 6


@pytest.mark.parametrize(
    "address", ["http://a:b@127.0.0.1:9/x", "http://[x/y", "http://a..b/", "https://127.0.0.1:9/x"]
)
def test_an_address_that_cannot_be_asked_is_told_and_no_more(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine a.org login me password word\n")
    (tmp_path / ".netrc").chmod(0o644)
    assert ask_address(address).unreached


def test_what_is_told_of_an_address_holds_no_token() -> None:
    found = check_sources({"a": source(url="https://a.org/x?token=abc")}, None, ask=lambda _: Answer(status=404))
    assert "https://a.org/x?token=***: found HTTP status 404" in table(found.findings)
