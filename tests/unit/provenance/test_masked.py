import pytest

from lociflow.masking import without_secrets as masked


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:hunter2@example.org/a.bed", "https://***@example.org/a.bed"),
        ("ftp://token@example.org/a.bed", "ftp://***@example.org/a.bed"),
        ("https://x.org/a?token=abc&part=1", "https://x.org/a?token=***&part=1"),
        ("https://x.org/a?part=1&X-Amz-Signature=abc", "https://x.org/a?part=1&X-Amz-Signature=***"),
        ("https://x.org/a?api_key=abc#top", "https://x.org/a?api_key=***#top"),
        ("url: https://x.org/a?PASSWORD=abc\nsha256: 1", "url: https://x.org/a?PASSWORD=***\nsha256: 1"),
    ],
)
def test_passwords_and_tokens_are_masked(address, shown):
    assert masked(address) == shown


@pytest.mark.parametrize(
    "address", ["https://x.org/a.bed?format=bed&part=1", "/data/me@home/a.bed", "a@b", "https://x.org/@id/a.bed"]
)
def test_what_opens_no_door_stays(address):
    assert masked(address) == address


def test_every_text_of_a_json_value_is_masked_and_nothing_else():
    assert masked({"from": ["http://a:b@c/d"], "bytes": 5, "none": None}) == {
        "from": ["http://***@c/d"],
        "bytes": 5,
        "none": None,
    }
