import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.genome.annotation import read_annotation

GFF3 = """##gff-version 3
##sequence-region chrI 1 1000
chrI\tx\tgene\t101\t400\t.\t+\t.\tID=g1;biotype=protein_coding
chrI\tx\tmRNA\t101\t400\t.\t+\t.\tID=t1;Parent=g1
chrI\tx\tmRNA\t151\t400\t.\t+\t.\tID=t2;Parent=g1
chrI\tx\texon\t101\t200\t.\t+\t.\tParent=t1
chrI\tx\texon\t151\t200\t.\t+\t.\tParent=t2
chrI\tx\texon\t301\t400\t.\t+\t.\tParent=t1,t2
chrI\tx\tprotein\t161\t350\t.\t+\t.\tID=p1;Derives_from=t1
chrI\tx\tCDS\t161\t200\t.\t+\t0\tParent=t1,p1;
chrI\tx\tintron\t201\t300\t5\t+\t.\tID=abc
###
##FASTA
>chrI
ACGT
"""


def write(tmp_path: Path, text: str, name: str = "genes.gff3") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def rows(path: Path, kind: str) -> list[tuple]:
    table = read_annotation(path).features
    columns = ["contig", "start", "end", "strand", "gene", "transcript"]
    return list(table.loc[table["kind"] == kind, columns].itertuples(index=False, name=None))


def gtf(kind: str, start: int, end: int, strand: str, attributes: str, contig: str = "chrI") -> str:
    return f"{contig}\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n"


def exon(start: int, end: int, strand: str = "+", name: str = "a", contig: str = "chrI") -> str:
    return gtf("exon", start, end, strand, f'gene_id "{name}"; transcript_id "{name}.1";', contig)


def test_gff3(tmp_path: Path):
    path = write(tmp_path, GFF3)
    found = read_annotation(path)
    assert found.format == "gff3"
    assert rows(path, "gene") == [("chrI", 100, 400, "+", "g1", "")]
    assert rows(path, "transcript") == [("chrI", 100, 400, "+", "g1", "t1"), ("chrI", 150, 400, "+", "g1", "t2")]
    assert rows(path, "exon") == [
        ("chrI", 100, 200, "+", "g1", "t1"),
        ("chrI", 150, 200, "+", "g1", "t2"),
        ("chrI", 300, 400, "+", "g1", "t1"),
        ("chrI", 300, 400, "+", "g1", "t2"),
    ]
    assert rows(path, "cds") == [("chrI", 160, 200, "+", "g1", "t1")]
    assert set(found.features["biotype"]) == {"protein_coding"}
    assert found.features["whole"].all()
    assert found.counts["lines"] == 9
    assert found.counts["unused_lines"] == 2


def test_a_gtf_of_exons_alone(tmp_path: Path):
    text = "#track name='x'\n" + exon(11, 20) + exon(31, 40) + exon(5, 9, "-", "b", "chrII")
    path = write(tmp_path, text, "genes.gtf")
    found = read_annotation(path)
    assert found.format == "gtf"
    assert rows(path, "transcript") == [("chrI", 10, 40, "+", "a", "a.1"), ("chrII", 4, 9, "-", "b", "b.1")]
    assert rows(path, "gene") == [("chrI", 10, 40, "+", "a", ""), ("chrII", 4, 9, "-", "b", "")]
    assert found.counts["transcripts_from_parts"] == 2
    assert found.features["whole"].all()


def test_biotypes_of_a_gtf(tmp_path: Path):
    text = gtf("gene", 1, 9, "+", 'gene_id "a"; gene_type "protein_coding";')
    text += gtf("exon", 1, 9, "+", 'gene_id "a"; transcript_id "t"; gene_type "protein_coding"; note "x; y=z";')
    text += gtf(
        "exon", 1, 9, "+", "gene_id a; transcript_id u; gene_biotype coding; transcript_biotype retained_intron"
    )
    table = read_annotation(write(tmp_path, text)).features
    of = table[table["kind"] == "transcript"].set_index("transcript")["biotype"].to_dict()
    assert of == {"t": "protein_coding", "u": "retained_intron"}


