import gzip
import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pysam
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.genome.variants import check_reference, check_sequence_table, compare_reference
from lociflow.sequence.alphabet import decode, encode
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import SequenceStore, open_store

StoreOf = Callable[[Mapping[str, str]], SequenceStore]

#                  1234567890123456
GENOME = {"chrI": "ACGTNRACGTTTGCAA", "chrII": "GGGGCCCC"}
HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture
def store(store_of: StoreOf) -> SequenceStore:
    return store_of(GENOME)


def vcf(tmp_path: Path, *records: tuple[str, int, str, str], header: str = HEADER) -> Path:
    path = tmp_path / "calls.vcf"
    lines = [f"{contig}\t{position}\t.\t{ref}\t{alt}\t.\t.\t.\n" for contig, position, ref, alt in records]
    path.write_text(header + "".join(lines))
    return path


def sum_of_records(report: dict) -> int:
    keys = ("compared", "symbolic", "no_reference", "ambiguous", "outside", "excluded_contig", "length_mismatch")
    return sum(report.get(key, 0) for key in (*keys, "no_place")) + sum(report["other_contigs"].values())


def test_what_is_compared_and_what_is_not(tmp_path: Path, store: SequenceStore):
    path = vcf(
        tmp_path,
        ("chrI", 1, "A", "G"),
        ("chrI", 2, "cg", "c"),  # a deletion, lower case
        ("chrI", 3, "G", "GTT,A"),  # an insertion and a substitution
        ("chrI", 4, "TNG", "T"),  # N agrees with N, G with R
        ("chrI", 6, "T", "A"),  # R is A or G
        ("chrI", 5, "C", "A"),  # the genome has N
        ("chrI", 7, "N", "<DEL>"),
        ("chrI", 7, "A", "A]chrII:5]"),
        ("chrI", 7, "A", "<DEL>,C"),
        ("chrI", 8, "-", "C"),
        ("chrI", 8, "C", "-"),
        ("chrI", 16, "AAA", "A"),  # reaches beyond the contig
        ("chrI", 99, "A", "C"),
        ("chrI", 0, "A", "C"),
        ("chrII", 1, "G", "."),
        ("chrM", 1, "G", "C"),
        ("2-micron", 1, "G", "C"),
    )
    found = check_reference(path, store, {"chrM": None})
    assert found["records"] == sum_of_records(found) == 17
    assert found["other_contigs"] == {"2-micron": 1}
    expected = {"compared": 8, "mismatches": 1, "symbolic": 2, "no_reference": 1, "ambiguous": 1, "outside": 3}
    assert {key: found[key] for key in expected} == expected
    assert (found["excluded_contig"], found["multi_allelic"]) == (1, 2)
    assert [example["position"] for example in found["examples"]] == [6]


def test_a_mismatch_is_shown_as_it_is_in_the_file(tmp_path: Path, store: SequenceStore):
    found = check_reference(vcf(tmp_path, ("1", 11, "t", "G"), ("1", 12, "GTT", "G")), store, {"1": "chrI"})
    assert found["compared"] == 2
    assert (found["single_base"], found["single_base_mismatches"]) == (1, 0)
    assert found["mismatch_fraction"] == 0.5
    assert found["examples"] == [{"line": 4, "contig": "1", "position": 12, "found": "GTT", "genome": "TGC"}]
    assert found["finding"] == "calls.vcf: 1 of 2 records disagree with toy"


def test_iupac_letters_agree_with_the_bases_that_they_stand_for(store_of: StoreOf):
    store = store_of({"c": "AAARYAAA"})
    sequences = [encode(text) for text in ("GC", "RY", "AT", "TC", "NC", "NN", "Y")]
    start = np.array([3, 3, 3, 3, 3, 3, 3])
    found = compare_reference(store, np.zeros(7, np.int64), start, sequences)
    assert found.disagrees[:, 1].tolist() == [False, False, False, True, False, False, True]
    assert found.informative[:, 1].tolist() == [True, True, True, True, True, False, True]


def test_sequences_beyond_a_contig_are_not_informative(store: SequenceStore):
    sequences = [encode("AC"), encode("AC"), encode("AA"), encode("AAA")]
    found = compare_reference(store, np.zeros(4, np.int64), np.array([-1, 0, 14, 14]), sequences)
    assert found.informative[:, 1].tolist() == [False, True, True, False]
    assert found.disagrees[1:3, 1].tolist() == [False, False]


