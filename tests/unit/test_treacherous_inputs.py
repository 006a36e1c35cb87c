# ruff: noqa: E501
"""Files that are malformed, or right but easily misread, and what must become of each.

A row of :data:`CASES` is a sentence, a reader, what the file holds, and either the exact result or the pieces of the
refusal, which must name the file and hold the pieces in this order. To add a reader write a function from a path to
something comparable; to add a case write a line.
"""

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pysam
import pytest

from lociflow.command import UserError
from lociflow.genome.contig_names import read_aliases
from lociflow.genome.placement import place_windows
from lociflow.genome.regions import empty_regions, read_region_file
from lociflow.genome.sample_sheet import read_sample_sheet
from lociflow.genome.split_data import SplitData
from lociflow.genome.splits import by_contig
from lociflow.genome.target_peaks import read_on_genome, read_target_peaks
from lociflow.genome.windows import peak_centred_bins, tile_bins
from lociflow.sequence.fasta import read_fasta
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import SequenceStore, open_store


class Refused(NamedTuple):
    pieces: tuple[str, ...]


class Case(NamedTuple):
    sentence: str
    read: Callable[[Path], Any]
    content: str | bytes
    expected: Any
    name: str


def case(sentence: str, read: Callable[[Path], Any], content: str | bytes, expected: Any, name: str = "input") -> Case:
    return Case(sentence, read, content, expected, name)


def refused(*pieces: str) -> Refused:
    return Refused(pieces)


def intervals(path: Path) -> list[tuple]:
    return list(read_region_file(path).regions[["contig", "start", "end"]].itertuples(index=False, name=None))


def regions(path: Path) -> list[tuple]:
    """All columns; None for what is missing."""
    table = read_region_file(path).regions.astype(object)
    return list(table.where(table.notna(), None).itertuples(index=False, name=None))


def format_and_dropped(path: Path) -> tuple[str, int, dict]:
    found = read_region_file(path)
    return found.format, len(found.regions), found.dropped


def fasta(path: Path) -> dict[str, str]:
    return {name: bytes(letters).decode("latin-1") for name, letters in read_fasta(path)}


def store(path: Path) -> SequenceStore:
    folder = path.parent / "store"
    folder.mkdir(exist_ok=True)
    write_store([path], folder / "codes.npy", folder / "store.json", "toy", soft_mask=True)
    return open_store(folder / "store.json")


def stored(path: Path) -> dict[str, int]:
    found = store(path)
    return dict(zip(found.names, found.lengths.tolist(), strict=True))


def toy(path: Path) -> SequenceStore:
    """A genome of 100 bases chrI, of which the last 20 are N, and 50 bases chrII."""
    genome = path.parent / "toy.fa"
    genome.write_text(f">chrI\n{'A' * 80}{'N' * 20}\n>chrII\n{'C' * 50}\n")
    return store(genome)


def on_genome(path: Path) -> tuple[list[tuple], int, dict, int]:
    found = read_on_genome(path, toy(path), {"1": "chrI", "M": None})
    rows = list(found.regions[["contig", "start", "end", "summit"]].itertuples(index=False, name=None))
    return rows, found.read, {reason: number for reason, number in found.dropped.items() if number}, found.clipped


def named(path: Path) -> list[str]:
    return read_target_peaks({"named": path.name}, path.parent, None, toy(path), {}, False).targets


def sheet(path: Path) -> list[tuple[str, str, dict[str, str]]]:
    return [(row.target, row.source["path"], row.metadata) for row in read_sample_sheet(path)]


def aliases(path: Path) -> dict[str, str | None]:
    return read_aliases(path)


def nothing(path: Path) -> pd.DataFrame:
    names = toy(path).names
    return empty_regions().assign(contig=pd.Categorical([], categories=list(names)))


def tiles(**settings: Any) -> Callable[[Path], int]:
    return lambda path: len(tile_bins(toy(path), nothing(path), nothing(path), **settings).table)


def centred(**settings: Any) -> Callable[[Path], int]:
    return lambda path: len(peak_centred_bins(toy(path), nothing(path), nothing(path), **settings).table)


def split(**settings: Any) -> Callable[[Path], list[str]]:
    def read(path: Path) -> list[str]:
        genome = toy(path)
        table = tile_bins(genome, nothing(path), nothing(path), bin=40).table
        data = SplitData(table, np.zeros((len(table), 1), np.int8), "binary", genome, place_windows(table, genome), 40)
        return list(by_contig(data, **settings))

    return read


