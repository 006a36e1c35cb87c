import json
import logging

import pytest

from lociflow.command import LOGGER, log_to
from lociflow.masking import VARIABLE, masked, revealed, without_secrets

SIGNED = "https://b.org/x.bed?X-Amz-Expires=60&X-Amz-Signature=12ab&X-Amz-Security-Token=se%2Bcret"
SHOWN = "https://b.org/x.bed?X-Amz-Expires=60&X-Amz-Signature=***&X-Amz-Security-Token=***"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://me:word@a.org/x", "https://***@a.org/x"),
        ("ftp://me@a.org/x and http://a:b:c@d/", "ftp://***@a.org/x and http://***@d/"),
        ("https://me:w@rd@a.org/x", "https://***@a.org/x"),
        (SIGNED, SHOWN),
        ("https://a/x?token=abc: no connection", "https://a/x?token=***: no connection"),
        (
            "https://a/x?id=1&access_token=abc;sig=d#part, twice",
            "https://a/x?id=1&access_token=***#part, twice",
        ),
        ('{"url":"https://a/x?api_key=abc","file":"x"}', '{"url":"https://a/x?api_key=***","file":"x"}'),
        ("https://a/x?PASSWORD=abc", "https://a/x?PASSWORD=***"),
        ("https://a/x?format=fasta&contig=chr1", "https://a/x?format=fasta&contig=chr1"),
        ("https://a/me@home/x", "https://a/me@home/x"),
        ("https://a/@id/x", "https://a/@id/x"),
        ("https://a/x?x-api-key=abc&code=d&session=e", "https://a/x?x-api-key=***&code=***&session=***"),
        ("https://a/x?token=ab'c;d, then", "https://a/x?token=***, then"),
        ("https://a/x?token=abc#part", "https://a/x?token=***#part"),
        ("url: https://a/x?Token=abc\nsha256: 1", "url: https://a/x?Token=***\nsha256: 1"),
        ("write to a@b.org; token=ATG", "write to a@b.org; token=ATG"),
        (SHOWN, SHOWN),
    ],
)
def test_what_is_secret_of_an_address_is_masked_and_nothing_else(text, expected):
    assert masked(text) == expected


def test_configurations_are_masked_wherever_an_address_stands():
    config = {"url": ["https://a/x", SIGNED], "path": None, "more": {"derived_from": SIGNED, "lr": 0.1, "bytes": 5}}
    shown = {"url": ["https://a/x", SHOWN], "path": None, "more": {"derived_from": SHOWN, "lr": 0.1, "bytes": 5}}
    assert without_secrets(config) == shown


def test_the_environment_tells_the_true_address(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert revealed(SHOWN) == SHOWN
    monkeypatch.setenv(VARIABLE, json.dumps({SHOWN: SIGNED}))
    assert revealed(SHOWN) == SIGNED
    assert revealed("https://a/x") == "https://a/x"


def test_logs_hold_no_secret_and_neither_do_their_tracebacks(tmp_path, capsys):
    handlers = list(LOGGER.handlers)
    try:
        log_to(tmp_path / "log")
        try:
            raise OSError(SIGNED)
        except OSError:
            LOGGER.exception("from %s", SIGNED)
        logging.getLogger("py.warnings").warning("%s", SIGNED)
    finally:
        for handler in [found for found in LOGGER.handlers if found not in handlers]:
            LOGGER.removeHandler(handler)
            logging.getLogger("py.warnings").removeHandler(handler)
            handler.close()
        logging.captureWarnings(False)
    for text in (capsys.readouterr().err, (tmp_path / "log").read_text()):
        assert SHOWN in text
        assert "12ab" not in text
        assert "cret" not in text.replace("secret", "")
