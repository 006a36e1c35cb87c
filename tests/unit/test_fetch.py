import gzip
import hashlib
import json
import multiprocessing
import time
import tracemalloc

import pytest

from lociflow.command import UserError
from lociflow.download import Patience
from lociflow.fetch import fetch, locate, parse_source

QUICK = Patience(tries=3, back_off=0.001, timeout=5)
GENOME = b">chr1\nACGT\n>chr2\nGG\n"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def serve(content, announced=None):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content) if announced is None else announced))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


class Place:
    """The folder of the sources in one test."""

    def __init__(self, folder):
        self.folder = folder / "sources"

    def get(self, file="genome.fa", mirror=None, **source):
        output = self.folder / file
        record = output.with_name(f"{output.name}.source.json")
        fetch({"file": file, **source}, output, record, mirror, QUICK)
        return output.read_bytes(), json.loads(record.read_text())

    def names(self):
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_pinned_address(web, place):
    web.answers["/genome.fa"] = [serve(GENOME)]
    content, record = place.get(url=web.url("/genome.fa"), sha256=sha256(GENOME).upper(), derived_from="x")
    assert content == GENOME
    assert record == {
        "format": "source",
        "version": 1,
        "file": "genome.fa",
        "via": "url",
        "from": [web.url("/genome.fa")],
        "sha256": sha256(GENOME),
        "bytes": len(GENOME),
        "pinned": True,
        "held_to": "sha256",
        "derived_from": "x",
    }
    assert place.names() == ["genome.fa", "genome.fa.source.json"]


def test_a_wrong_digest_keeps_nothing(web, place):
    web.answers["/genome.fa"] = [serve(b">other\nA\n")]
    with pytest.raises(UserError) as caught:
        place.get(url=web.url("/genome.fa"), sha256=sha256(GENOME))
    sentence = str(caught.value)
    for part in ("sources/genome.fa", web.url("/genome.fa"), sha256(b">other\nA\n"), sha256(GENOME), "correct sha256"):
        assert part in sentence
    assert place.names() == []


def test_a_server_that_breaks_off(web, place):
    web.answers["/genome.fa"] = [serve(GENOME, announced=1000)]
    with pytest.raises(UserError, match=r"broke off after \d+ of 1,000 bytes"):
        place.get(url=web.url("/genome.fa"))
    assert place.names() == ["genome.fa.part", "genome.fa.part.json"]
    web.answers["/genome.fa"] = [serve(GENOME)]
    assert place.get(url=web.url("/genome.fa"))[0] == GENOME
    assert place.names() == ["genome.fa", "genome.fa.first_seen", "genome.fa.source.json"]


def test_a_length_announced_too_short_is_caught_by_the_digest(web, place):
    web.answers["/genome.fa"] = [serve(GENOME, announced=5)]
    with pytest.raises(UserError, match="found sha256"):
        place.get(url=web.url("/genome.fa"), sha256=sha256(GENOME))


def test_a_bad_seam_gets_one_chance_in_one_piece(web, place):
    def wrong_rest(handler):
        begin = int(handler.headers["Range"][6:-1])
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {begin}-{len(GENOME) - 1}/{len(GENOME)}")
        handler.end_headers()
        handler.wfile.write(b"x" * (len(GENOME) - begin))

    web.answers["/genome.fa"] = [serve(GENOME[:7], announced=len(GENOME)), wrong_rest, serve(GENOME)]
    assert place.get(url=web.url("/genome.fa"), sha256=sha256(GENOME))[0] == GENOME
    assert len(web.requests) == 3


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><p>log in",
        b"\xef\xbb\xbf\n <HTML><body>",
        b'<?xml version="1.0"?>\n<!-- proxy -->\n<html xmlns="http://www.w3.org/1999/xhtml">',
        b"<head><meta http-equiv=refresh></head>",
    ],
)
@pytest.mark.parametrize("file", ["genome.fa", "peaks.bed", "genome.fa.gz"])
def test_a_web_page_is_no_file(web, place, page, file):
    web.answers["/x"] = [serve(page)]
    with pytest.raises(UserError, match=f"/x: found a web page .* expected {file}; nothing of it was kept"):
        place.get(file, url=web.url("/x"))
    assert place.names() == []