def bgzip(content: bytes) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        with pysam.BGZFile(file.name, "wb") as handle:
            handle.write(content)
        return Path(file.name).read_bytes()


BED = b"c\t1\t2\nc\t3\t4\n"
TWO = [("c", 1, 2), ("c", 3, 4)]
ONE = [("c", 1, 2)]
PEAK = "c\t10\t30\tp\t7\t.\t1.5\t-1\t2.5\t"
BROAD = ("c", 10, 30, "p", 7.0, ".", -1, 1.5, None, 2.5)
PLAIN = (".", -1, None, None, None)
SHEET = "target\tpath\n"

CASES = [
    # Regions: line ends, white space, lines that are none
    case("BED with CRLF", intervals, b"c\t1\t2\r\nc\t3\t4\r\n", TWO),
    case("BED with the line ends of an old Macintosh", intervals, b"c\t1\t2\rc\t3\t4\r", TWO),
    case("BED with mixed line ends and none at the end", intervals, b"c\t1\t2\r\nc\t3\t4", TWO),
    case("BED with a byte order mark", intervals, b"\xef\xbb\xbfc\t1\t2\n", ONE),
    case("BED with a byte order mark before a comment", intervals, b"\xef\xbb\xbf#chrom\tstart\nc\t1\t2\n", ONE),
    case("BED separated by spaces", intervals, "c 1   2\n c 3 4 \n", TWO),
    case("BED that begins with spaces and goes on with tabs", intervals, "c 1 2\nc\t3\t4\n", TWO),
    case("BED that begins with tabs and goes on with spaces", intervals, "c\t1\t2\nc 3 4\n", refused("line 2", "1 column")),
    case("BED with a track line in the middle", intervals, "c\t1\t2\ntrack name=x\nc\t3\t4\n", TWO),
    case("BED on contigs called track and browser", intervals, "track\t1\t2\nbrowser\t3\t4\n", [("track", 1, 2), ("browser", 3, 4)]),
    case("BED on a contig called NA", intervals, "NA\t1\t2\n", [("NA", 1, 2)]),
    case("BED on contigs that look like one number", intervals, "1\t1\t2\n01\t1\t2\n1.0\t1\t2\n", [("1", 1, 2), ("01", 1, 2), ("1.0", 1, 2)]),
    case("BED with blank lines of tabs and spaces", intervals, "\n \t \nc\t1\t2\n\t\n", ONE),
    case("BED with a quote that is never closed", regions, 'c\t1\t2\t"a\nc\t3\t4\tb\n', [("c", 1, 2, '"a', None, *PLAIN), ("c", 3, 4, "b", None, *PLAIN)]),
    case("BED with a space behind the contig", intervals, "c \t1\t2\n", refused("line 1", "'c '", "expected a name without white")),
    case("BED with a space before the contig", intervals, "c\t1\t2\n c\t1\t2\n", refused("line 2", "' c'", "expected a name without white")),
    case("BED with a tab behind every line", regions, "c\t1\t2\t\n", [("c", 1, 2, "", None, *PLAIN)]),
    case("an empty file", intervals, b"", []),
    case("a file of comments only", intervals, "#a\ntrack name=x\n", []),
    # Regions: what is no BED
    case("a header line without #", intervals, "chrom\tstart\tend\nc\t1\t2\n", refused("line 1", "start 'start'", "expected a whole number")),
    case("FASTA given as BED", intervals, ">c\nACGT\n", refused("line 1", "1 column", "expected contig, start and end")),
    case("a web page given as BED", intervals, "<html>\n<body></body>\n", refused("line 1", "found", "expected contig, start")),
    case("BED with commas", intervals, "c,1,2\n", refused("line 1", "'c,1,2'", "separated by tabs")),
    case("UTF-16", intervals, "c\t1\t2\n".encode("utf-16"), refused("line 1", "zero byte", "expected text", "UTF-16")),
    case("zeros where a disk was full", intervals, BED + b"\0" * 40, refused("line 3", "zero byte")),
    case("a negative start", intervals, "c\t-1\t2\n", refused("line 1", "start -1", "expected 0 or more")),
    case("an end before its start", intervals, "c\t1\t2\nc\t9\t4\n", refused("line 2", "end 4", "start 9", "expected")),
    case("positions with a decimal point", intervals, "c\t1.0\t2\n", refused("line 1", "'1.0'", "expected a whole number")),
    case("rounded positions", intervals, "c\t1\t2\nc\t1e6\t1.2e6\n", refused("line 2", "'1e6'", "expected a whole number")),
    case("positions with thousands separators", intervals, "c\t1,000\t2,000\n", refused("line 1", "'1,000'", "expected a whole")),
    case("a position of twenty digits", intervals, "c\t1\t99999999999999999999\n", refused("line 1", "expected a whole number")),
    case("a position of nineteen digits", intervals, "c\t1\t9000000000000000000\n", refused("line 1", "expected a whole number")),
    case("a position with a plus sign", intervals, "c\t+1\t2\n", refused("line 1", "'+1'", "expected a whole number")),
    case("leading zeros", intervals, "c\t001\t002\n", ONE),
    case("no contig name", intervals, "\t1\t2\n", refused("line 1", "no contig name", "expected one")),
    case("one line broken off", intervals, "c\t1\t2\nc\t3\n", refused("line 2", "2 columns", "expected contig, start and end")),
    case("a short line that a long one makes up for", intervals, "c\t1\t2\ta\nc\t1\t2\nc\t3\t4\tb\tx\n", refused("line 2", "3 columns", "expected 4")),
    case("a word for a score", intervals, "c\t1\t2\t.\tOR4F5\n", refused("line 1", "score 'OR4F5'", "expected a number", "first 4 columns")),
    case("scores that are missing", regions, "c\t1\t2\ta\t.\nc\t1\t2\ta\tNA\n", [("c", 1, 2, "a", None, *PLAIN)] * 2),
    case("a strand that is a word", intervals, "c\t1\t2\ta\t1\tplus\n", refused("line 1", "strand 'plus'", "expected +, - or .")),
    case("two Latin-1 names stay two", lambda path: len(set(read_region_file(path).regions["name"])), b"c\t1\t2\t\xc9\nc\t1\t2\t\xc8\n", 2),
    # Regions: the other formats
    case("BED9 with integers and a colour", regions, "c\t1\t2\ta\t5\t+\t1\t2\t255,0,0\n", [("c", 1, 2, "a", 5.0, "+", *PLAIN[1:])]),
    case("BED9 with 0 for a colour is no broadPeak", format_and_dropped, "c\t1\t2\ta\t5\t+\t1\t2\t0\n", ("BED", 1, {})),
    case("broadPeak by its suffix", regions, "c\t10\t30\tp\t7\t.\t1.5\t-1\t2.5\n", [BROAD], "x.broadPeak"),
    case("broadPeak by its content", regions, "c\t10\t30\tp\t7\t.\t1.5\t-1\t2.5\n", [BROAD], "x.bed"),
    case("broadPeak of whole numbers by its suffix", regions, "c\t1\t3\tp\t7\t.\t1\t2\t3\n", [("c", 1, 3, "p", 7.0, ".", -1, 1.0, 2.0, 3.0)], "x.broadpeak.gz"),
    case("narrowPeak without p-values", regions, PEAK + "4\n", [(*BROAD[:6], 14, *BROAD[7:])]),
    case("narrowPeak without a summit", regions, PEAK + "-1\n", [BROAD]),
    case("narrowPeak with a summit behind its end", regions, PEAK + "20\n", refused("line 1", "summit 20 bases", "expected one before end 30")),
    case("narrowPeak with a summit before its start", regions, PEAK + "-2\n", refused("line 1", "peak -2", "expected")),
    case("narrowPeak with a word for a q-value", regions, PEAK + "1\n" + PEAK.replace("2.5", "low") + "1\n", refused("line 2", "q_value 'low'", "expected a number", "column 9 of narrowPeak")),
    case("a narrowPeak cut to six columns is BED", format_and_dropped, "c\t1\t2\ta\t5\t+\n", ("BED", 1, {}), "x.narrowPeak"),
    case("ten columns of BED with a gene's name", regions, "c\t1\t2\ta\t5\t+\t1\t2\t0,0,0\tREB1\n", [("c", 1, 2, "a", 5.0, "+", *PLAIN[1:])]),
    case("bedGraph with spaces by its suffix", regions, "c 1 2 0.5\nc 2 3 -1e-3\n", [("c", 1, 2, ".", 0.5, *PLAIN), ("c", 2, 3, ".", -0.001, *PLAIN)], "x.bg"),
    case("bedGraph by its track line", regions, 'track type="bedGraph" name=x\nc\t1\t2\t7\n', [("c", 1, 2, ".", 7.0, *PLAIN)]),
    case("bedGraph without a value", regions, "c\t1\t2\n", refused("line 1", "3 columns", "expected 4 in bedGraph"), "x.bedGraph.gz"),
    case("bedGraph with a word", regions, "c\t1\t2\t1\nc\t1\t2\tx\n", refused("line 2", "score 'x'", "expected a number", "of bedGraph"), "x.bg"),
    case("four columns without a sign of bedGraph are a name", regions, "c\t1\t2\t0.5\n", [("c", 1, 2, "0.5", None, *PLAIN)]),
    case("a suffix and a track line that disagree", regions, "track type=narrowPeak\nc\t1\t2\t1\n", refused("found bedGraph and narrowPeak", "expected one format"), "x.bg"),
    case("BEDPE by its columns", regions, "c\t50\t90\tc\t10\t40\tr1\t60\t+\t-\n", [("c", 10, 90, "r1", 60.0, *PLAIN)]),
    case("BEDPE with mates apart or unknown", format_and_dropped, "c\t1\t2\tc\t5\t9\nc\t1\t2\td\t5\t9\nc\t1\t2\t.\t-1\t-1\n", ("BEDPE", 1, {"no_mate": 1, "mates_on_two_contigs": 1}), "x.bedpe"),
    case("BEDPE with a mate that ends before it starts", intervals, "c\t1\t2\tc\t5\t9\nc\t1\t2\tc\t9\t5\n", refused("line 2", "end 5", "mate's start 9"), "x.bedpe"),
    case("BEDPE with a rounded mate", intervals, "c\t1\t2\tc\t5.0\t9\n", refused("line 1", "mate's start '5.0'", "expected a whole number"), "x.bedpe"),
    case("BEDPE of MACS has three columns", format_and_dropped, BED, ("BED", 2, {}), "x.bedpe"),
    # Regions: compression
    case("gzip with the suffix of a plain file", intervals, gzip.compress(BED), TWO),
    case("a plain file with the suffix of gzip", intervals, BED, TWO, "x.bed.gz"),
    case("gzip in two members", intervals, gzip.compress(BED[:6]) + gzip.compress(BED[6:]), TWO),
    case("gzip in two members that break a line", intervals, gzip.compress(BED[:8]) + gzip.compress(BED[8:]), TWO),
    case("bgzip", intervals, bgzip(BED), TWO),
    case("bgzip cut between two blocks", intervals, bgzip(BED)[:-28], refused("broken gzip", "the block that ends a bgzip file is missing")),
    case("bgzip cut within a block", intervals, bgzip(BED)[:-30], refused("broken gzip", "fetch it again")),
    case("gzip broken off", intervals, gzip.compress(BED)[:-9], refused("broken gzip", "fetch it again")),
    case("gzip with a flipped bit", intervals, gzip.compress(BED)[:-8] + b"\0" * 8, refused("broken gzip", "fetch it again")),
    case("gzip with rubbish behind it", intervals, gzip.compress(BED) + b"rubbish", refused("broken gzip", "fetch it again")),
    case("gzip within gzip", intervals, gzip.compress(gzip.compress(BED, mtime=0), mtime=0), refused("line 1", "zero byte", "expected text")),
    # Regions on a genome
    case("an end beyond the contig is clipped and counted", on_genome, "chrI\t90\t101\n", ([("chrI", 90, 100, -1)], 1, {}, 1)),
    case("a summit beyond the contig is clipped with its end", on_genome, PEAK.replace("c\t10\t30", "chrI\t90\t120") + "25\n", ([("chrI", 90, 100, 99)], 1, {}, 1)),
    case("a start at the contig's end is counted", on_genome, "chrI\t99\t100\nchrI\t100\t101\n", ([("chrI", 99, 100, -1)], 2, {"beyond_end": 1}, 0)),
    case("an unknown contig", on_genome, "chr2\t1\t2\n", refused("no contig chr2", "expected names such as chrI", "{chr2: chrII}")),
    case("a contig in the wrong case", on_genome, "CHRI\t1\t2\n", refused("no contig CHRI", "{CHRI: chrI}")),
    case("an alias that renames and one that leaves out", on_genome, "1\t1\t2\nM\t1\t2\n", ([("chrI", 1, 2, -1)], 2, {"excluded_contig": 1}, 0)),
    case("insertion points are counted", on_genome, "chrI\t5\t5\nchrI\t5\t6\n", ([("chrI", 5, 6, -1)], 2, {"zero_length": 1}, 0)),
    case("pairs that are no fragment are counted", on_genome, "chrI\t1\t2\tchrII\t1\t2\nchrI\t1\t2\tchrI\t5\t9\n", ([("chrI", 1, 9, -1)], 2, {"mates_on_two_contigs": 1}, 0), "x.bedpe"),
    case("targets named by a file without names", named, "chrI\t1\t2\n", refused("found no names", "expected each region's target in column 4")),
    case("a target called split", named, "chrI\t1\t2\tsplit\n", refused("'split'", "reserved")),
    case("targets that differ by white space only", named, "chrI\t1\t2\tPol II\nchrI\t1\t2\tPol_II\n", refused("'Pol II' and 'Pol_II'", "expected names that differ")),
    # FASTA
    case("FASTA with lines of all widths, lower case and N", fasta, ">a\nAC\nGTnN\nr\n", {"a": "ACGTnNr"}),
    case("FASTA with more behind the name", fasta, ">a chromosome 1 >x\nAC\n>b\tjunk\nG\n", {"a": "AC", "b": "G"}),
    case("FASTA with CRLF", fasta, b">a\r\nAC\r\nGT\r\n", {"a": "ACGT"}),
    case("FASTA with the line ends of an old Macintosh", fasta, b">a\rAC\rGT\r>b\rC\r", {"a": "ACGT", "b": "C"}),
    case("FASTA with a byte order mark", fasta, b"\xef\xbb\xbf>a\nAC\n", {"a": "AC"}),
    case("FASTA with blanks around its lines", fasta, ">a\n AC \n\n GT\t\n", {"a": "ACGT"}),
    case("FASTA in bgzip", fasta, bgzip(b">a\nAC\n"), {"a": "AC"}),
    case("FASTA in bgzip cut between two blocks", fasta, bgzip(b">a\nAC\n")[:-28], refused("truncated or damaged", "fetch it again")),
    case("FASTA in gzip broken off", fasta, gzip.compress(b">a\nAC\n")[:-4], refused("truncated or damaged", "fetch it again")),
    case("FASTA with text before the first header", fasta, "ACGT\n>a\nAC\n", refused("line 1", "'ACGT'", "expected a FASTA header")),
    case("FASTQ given as FASTA", fasta, "@r\nAC\n+\nII\n", refused("line 1", "'@r'", "expected a FASTA header")),
    case("FASTA with a header without a name", fasta, ">a\nAC\n>\nGT\n", refused("line 3", "without a name", "expected >NAME")),
    case("FASTA with an empty contig", fasta, ">a\nAC\n>b\n>c\nG\n", refused("line 3", "contig b is empty", "expected at least one base")),
    case("FASTA with nothing in it", fasta, "\n", refused("found no sequence", "expected FASTA")),
    case("FASTA with one name twice", stored, ">a x\nAC\n>a y\nAC\n", refused("contig a a second time", "expected each name once")),
    case("FASTA with U for T", stored, ">a\nACGU\n", {"a": 4}),
    case("FASTA with IUPAC codes", stored, ">a\nRYSWKMBDHVNryswkmbdhvn\n", {"a": 22}),
    case("FASTA with gaps", stored, ">a\nAC-GT\n", refused("contig a, base 3", "'-'", "expected one of")),
    case("FASTA with a space within a line", stored, ">a\nAC GT\n", refused("contig a, base 3", "' '", "expected one of")),
    case("FASTA with protein", stored, ">a\nMKL\n", refused("contig a, base 3", "'L'", "expected one of")),
    # Sample sheets
    case("a sheet with a byte order mark and CRLF", sheet, "\ufefftarget\tpath\tnote\r\nA\ta.bed\tx\r\n", [("A", "a.bed", {"note": "x"})]),
    case("a sheet with commas", sheet, "target,path\nA,a.bed\n", refused("columns target,path", "expected tab-separated")),
    case("a sheet without a header", sheet, "A\ta.bed\n", refused("columns A, a.bed", "expected tab-separated columns target")),
    case("a sheet with a line end in its header", sheet, '"target\n"\tpath\nA\ta\n', refused("line 1", "inside a column's name", "expected a header of one line")),
    case("a sheet with a column twice", sheet, "target\tpath\tpath\nA\ta\tb\n", refused("line 1", "column 'path' twice", "expected each name once")),
    case("a sheet with a short line", sheet, SHEET + "A\n", refused("line 2", "another number of columns")),
    case("a sheet with a target twice", sheet, SHEET + "A\ta\nA \tb\n", refused("line 3", "target A stands here twice")),
    case("a sheet with a line end in a quoted field", sheet, "target\tpath\tnote\nA\ta\t\"x\ny\"\n", refused("line 3", "line end", "column note", "expected one line")),
    case("a sheet with a quote that is never closed", sheet, "target\tpath\tnote\nA\ta\t\"x\nB\tb\ty\n", refused("cannot be read", "expected tab-separated text")),
    case("a sheet in Latin-1", sheet, "target\tpath\nÉ\ta\n".encode("latin-1"), refused("cannot be read", "UTF-8")),
    case("a sheet with a header only", sheet, SHEET, refused("lists no target", "add one line")),
    # Aliases
    case("aliases with a byte order mark and CRLF", aliases, b"\xef\xbb\xbf1\tchrI\r\nMT\t\r\n", {"1": "chrI", "MT": None}),
    case("aliases with spaces for tabs", aliases, "1 chrI\n", refused("line 1", "'1 chrI'", "expected two columns separated by a tab")),
    case("aliases with three columns", aliases, "1\tchrI\tx\n", refused("line 1", "expected two columns")),
    case("aliases that say the same twice", aliases, "1\tchrI\n1\tchrI\n", {"1": "chrI"}),
    case("aliases that contradict each other", aliases, "1\tchrI\n\n1\tchrII\n", refused("line 3", "second alias for 1", "expected one")),
    case("aliases in Latin-1", aliases, b"1\t\xc9\n", refused("cannot be read", "UTF-8")),
    case("aliases with a form feed within a line", aliases, "1\tchrI\n2\x0c\tx\ty\n", refused("line 2", "expected two columns")),
    # What the configuration says of windows and splits
    case("tiles of a genome with a tail and N", tiles(bin=40), "", 3),
    case("bins of no length", tiles(bin=0), "", refused("windows.bin", "found 0", "at least 1")),
    case("bins of half a base", tiles(bin=2.5), "", refused("windows.bin", "found 2.5", "expected a whole number")),
    case("bins of true", tiles(bin=True), "", refused("windows.bin", "found True", "expected a whole number")),
    case("a stride backwards", tiles(bin=10, stride=-1), "", refused("windows.stride", "found -1", "at least 1")),
    case("more N than all", tiles(bin=10, max_n=1.5), "", refused("windows.max_n", "found 1.5", "expected a fraction")),
    case("bins longer than every contig", tiles(bin=1000), "", 0),
    case("centred bins given as text", centred(bin="200"), "", refused("windows.bin", "found '200'", "expected a whole number")),
    case("contigs of a split by another name", split(validation="chr1", test=["chrII"]), "", refused("split.validation", "contig chr1", "did you mean chrI?")),
    case("a contig in two splits", split(validation="chrI", test="chrI"), "", refused("split", "chrI", "expected it in one")),
    case("a split that takes all contigs", split(validation="chrI", test="chrII"), "", refused("split.train", "found no contig", "at least one bin")),
]  # fmt: skip

