"""The labels of the real data sets against plain counts over the files that they were made from."""

import gzip
import itertools
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest

REAL_DATA = Path(os.environ.get("LOCIFLOW_REAL_DATA", "nowhere"))
YEAST = REAL_DATA / "yeast_sacCer3_chain"
HUMAN = REAL_DATA / "human_hg19_chr1_3Mb_chain"
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")

pytestmark = pytest.mark.real_data


def counts_of(datasets, name: str, split: str) -> dict[str, tuple[int, int]]:
    """Return the bins and the positives of the first target on each side."""
    found = datasets.summary(name)["splits"][split]
    return {side: (bins, found["labels"][side]["positives"][0]) for side, bins in found["bins"].items()}


def sequences_in(path: Path) -> list[str]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [line[1:].strip() for line in file if line.startswith(">")]


def attribute(text: str, key: str) -> str | None:
    found = re.search(rf'(?:^|[; ]){key}[= ]"?([^";]+)', text)
    return found[1] if found else None


def test_nfe2_holds_every_sequence_of_its_four_files(datasets):
    stem = REAL_DATA / "lsgkm_nfe2_gm12878/wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0"
    counts = {part: len(sequences_in(Path(f"{stem}.{part}.fa"))) for part in ("tr", "neg.tr", "test", "neg.test")}
    published = counts_of(datasets, "nfe2", "published")
    assert published["test"] == (counts["test"] + counts["neg.test"], counts["test"])
    trained = [sum(number) for number in zip(published["train"], published["validation"], strict=True)]
    assert trained == [counts["tr"] + counts["neg.tr"], counts["tr"]]


def test_ctcf_and_pu1_are_split_by_the_chromosome_in_their_headers(datasets):
    sides = {"chr1": "test", "chr8": "test", "chr9": "test", "chr2": "validation", "chr10": "validation"}
    counts = {side: [0, 0] for side in ("train", "validation", "test")}
    for factor in ("ctcf", "pu1"):
        for header in sequences_in(REAL_DATA / f"tf_ctcf_pu1_hg19/{factor}.fa.gz"):
            side = sides.get(header.partition(":")[0], "train")
            counts[side][0] += 1
            counts[side][1] += factor == "ctcf"
    assert counts_of(datasets, "ctcf_pu1", "chromosomes") == {side: tuple(found) for side, found in counts.items()}


def test_expression_is_that_of_the_table(datasets):
    lines = (REAL_DATA / "yeast_promoter_expression/dream2022_demo_train.txt").read_text().splitlines()
    expression = [float(line.split("\t")[1]) for line in lines]
    assert datasets.array("dream_promoters")[:, 0].tolist() == np.float32(expression).tolist()


def test_uci_sets_have_the_classes_of_their_lines(datasets):
    lines = (REAL_DATA / "uci_classic/splice.data").read_text().splitlines()
    classes = [line.split(",")[0].strip() for line in lines if line.strip()]
    assert datasets.array("uci_splice")[:, 0].tolist() == [("EI", "IE", "N").index(name) for name in classes]
    lines = (REAL_DATA / "uci_classic/promoters.data").read_text().splitlines()
    signs = [line.rpartition(",")[2] for line in lines if line.strip()]
    assert datasets.array("uci_promoters")[:, 0].tolist() == [int(sign == "+") for sign in signs]


