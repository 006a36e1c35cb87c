"""The recipes that download the human genome: files of the same formats in small, from a local server to the bins."""

import gzip
import urllib.parse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pysam
import pytest

from lociflow.config import Configuration
from lociflow.download import Patience
from lociflow.fetch import fetch
from lociflow.genome.dataset import make_windows
from lociflow.genome.window_table import read_windows
from lociflow.sequence.genome_store import write_store
from lociflow.sources import dataset_files, files_only, sources_in

HOME = Path(__file__).parents[2]
QUICK = Patience(tries=2, back_off=0.001, timeout=5)
CHROMOSOMES = [*map(str, range(1, 23)), "X"]
BASES = 6000


@pytest.fixture(scope="module")
def groups() -> Configuration:
    return Configuration(HOME / "config", HOME / "workflow/schemas")


def genome(contigs: dict[str, int], header: str = ">{name}\n", soft_mask: bool = False) -> bytes:
    random = np.random.default_rng(1)
    text = []
    for name, length in contigs.items():
        letters = "".join(random.choice(list("ACGT"), length))
        if soft_mask:
            letters = letters[: length // 2] + letters[length // 2 :].lower()
        lines = [letters[begin : begin + 60] for begin in range(0, length, 60)]
        text.append(header.format(name=name) + "\n".join(lines) + "\n")
    return "".join(text).encode()


def bgzip(content: bytes, folder: Path) -> bytes:
    plain, packed = folder / "plain", folder / "plain.gz"
    plain.write_bytes(content)
    pysam.tabix_compress(str(plain), str(packed), force=True)
    return packed.read_bytes()


class Upstream:
    """The hosts of a recipe's sources as folders of one server."""

    def __init__(self, web: Any) -> None:
        self.web = web

    def here(self, url: str) -> str:
        parts = urllib.parse.urlsplit(url)
        return f"/{parts.netloc}{parts.path}"

    def serve(self, url: str, content: bytes) -> None:
        def answer(handler: Any) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.send_header("Content-Type", "application/x-gzip")
            handler.end_headers()
            handler.wfile.write(content)

        self.web.answers[self.here(url)] = [answer]

    def serve_as_encode(self, url: str, content: bytes) -> None:
        """Redirect to a signed address of another host, which answers with the file's name and no type."""
        name = url.rpartition("/")[2]
        signed = f"/encode-public.s3.amazonaws.com/2021/01/01/{name}?response-content-disposition=attachment&Expires=1"

        def redirect(handler: Any) -> None:
            handler.send_response(307)
            handler.send_header("Location", self.web.url(signed))
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        def answer(handler: Any) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.send_header("Content-Type", "binary/octet-stream")
            handler.send_header("Content-Disposition", f"attachment; filename={name}")
            handler.end_headers()
            handler.wfile.write(content)

        self.web.answers[self.here(url)] = [redirect]
        self.web.answers[signed] = [answer]


@pytest.fixture
def upstream(web: Any) -> Upstream:
    return Upstream(web)


def bins_of(name: str, groups: Configuration, upstream: Upstream, folder: Path, split: str) -> pd.DataFrame:
    """Fetch a recipe's sources, encode its genome and make its windows; return them with a column for each target."""
    config = groups.dataset(name)
    files = dataset_files(config, groups)
    for source in sources_in(files):
        output = folder / source["file"]
        # What is served here is not what is pinned.
        asked = {**source, "url": upstream.web.url(upstream.here(source["url"])), "sha256": None}
        fetch(asked, output, output.with_name(f"{output.name}.source.json"), None, QUICK)
    fasta = [folder / source["file"] for source in files["genome"]["source"]]
    write_store(fasta, folder / "codes.npy", folder / "store.json", files["genome"]["name"])
    targets = files_only(files["targets"])
    targets["files"] = {
        target: found["file"] if isinstance(found, dict) else found for target, found in targets["files"].items()
    }
    asked = {key: config.get(key) for key in ("contig_aliases", "windows", "labels", "split", "clean")}
    outputs = {
        "windows": "w.parquet", "targets": "t.npy", "control": "c.npy", "target_table": "t.tsv", "counts": "w.json",
        "removed": "r.tsv",
    }  # fmt: skip
    make_windows(
        store=folder / "store.json",
        config={**asked, "targets": targets, "thresholds": {}},
        sources=folder,
        sheet=None,
        blacklist=folder / files["blacklist"]["file"] if "blacklist" in files else None,
        **{what: folder / file for what, file in outputs.items()},
    )
    windows = read_windows(folder / "w.parquet", split)
    labels = np.load(folder / "t.npy")
    names = pd.read_csv(folder / "t.tsv", sep="\t")["target"]
    return windows.assign(**{str(target): labels[:, column] for column, target in enumerate(names)})


def test_a_transcription_factor_of_encode(groups, upstream, tmp_path):
    files = dataset_files(groups.dataset("encode_ctcf"), groups)
    contigs = {f"chr{name}": BASES for name in CHROMOSOMES} | {"chrUn_KI270302v1": 2274, "chrEBV": 1000}
    header = ">{name}  AC:CM000663.2  gi:568336023  LN:6000  rl:Chromosome  M5:0  AS:GRCh38\n"
    peak = "{}\t{}\t{}\t.\t1000\t.\t{}\t-1.00000\t4.80000\t{}\n"
    peaks = (
        peak.format("chr8", 3000, 3400, 300.5, 250)
        + peak.format("chr1", 2000, 2300, 200.25, 100)
        + peak.format("chr7", 1000, 1100, 100.0, 50)
        + peak.format("chr2", 4000, 4200, 90.0, 100)
        # of an unplaced contig, and beside an artefact
        + peak.format("chrUn_KI270302v1", 500, 700, 80.0, 100)
        + peak.format("chr9", 3000, 3200, 70.0, 100)
    )
    upstream.serve_as_encode(files["genome"]["source"][0]["url"], gzip.compress(genome(contigs, header)))
    upstream.serve_as_encode(files["targets"]["files"]["CTCF"]["url"], gzip.compress(peaks.encode()))
    upstream.serve_as_encode(files["blacklist"]["url"], gzip.compress(b"chr9\t3150\t3160\n"))
    bins = bins_of("encode_ctcf", groups, upstream, tmp_path, "holdout")
    positive = bins[bins["CTCF"] == 1]
    # 200 bases around each summit; what is on no side of the split is not there.
    assert positive[["contig", "start", "end", "split"]].astype(str).values.tolist() == [
        ["chr1", "2000", "2200", "train"],
        ["chr2", "4000", "4200", "train"],
        ["chr7", "950", "1150", "validation"],
        ["chr8", "3150", "3350", "test"],
    ]
    negative = bins[bins["CTCF"] == 0]
    assert len(negative) > 4
    assert not set(negative["contig"]) & {"chrUn_KI270302v1", "chrEBV"}
    # The open network was never asked.
    assert {path.split("/")[1] for path, _ in upstream.web.requests} == {
        "www.encodeproject.org", "encode-public.s3.amazonaws.com",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "first", "last"), [
    ("encode_multitask", "CTCF_GM12878", "DNase_HUVEC"),
    ("encode_dnase", "GM12878", "NHEK"),
])  # fmt: skip
def test_many_targets_of_encode_at_ucsc(groups, upstream, tmp_path, name, first, last):
    files = dataset_files(groups.dataset(name), groups)
    contigs = {f"chr{name}": BASES for name in CHROMOSOMES} | {"chr8_gl000197_random": 1000, "chr6_apd_hap1": 1000}
    packed = bgzip(genome(contigs, soft_mask=True), tmp_path)
    upstream.serve(files["genome"]["source"][0]["url"], packed)
    line = "{}\t{}\t{}\t.\t{}\t.\t14.5\t-1\t3.2\t75\n"
    for target, source in files["targets"]["files"].items():
        peaks = line.format("chr7", 1000, 1150, 500)
        if target == first:
            # Shorter than a bin: most of one in the first of its bins, half of the other in either.
            peaks += line.format("chr8", 500, 620, 1000) + line.format("chr9", 1310, 1490, 700)
        if target == last:
            peaks += line.format("chr1", 0, 150, 1000) + line.format("chr2", 2000, 2150, 1000)
        upstream.serve(source["url"], gzip.compress(peaks.encode()))
    upstream.serve(files["blacklist"]["url"], gzip.compress(b"chr2\t2100\t2120\tHigh Signal Region\n"))
    bins = bins_of(name, groups, upstream, tmp_path, "holdout")
    assert len(files["targets"]["files"]) == {"encode_multitask": 24, "encode_dnase": 12}[name]
    assert bins[["contig", "start", "end", "split", first, last]].astype(str).values.tolist() == [
        ["chr1", "0", "200", "train", "0", "1"],
        ["chr7", "1000", "1200", "validation", "1", "1"],
        ["chr8", "400", "600", "test", "1", "0"],
        ["chr8", "600", "800", "test", "0", "0"],
        ["chr9", "1200", "1400", "test", "1", "0"],
        ["chr9", "1400", "1600", "test", "1", "0"],
    ]


