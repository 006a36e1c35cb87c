import base64
import urllib.error
import urllib.request
from email.message import Message

import pytest

from lociflow.command import UserError
from lociflow.web import _log_in, _Redirects, open_address


def redirected(start, target, monkeypatch=None):
    request = urllib.request.Request(start, headers={"Range": "bytes=5-", "If-Range": '"1"'})
    _log_in(request)
    return request, _Redirects().redirect_request(request, None, 302, "Found", Message(), target)


@pytest.mark.parametrize(
    ("start", "target"),
    [
        ("https://a.org/x", "http://a.org/x"),
        ("http://a.org/x", "ftp://a.org/x"),
        ("https://a.org/x", "file:///etc/passwd"),
        ("https://a.org/x", "https://me:word@a.org/x"),
    ],
)
def test_redirects_that_give_up_what_the_address_promised_are_refused(start, target):
    with pytest.raises(urllib.error.HTTPError, match=f"Redirection to url '{target}' is not allowed"):
        redirected(start, target)


@pytest.mark.parametrize("start", ["http://a.org/x", "https://a.org/x"])
def test_redirects_keep_what_is_asked_of_the_file(start):
    found = redirected(start, "https://b.org/y")[1]
    assert found.full_url == "https://b.org/y"
    assert found.get_header("Range") == "bytes=5-"
    assert found.get_header("If-range") == '"1"'


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine a.org login me password word\ndefault login other password all\n")
    netrc.chmod(0o600)
    return netrc


def login(request):
    found = request.get_header("Authorization")
    return base64.b64decode(found.removeprefix("Basic ")).decode() if found else None


def test_a_login_goes_to_its_own_host_by_https_and_no_further(home):
    first, second = redirected("https://a.org/x", "https://b.org/y")
    assert (login(first), login(second)) == ("me:word", None)
    first, second = redirected("https://b.org/x", "https://a.org/y")
    assert (login(first), login(second)) == (None, "me:word")
    assert login(redirected("http://a.org/x", "http://a.org/y")[0]) is None


def test_logins_that_others_can_read_are_refused(home, tmp_path):
    home.chmod(0o644)
    with pytest.raises(UserError, match=r"\.netrc: cannot be used \(.*permissive.*\); correct it, or chmod 600 it"):
        open_address("https://a.org/x", {}, 1.0)


def test_without_logins_none_is_sent(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert login(redirected("https://a.org/x", "https://a.org/y")[0]) is None


def test_a_masked_address_is_asked_by_its_true_one(web, monkeypatch):
    web.answers["/x?token=abc"] = [lambda handler: handler.send_error(418)]
    monkeypatch.setenv("LOCIFLOW_ADDRESSES", f'{{"{web.url("/x?token=***")}": "{web.url("/x?token=abc")}"}}')
    with pytest.raises(urllib.error.HTTPError, match="418"):
        open_address(web.url("/x?token=***"), {}, 5.0)
    assert web.requests[0][0] == "/x?token=abc"