def test_a_file_named_gz_must_be_gzip(web, place):
    web.answers["/x"] = [serve(GENOME), serve(gzip.compress(GENOME))]
    with pytest.raises(UserError, match=r"found no gzip, expected genome.fa.gz"):
        place.get("genome.fa.gz", url=web.url("/x"))
    assert gzip.decompress(place.get("genome.fa.gz", url=web.url("/x"))[0]) == GENOME


@pytest.mark.parametrize("damage", ["cut", "flipped"])
@pytest.mark.parametrize("file", ["genome.fa.gz", "genome.fa", "reads.bam"])
def test_a_damaged_gzip_is_not_taken_for_the_first_download(web, place, file, damage):
    packed = gzip.compress(GENOME * 100)
    bad = packed[:-3] if damage == "cut" else packed[:-8] + bytes(4) + packed[-4:]
    # The length that it announces is that of what it sends.
    web.answers["/x"] = [serve(bad), serve(packed)]
    with pytest.raises(UserError, match=r"/x: found truncated or damaged gzip .* nothing of it was kept"):
        place.get(file, url=web.url("/x"))
    assert place.names() == []
    assert place.get(file, url=web.url("/x"))[0] == packed


def test_a_gzip_bomb_is_read_a_block_at_a_time(web, place):
    bomb = gzip.compress(bytes(64 << 20), 1)
    web.answers["/x.gz"] = [serve(bomb)]
    tracemalloc.start()
    place.get("x.gz", url=web.url("/x.gz"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_two_processes_that_fetch_one_file_take_turns(web, place):
    inside, overlaps, genome = [], [], GENOME * 1000

    def slow(handler):
        inside.append(1)
        overlaps.append(len(inside))
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(genome)))
        handler.end_headers()
        handler.wfile.write(genome[:100])
        time.sleep(0.05)
        handler.wfile.write(genome[100:])
        inside.pop()

    web.answers["/x"] = [slow]
    context = multiprocessing.get_context("fork")
    output = place.folder / "genome.fa"
    record = place.folder / "genome.fa.source.json"
    source = {"file": "genome.fa", "url": web.url("/x")}
    both = [context.Process(target=fetch, args=(source, output, record, None, QUICK)) for _ in range(3)]
    for process in both:
        process.start()
    for process in both:
        process.join(20)
    assert [process.exitcode for process in both] == [0, 0, 0]
    assert overlaps == [1, 1, 1]
    assert output.read_bytes() == genome
    assert json.loads(record.read_text())["sha256"] == sha256(genome)
    assert place.names() == ["genome.fa", "genome.fa.first_seen", "genome.fa.source.json"]


def test_a_process_that_is_killed_keeps_no_other_from_fetching(web, place):
    web.answers["/x"] = [lambda handler: time.sleep(5), serve(GENOME)]
    context = multiprocessing.get_context("fork")
    process = context.Process(target=place.get, kwargs={"url": web.url("/x")})
    process.start()
    while not web.requests:
        time.sleep(0.005)
    process.kill()
    process.join(20)
    assert place.names() == ["genome.fa.lock"]
    assert place.get(url=web.url("/x"))[0] == GENOME
    assert "genome.fa.lock" not in place.names()


def test_one_address_is_kept_as_it_is(web, place):
    packed = gzip.compress(GENOME)
    web.answers["/x.gz"] = [serve(packed)]
    assert place.get(url=[web.url("/x.gz")], sha256=sha256(packed))[0] == packed