def test_biotypes_that_only_the_type_of_a_gff3_tells(tmp_path: Path):
    text = "".join(
        f"c\tx\tgene\t1\t9\t.\t+\t.\tID={name}\nc\tx\t{kind}\t1\t9\t.\t+\t.\tID={name}.1;Parent={name}\n"
        for name, kind in (("a", "mRNA"), ("b", "tRNA"))
    )
    table = read_annotation(write(tmp_path, text)).features
    of = table[table["kind"] == "transcript"].set_index("transcript")["biotype"].to_dict()
    assert of == {"a.1": "protein_coding", "b.1": "tRNA"}


def test_parts_without_their_parent_are_not_whole(tmp_path: Path):
    text = GFF3.replace("ID=t2", "ID=t9")
    table = read_annotation(write(tmp_path, text)).features
    orphan = table[table["transcript"] == "t2"]
    assert orphan["kind"].to_list() == ["transcript", "exon", "exon"]
    assert not orphan["whole"].any()
    assert orphan["gene"].to_list() == ["", "", ""]
    assert "t9" in set(table["transcript"])


def test_a_gene_with_exons_of_its_own(tmp_path: Path):
    path = write(tmp_path, "c\tx\tgene\t1\t9\t.\t-\t.\tID=g\nc\tx\texon\t1\t9\t.\t-\t.\tParent=g\n")
    assert rows(path, "transcript") == [("c", 0, 9, "-", "g", "g")]
    assert rows(path, "gene") == [("c", 0, 9, "-", "g", "")]


def test_coding_parts_alone_are_genes_transcripts_and_exons(tmp_path: Path):
    path = write(tmp_path, "c\tx\tCDS\t1\t9\t.\t-\t0\tID=k1;locus_tag=b1\n")
    assert rows(path, "exon") == rows(path, "cds") == [("c", 0, 9, "-", "k1", "k1")]
    assert rows(path, "gene") == [("c", 0, 9, "-", "k1", "")]
    assert read_annotation(path).features["whole"].all()


def test_a_transcript_on_both_strands_is_left_out_and_counted(tmp_path: Path):
    found = read_annotation(write(tmp_path, exon(1, 9) + exon(21, 29, "-") + exon(1, 9, "+", "b")))
    assert set(found.features["gene"]) == {"b"}
    assert found.counts["trans_spliced"] == 1


def test_one_name_on_two_contigs_is_two_transcripts(tmp_path: Path):
    path = write(tmp_path, exon(1, 9) + exon(21, 29, "-", contig="chrY"))
    assert [row[:3] for row in rows(path, "transcript")] == [("chrI", 0, 9), ("chrY", 20, 29)]


def test_escaped_names(tmp_path: Path):
    path = write(tmp_path, "c%2C1\tx\tgene\t1\t9\t.\t-\t.\tID=a%3Bb\nc%2C1\tx\texon\t1\t9\t.\t-\t.\tParent=a%3Bb\n")
    assert rows(path, "exon") == [("c,1", 0, 9, "-", "a;b", "a;b")]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: b"\xef\xbb\xbf" + text,
        gzip.compress,
        lambda text: gzip.compress(text[:200]) + gzip.compress(text[200:]),
        lambda text: text.rstrip(b"\n"),
        lambda text: text.replace(b"\t.\n", b"\t.\t\n"),
        lambda text: b"\nbrowser position chrI:1-100\ntrack name=x\n" + text,
    ],
    ids=["crlf", "cr", "byte order mark", "gzip", "two members", "no last line end", "trailing tab", "track"],
)
def test_the_same_content_in_other_clothes(tmp_path: Path, change):
    plain = write(tmp_path, GFF3)
    other = tmp_path / "other"
    other.write_bytes(change(GFF3.encode()))
    assert read_annotation(other).features.equals(read_annotation(plain).features)


