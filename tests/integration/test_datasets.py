"""Every real data set of config/dataset: its windows and labels in exact numbers, and what the audit says of three."""

import gzip
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest

from lociflow.genome.window_table import about_windows, read_windows

HOME = Path(__file__).parents[2]
REAL_DATA = Path(os.environ.get("LOCIFLOW_REAL_DATA", "nowhere"))
YEAST = REAL_DATA / "yeast_sacCer3_chain"
HUMAN = REAL_DATA / "human_hg19_chr1_3Mb_chain"
AUDITED = ("nfe2", "uci_splice", "yeast_gene_parts")
SIDES = ("train", "validation", "test")
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif("LOCIFLOW_REAL_DATA" not in os.environ, reason="LOCIFLOW_REAL_DATA names no folder"),
]


class Expected(NamedTuple):
    kind: str
    dtype: str
    shape: tuple[int, ...]
    control: tuple[int, ...]
    """Shape of the control without the bins; (0,) where there is none."""
    stranded: bool
    reverse: list[int] | None
    dropped: dict[str, int]
    """Bins that were left out, by reason; the other reasons have none."""
    splits: dict[str, dict[str, tuple[int, Any]]]
    """By split and side the number of bins, and of the first target the positives, the classes or the mean."""


EXPECTED = {
    "arabidopsis_splice": Expected(
        kind="position_class",
        dtype="int8",
        shape=(2370, 1000, 1),
        control=(0,),
        stranded=True,
        reverse=None,
        dropped={"n": 6, "no_split": 8, "tail": 14},
        splits={
            "holdout": {
                "train": (1464, {"acceptor": 942, "background": 1462118, "donor": 940}),
                "validation": (368, {"acceptor": 193, "background": 367616, "donor": 191}),
                "test": (538, {"acceptor": 370, "background": 537266, "donor": 364}),
            }
        },
    ),
    "ctcf_pu1": Expected(
        kind="binary",
        dtype="int8",
        shape=(67861, 1),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={},
        splits={"chromosomes": {"train": (46762, 27151), "validation": (8358, 4980), "test": (12741, 7053)}},
    ),
    "dream_promoters": Expected(
        kind="real",
        dtype="float32",
        shape=(6370, 1),
        control=(0,),
        stranded=True,
        reverse=None,
        dropped={},
        splits={"random": {"train": (4459, 11.132705), "validation": (637, 11.188743), "test": (1274, 11.180652)}},
    ),
    "drosophila_promoters": Expected(
        kind="binary",
        dtype="int8",
        shape=(3966, 1),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"n": 102, "no_split": 2806, "tail": 7},
        splits={"holdout": {"train": (1384, 66), "validation": (1177, 12), "test": (1405, 76)}},
    ),
    "drosophila_splice": Expected(
        kind="position_class",
        dtype="int8",
        shape=(1582, 1000, 1),
        control=(0,),
        stranded=True,
        reverse=None,
        dropped={"n": 40, "no_split": 1122, "tail": 14},
        splits={
            "holdout": {
                "train": (550, {"acceptor": 176, "background": 549632, "donor": 192}),
                "validation": (470, {"acceptor": 44, "background": 469910, "donor": 46}),
                "test": (562, {"acceptor": 170, "background": 561647, "donor": 183}),
            }
        },
    ),
    "hg19_multilabel": Expected(
        kind="binary",
        dtype="int8",
        shape=(12746, 5),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"blacklist": 303, "n": 1053, "no_split": 922, "tail": 1},
        splits={"homology": {"train": (9279, 527), "validation": (938, 4), "test": (2529, 48)}},
    ),
    "nfe2": Expected(
        kind="binary",
        dtype="int8",
        shape=(1426, 1),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={},
        splits={
            "leakfree": {"train": (1160, 580), "validation": (123, 64), "test": (137, 69)},
            "published": {"train": (1160, 580), "validation": (128, 64), "test": (138, 69)},
        },
    ),
    "rloop_dripc": Expected(
        kind="profile",
        dtype="float32",
        shape=(2756, 1000, 6),
        control=(1000, 6),
        stranded=False,
        reverse=[1, 0, 3, 2, 5, 4],
        dropped={"n": 214, "no_split": 34, "tail": 1},
        splits={"blocks": {"train": (1951, 0.263865), "validation": (396, 0.375266), "test": (409, 0.271197)}},
    ),
    "rloop_dripc_bigwig": Expected(
        kind="real",
        dtype="float32",
        shape=(2756, 6),
        control=(6,),
        stranded=False,
        reverse=[1, 0, 3, 2, 5, 4],
        dropped={"n": 214, "no_split": 34, "tail": 1},
        splits={"blocks": {"train": (1951, -0.065196), "validation": (396, 0.080499), "test": (409, -0.048038)}},
    ),
    "uci_promoters": Expected(
        kind="binary",
        dtype="int8",
        shape=(106, 1),
        control=(0,),
        stranded=True,
        reverse=None,
        dropped={},
        splits={
            "homology": {"train": (64, 33), "validation": (16, 8), "test": (26, 12)},
            "random": {"train": (64, 31), "validation": (16, 11), "test": (26, 11)},
        },
    ),
    "uci_splice": Expected(
        kind="class",
        dtype="int16",
        shape=(3190, 1),
        control=(0,),
        stranded=True,
        reverse=None,
        dropped={},
        splits={
            "homology": {
                "train": (2233, {"EI": 528, "IE": 540, "N": 1165}),
                "validation": (319, {"EI": 78, "IE": 79, "N": 162}),
                "test": (637, {"EI": 161, "IE": 149, "N": 327}),
            },
            "random": {
                "train": (2233, {"EI": 551, "IE": 521, "N": 1161}),
                "validation": (319, {"EI": 76, "IE": 79, "N": 164}),
                "test": (638, {"EI": 140, "IE": 168, "N": 330}),
            },
        },
    ),
    "yeast_atac_bam": Expected(
        kind="real",
        dtype="float32",
        shape=(48277, 1),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"tail": 16},
        splits={"holdout": {"train": (34046, 0.115398), "validation": (4312, 0.031919), "test": (9919, 0.020883)}},
    ),
    "yeast_atac_fragments": Expected(
        kind="real",
        dtype="float32",
        shape=(48277, 1),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"tail": 16},
        splits={"holdout": {"train": (33995, 1.704324), "validation": (4363, 1.742002), "test": (9919, 1.646253)}},
    ),
    "yeast_atac_peaks": Expected(
        kind="binary",
        dtype="int8",
        shape=(6200, 1),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"outside": 2},
        splits={
            "fold1": {"train": (3712, 927), "validation": (1217, 309), "test": (1271, 321)},
            "fold2": {"train": (3760, 939), "validation": (1223, 309), "test": (1217, 309)},
            "fold3": {"train": (3730, 936), "validation": (1247, 312), "test": (1223, 309)},
            "fold4": {"train": (3711, 939), "validation": (1242, 306), "test": (1247, 312)},
            "fold5": {"train": (3687, 930), "validation": (1271, 321), "test": (1242, 306)},
            "holdout": {"train": (4312, 1078), "validation": (595, 157), "test": (1293, 322)},
        },
    ),
    "yeast_atac_signal": Expected(
        kind="real",
        dtype="float32",
        shape=(48277, 2),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"tail": 16},
        splits={"holdout": {"train": (33995, 1.704324), "validation": (4363, 1.742002), "test": (9919, 1.646253)}},
    ),
    "yeast_chipexo": Expected(
        kind="binary",
        dtype="int8",
        shape=(57066, 186),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"blacklist": 3283, "tail": 16},
        splits={"holdout": {"train": (40183, 71), "validation": (5139, 16), "test": (11744, 20)}},
    ),
    "yeast_chipexo_factors": Expected(
        kind="binary",
        dtype="int8",
        shape=(57066, 25),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"blacklist": 3283, "tail": 16},
        splits={"holdout": {"train": (40183, 230), "validation": (5139, 35), "test": (11744, 55)}},
    ),
    "yeast_gene_parts": Expected(
        kind="class",
        dtype="int16",
        shape=(60349, 1),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"tail": 16},
        splits={
            "holdout": {
                "train": (42496, {"background": 0, "exon": 30508, "intergenic": 11253, "intron": 0}),
                "validation": (5454, {"background": 0, "exon": 3891, "intergenic": 1463, "intron": 0}),
                "test": (12399, {"background": 0, "exon": 9039, "intergenic": 3141, "intron": 0}),
            }
        },
    ),
    "yeast_promoters": Expected(
        kind="binary",
        dtype="int8",
        shape=(60349, 1),
        control=(0,),
        stranded=False,
        reverse=None,
        dropped={"tail": 16},
        splits={"holdout": {"train": (42496, 8300), "validation": (5454, 1049), "test": (12399, 2441)}},
    ),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results of one snakemake call that makes the windows of all data sets and audits three of them."""
    folder = tmp_path_factory.mktemp("datasets")
    files = [f"results/{name}/windows.json" for name in EXPECTED]
    files += [f"results/{name}/audit.json" for name in AUDITED]
    command = ["snakemake", "--snakefile", HOME / "Snakefile", "--directory", folder, "--cores", "2", "--keep-going"]
    ran = subprocess.run(
        [sys.executable, "-m", *command, "--config", f"datasets={','.join(EXPECTED)}", "--", *files],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LOCIFLOW_MIRROR": str(REAL_DATA),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return folder / "results"


def summary_of(results: Path, name: str) -> dict[str, Any]:
    return json.loads((results / name / "windows.json").read_text())


def labels_of(results: Path, name: str) -> np.ndarray:
    return np.load(results / name / "targets.npy")


def bins_of(results: Path, name: str, split: str | None = None) -> pd.DataFrame:
    found = read_windows(results / name / "windows.parquet", split)
    return found.assign(contig=found["contig"].astype(str))


def first_target(kind: str, labels: dict[str, Any]) -> Any:
    if kind == "binary":
        return labels["positives"][0]
    return labels["classes"][0] if "classes" in labels else pytest.approx(labels["mean"][0], abs=2e-6)


def sequences_in(path: Path) -> list[str]:
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
    with opened as file:
        return [line[1:].strip() for line in file if line.startswith(">")]


def attribute(text: str, key: str) -> str | None:
    found = re.search(rf'(?:^|[; ]){key}[= ]"?([^";]+)', text)
    return found[1] if found else None


def test_every_real_data_set_is_here():
    files = (HOME / "config/dataset").glob("*.yaml")
    assert sorted(EXPECTED) == sorted(path.stem for path in files if "\nsimulation:" not in path.read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_arrays_have_the_shape_and_the_type_of_their_kind(results, name):
    expected, targets = EXPECTED[name], np.load(results / name / "targets.npy", mmap_mode="r")
    assert (summary_of(results, name)["kind"], targets.dtype, targets.shape) == expected[:3]
    control = np.load(results / name / "control.npy", mmap_mode="r")
    assert (control.dtype, control.shape) == (np.float32, (expected.shape[0], *expected.control))
    about = about_windows(results / name / "windows.parquet")["labels"]
    assert (about["kind"], about["stranded"], about["reverse"]) == (expected.kind, expected.stranded, expected.reverse)


@pytest.mark.parametrize("name", EXPECTED)
def test_bins_are_kept_dropped_and_split_as_before(results, name):
    expected, found = EXPECTED[name], summary_of(results, name)
    bins = found["bins"]
    assert {reason: number for reason, number in bins["dropped"].items() if number} == expected.dropped
    assert bins["kept"] == expected.shape[0] == bins["made"] - sum(bins["dropped"].values())
    counted = {
        split: {side: (part["bins"][side], first_target(found["kind"], part["labels"][side])) for side in SIDES}
        for split, part in found["splits"].items()
    }
    assert counted == expected.splits


def test_nfe2_holds_every_sequence_of_its_four_files(results):
    stem = REAL_DATA / "lsgkm_nfe2_gm12878/wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0"
    counts = {part: len(sequences_in(Path(f"{stem}.{part}.fa"))) for part in ("tr", "neg.tr", "test", "neg.test")}
    published = EXPECTED["nfe2"].splits["published"]
    assert published["test"] == (counts["test"] + counts["neg.test"], counts["test"])
    trained = [sum(number) for number in zip(published["train"], published["validation"], strict=True)]
    assert trained == [counts["tr"] + counts["neg.tr"], counts["tr"]]


def test_ctcf_and_pu1_are_split_by_the_chromosome_in_their_headers(results):
    sides = {"chr1": "test", "chr8": "test", "chr9": "test", "chr2": "validation", "chr10": "validation"}
    counts = {side: [0, 0] for side in SIDES}
    for factor in ("ctcf", "pu1"):
        for header in sequences_in(REAL_DATA / f"tf_ctcf_pu1_hg19/{factor}.fa.gz"):
            side = sides.get(header.partition(":")[0], "train")
            counts[side][0] += 1
            counts[side][1] += factor == "ctcf"
    assert EXPECTED["ctcf_pu1"].splits["chromosomes"] == {side: tuple(found) for side, found in counts.items()}


def test_expression_is_that_of_the_table(results):
    lines = (REAL_DATA / "yeast_promoter_expression/dream2022_demo_train.txt").read_text().splitlines()
    expression = [float(line.split("\t")[1]) for line in lines]
    assert labels_of(results, "dream_promoters")[:, 0].tolist() == np.float32(expression).tolist()


def test_uci_sets_have_the_classes_of_their_lines(results):
    lines = (REAL_DATA / "uci_classic/splice.data").read_text().splitlines()
    classes = [line.split(",")[0].strip() for line in lines if line.strip()]
    assert labels_of(results, "uci_splice")[:, 0].tolist() == [("EI", "IE", "N").index(name) for name in classes]
    lines = (REAL_DATA / "uci_classic/promoters.data").read_text().splitlines()
    signs = [line.rpartition(",")[2] for line in lines if line.strip()]
    assert labels_of(results, "uci_promoters")[:, 0].tolist() == [int(sign == "+") for sign in signs]


@pytest.mark.parametrize(
    ("name", "width"),
    [("yeast_promoters", 200), ("yeast_gene_parts", 200), ("yeast_atac_fragments", 250), ("yeast_atac_bam", 250)],
)
def test_yeast_is_tiled_to_the_last_whole_bin_of_every_chromosome(results, name, width):
    lines = (YEAST / "genome/sacCer3.nuclear.fa.fai").read_text().splitlines()
    expected = {line.split("\t")[0]: int(line.split("\t")[1]) // width for line in lines}
    assert bins_of(results, name)["contig"].value_counts().to_dict() == expected


def test_chipexo_bins_of_reb1_are_those_with_a_strong_peak(results):
    targets = pd.read_csv(results / "yeast_chipexo_factors/targets.tsv", sep="\t")["target"].tolist()
    bins = bins_of(results, "yeast_chipexo_factors")
    known = {f"chr{number}": f"chr{roman}" for number, roman in enumerate(ROMAN, start=1)}
    strong, weak = set(), set()
    for line in (YEAST / "chipexo_peaks/bed/Reb1_CX.bed").read_text().splitlines():
        fields = line.split("\t")
        place = (known[fields[0]], int(fields[1]) // 200 * 200)
        (strong if float(fields[4]) >= 200 else weak).add(place)
    places = list(zip(bins["contig"], bins["start"], strict=True))
    expected = [1 if place in strong else -1 if place in weak else 0 for place in places]
    assert labels_of(results, "yeast_chipexo_factors")[:, targets.index("Reb1")].tolist() == expected


def test_atac_peaks_are_the_summits_of_the_nuclear_chromosomes(results):
    centred = set()
    for line in (YEAST / "atac/hmmratac_yeast500k_accessible_regions.narrowPeak").read_text().splitlines()[1:]:
        fields = line.split("\t")
        if fields[0] != "chrM":
            summit = int(fields[1]) + int(fields[9])
            centred.add((fields[0], summit - 100, summit + 100))
    bins = bins_of(results, "yeast_atac_peaks")
    positive = bins[labels_of(results, "yeast_atac_peaks")[:, 0] == 1]
    found = set(zip(positive["contig"], positive["start"], positive["end"], strict=True))
    # Two windows of 500 bases reach beyond a chromosome's end.
    assert len(centred - found) == 2
    assert found <= centred


def test_fragments_and_their_bigwig_count_both_ends_of_every_fragment(results):
    found = pd.read_csv(YEAST / "atac/yeast_500k_SRR1822137.bedpe.gz", sep="\t", names=["contig", "start", "end"])
    bins = bins_of(results, "yeast_atac_fragments")
    expected = np.empty(len(bins))
    for contig, rows in bins.groupby("contig").indices.items():
        here = found[found["contig"] == contig]
        sites = np.concatenate([here["start"].to_numpy(), here["end"].to_numpy() - 1])
        expected[rows] = np.bincount(sites // 250, minlength=len(rows) + 1)[: len(rows)]
    assert expected.sum() > 900_000
    for name in ("yeast_atac_fragments", "yeast_atac_signal"):
        np.testing.assert_allclose(labels_of(results, name)[:, 0], np.log1p(expected), rtol=1e-6, err_msg=name)


def test_the_coverage_bigwig_is_summed_in_each_bin(results):
    bins = bins_of(results, "yeast_atac_signal")
    chosen = np.arange(0, len(bins), 997)
    with pyBigWig.open(str(YEAST / "derived/SRR1822137_500k.fragment_coverage.bw")) as track:
        sums = [
            np.nansum(track.values(row.contig, row.start, row.end, numpy=True))
            for row in bins.iloc[chosen].itertuples()
        ]
    np.testing.assert_allclose(labels_of(results, "yeast_atac_signal")[chosen, 1], np.log1p(sums), rtol=1e-5)


def test_cut_sites_of_the_bam_are_its_shifted_five_prime_ends(results):
    bins = bins_of(results, "yeast_atac_bam")
    place = {place: row for row, place in enumerate(zip(bins["contig"], bins["start"], strict=True))}
    expected = np.zeros(len(bins))
    with pysam.AlignmentFile(str(YEAST / "derived/SRR1822153.chrVII_subset.sacCer3.bam")) as file:
        for read in file:
            if read.is_unmapped or read.mapping_quality < 10:
                continue
            site = read.reference_end - 1 - 5 if read.is_reverse else read.reference_start + 4
            row = place.get((read.reference_name, site // 250 * 250))
            if row is not None:
                expected[row] += 1
    np.testing.assert_allclose(labels_of(results, "yeast_atac_bam")[:, 0], np.log1p(expected), rtol=1e-6)


def per_base(path: Path) -> np.ndarray:
    """Return the values of a bedGraph of chr1, base by base."""
    found = np.zeros(3_004_950)
    with gzip.open(path, "rt") as file:
        for line in file:
            if line.startswith("chr1"):
                _, start, end, value = line.split()
                found[int(start) : int(end)] = float(value)
    return found


@pytest.fixture(scope="module")
def dripc():
    """The tracks of each sample, minus after plus, base by base."""
    names = {"rep1": "LS61A.rep1", "rep2": "LS61C.rep2", "rep3": "LS61H.rep3", "control": "RNaseH"}
    return {
        name: [per_base(HUMAN / f"rloop_DRIPc/{file}.{strand}.bg.gz") for strand in ("pos", "neg")]
        for name, file in names.items()
    }


def test_r_loops_are_the_tracks_base_by_base(results, dripc):
    starts = bins_of(results, "rloop_dripc")["start"].to_numpy()
    bases = starts[:, None] + np.arange(1000)
    tracks = [track for name in ("rep1", "rep2", "rep3") for track in dripc[name]]
    targets, control = labels_of(results, "rloop_dripc"), np.load(results / "rloop_dripc/control.npy")
    for number, track in enumerate(tracks):
        np.testing.assert_allclose(targets[:, :, number], np.log1p(np.abs(track[bases])), rtol=1e-5)
    for number in range(6):
        track = dripc["control"][number % 2]
        np.testing.assert_allclose(control[:, :, number], np.log1p(np.abs(track[bases])), rtol=1e-5)


def test_r_loops_of_the_bigwigs_are_standardised_log_means_of_the_same_tracks(results, dripc):
    bins = bins_of(results, "rloop_dripc_bigwig", "blocks")
    bases, train = bins["start"].to_numpy()[:, None] + np.arange(1000), (bins["split"] == "train").to_numpy()
    targets = labels_of(results, "rloop_dripc_bigwig")
    for number, name in enumerate(("rep1", "rep2", "rep3")):
        # Reads per million of both strands together; both strands of a replicate are standardised as one.
        logs = [np.log1p(np.abs(track[bases]).mean(axis=1) * 1e6 / np.abs(dripc[name]).sum()) for track in dripc[name]]
        both = np.concatenate([log[train] for log in logs])
        for strand, log in enumerate(logs):
            np.testing.assert_allclose(targets[:, 2 * number + strand], (log - both.mean()) / both.std(), atol=1e-4)


def test_promoters_cover_half_of_the_bins_that_they_mark(results):
    bins = bins_of(results, "yeast_promoters")
    lengths = dict(line.split("\t")[:2] for line in (YEAST / "genome/sacCer3.nuclear.fa.fai").read_text().splitlines())
    ends: dict[tuple[str, str, str], list[int]] = {}
    for line in (YEAST / "annotation/sacCer3_ares_v15.gtf").read_text().splitlines():
        fields = line.split("\t")
        if line.startswith("#") or fields[0] not in lengths or attribute(fields[8], "gene_type") != "protein_coding":
            continue
        key = (fields[0], fields[6], str(attribute(fields[8], "transcript_id")))
        ends.setdefault(key, []).extend([int(fields[3]) - 1, int(fields[4])])
    marked = set()
    for (contig, strand, _), places in ends.items():
        start = min(places) - 300 if strand == "+" else max(places) - 100
        start, end = max(start, 0), min(start + 400, int(lengths[contig]))
        for first in range(start // 200 * 200, end, 200):
            if 2 * (min(end, first + 200) - max(start, first)) >= min(200, end - start):
                marked.add((contig, first))
    places = zip(bins["contig"], bins["start"], strict=True)
    expected = [int(place in marked) for place in places]
    assert labels_of(results, "yeast_promoters")[:, 0].tolist() == expected


def splice_sites(path: Path) -> dict[tuple[str, str, int], str]:
    """Return the donors and acceptors of a GFF3: the last base before and the first base after every intron."""
    exons: dict[tuple[str, str, str], set[tuple[int, int]]] = {}
    for line in path.read_text().splitlines():
        fields = line.split("\t")
        if len(fields) == 9 and fields[2] == "exon":
            for parent in str(attribute(fields[8], "Parent")).split(","):
                exons.setdefault((fields[0], fields[6], parent), set()).add((int(fields[3]) - 1, int(fields[4])))
    found = {}
    for (contig, strand, _), parts in exons.items():
        ordered = sorted(parts)
        for (_, end), (start, _) in itertools.pairwise(ordered):
            if start > end:
                found[contig, strand, end - 1] = "donor" if strand == "+" else "acceptor"
                found[contig, strand, start] = "acceptor" if strand == "+" else "donor"
    return found


@pytest.mark.parametrize(("name", "species"), [("arabidopsis_splice", "At_TAIR10"), ("drosophila_splice", "Dm_r6.42")])
def test_splice_sites_stand_on_their_own_base_and_strand(results, name, species):
    sites = splice_sites(REAL_DATA / f"genomes_1pct_At_Ce_Dm/{species}_1pct.gff3")
    classes = about_windows(results / name / "windows.parquet")["labels"]["classes"][0]
    bins, labels = bins_of(results, name).astype({"strand": str}), labels_of(results, name)[:, :, 0]
    rows, bases = np.nonzero(labels)
    found = {
        (row.contig, row.strand, int(row.start + base)): classes[labels[number, base]]
        for number, base, row in zip(rows, bases, bins.iloc[rows].itertuples(), strict=True)
    }
    covered = {(row.contig, row.strand, row.start) for row in bins.itertuples()}
    expected = {
        (contig, strand, place): kind
        for (contig, strand, place), kind in sites.items()
        if (contig, strand, place // 1000 * 1000) in covered
    }
    assert found == expected


def test_gene_parts_that_no_exon_touches_are_intergenic_and_every_other_class_is_an_exon(results):
    """Every intron of this annotation is also an exon of an unspliced transcript, so none is only an intron."""
    classes = about_windows(results / "yeast_gene_parts/windows.parquet")["labels"]["classes"][0]
    bins, labels = bins_of(results, "yeast_gene_parts"), labels_of(results, "yeast_gene_parts")[:, 0]
    covered = np.zeros(len(bins), np.int64)
    for contig, rows in bins.groupby("contig").indices.items():
        bases = np.zeros(len(rows) * 200 + 200, bool)
        for line in (YEAST / "annotation/sacCer3_ares_v15.gtf").read_text().splitlines():
            fields = line.split("\t")
            if fields[0] == contig:
                bases[int(fields[3]) - 1 : int(fields[4])] = True
        covered[rows] = bases[: len(rows) * 200].reshape(-1, 200).sum(axis=1)
    assert (labels[covered == 0] == classes.index("intergenic")).all()
    assert (labels[covered == 200] != classes.index("intergenic")).all()
    assert set(labels[labels >= 0]) == {classes.index("exon"), classes.index("intergenic")}


def test_multilabel_bins_are_half_covered_by_their_factors_regions(results):
    bins, labels = bins_of(results, "hg19_multilabel"), labels_of(results, "hg19_multilabel")
    factors = ["CTCF", "Pol2", "GABP", "TBP", "Pbx3"]
    path = HUMAN / "peaks_multilabel/sorted_aggregate.chr1_chr10.nochrprefix.bed.gz"
    found = pd.read_csv(
        path, sep="\t", names=["contig", "start", "end", "name"], usecols=range(4), dtype={"contig": str}
    )
    found = found[(found["contig"] == "1") & (found["start"] < 3_004_950)]
    for number, factor in enumerate(factors):
        marked = set()
        for row in found[found["name"] == factor].itertuples():
            for start in range(row.start // 200 * 200, row.end, 200):
                if 2 * (min(row.end, start + 200) - max(row.start, start)) >= min(200, row.end - row.start):
                    marked.add(start)
        assert labels[:, number].tolist() == [int(start in marked) for start in bins["start"]]


VERDICTS = {
    "nfe2": {
        "published": {"near_duplicates": "warn", "shortcuts": "warn"},
        "leakfree": {"shortcuts": "warn"},
    },
    "uci_splice": {
        "homology": {"conflicts": "warn"},
        "random": {"duplicates": "fail", "near_duplicates": "fail", "conflicts": "warn", "shortcuts": "warn"},
    },
    "yeast_gene_parts": {
        "holdout": {"duplicates": "warn", "near_duplicates": "warn", "shortcuts": "warn", "balance": "warn"},
    },
}
OF_A_SPLIT = ("duplicates", "overlap", "near_duplicates", "conflicts", "shortcuts", "balance", "groups")


def audit_of(results: Path, name: str) -> dict[tuple[str, str | None], dict[str, Any]]:
    audit = json.loads((results / name / "audit.json").read_text())
    return {(check["check"], check["split"]): check for check in audit["checks"]}


@pytest.mark.parametrize("name", AUDITED)
def test_the_audit_has_these_verdicts(results, name):
    expected = {("coordinates", None): "pass"}
    for split, others in VERDICTS[name].items():
        expected |= {(check, split): others.get(check, "pass") for check in OF_A_SPLIT}
    assert {key: check["verdict"] for key, check in audit_of(results, name).items()} == expected
    assert "<html" in (results / name / "audit.html").read_text()[:200]


def test_the_random_split_of_uci_splice_leaks_what_the_other_does_not(results):
    checks = audit_of(results, "uci_splice")
    assert checks["duplicates", "random"]["value"] == pytest.approx(57 / 638)
    assert checks["near_duplicates", "random"]["value"] == pytest.approx(167 / 638)
    assert checks["duplicates", "homology"]["value"] == checks["near_duplicates", "homology"]["value"] == 0
    # Counted here: test sequences that are letter by letter in the training set, on either strand.
    bins = bins_of(results, "uci_splice", "random")
    lines = [
        line.split(",") for line in (REAL_DATA / "uci_classic/splice.data").read_text().splitlines() if line.strip()
    ]
    letters = pd.Series([fields[2].strip() for fields in lines])
    pairs = str.maketrans("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN")
    both = letters[(bins["split"] == "train").to_numpy()].tolist()
    both += [text.translate(pairs)[::-1] for text in both]
    assert letters[(bins["split"] == "test").to_numpy()].isin(both).sum() == 57


def test_the_leaks_of_nfe2_are_gone_from_its_leakfree_split(results):
    checks = audit_of(results, "nfe2")
    assert checks["near_duplicates", "published"]["value"] == pytest.approx(5 / 128)
    assert checks["near_duplicates", "leakfree"]["value"] == 0
    removed = pd.read_csv(results / "nfe2/removed.tsv", sep="\t")
    assert len(removed) == 6
    assert removed["split"].value_counts().to_dict() == {"validation": 5, "test": 1}


def test_variants_of_both_naming_schemes_agree_with_the_genome(results):
    check = audit_of(results, "yeast_gene_parts")["coordinates", None]
    assert check["value"] == 0
    records = 0
    for file in ("variants_sgd/RM11-1A.gatk.vcf", "variants_chrNumeric/W303.gatk.vcf"):
        lines = (YEAST / file).read_text().splitlines()
        records += sum(not line.startswith(("#", "chrM", "chrmt")) and bool(line.strip()) for line in lines)
    assert f"{records:,} records" in check["says"]


def test_near_duplicates_of_yeast_are_told_with_their_place(results):
    check = audit_of(results, "yeast_gene_parts")["near_duplicates", "holdout"]
    assert check["value"] == pytest.approx(877 / 12_399)
    assert "subtelomeres" in check["says"]
    assert len(check["where"]) > 0
    assert all(re.fullmatch(r"chr[IVX]+:\d+-\d+", place["name"]) for place in check["where"])
