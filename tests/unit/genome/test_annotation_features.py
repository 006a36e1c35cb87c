import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pybedtools
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.genome.annotation import read_annotation
from lociflow.genome.annotation_features import KINDS, AnnotationRegions, annotation_regions
from lociflow.sequence.alphabet import LETTERS, reverse_complement
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import SequenceStore, gather, open_store

StoreOf = Callable[[Mapping[str, str]], SequenceStore]

# Two transcripts of a gene on +, one on -, a transfer RNA: exons as (start, end) counted from 1, ends included.
TRANSCRIPTS = [
    ("chrI", "+", "g1", "t1", "protein_coding", [(11, 20), (31, 40), (51, 60)]),
    ("chrI", "+", "g1", "t2", "protein_coding", [(11, 20), (51, 65)]),
    ("chrI", "-", "g2", "t3", "protein_coding", [(71, 80), (86, 95)]),
    ("chrII", "-", "g3", "t4", "tRNA", [(1, 10)]),
]


def gtf(transcripts: list[tuple]) -> str:
    return "".join(
        f'{contig}\tx\texon\t{start}\t{end}\t.\t{strand}\t.\tgene_id "{gene}"; transcript_id "{name}"; '
        f'gene_type "{biotype}";\n'
        for contig, strand, gene, name, biotype, exons in transcripts
        for start, end in exons
    )


@pytest.fixture
def store(store_of: StoreOf) -> SequenceStore:
    return store_of({"chrI": "A" * 100, "chrII": "C" * 50, "chrIII": "G" * 30})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "genes.gtf"
    file.write_text(gtf(TRANSCRIPTS))
    return file


def make(path: Path, store: SequenceStore, *, biotypes: list[str] | None = None, **features: dict) -> AnnotationRegions:
    return annotation_regions({"features": features, "biotypes": biotypes}, path, store, {})


def rows(found: AnnotationRegions) -> list[tuple]:
    return list(
        found.regions[["contig", "start", "end", "strand", "summit", "name"]].itertuples(index=False, name=None)
    )


