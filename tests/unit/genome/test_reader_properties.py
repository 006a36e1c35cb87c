"""Whatever bytes a reader is given, it answers with a result or with a sentence, and loses nothing on the way."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.genome.contig_names import read_aliases
from lociflow.genome.regions import VALUES, read_region_file
from lociflow.genome.sample_sheet import read_sample_sheet
from lociflow.sequence.fasta import read_fasta

SUFFIXES = ["bed", "bg", "narrowPeak", "broadPeak", "bedpe", "bed.gz"]
READERS = {
    "regions": read_region_file,
    "FASTA": lambda path: list(read_fasta(path)),
    "aliases": read_aliases,
    "sample sheet": read_sample_sheet,
}
EXAMPLES = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# Bytes that mean something to one of the readers are far likelier than others.
PIECES = st.sampled_from(
    [
        *(b"\t", b"\n", b"\r", b"\r\n", b" ", b"\0", b"\xff", b"\xef\xbb\xbf", b"\x1f\x8b", b"\x0c", b"\x85"),
        *(b"chr1", b"c", b"1", b"25", b"-1", b"1.5", b"1e3", b"nan", b"+", b".", b">", b"#", b'"', b"ACGT"),
        *(b"track", b"target", b"path", b"url"),
    ]
)
CONTENTS = st.one_of(
    st.binary(max_size=80),
    st.lists(PIECES, max_size=40).map(b"".join),
    st.lists(PIECES, max_size=40).map(b"".join).map(lambda content: b"target\tpath\n" + content),
    st.lists(PIECES, max_size=40).map(b"".join).map(lambda content: b"chr1\t1\t2\n" + content),
)


@pytest.mark.parametrize("reader", READERS)
@EXAMPLES
@given(
    content=CONTENTS,
    packed=st.sampled_from([False, False, True]),
    cut=st.integers(0, 20),
    suffix=st.sampled_from(SUFFIXES),
)
def test_any_bytes_give_a_result_or_a_sentence(
    reader: str, content: bytes, packed: bool, cut: int, suffix: str, tmp_path: Path
):
    path = tmp_path / f"input.{suffix}"
    packing = gzip.compress(content)
    path.write_bytes(packing[: len(packing) - cut] if packed else content)
    message = refusal(reader, path)
    assert message is None or (message.startswith(str(path)) and "\n" not in message)


def refusal(reader: str, path: Path) -> str | None:
    try:
        READERS[reader](path)
    except UserError as error:
        return str(error)
    return None


@EXAMPLES
@given(content=CONTENTS, suffix=st.sampled_from(SUFFIXES))
def test_every_line_of_regions_is_a_row_or_counted(content: bytes, suffix: str, tmp_path: Path):
    path = tmp_path / f"input.{suffix}"
    path.write_bytes(content)
    try:
        found = read_region_file(path)
    except UserError:
        return
    if content.startswith(b"\x1f\x8b"):
        return
    lines = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    assert len(found.regions) + sum(found.dropped.values()) == sum(is_region(line) for line in lines)


def is_region(line: bytes) -> bool:
    words = line.replace(b"\t", b" ").split(b" ")
    if not any(words) or line.startswith(b"#"):
        return False
    if words[0] not in (b"track", b"browser"):
        return True
    words = [word for word in words if word]
    return len(words) > 2 and all(word.removeprefix(b"-").isdigit() for word in words[1:3])


NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6).filter(
    lambda name: not name.startswith(("#", "\ufeff")) and name not in ("track", "browser")
)
NUMBERS = st.floats(allow_nan=False).map(lambda number: number + 0.0)
PEAKS = st.lists(
    st.tuples(NAMES, st.integers(0, 2**40), st.integers(0, 10**6), NAMES, NUMBERS, st.sampled_from([".", "+", "-"])),
    min_size=1,
    max_size=12,
)


@EXAMPLES
@given(peaks=PEAKS, columns=st.integers(3, 6), end=st.sampled_from(["\n", "\r\n", "\r"]), packed=st.booleans())
def test_any_bed_is_read_as_it_was_written(peaks: list, columns: int, end: str, packed: bool, tmp_path: Path):
    rows = [(contig, start, start + length, *rest) for contig, start, length, *rest in peaks]
    text = "".join("\t".join(map(str, row[:columns])) + end for row in rows).encode()
    path = tmp_path / "input.bed"
    path.write_bytes(gzip.compress(text) if packed else text)
    found = read_region_file(path).regions
    for place, column in enumerate(["contig", "start", "end", "name", "score", "strand"][:columns]):
        assert found[column].tolist() == [row[place] for row in rows]


VALUES_OF_A_PEAK = st.lists(NUMBERS, min_size=4, max_size=4)
NARROW_PEAKS = st.lists(
    st.tuples(NAMES, st.integers(0, 10**9), st.integers(1, 10**4), st.integers(0, 2000), VALUES_OF_A_PEAK),
    min_size=1,
    max_size=8,
)
LETTERS = st.text("ACGTNacgtn", min_size=1, max_size=30).map(str.encode)


@EXAMPLES
@given(peaks=NARROW_PEAKS)
def test_any_narrow_peak_is_read_as_it_was_written(peaks: list, tmp_path: Path):
    path = tmp_path / "input.narrowPeak"
    lines, summits = [], []
    for contig, start, length, summit, (score, *values) in peaks:
        offset = summit if summit < length else -1
        summits.append(-1 if offset == -1 else start + offset)
        lines.append("\t".join(map(str, [contig, start, start + length, "x", score, ".", *values, offset])) + "\n")
    path.write_bytes("".join(lines).encode())
    found = read_region_file(path)
    assert found.format == "narrowPeak"
    assert found.regions["summit"].tolist() == summits
    written = np.array([values for *_, values in peaks])
    written[:, 2:][written[:, 2:] == -1] = np.nan
    assert np.array_equal(found.regions[list(VALUES)].to_numpy(), written, equal_nan=True)


@EXAMPLES
@given(
    contigs=st.dictionaries(NAMES, LETTERS, min_size=1, max_size=5),
    width=st.integers(1, 12),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    packed=st.booleans(),
)
def test_any_fasta_is_read_as_it_was_written(contigs: dict, width: int, end: bytes, packed: bool, tmp_path: Path):
    lines = []
    for name, letters in contigs.items():
        lines.append(b">" + name.encode() + b" more")
        lines += [letters[start : start + width] for start in range(0, len(letters), width)]
    content = b"".join(line + end for line in lines)
    path = tmp_path / "input.fa"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert {name: bytes(letters) for name, letters in read_fasta(path)} == contigs