def test_an_unpinned_download_is_held_to_the_first(web, place):
    web.answers["/x"] = [serve(GENOME)]
    record = place.get(url=web.url("/x"))[1]
    assert (record["pinned"], record["held_to"]) == (False, "the sha256 of its first download")
    # What Snakemake does before a rule runs again:
    for name in ("genome.fa", "genome.fa.source.json"):
        (place.folder / name).unlink()
    assert place.get(url=web.url("/x"))[0] == GENOME
    web.answers["/x"] = [serve(b">new\nA\n")]
    with pytest.raises(UserError, match=r"as at its first download from http.*: remove .*genome.fa.first_seen and run"):
        place.get(url=web.url("/x"))
    (place.folder / "genome.fa.first_seen").unlink()
    assert place.get(url=web.url("/x"))[0] == b">new\nA\n"


def test_a_damaged_note_of_the_first_download_is_refused(web, place):
    web.answers["/x"] = [serve(GENOME)]
    place.get(url=web.url("/x"))
    (place.folder / "genome.fa.first_seen").write_text("?")
    with pytest.raises(UserError, match="found no digest, expected JSON with sha256"):
        place.get(url=web.url("/x"))


def test_several_addresses_are_unpacked_and_joined_in_order(web, place):
    web.answers["/1.gz"] = [serve(gzip.compress(b">chr1\nAC\nGT"))]
    web.answers["/2"] = [serve(b">chr2\nGG\n")]
    web.answers["/3"] = [serve(b">chr3\nT")]
    urls = [web.url(path) for path in ("/1.gz", "/2", "/3")]
    content, record = place.get(url=urls, sha256="0" * 64)
    assert content == b">chr1\nAC\nGT\n>chr2\nGG\n>chr3\nT\n"
    assert (record["pinned"], record["from"], record["sha256"]) == (False, urls, sha256(content))
    assert "digests of its contigs" in record["held_to"]
    assert place.names() == ["genome.fa", "genome.fa.first_seen", "genome.fa.source.json"]


def test_a_rerun_fetches_only_the_addresses_that_are_missing(web, place):
    web.answers["/1"] = [serve(b">chr1\nA\n")]
    urls = [web.url("/1"), web.url("/2")]
    with pytest.raises(UserError, match="/2: the server answered 404"):
        place.get(url=urls)
    web.answers["/2"] = [serve(b">chr2\nC\n")]
    web.requests.clear()
    assert place.get(url=urls)[0] == b">chr1\nA\n>chr2\nC\n"
    assert [path for path, _ in web.requests] == ["/2"]


def test_one_of_several_that_is_damaged_or_a_web_page_is_named(web, place):
    web.answers["/1"] = [serve(b">chr1\nA\n")]
    web.answers["/2"] = [serve(gzip.compress(b">chr2\nC\n" * 100)[:-9]), serve(b"<html>")]
    urls = [web.url("/1"), web.url("/2")]
    with pytest.raises(UserError, match="/2: found truncated or damaged gzip"):
        place.get(url=urls)
    with pytest.raises(UserError, match="/2: found a web page"):
        place.get(url=urls)


def mirrored(tmp_path, content=GENOME):
    folder = tmp_path / "mirror"
    (folder / "a b").mkdir(parents=True)
    (folder / "a b" / "genome.fa").write_bytes(content)
    return folder


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://{}/"])
def test_a_mirror_on_the_disk(tmp_path, place, form):
    folder = mirrored(tmp_path)
    content, record = place.get(
        "a b/genome.fa",
        form.format(folder),
        url=["http://nowhere.invalid/1", "ftp://nowhere.invalid/2"],
        sha256=sha256(GENOME),
    )
    assert content == GENOME
    assert (record["via"], record["pinned"]) == ("mirror", True)


def test_a_mirror_on_the_web(web, place):
    web.answers["/base/a%20b/genome.fa"] = [serve(GENOME)]
    content, record = place.get(
        "a b/genome.fa", web.url("/base/"), url="http://nowhere.invalid/", sha256=sha256(GENOME)
    )
    assert content == GENOME
    assert record["from"] == [web.url("/base/a%20b/genome.fa")]