@pytest.mark.parametrize(
    ("name", "width"),
    [("yeast_promoters", 200), ("yeast_gene_parts", 200), ("yeast_atac_fragments", 250), ("yeast_atac_bam", 250)],
)
def test_yeast_is_tiled_to_the_last_whole_bin_of_every_chromosome(datasets, name, width):
    lines = (YEAST / "genome/sacCer3.nuclear.fa.fai").read_text().splitlines()
    expected = {line.split("\t")[0]: int(line.split("\t")[1]) // width for line in lines}
    assert datasets.bins(name)["contig"].value_counts().to_dict() == expected


def test_chipexo_bins_of_reb1_are_those_with_a_strong_peak(datasets):
    targets = pd.read_csv(datasets.folder / "yeast_chipexo_factors/targets.tsv", sep="\t")["target"].tolist()
    bins = datasets.bins("yeast_chipexo_factors")
    known = {f"chr{number}": f"chr{roman}" for number, roman in enumerate(ROMAN, start=1)}
    strong, weak = set(), set()
    for line in (YEAST / "chipexo_peaks/bed/Reb1_CX.bed").read_text().splitlines():
        fields = line.split("\t")
        place = (known[fields[0]], int(fields[1]) // 200 * 200)
        (strong if float(fields[4]) >= 200 else weak).add(place)
    places = list(zip(bins["contig"], bins["start"], strict=True))
    expected = [1 if place in strong else -1 if place in weak else 0 for place in places]
    assert datasets.array("yeast_chipexo_factors")[:, targets.index("Reb1")].tolist() == expected


def test_atac_peaks_are_the_summits_of_the_nuclear_chromosomes(datasets):
    centred = set()
    for line in (YEAST / "atac/hmmratac_yeast500k_accessible_regions.narrowPeak").read_text().splitlines()[1:]:
        fields = line.split("\t")
        if fields[0] != "chrM":
            summit = int(fields[1]) + int(fields[9])
            centred.add((fields[0], summit - 100, summit + 100))
    bins = datasets.bins("yeast_atac_peaks")
    positive = bins[datasets.array("yeast_atac_peaks")[:, 0] == 1]
    found = set(zip(positive["contig"], positive["start"], positive["end"], strict=True))
    # Two windows of 500 bases reach beyond a chromosome's end.
    assert len(centred - found) == 2
    assert found <= centred


def test_fragments_and_their_bigwig_count_both_ends_of_every_fragment(datasets):
    found = pd.read_csv(YEAST / "atac/yeast_500k_SRR1822137.bedpe.gz", sep="\t", names=["contig", "start", "end"])
    bins = datasets.bins("yeast_atac_fragments")
    expected = np.empty(len(bins))
    for contig, rows in bins.groupby("contig").indices.items():
        here = found[found["contig"] == contig]
        sites = np.concatenate([here["start"].to_numpy(), here["end"].to_numpy() - 1])
        expected[rows] = np.bincount(sites // 250, minlength=len(rows) + 1)[: len(rows)]
    assert expected.sum() > 900_000
    for name in ("yeast_atac_fragments", "yeast_atac_signal"):
        np.testing.assert_allclose(datasets.array(name)[:, 0], np.log1p(expected), rtol=1e-6, err_msg=name)


def test_the_coverage_bigwig_is_summed_in_each_bin(datasets):
    bins = datasets.bins("yeast_atac_signal")
    chosen = np.arange(0, len(bins), 997)
    with pyBigWig.open(str(YEAST / "derived/SRR1822137_500k.fragment_coverage.bw")) as track:
        sums = [
            np.nansum(track.values(row.contig, row.start, row.end, numpy=True))
            for row in bins.iloc[chosen].itertuples()
        ]
    np.testing.assert_allclose(datasets.array("yeast_atac_signal")[chosen, 1], np.log1p(sums), rtol=1e-5)


def test_cut_sites_of_the_bam_are_its_shifted_five_prime_ends(datasets):
    bins = datasets.bins("yeast_atac_bam")
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
    np.testing.assert_allclose(datasets.array("yeast_atac_bam")[:, 0], np.log1p(expected), rtol=1e-6)


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


def test_r_loops_are_the_tracks_base_by_base(datasets, dripc):
    starts = datasets.bins("rloop_dripc")["start"].to_numpy()
    bases = starts[:, None] + np.arange(1000)
    tracks = [track for name in ("rep1", "rep2", "rep3") for track in dripc[name]]
    targets, control = datasets.array("rloop_dripc"), datasets.array("rloop_dripc", "control")
    for number, track in enumerate(tracks):
        np.testing.assert_allclose(targets[:, :, number], np.log1p(np.abs(track[bases])), rtol=1e-5)
    for number in range(6):
        track = dripc["control"][number % 2]
        np.testing.assert_allclose(control[:, :, number], np.log1p(np.abs(track[bases])), rtol=1e-5)


def test_r_loops_of_the_bigwigs_are_standardised_log_means_of_the_same_tracks(datasets, dripc):
    bins = datasets.bins("rloop_dripc_bigwig", "blocks")
    bases, train = bins["start"].to_numpy()[:, None] + np.arange(1000), (bins["split"] == "train").to_numpy()
    targets = datasets.array("rloop_dripc_bigwig")
    for number, name in enumerate(("rep1", "rep2", "rep3")):
        # Reads per million of both strands together; both strands of a replicate are standardised as one.
        logs = [np.log1p(np.abs(track[bases]).mean(axis=1) * 1e6 / np.abs(dripc[name]).sum()) for track in dripc[name]]
        both = np.concatenate([log[train] for log in logs])
        for strand, log in enumerate(logs):
            np.testing.assert_allclose(targets[:, 2 * number + strand], (log - both.mean()) / both.std(), atol=1e-4)


def test_promoters_cover_half_of_the_bins_that_they_mark(datasets):
    bins = datasets.bins("yeast_promoters")
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
    assert datasets.array("yeast_promoters")[:, 0].tolist() == expected


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
def test_splice_sites_stand_on_their_own_base_and_strand(datasets, name, species):
    sites = splice_sites(REAL_DATA / f"genomes_1pct_At_Ce_Dm/{species}_1pct.gff3")
    classes = datasets.about(name)["classes"][0]
    bins, labels = datasets.bins(name).astype({"strand": str}), datasets.array(name)[:, :, 0]
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


def test_gene_parts_that_no_exon_touches_are_intergenic_and_every_other_class_is_an_exon(datasets):
    classes = datasets.about("yeast_gene_parts")["classes"][0]
    bins, labels = datasets.bins("yeast_gene_parts"), datasets.array("yeast_gene_parts")[:, 0]
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


def test_multilabel_bins_are_half_covered_by_their_factors_regions(datasets):
    bins, labels = datasets.bins("hg19_multilabel"), datasets.array("hg19_multilabel")
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