GOOD = exon(11, 20)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("chrI\t1\t2\n", r"line 1: found 3 columns \('chrI.*expected the 9 of GTF or GFF3, separated by tabs"),
        (GOOD + GOOD.replace("\t", " "), r"line 2: found 1 columns"),
        (GOOD + exon(0, 5), r"line 2: found start 0, expected 1 or more; GTF and GFF3 count from 1"),
        (GOOD + exon(9, 5), r"line 2: found end 5 before start 9"),
        (GOOD.replace("11", "1e3"), r"line 1: found start '1e3', expected a whole number"),
        (GOOD.replace("20", "-20"), r"line 1: found end '-20', expected a whole number"),
        (exon(1, 5, "x"), r"line 1: found strand 'x', expected"),
        (GOOD + gtf("exon", 1, 2, "+", 'gene_id "a";'), r"line 2: found exon without transcript_id"),
        (GOOD + gtf("exon", 1, 2, "+", "ID=a;Parent=b"), r"line 2: found exon without gene_id"),
        (GFF3 + GOOD, None),
        (GFF3.replace("ID=t2;Parent=g1", 'gene_id "x"'), r"line 5: found the attribute 'gene_id .*expected KEY=VALUE"),
        (GFF3.replace("Parent=t1,t2", "ID=e"), r"line 8: found exon without Parent"),
        (gtf("exon", 1, 2, "+", "."), r"found no attributes such as"),
        (gtf("start_codon", 1, 2, "+", 'gene_id "a"'), r"found 1 feature lines and no gene, transcript, exon or CDS"),
        ("", r"found no attributes .* in 0 feature lines"),
        ("\x00\x01" * 50, r"line 1: found 1 columns"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, sentence: str | None):
    path = write(tmp_path, text)
    if sentence is None:
        # What follows ##FASTA is sequence.
        assert read_annotation(path).counts["lines"] == 9
        return
    with pytest.raises(UserError, match=sentence):
        read_annotation(path)


def test_a_missing_and_a_broken_file(tmp_path: Path):
    with pytest.raises(UserError, match=r"x\.gtf: cannot be read"):
        read_annotation(tmp_path / "x.gtf")
    path = tmp_path / "broken.gz"
    path.write_bytes(gzip.compress(GFF3.encode())[:-20])
    with pytest.raises(UserError, match="a broken gzip file"):
        read_annotation(path)


PIECES = st.sampled_from(
    b'chrI|\t|\t|\n|exon|gene|CDS|1|20|+|-|gene_id "a"; |transcript_id "b"|ID=a|;|Parent=a|.|#|\r|"|=|%z|\xff'.split(
        b"|"
    )
)
LINES = st.builds(
    lambda kind, start, end, strand, attributes: (
        f"c\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n".encode()
    ),
    st.sampled_from(["gene", "mRNA", "exon", "CDS", "intron", "protein"]),
    st.integers(1, 40),
    st.integers(20, 60),
    st.sampled_from("+-."),
    st.sampled_from(["ID=a", "ID=b;Parent=a", "Parent=a", "Parent=a,b", "ID=a;Parent=a", "Parent=q", "ID=c;Parent=b"]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=200), st.lists(PIECES, max_size=60).map(b"".join), st.lists(LINES, max_size=9).map(b"".join)
    )
)
def test_any_bytes_give_a_table_or_a_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "any"
    path.write_bytes(content)
    try:
        found = read_annotation(path)
    except UserError as error:
        assert str(path) in str(error)  # noqa: PT017
        return
    table = found.features
    assert ((table["start"] >= 0) & (table["start"] < table["end"])).all()
    # A transcript for every part, and an exon with every coding part.
    parts = set(table.loc[table["kind"].isin(["exon", "cds"]), "transcript"])
    assert parts <= set(table.loc[table["kind"] == "transcript", "transcript"])
    assert found.counts["unused_lines"] <= found.counts["lines"]
