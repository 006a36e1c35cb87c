"""Addresses are looked at before anybody is asked."""

import pytest

from lociflow.command import UserError
from lociflow.download import check_address, local_path


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("gopher://x/y", "found scheme 'gopher', expected one of http, https, ftp, file"),
        ("/etc/passwd", "found scheme 'none'"),
        ("data:text/plain,ACGT", "found scheme 'data'"),
        ("http://x/a b", "found white space"),
        ("http://x/a\nHost: y", "found white space|is no address"),
        ("http:///x", "has no host"),
        ("file://host/x", "found host host"),
        ("http://[x/y", "is no address"),
        ("http://me:word@x/y", r"http://\*\*\*@x/y: found a login in the address, expected none.*~/.netrc"),
        ("ftp://me@x/y", r"ftp://\*\*\*@x/y: found a login"),
        ("https://me:wo/rd@x/y", r"^https://\*\*\*: found a port that is no number, .*~/.netrc"),
    ],
)
def test_bad_addresses_are_refused(url, sentence):
    with pytest.raises(UserError, match=sentence):
        check_address(url)


def test_file_addresses_are_paths():
    assert check_address("file:///a/b%20c") == "file"
    assert str(local_path("file:///a/b%20c")) == "/a/b c"
    assert str(local_path("file://localhost/a")) == "/a"