@pytest.mark.parametrize(
    ("name", "length", "bin", "positive"),
    [
        ("human_nontata_promoters", 251, 251, "promoter"),
        ("human_enhancers_cohn", 500, 500, "enhancer"),
        ("human_ocr_ensembl", 320, 300, "open"),
    ],
)
def test_intervals_of_genomic_benchmarks(groups, upstream, tmp_path, name, length, bin, positive):
    files = dataset_files(groups.dataset(name), groups)
    contigs = dict.fromkeys([*CHROMOSOMES, "Y", "MT", "KI270728.1"], BASES)
    header = ">{name} dna:chromosome chromosome:GRCh38:{name}:1:6000:1 REF\n"
    upstream.serve(files["genome"]["source"][0]["url"], gzip.compress(genome(contigs, header)))
    starts = {
        (positive, "train"): [("chr1", 1000, "+"), ("chr7", 1000, "-"), ("chr10", 700, "+")],
        (positive, "test"): [("chr8", 2000, "-"), ("chrX", 100, "+")],
        ("other", "train"): [("chr1", 3000, "+"), ("chr7", 4000, "+"), ("chr2", 50, "+"), ("chrMT", 10, "+")],
        # on the place of one of training
        ("other", "test"): [("chr2", 50, "+"), ("chr9", 5000, "+")],
    }
    for (kind, side), rows in starts.items():
        (source,) = [found for found in files["targets"]["files"][kind] if found["split"] == side]
        table = "id,region,start,end,strand\n" + "".join(
            f"{number},{contig},{start},{start + length},{strand}\n"
            for number, (contig, start, strand) in enumerate(rows)
        )
        upstream.serve(source["url"], gzip.compress(table.encode()))
    bins = bins_of(name, groups, upstream, tmp_path, "published")
    shift = (length - bin) // 2
    stranded = name == "human_nontata_promoters"
    expected = {
        (contig.removeprefix("chr"), start + shift, strand if stranded else ".", kind == positive, side == "test")
        for (kind, side), rows in starts.items()
        for contig, start, strand in rows
    }
    found = zip(
        bins["contig"], bins["start"], bins["strand"], bins[positive] == 1, bins["split"] == "test", strict=True
    )
    assert set(found) == expected
    assert len(bins) == len(expected) == 11
    assert set(bins["end"] - bins["start"]) == {bin}
    assert set(bins["split"]) == {"train", "validation", "test"}
    clean = read_windows(tmp_path / "w.parquet", "published.leakfree")
    # Without the place that training has seen.
    assert (clean["split"] == "test").sum() == 3
    held = read_windows(tmp_path / "w.parquet", "holdout")
    assert set(held.loc[held["split"] == "test", "contig"]) == {"8", "9"}
    assert set(held.loc[held["split"] == "validation", "contig"]) == {"7"}