CONFIGURATION = ("windows.", "split")


def test_there_are_enough_and_each_says_something_else():
    assert len(CASES) >= 60
    assert len({each.sentence for each in CASES}) == len(CASES)


@pytest.mark.parametrize("given", CASES, ids=[each.sentence for each in CASES])
def test_input(given: Case, tmp_path: Path):
    path = tmp_path / given.name
    path.write_bytes(given.content.encode() if isinstance(given.content, str) else given.content)
    if not isinstance(given.expected, Refused):
        assert given.read(path) == given.expected
        return
    with pytest.raises(UserError) as caught:
        given.read(path)
    message = str(caught.value)
    assert message.startswith((str(path), *CONFIGURATION))
    assert "\n" not in message
    rest = message.removeprefix(str(path))
    for piece in given.expected.pieces:
        assert piece in rest, message
        rest = rest[rest.index(piece) + len(piece) :]


@pytest.mark.parametrize("read", [intervals, fasta, sheet, aliases])
def test_what_is_no_file(read: Callable[[Path], Any], tmp_path: Path):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(UserError) as caught:
            read(path)
        assert str(caught.value).startswith(str(path))


def test_missing_numbers_are_missing_and_not_zero(tmp_path: Path):
    path = tmp_path / "x.bed"
    path.write_text("c\t1\t2\ta\t\n")
    assert np.isnan(read_region_file(path).regions["score"]).all()