def test_a_mirror_that_lacks_the_file_is_named_and_the_network_left_alone(web, tmp_path, place):
    web.answers["/genome.fa"] = [serve(GENOME)]
    url = web.url("/genome.fa")
    with pytest.raises(UserError, match=r"the mirror .*mirror lacks genome.fa: put it there, or run without"):
        place.get(url=url, mirror=str(tmp_path / "mirror"))
    assert web.requests == []
    with pytest.raises(UserError, match=r"answered 404 .* the mirror http.*/base lacks genome.fa"):
        place.get(url=url, mirror=web.url("/base"))


def test_a_file_of_a_mirror_is_held_to_its_digest(tmp_path, place):
    folder = mirrored(tmp_path, b">x\nA\n")
    with pytest.raises(UserError, match="expected " + sha256(GENOME)):
        place.get("a b/genome.fa", str(folder), url="http://nowhere.invalid/", sha256=sha256(GENOME))
    assert (folder / "a b" / "genome.fa").exists()


def test_a_local_path_ignores_the_mirror_and_may_change(tmp_path, place, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.fa").write_bytes(GENOME)
    content, record = place.get(path="mine.fa", mirror="/nowhere")
    assert content == GENOME
    assert (record["via"], record["from"], record["held_to"]) == ("path", ["mine.fa"], "nothing: a local file")
    (tmp_path / "mine.fa").write_bytes(b">x\nA\n")
    assert place.get(path="mine.fa")[0] == b">x\nA\n"
    assert "genome.fa.first_seen" not in place.names()


def test_a_path_goes_before_an_address_and_a_mirror_before_both():
    source = parse_source({"file": "x", "url": "http://h/x", "path": __file__})
    assert locate(source, None).via == "path"
    assert locate(source, "http://mirror").places == ("http://mirror/x",)


def test_a_pinned_path_is_held_to_its_digest(tmp_path, place):
    (tmp_path / "mine.fa").write_bytes(GENOME)
    with pytest.raises(UserError, match="found sha256"):
        place.get(path=str(tmp_path / "mine.fa"), sha256="0" * 64)
    assert place.names() == []


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ({"path": "/nowhere/x.fa"}, r"/nowhere/x.fa: there is no such file, expected it as the path of genome.fa"),
        ({"url": "file:///nowhere/x.fa"}, r"/nowhere/x.fa: there is no such file, expected it as the url of genome.fa"),
        ({}, "has neither url nor path; name a mirror"),
        ({"derived_from": "reads.bam"}, 'was derived from "reads.bam"; name a mirror that holds it'),
        ({"url": "gopher://x"}, "found scheme 'gopher'"),
        ({"url": ["http://x/1", 2]}, "found address 2, expected text"),
        ({"file": "x.fa.gz", "url": ["http://x/1", "http://x/2"]}, "name it without .gz"),
        ({"file": "../x"}, "without '..'"),
        ({"file": "a/../../x"}, "without '..'"),
        ({"file": "/etc/x"}, "expected a relative path"),
        ({"file": ""}, "expected the file's place"),
        ({"sha256": "abc"}, "expected 64 hexadecimal digits"),
        ({"md5": "abc"}, "expected a mapping with the keys file, url, path, sha256, derived_from"),
        ({"path": 3}, "found path 3"),
    ],
)
def test_bad_sources_are_refused(source, sentence, tmp_path):
    with pytest.raises(UserError, match=sentence):
        fetch({"file": "genome.fa", **source}, tmp_path / "x", tmp_path / "x.source.json", None, QUICK)
    assert list(tmp_path.iterdir()) == []


def test_file_address(tmp_path, place):
    (tmp_path / "a b.fa").write_bytes(GENOME)
    assert place.get(url=(tmp_path / "a b.fa").as_uri(), sha256=sha256(GENOME))[0] == GENOME


def test_a_failure_takes_the_old_record_away(tmp_path, place):
    (tmp_path / "mine.fa").write_bytes(GENOME)
    place.get(path=str(tmp_path / "mine.fa"))
    with pytest.raises(UserError):
        place.get(path=str(tmp_path / "mine.fa"), sha256="0" * 64)
    assert "genome.fa.source.json" not in place.names()