EXPECTED = {
    "tss": [("chrI", 10, 11, "+", 10, "g1"), ("chrI", 94, 95, "-", 94, "g2"), ("chrII", 9, 10, "-", 9, "g3")],
    "gene_body": [("chrI", 10, 65, "+", -1, "g1"), ("chrI", 70, 95, "-", -1, "g2"), ("chrII", 0, 10, "-", -1, "g3")],
    "exon": [
        ("chrI", 10, 20, "+", -1, "g1"),
        ("chrI", 30, 40, "+", -1, "g1"),
        ("chrI", 50, 60, "+", -1, "g1"),
        ("chrI", 50, 65, "+", -1, "g1"),
        ("chrI", 70, 80, "-", -1, "g2"),
        ("chrI", 85, 95, "-", -1, "g2"),
        ("chrII", 0, 10, "-", -1, "g3"),
    ],
    "intron": [
        ("chrI", 20, 30, "+", -1, "g1"),
        ("chrI", 20, 50, "+", -1, "g1"),
        ("chrI", 40, 50, "+", -1, "g1"),
        ("chrI", 80, 85, "-", -1, "g2"),
    ],
    "intergenic": [
        ("chrI", 0, 10, ".", -1, ""),
        ("chrI", 65, 70, ".", -1, ""),
        ("chrI", 95, 100, ".", -1, ""),
        ("chrII", 10, 50, ".", -1, ""),
    ],
    "splice_donor": [("chrI", 19, 20, "+", 19, "g1"), ("chrI", 39, 40, "+", 39, "g1"), ("chrI", 85, 86, "-", 85, "g2")],
    "splice_acceptor": [
        ("chrI", 30, 31, "+", 30, "g1"),
        ("chrI", 50, 51, "+", 50, "g1"),
        ("chrI", 79, 80, "-", 79, "g2"),
    ],
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_features_by_hand(path: Path, store: SequenceStore, kind: str):
    found = make(path, store, here={"kind": kind})
    assert rows(found) == EXPECTED[kind]
    assert found.names == ["here"]
    assert found.read == [len(EXPECTED[kind])]
    assert found.regions["score"].isna().all()


def test_promoters_lie_along_the_strand_and_are_clipped_at_the_contig(path: Path, store: SequenceStore):
    found = make(path, store, promoter={"kind": "promoter", "upstream": 15, "downstream": 3})
    assert rows(found) == [
        ("chrI", 0, 13, "+", 10, "g1"),
        ("chrI", 92, 100, "-", 94, "g2"),
        ("chrII", 7, 25, "-", 9, "g3"),
    ]
    assert found.counts["clipped"] == 2
    upstream = make(path, store, promoter={"kind": "promoter", "upstream": 5, "downstream": 0})
    assert rows(upstream) == [
        ("chrI", 5, 10, "+", 10, "g1"),
        ("chrI", 95, 100, "-", 94, "g2"),
        ("chrII", 10, 15, "-", 9, "g3"),
    ]


def test_coding_parts(tmp_path: Path, store: SequenceStore):
    file = tmp_path / "genes.gff3"
    file.write_text(
        "chrI\tx\tgene\t1\t40\t.\t+\t.\tID=g\nchrI\tx\tmRNA\t1\t40\t.\t+\t.\tID=t;Parent=g\n"
        "chrI\tx\texon\t1\t40\t.\t+\t.\tParent=t\nchrI\tx\tCDS\t11\t22\t.\t+\t0\tParent=t\n"
    )
    assert rows(make(file, store, coding={"kind": "coding"})) == [("chrI", 10, 22, "+", -1, "g")]


def test_several_targets_keep_their_order(path: Path, store: SequenceStore):
    found = make(path, store, z={"kind": "tss"}, a={"kind": "intron", "min_length": 11})
    assert found.names == ["z", "a"]
    assert found.regions["target"].to_list() == ["z"] * 3 + ["a"]
    assert list(found.regions["target"].cat.categories) == ["z", "a"]
    assert list(found.regions["contig"].cat.categories) == ["chrI", "chrII", "chrIII"]
    assert found.counts["targets"]["a"] == {"kind": "intron", "regions": 1, "outside": 0, "clipped": 0}


def test_biotypes(path: Path, store: SequenceStore):
    found = make(path, store, biotypes=["tRNA"], tss={"kind": "tss"})
    assert rows(found) == [("chrII", 9, 10, "-", 9, "g3")]
    # Three genes' worth of rows: 2 genes, 3 transcripts and 7 exons are of another biotype.
    assert found.counts["dropped"]["biotype"] == 12
    # What no gene covers does not depend on the genes that are chosen.
    kept = make(path, store, biotypes=["tRNA"], between={"kind": "intergenic"})
    assert rows(kept) == EXPECTED["intergenic"]


def test_a_gene_without_a_biotype_is_kept_for_its_transcripts(tmp_path: Path, store: SequenceStore):
    file = tmp_path / "genes.gff3"
    file.write_text(
        "".join(
            f"chrI\tx\tgene\t{start}\t{start + 9}\t.\t+\t.\tID={name}\n"
            f"chrI\tx\t{kind}\t{start}\t{start + 9}\t.\t+\t.\tID={name}.1;Parent={name}\n"
            for name, kind, start in (("a", "mRNA", 1), ("b", "tRNA", 21))
        )
    )
    found = make(file, store, biotypes=["protein_coding"], gene={"kind": "gene_body"})
    assert rows(found) == [("chrI", 0, 10, "+", -1, "a")]


def test_transcripts_in_part_have_no_start_site_but_splice_sites(tmp_path: Path, store: SequenceStore):
    file = tmp_path / "genes.gff3"
    part = "".join(f"chrI\tx\texon\t{start}\t{start + 9}\t.\t+\t.\tParent=gone\n" for start in (11, 31))
    file.write_text(part + "chrII\tx\tgene\t1\t9\t.\t+\t.\tID=g\nchrII\tx\texon\t1\t9\t.\t+\t.\tParent=g\n")
    found = make(file, store, tss={"kind": "tss"})
    assert rows(found) == [("chrII", 0, 1, "+", 0, "g")]
    assert found.counts["dropped"]["transcripts_without_ends"] == 1
    assert rows(make(file, store, donor={"kind": "splice_donor"})) == [("chrI", 19, 20, "+", 19, "")]
    between = rows(make(file, store, between={"kind": "intergenic"}))
    assert ("chrI", 20, 30, ".", -1, "") not in between


def test_contigs_are_resolved(path: Path, store_of: StoreOf):
    store = store_of({"1": "A" * 100})
    config = {"features": {"tss": {"kind": "tss"}}}
    with pytest.raises(UserError, match=r"the genome has no contig chrI, chrII; .*contig_aliases: \{chrI: 1"):
        annotation_regions(config, path, store, {})
    found = annotation_regions(config, path, store, {"chrI": "1", "chrII": None})
    assert found.regions["contig"].to_list() == ["1", "1"]
    assert found.counts["dropped"]["excluded_contig"] == 3


def test_features_beyond_the_contig(path: Path, store_of: StoreOf):
    store = store_of({"chrI": "A" * 90, "chrII": "C" * 5})
    found = make(path, store, gene={"kind": "gene_body"}, start={"kind": "tss"})
    assert rows(found) == [
        ("chrI", 10, 65, "+", -1, "g1"),
        ("chrI", 70, 90, "-", -1, "g2"),
        ("chrII", 0, 5, "-", -1, "g3"),
        ("chrI", 10, 11, "+", 10, "g1"),
    ]
    assert found.counts["clipped"] == 2
    assert found.counts["targets"]["start"]["outside"] == 2
    with pytest.raises(UserError, match=r"found 1 features that begin beyond .* chrI:85-95, expected at most 80"):
        make(path, store_of({"chrI": "A" * 80, "chrII": "C" * 50}), gene={"kind": "gene_body"})


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        ({"a": {"kind": "enhancer"}}, r"features\.a: found the kind 'enhancer', expected one of tss, promoter"),
        ({"a": "tss"}, r"features\.a: found the kind 'tss'"),
        ({"a": {"kind": "promoter", "upstream": 5}}, r"expected kind, upstream, downstream for promoter"),
        ({"a": {"kind": "tss", "upstream": 5}}, r"found the keys kind, upstream, expected kind for tss"),
        ({"a": {"kind": "promoter", "upstream": -5, "downstream": 9}}, r"a\.upstream: found -5, expected"),
        ({"a": {"kind": "promoter", "upstream": True, "downstream": 9}}, r"a\.upstream: found True, expected"),
        ({"a": {"kind": "promoter", "upstream": 0, "downstream": 0}}, r"found a promoter of 0 bases"),
        ({"a": {"kind": "coding"}}, r"found no coding for the target a, .* 3 genes, 4 transcripts, 8 exons and 0 cod"),
        ({}, r"expected source, features"),
    ],
)
def test_a_bad_configuration(path: Path, store: SequenceStore, features: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        make(path, store, **features)


@pytest.mark.parametrize("biotypes", [["coding"], []])
def test_an_unknown_biotype(path: Path, store: SequenceStore, biotypes: list[str]):
    with pytest.raises(UserError, match=r"found no biotype .*to be among protein_coding, tRNA"):
        make(path, store, biotypes=biotypes, tss={"kind": "tss"})


MODELS = st.lists(
    st.tuples(
        st.sampled_from(["chrI", "chrII"]),
        st.sampled_from("+-"),
        st.lists(st.tuples(st.integers(1, 90), st.integers(0, 20)), min_size=1, max_size=5),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture
def wide(store_of: StoreOf) -> SequenceStore:
    return store_of({"chrI": "A" * 120, "chrII": "C" * 130})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(models=MODELS)
def test_random_models_against_sets_of_bases(tmp_path: Path, wide: SequenceStore, models: list[tuple]):
    transcripts = [
        (contig, strand, f"g{number}", f"t{number}", "x", [(start, start + more) for start, more in parts])
        for number, (contig, strand, parts) in enumerate(models)
    ]
    path = tmp_path / "random.gtf"
    path.write_text(gtf(transcripts))
    gaps, donors, acceptors, starts = set(), set(), set(), set()
    free = {(contig, base) for contig, *_ in transcripts for base in range(120 if contig == "chrI" else 130)}
    for contig, strand, _, _, _, parts in transcripts:
        covered = {base for start, end in parts for base in range(start - 1, end)}
        inside = range(min(covered), max(covered) + 1)
        free -= {(contig, base) for base in inside}
        starts.add((contig, min(covered) if strand == "+" else max(covered)))
        edges = [base for base in inside if base in covered and base + 1 not in covered and base + 1 in inside]
        for left in edges:
            right = min(base for base in covered if base > left)
            gaps.add((contig, left + 1, right, strand))
            donors.add((contig, left if strand == "+" else right))
            acceptors.add((contig, right if strand == "+" else left))
    expected = {"tss": starts, "intergenic": free, "splice_donor": donors, "splice_acceptor": acceptors}
    asked = [kind for kind, bases in expected.items() if bases] + ["intron"] * bool(gaps)
    table = make(path, wide, **{kind: {"kind": kind} for kind in asked}).regions
    for kind in asked:
        rows = table[table["target"] == kind]
        if kind == "intron":
            assert set(rows[["contig", "start", "end", "strand"]].itertuples(index=False, name=None)) == gaps
        else:
            found = {(row.contig, base) for row in rows.itertuples() for base in range(row.start, row.end)}
            assert found == expected[kind], kind


# What the real files must give: yeast's are exons alone, the other two are parts of larger files.
REAL = {
    "at": ("genomes_1pct_At_Ce_Dm/At_TAIR10_1pct.fa", "genomes_1pct_At_Ce_Dm/At_TAIR10_1pct.gff3"),
    "dm": ("genomes_1pct_At_Ce_Dm/Dm_r6.42_1pct.fa", "genomes_1pct_At_Ce_Dm/Dm_r6.42_1pct.gff3"),
    "sc": ("yeast_sacCer3_chain/genome/sacCer3.nuclear.fa", "yeast_sacCer3_chain/annotation/sacCer3_ares_v15.gtf"),
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[SequenceStore, Path]]:
    if "LOCIFLOW_REAL_DATA" not in os.environ:
        pytest.skip("LOCIFLOW_REAL_DATA does not name a folder")
    data = Path(os.environ["LOCIFLOW_REAL_DATA"])
    folder = tmp_path_factory.mktemp("real")

    def opened(name: str) -> tuple[SequenceStore, Path]:
        store = folder / name / "store.json"
        if not store.exists():
            store.parent.mkdir()
            write_store([data / REAL[name][0]], store.with_name("codes.npy"), store, name)
        return open_store(store), data / REAL[name][1]

    return opened


def intron_ends(store: SequenceStore, introns: pd.DataFrame) -> tuple[Counter, Counter]:
    """First and last two bases of introns along their strand."""
    contig = introns["contig"].cat.codes.to_numpy()
    left = gather(store, contig, introns["start"].to_numpy(), 2)
    right = gather(store, contig, introns["end"].to_numpy() - 2, 2)
    forward = (introns["strand"] == "+").to_numpy()[:, None]
    first = np.where(forward, left, reverse_complement(right))
    last = np.where(forward, right, reverse_complement(left))
    return tuple(Counter(LETTERS[a] + LETTERS[b] for a, b in ends) for ends in (first, last))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("at", {"GT": 1514, "GC": 23}, {"AG": 1537}),
        ("dm", {"GT": 477, "GC": 7}, {"AG": 484}),
        ("sc", {"GT": 310, "GC": 3, "CC": 1}, {"AG": 313, "CG": 1}),
    ],
)
def test_real_introns_begin_with_gt_and_end_with_ag(real, name: str, first: dict, last: dict):
    store, path = real(name)
    found = annotation_regions({"features": {"intron": {"kind": "intron"}}}, path, store, {"chrM": None})
    assert intron_ends(store, found.regions) == (first, last)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("at", {"tss": 449, "gene_body": 378, "exon": 2045, "splice_donor": 1500, "splice_acceptor": 1508}),
        ("dm", {"tss": 126, "gene_body": 108, "exon": 638, "splice_donor": 421, "splice_acceptor": 391}),
        ("sc", {"tss": 6657, "gene_body": 6658, "exon": 7253, "splice_donor": 303, "splice_acceptor": 303}),
    ],
)
def test_real_counts(real, name: str, numbers: dict):
    store, path = real(name)
    features = {kind: {"kind": kind} for kind in numbers}
    found = annotation_regions({"features": features}, path, store, {"chrM": None})
    assert dict(Counter(found.regions["target"])) == numbers
    # The parts of genes that the cut at 1 % has left without their transcript.
    assert found.counts["dropped"]["transcripts_without_ends"] == {"at": 4, "dm": 49, "sc": 0}[name]