RANDOM = "".join("ACGT"[base] for base in np.random.Generator(np.random.Philox(3)).integers(0, 4, 3000))


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_positions_that_are_off_by_one(tmp_path: Path, store_of: StoreOf, shift: int):
    store = store_of({"c": RANDOM})
    records = [("c", position + shift, RANDOM[position - 1], "N") for position in range(10, 2000, 7)]
    found = check_reference(vcf(tmp_path, *records), store, {})
    assert found["shift"] == -shift
    assert found["mismatches_by_shift"][str(-shift)] == 0
    assert ("off by one" in found["finding"]) == (shift != 0)


def test_another_assembly_is_not_called_off_by_one(tmp_path: Path, store_of: StoreOf):
    store = store_of({"c": RANDOM})
    other = RANDOM[::-1]
    found = check_reference(
        vcf(tmp_path, *(("c", position, other[position - 1], "N") for position in range(10, 900, 7))), store, {}
    )
    assert found["shift"] == 0
    assert 0.6 < found["mismatch_fraction"] < 0.9
    assert found["finding"].endswith("disagree with toy; is it another assembly?")
    # Two bases agree by chance too often to prove anything.
    few = check_reference(vcf(tmp_path, ("c", 11, RANDOM[9], "N"), ("c", 21, RANDOM[19], "N")), store, {})
    assert few["shift"] == 0


def test_lengths_in_the_header(tmp_path: Path, store: SequenceStore):
    header = (
        "##contig=<ID=1,length=99>\n##contig=<ID=chrII,assembly=x,length=8>\n##contig=<ID=chr9,length=5>\n" + HEADER
    )
    found = check_reference(vcf(tmp_path, ("1", 1, "A", "C"), header=header), store, {"1": "chrI"})
    assert found["header_lengths"] == [{"contig": "1", "found": 99, "expected": 16}]


@pytest.mark.parametrize(
    "change",
    [
        gzip.compress,
        lambda content: gzip.compress(content[:90]) + gzip.compress(content[90:]),
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: b"\xef\xbb\xbf" + content,
        lambda content: content + b"\n\n",
        lambda content: content.rstrip(b"\n"),
    ],
    ids=["gzip", "two members", "crlf", "byte order mark", "blank lines", "no last line end"],
)
def test_the_same_content_in_other_clothes(tmp_path: Path, store: SequenceStore, change):
    path = vcf(tmp_path, ("chrI", 11, "T", "G"), ("chrI", 12, "GT", "G"))
    plain = check_reference(path, store, {})
    path.write_bytes(change(path.read_bytes()))
    assert check_reference(path, store, {}) == plain


def test_bcf(tmp_path: Path, store: SequenceStore):
    end = "##INFO=<ID=END,Number=1,Type=Integer,Description=x>\n"
    header = HEADER.replace("#CHROM", f"##contig=<ID=chrI,length=16>\n##ALT=<ID=DEL,Description=x>\n{end}#CHROM")
    path = vcf(tmp_path, ("chrI", 11, "T", "G"), ("chrI", 12, "GT", "G"), ("chrI", 12, "N", "<DEL>"), header=header)
    binary = tmp_path / "calls.bcf"
    with pysam.VariantFile(str(path)) as text, pysam.VariantFile(str(binary), "wb", header=text.header) as out:
        for record in text:
            out.write(record)
    plain, found = check_reference(path, store, {}), check_reference(binary, store, {})
    for report in (plain, found):
        del report["file"], report["finding"]
        for shown in report["examples"]:
            # A BCF has no lines: the record's number stands for it.
            del shown["line"]
    assert found == plain
    assert found["symbolic"] == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("chrI\t1\t.\tA\n", r"line 1: found 4 columns .* expected CHROM, POS, ID, REF and ALT"),
        ("#x\nchrI 1 . A C\n", r"line 2: found 1 columns"),
        ("chrI\tx\t.\tA\tC\n", r"line 1: found POS 'x', expected a whole number"),
        ("chrI\t-1\t.\tA\tC\n", r"line 1: found POS '-1'"),
        ("chrI\t1\t.\tAE\tC\n", r"line 1: found REF 'AE', expected bases"),
        ("chrI\t1\t.\t\tC\n", r"line 1: found REF '', expected bases"),
        ("1\t1\t.\tA\tC\nHLA\t1\t.\tA\tC\n", r"the genome has no contig 1; .*contig_aliases: \{1: chrI\}"),
        ("HLA\t1\t.\tA\tC\n", r"the genome has no contig HLA; .*contig_aliases: \{HLA: null\}"),
    ],
)
def test_faults_are_named(tmp_path: Path, store: SequenceStore, content: str, sentence: str):
    path = tmp_path / "bad.vcf"
    path.write_text(content)
    with pytest.raises(UserError, match=sentence):
        check_reference(path, store, {})


