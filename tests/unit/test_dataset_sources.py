"""The sources of the data sets that come with lociflow are the files of the shared real data, digest and address."""

import csv
import os
import re
from pathlib import Path

import pytest
from groups import shipped, starts_from_downloads

from lociflow.sources import all_sources, is_simulated

REAL_DATA = os.environ.get("LOCIFLOW_REAL_DATA")
# What SOURCES.tsv says of a file that no address gives.
MADE = "made from the files beside it"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not REAL_DATA, reason="LOCIFLOW_REAL_DATA names no folder"),
]

YEAST = "yeast_sacCer3_chain"
HUMAN = "human_hg19_chr1_3Mb_chain"
OTHERS = "genomes_1pct_At_Ce_Dm"
NFE2 = "lsgkm_nfe2_gm12878/wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0"
USED = {
    "a genome of one FASTA": [f"{YEAST}/genome/sacCer3.nuclear.fa"],
    "a gzipped FASTA with lower case": [f"{HUMAN}/genome/hg19_chr1_0_3004950.fa.gz"],
    "genomes of two more species": [f"{OTHERS}/At_TAIR10_1pct.fa", f"{OTHERS}/Dm_r6.42_1pct.fa"],
    "ChIP-exo peaks in BED6": [f"{YEAST}/chipexo_peaks/bed/Reb1_CX.bed", f"{YEAST}/chipexo_peaks/bed/Rap1_CX.bed"],
    "ATAC narrowPeak": [f"{YEAST}/atac/hmmratac_yeast500k_accessible_regions.narrowPeak"],
    "ATAC fragments in BEDPE": [f"{YEAST}/atac/yeast_500k_SRR1822137.bedpe.gz"],
    "bigWigs of insertions and of coverage": [
        f"{YEAST}/derived/SRR1822137_500k.insertions5p.bw",
        f"{YEAST}/derived/SRR1822137_500k.fragment_coverage.bw",
    ],
    "BAM": [f"{YEAST}/derived/SRR1822153.chrVII_subset.sacCer3.bam"],
    "GTF": [f"{YEAST}/annotation/sacCer3_ares_v15.gtf"],
    "both GFF3": [f"{OTHERS}/At_TAIR10_1pct.gff3", f"{OTHERS}/Dm_r6.42_1pct.gff3"],
    "VCFs of both naming schemes": [
        f"{YEAST}/variants_sgd/RM11-1A.gatk.vcf",
        f"{YEAST}/variants_chrNumeric/W303.gatk.vcf",
    ],
    "stranded DRIPc tracks with their control, in bedGraph": [
        f"{HUMAN}/rloop_DRIPc/{sample}.{strand}.bg.gz"
        for sample in ("LS61A.rep1", "LS61C.rep2", "LS61H.rep3", "RNaseH")
        for strand in ("pos", "neg")
    ],
    "stranded DRIPc tracks with their control, in bigWig": [
        f"{HUMAN}/derived/{sample}.{strand}.bw"
        for sample in ("LS61A.rep1", "LS61C.rep2", "LS61H.rep3", "RNaseH")
        for strand in ("pos", "neg")
    ],
    "multi-label intervals without chr": [f"{HUMAN}/peaks_multilabel/sorted_aggregate.chr1_chr10.nochrprefix.bed.gz"],
    "CTCF against PU.1": ["tf_ctcf_pu1_hg19/ctcf.fa.gz", "tf_ctcf_pu1_hg19/pu1.fa.gz"],
    "NFE2": [f"{NFE2}.{part}.fa" for part in ("tr", "neg.tr", "test", "neg.test")],
    "UCI splice junctions": ["uci_classic/splice.data"],
    "UCI promoters": ["uci_classic/promoters.data"],
    "the DREAM table": ["yeast_promoter_expression/dream2022_demo_train.txt"],
    "blacklists in BED and gzipped BED": [
        f"{YEAST}/chipexo_peaks/ChExMix_Peak_Filter_List_190612.bed",
        f"{HUMAN}/annotation/hg19_blacklist_ENCFF001TDO.bed.gz",
    ],
}


@pytest.fixture(scope="module")
def groups():
    return shipped()


@pytest.fixture(scope="module")
def sources(groups):
    """Every source of every real data set, sample sheets and all, by its place; not of those that are downloaded."""
    return all_sources(groups, [name for name in real(groups) if not starts_from_downloads(groups, name)])


def real(groups):
    return [name for name in groups.names("dataset") if not is_simulated(groups.dataset(name))]


@pytest.fixture(scope="module")
def listed():
    with (Path(REAL_DATA) / "SOURCES.tsv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


def addresses(upstream: str) -> list[str]:
    """Return the addresses of an entry of SOURCES.tsv; ``{1..16}`` stands for that many."""
    address = upstream.split(" ", 1)[0]
    several = re.fullmatch(r"(.*)\{(\d+)\.\.(\d+)\}(.*)", address)
    if not several:
        return [address]
    before, first, last, after = several.groups()
    return [f"{before}{number}{after}" for number in range(int(first), int(last) + 1)]


def as_list(text: str | list[str] | None) -> list[str]:
    return text if isinstance(text, list) else [text] if text else []


def test_every_source_of_every_data_set_is_a_file_of_the_shared_data(sources, listed):
    assert len(sources) > 200
    assert sorted(set(sources) - set(listed)) == []


def test_what_recipes_pin_is_a_file_of_the_shared_data(groups, listed):
    recipes = [name for name in real(groups) if starts_from_downloads(groups, name)]
    assert len(recipes) == 6
    sources = all_sources(groups, recipes)
    pinned = {file: source for file, source in sources.items() if source["sha256"]}
    assert list(pinned) == ["blacklists/hg19-blacklist.v2.bed.gz"]
    for file, source in pinned.items():
        assert (source["sha256"], [source["url"]]) == (listed[file]["sha256"], addresses(listed[file]["upstream"]))
    assert all(source["url"].startswith("https://") for source in sources.values())


def test_digests_are_those_of_the_shared_data(sources, listed):
    wrong = [
        f"{file}: {source['sha256']}" for file, source in sources.items() if source["sha256"] != listed[file]["sha256"]
    ]
    assert wrong == []


def test_addresses_are_those_from_which_the_shared_data_came(sources, listed):
    found = {file: as_list(source["url"]) for file, source in sources.items() if source["url"]}
    expected = {file: addresses(listed[file]["upstream"]) for file in found}
    assert found == expected


def test_derived_files_have_no_address_and_say_from_what_they_were_made(sources, listed):
    made = {file for file in sources if listed[file]["upstream"] == MADE}
    without = {file for file, source in sources.items() if not source["url"]}
    assert made == without
    assert len(made) == 11
    known = {address for row in listed.values() for address in addresses(row["upstream"])}
    for file in made:
        origins = as_list(sources[file]["derived_from"])
        assert origins, file
        for origin in origins:
            # A run of the Sequence Read Archive is named, a file of the shared data is addressed.
            assert origin in known or re.match(r"SRA run SRR\d+\b", origin), f"{file}: {origin}"


def test_only_derived_files_say_from_what_they_were_made(sources):
    assert [file for file, source in sources.items() if source["url"] and source["derived_from"]] == []


@pytest.mark.parametrize("files", USED.values(), ids=USED.keys())
def test_is_used_by_a_data_set(files, sources):
    assert [file for file in files if file not in sources] == []