@pytest.mark.real_data
def test_intergenic_is_bedtools_complement(real, tmp_path: Path):
    store, path = real("at")
    found = annotation_regions({"features": {"x": {"kind": "intergenic"}}}, path, store, {}).regions
    table = read_annotation(path).features[["contig", "start", "end"]]
    sizes = {name: (0, int(length)) for name, length in sorted(zip(store.names, store.lengths, strict=True))}
    order = pybedtools.BedTool.from_dataframe(table).sort()
    expected = order.complement(g=pybedtools.chromsizes_to_file(sizes, str(tmp_path / "sizes")))
    assert sorted(found[["contig", "start", "end"]].itertuples(index=False, name=None)) == sorted(
        (row.chrom, row.start, row.end) for row in expected
    )


CONFIGS = Path(__file__).parents[3] / "config" / "dataset"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "genome"),
    [
        ("yeast_promoters", "sc"),
        ("yeast_gene_parts", "sc"),
        ("arabidopsis_splice", "at"),
        ("drosophila_splice", "dm"),
        ("drosophila_promoters", "dm"),
    ],
)
def test_the_configured_features_are_there(real, name: str, genome: str):
    store, path = real(genome)
    config = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())["targets"]["annotation"]
    assert config["source"]["file"] == REAL[genome][1]
    found = annotation_regions(config, path, store, {"chrM": None})
    assert found.names == list(config["features"])
    assert (found.regions["end"] > found.regions["start"]).all()
    assert {feature["kind"] for feature in config["features"].values()} <= set(KINDS)