def test_a_file_that_mostly_has_other_names_is_refused_with_the_aliases(tmp_path: Path, store: SequenceStore):
    known, misnamed, other = ("chrI", 1, "A", "G"), [("I", 1, "A", "G"), ("2", 1, "G", "T")], ("2-micron", 1, "A", "C")
    path = vcf(tmp_path, known, *misnamed)
    with pytest.raises(UserError, match=r"no contig 2, I; .* contig_aliases: \{2: chrII, I: chrI\}"):
        check_reference(path, store, {})
    assert check_reference(path, store, {"I": "chrI", "2": "chrII"})["compared"] == 3
    # Half of the records are not most of them, and what is like none of the genome's names is simply elsewhere.
    found = check_reference(vcf(tmp_path, known, known, *misnamed), store, {})
    assert found["misnamed_contigs"] == {"2": 1, "I": 1}
    assert check_reference(vcf(tmp_path, known, *[other] * 5), store, {})["misnamed_contigs"] == {}


def test_missing_and_broken_files(tmp_path: Path, store: SequenceStore):
    with pytest.raises(UserError, match="cannot be read"):
        check_reference(tmp_path / "none.vcf", store, {})
    path = tmp_path / "broken.vcf.gz"
    path.write_bytes(gzip.compress(HEADER.encode() * 99)[:-30])
    with pytest.raises(UserError, match="a broken gzip file"):
        check_reference(path, store, {})
    path = tmp_path / "broken.bcf"
    path.write_bytes(gzip.compress(b"BCF\x02\x02" + b"x" * 50))
    with pytest.raises(UserError, match=r"broken\.bcf: cannot be read"):
        check_reference(path, store, {})


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=150),
        st.lists(
            st.sampled_from(b"chrI chrII q \t \t \t \n 1 7 . A N <DEL> - , # \r \xff *".split(b" ")),
            max_size=60,
        ).map(b"".join),
        st.lists(
            st.builds(
                lambda contig, position, ref, alt: f"{contig}\t{position}\t.\t{ref}\t{alt}\n".encode(),
                st.sampled_from(["chrI", "chrII", "chrM", "other"]),
                st.integers(0, 20),
                st.text("ACGTNR", min_size=1, max_size=4) | st.just("-"),
                st.sampled_from(["A", "<DEL>", "*", "C,<X>", "."]),
            ),
            max_size=9,
        ).map(b"".join),
    )
)
@example(content=b"\xef")
def test_any_bytes_give_a_report_or_a_sentence(tmp_path: Path, store: SequenceStore, content: bytes):
    path = tmp_path / "any.vcf"
    path.write_bytes(content)
    try:
        found = check_reference(path, store, {"chrM": None})
    except UserError as error:
        assert str(path) in str(error)  # noqa: PT017
        return
    # As text is read: a byte order mark, or the beginning of one, is no text.
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", errors="replace").read()
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    assert found["records"] == sum_of_records(found) == len(lines)


