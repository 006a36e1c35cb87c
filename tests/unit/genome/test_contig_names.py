from pathlib import Path

import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.genome.contig_names import guess_contig, read_aliases, resolve_contigs, some

ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")
YEAST = [f"chr{number}" for number in ROMAN]
HUMAN = [f"chr{number}" for number in [*range(1, 23), "X", "Y", "M"]]


def regions(*contigs: str) -> pd.DataFrame:
    return pd.DataFrame({"contig": pd.Categorical(contigs), "start": range(len(contigs)), "end": 100})


def test_exact_names_keep_order_and_get_the_genomes_categories():
    resolved = resolve_contigs(regions("b", "a", "b"), ["c", "b", "a"], {}, Path("x.bed"))
    assert list(resolved.regions["contig"]) == ["b", "a", "b"]
    assert list(resolved.regions["contig"].cat.categories) == ["c", "b", "a"]
    assert list(resolved.regions["start"]) == [0, 1, 2]
    assert resolved.excluded == 0


def test_aliases_rename_leave_out_and_come_before_the_name_itself():
    aliases = {"chr1": "chrI", "chrM": None, "chrII": None}
    resolved = resolve_contigs(regions("chrM", "chr1", "chrI", "chrII"), ["chrI", "chrII"], aliases, Path("x.bed"))
    assert list(resolved.regions["contig"]) == ["chrI", "chrI"]
    assert list(resolved.regions["start"]) == [1, 2]
    assert resolved.excluded == 2


def test_no_regions_need_no_names():
    assert resolve_contigs(regions(), ["a"], {}, Path("x.bed")).regions.empty


def test_unknown_names_are_refused_with_the_lines_to_add():
    with pytest.raises(UserError) as error:
        resolve_contigs(regions("chr10", "chr2", "chr2-micron", "chrM"), YEAST, {}, Path("x.bed"))
    assert str(error.value) == (
        "x.bed: the genome has no contig chr2, chr2-micron, chr10 and 1 more; expected names such as chrI, chrII, "
        "chrIII and 13 more; if they are the same assembly add to the data set contig_aliases: {chr2: chrII, "
        "chr2-micron: null, chr10: chrX, chrM: null} (null leaves a contig out)"
    )


def test_one_unknown_name_among_known_ones_is_refused_too():
    with pytest.raises(UserError, match="the genome has no contig chrUn_1;"):
        resolve_contigs(regions("chr1", "chrUn_1"), HUMAN, {}, Path("x.bed"))


def test_an_alias_that_the_genome_lacks():
    with pytest.raises(UserError, match="contig_aliases: chr1 is called chrl, which the genome does not have"):
        resolve_contigs(regions("chr1"), YEAST, {"chr1": "chrl"}, Path("x.bed"))
    # An alias that no region uses may belong to a larger table.
    resolve_contigs(regions("chrI"), YEAST, {"chr1": "chrl"}, Path("x.bed"))


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("chr1", YEAST, "chrI"),
        ("16", YEAST, "chrXVI"),
        ("IV", YEAST, "chrIV"),
        ("chrX", [str(number) for number in range(1, 17)], "10"),
        ("1", HUMAN, "chr1"),
        ("X", HUMAN, "chrX"),
        ("MT", HUMAN, "chrM"),
        ("Chr1", HUMAN, "chr1"),
        ("chr1", ["1", "2"], "1"),
        ("chrUn", HUMAN, None),
        ("chr", HUMAN, None),
        ("chr1", ["I", "chrI"], None),
    ],
)
def test_guess(name: str, names: list[str], expected: str | None):
    assert guess_contig(name, names) == expected


def test_aliases_from_a_file(tmp_path: Path):
    path = tmp_path / "aliases.tsv"
    path.write_text("#file\tgenome\n1\tchr1\n\nMT\t\nUn\tnull\n")
    assert read_aliases(path) == read_aliases(str(path)) == {"1": "chr1", "MT": None, "Un": None}
    assert read_aliases(None) == {}
    assert read_aliases({"1": "chr1", "MT": None}) == {"1": "chr1", "MT": None}
    path.write_bytes(b"\xef\xbb\xbf1\tchr1\r\nMT\t\r\n")
    assert read_aliases(path) == {"1": "chr1", "MT": None}


def test_names_that_yaml_takes_for_something_else():
    assert read_aliases({1: "chr1", 2: 3}) == {"1": "chr1", "2": "3"}
    for aliases, found in (
        ({"1": True}, "found True, expected names"),
        ({1.5: "chr1"}, "found 1.5, expected names"),
        ({1: "a", "1": "b"}, "found a second alias for 1"),
        ({None: "chr1"}, "found a name that is null"),
    ):
        with pytest.raises(UserError, match=f"contig_aliases: {found}"):
            read_aliases(aliases)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1\tchr1\n1 chr1\n", r"aliases\.tsv, line 2: found '1 chr1', expected two columns separated by a tab"),
        ("1\tchr1\n1\tchr2\n", r"line 2: found a second alias for 1"),
    ],
)
def test_bad_alias_files(tmp_path: Path, text: str, sentence: str):
    path = tmp_path / "aliases.tsv"
    path.write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_aliases(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_aliases(tmp_path / "none.tsv")


def test_some():
    assert some(["a", "b"]) == "a, b"
    assert some(["a", "b", "c", "d"]) == "a, b, c and 1 more"