def test_sequence_tables(tmp_path: Path, store_of: StoreOf):
    store = store_of({"c": RANDOM})
    turned = decode(encode(RANDOM[30:40])[::-1] ^ 3)
    path = tmp_path / "peaks.fa"
    path.write_text(
        f">c:10-20\n{RANDOM[10:20].lower()}\n>peak::c:30-40(-)\n{turned}\n>c:51-60 one based\n{RANDOM[50:60]}\n"
        f">c:1-9\nACG\n>peak7\nACGT\n>chr9:10-14\nACGT\n>c:2995-3005\n{'A' * 10}\n>c:60-64\n{RANDOM[61:65]}\n"
    )
    found = check_sequence_table(path, store, {})
    assert found["records"] == sum_of_records(found) == 8
    expected = {"compared": 4, "mismatches": 1, "one_based": 1, "length_mismatch": 1, "no_place": 1, "outside": 1}
    assert {key: found[key] for key in expected} == expected
    assert found["other_contigs"] == {"chr9": 1}
    assert found["examples"][0]["position"] == 60


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_sequence_table_that_is_off_by_one(tmp_path: Path, store_of: StoreOf, shift: int):
    store = store_of({"c": RANDOM})
    path = tmp_path / "peaks.fa"
    starts = range(10, 900, 50)
    path.write_text(
        "".join(f">c:{start + shift}-{start + shift + 20}\n{RANDOM[start : start + 20]}\n" for start in starts)
    )
    found = check_sequence_table(path, store, {})
    assert (found["mismatches"], found["shift"]) == (len(starts), -shift)


def data() -> Path:
    if "LOCIFLOW_REAL_DATA" not in os.environ:
        pytest.skip("LOCIFLOW_REAL_DATA does not name a folder")
    return Path(os.environ["LOCIFLOW_REAL_DATA"])


def opened(tmp_path_factory: pytest.TempPathFactory, file: str) -> SequenceStore:
    folder = tmp_path_factory.mktemp("genome")
    write_store([data() / file], folder / "codes.npy", folder / "store.json", file)
    return open_store(folder / "store.json")


@pytest.fixture(scope="module")
def yeast(tmp_path_factory: pytest.TempPathFactory) -> SequenceStore:
    return opened(tmp_path_factory, "yeast_sacCer3_chain/genome/sacCer3.nuclear.fa")


@pytest.fixture(scope="module")
def hg19(tmp_path_factory: pytest.TempPathFactory) -> SequenceStore:
    return opened(tmp_path_factory, "human_hg19_chr1_3Mb_chain/genome/hg19_chr1_0_3004950.fa.gz")


@pytest.fixture(scope="module")
def hg38(tmp_path_factory: pytest.TempPathFactory) -> SequenceStore:
    return opened(tmp_path_factory, "hg38_chr1_1Mb/hg38_chr1_0_1000000.fa.gz")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "compared", "excluded"),
    [("variants_chrNumeric/W303.gatk.vcf", 975, 6), ("variants_sgd/RM11-1A.gatk.vcf", 11762, 559)],
)
def test_both_namings_of_the_yeast_chromosomes(yeast: SequenceStore, file: str, compared: int, excluded: int):
    config = yaml.safe_load((Path(__file__).parents[3] / "config/dataset/genomes/sacCer3.yaml").read_text())
    found = check_reference(data() / "yeast_sacCer3_chain" / file, yeast, config["contig_aliases"])
    assert (found["compared"], found["mismatches"], found["excluded_contig"]) == (compared, 0, excluded)
    assert found["shift"] == 0
    assert found["header_lengths"] == []


@pytest.mark.real_data
def test_hg19_variants_against_hg19_and_hg38(hg19: SequenceStore, hg38: SequenceStore):
    files = sorted((data() / "human_hg19_chr1_3Mb_chain/variants").glob("*.vcf"))
    right = [check_reference(path, hg19, {}) for path in files]
    wrong = [check_reference(path, hg38, {}) for path in files]
    assert (sum(one["compared"] for one in right), sum(one["mismatches"] for one in right)) == (43, 0)
    assert (sum(one["compared"] for one in wrong), sum(one["mismatches"] for one in wrong)) == (10, 9)
    assert all(one["shift"] == 0 for one in right + wrong)
    lengths = {one["header_lengths"][0]["found"] for one in wrong}
    assert lengths == {249250621}


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "on_hg19", "on_hg38"), [("ctcf", 81, 17), ("pu1", 50, 7)])
def test_hg19_sequences_against_hg19_and_hg38(
    hg19: SequenceStore, hg38: SequenceStore, name: str, on_hg19: int, on_hg38: int
):
    path = data() / f"tf_ctcf_pu1_hg19/{name}.fa.gz"
    right, wrong = check_sequence_table(path, hg19, {}), check_sequence_table(path, hg38, {})
    assert (right["compared"], right["mismatches"], right["shift"]) == (on_hg19, 0, 0)
    assert (wrong["compared"], wrong["mismatches"], wrong["shift"]) == (on_hg38, on_hg38, 0)
    assert "another assembly" in wrong["finding"]
