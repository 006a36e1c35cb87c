import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.sequence.labelled import LabelledSequence, read_labelled


def read(folder: Path, content: str | bytes, file: str = "table.csv", **config: Any) -> list[LabelledSequence]:
    (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
    kind = "fasta" if ".fa" in file else "table"
    return list(read_labelled({kind: [{"file": file}], **config}, folder))


def columns(separator: str, *names: Any) -> dict[str, Any]:
    return {"format": {"separator": separator, "columns": list(names)}}


def rows(found: list[LabelledSequence]) -> list[tuple[str, str, str]]:
    return [(one.name, one.letters, one.values.get("class", "")) for one in found]


TOY = [("a", "ACGT", "x"), ("b", "GG", "y")]


@pytest.mark.parametrize(
    ("name", "content", "config"),
    [
        ("t.csv", "name,sequence,class\na,ACGT,x\nb,GG,y\n", {}),
        ("t.tsv", "name\tsequence\tclass\na\tACGT\tx\nb\tGG\ty", {}),
        ("t.csv", "name,sequence,class\r\na,ACGT,x\r\n\r\nb,GG,y\r\n", {}),
        ("t.csv", "name,sequence,class\ra,ACGT,x\rb,GG,y\r", {}),
        ("t.csv", b"\xef\xbb\xbfname,sequence,class\na,ACGT,x\nb,GG,y\n", {}),
        ("t.csv", '"name","sequence","class"\n"a","ACGT","x"\nb,GG,"y"\n', {}),
        ("t.csv", "name, sequence , class\na,  ACGT, x\nb,\tGG\t, y \n", {}),
        ("t.data", "x, a,   ACGT\ny, b, \t\tGG\n", columns(",", "class", "name", "sequence")),
        ("t.data", "a;A;C;G;T;x\nb;G;G;;;y\n", columns(";", "name", {"sequence": 4}, "class")),
        ("t.csv", "id,seq,class\na,ACGT,x\nb,GG,y\n", {"name": "id", "sequence": "seq"}),
        ("t.csv.gz", gzip.compress(b"name,sequence,class\na,ACGT,x\nb,GG,y\n", mtime=0), {}),
        ("t.fa", ">a class=x\nAC\nGT\n>b class=y\nGG", {"header": r"class=(?P<class>\w+)"}),
        ("t.fa", "\n>a|x\r\nACG\r\nT\r\n\r\n>b|y\r\nGG\r\n", {"header": r"(?P<name>.+)\|(?P<class>.+)"}),
        ("t.fa.gz", gzip.compress(b"\xef\xbb\xbf>a x\nACGT\n>b y\nGG\n", mtime=0), {"header": r"\S+ (?P<class>\w+)"}),
    ],
)  # fmt: skip
def test_what_is_read(tmp_path: Path, name: str, content: str | bytes, config: dict[str, Any]) -> None:
    assert rows(read(tmp_path, content, name, **config)) == TOY


def test_parquet_is_read_with_its_types_as_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "sequence": ["ACGT", "GG"], "class": ["x", "y"], "level": [0.1, None]})
    frame.to_parquet(tmp_path / "t.parquet")
    found = list(read_labelled({"table": [{"file": "t.parquet"}]}, tmp_path))
    assert rows(found) == TOY
    assert [one.values["level"] for one in found] in (["0.1", ""], ["0.1", "nan"])
    assert str(found[1].place) == f"{tmp_path / 't.parquet'}, row 2"


def test_files_say_class_split_and_group_of_their_sequences(tmp_path: Path) -> None:
    for name, letters in (("p.fa", "AC"), ("n.fa", "GT")):
        (tmp_path / name).write_text(f">{name}1 k=7\n{letters}\n>{name}2\n{letters}{letters}\n")
    entries = [
        {"file": "p.fa", "class": "positive", "split": "train"},
        {"file": "n.fa", "class": "negative", "split": "test", "group": "g"},
    ]
    found = list(read_labelled({"fasta": entries, "header": r"(k=(?P<k>\d))?$"}, tmp_path))
    assert [one.values["class"] for one in found] == ["positive"] * 2 + ["negative"] * 2
    assert [one.split for one in found] == ["train", "train", "test", "test"]
    assert [one.group for one in found] == [None, None, "g", "g"]
    assert [one.values["k"] for one in found] == ["7", "", "7", ""]
    assert [str(one.place).removeprefix(f"{tmp_path}/") for one in found[:2]] == ["p.fa, line 1", "p.fa, line 3"]


def test_columns_say_split_and_group(tmp_path: Path) -> None:
    text = "name,sequence,part,gene\na,AC,Training,g1\nb,GT,val,\nc,GG,,g1\nd,TT,test,g2\n"
    found = read(tmp_path, text, split="part", group="gene")
    assert [one.split for one in found] == ["train", "validation", None, "test"]
    assert [one.group for one in found] == ["g1", None, "g1", "g2"]


def test_sequences_without_a_name_are_numbered_over_all_files(tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("ACGT\t1.5\nGG\t2\n")
    config = {"table": [{"file": "one.txt"}, {"file": "two.txt"}], "format": {"columns": ["sequence", "level"]}}
    found = list(read_labelled({**config, "name": None}, tmp_path))
    assert [one.name for one in found] == ["1", "2", "3", "4"]
    assert [one.values for one in found[:2]] == [{"level": "1.5"}, {"level": "2"}]


def test_repeated_names_are_refused_unless_numbers_are_asked_for(tmp_path: Path) -> None:
    text = "name,sequence\na,AC\na#2,AC\na,GG\na,TT\n"
    with pytest.raises(UserError, match=r"table.csv, line 4: found the name a a second time, expected each once"):
        read(tmp_path, text)
    found = read(tmp_path, text, repeated_names="number")
    assert [one.name for one in found] == ["a", "a#2", "a#3", "a#4"]


@pytest.mark.parametrize(
    ("name", "content", "config", "sentence"),
    [
        ("t.csv", "name,sequence\na,\n", {}, r"t.csv, line 2: found an empty sequence"),
        ("t.csv", "name,sequence\n,ACGT\n", {}, r"t.csv, line 2: found no name"),
        ("t.csv", "name,sequence\na,AC,GT\n", {}, r"line 2: found 3 fields, expected 2 \(name, sequence\)"),
        ("t.csv", "name,sequence\na\n", {}, r"line 2: found 1 fields, expected 2"),
        ("t.csv", "name,seq\na,ACGT\n", {}, r"found the columns name, seq, expected 'sequence' among them"),
        ("t.csv", "a,ACGT\nb,GG\n", {}, r"found the columns a, ACGT, .* sequences.format.columns"),
        ("t.csv", "name,name\na,b\n", {}, r"line 1: found the column 'name' twice"),
        ("t.csv", 'name,sequence\na,"ACGT\nb,GG\n', {}, r"t.csv, line 3: unexpected end of data"),
        ("t.csv", "", {}, r"found no line in it, expected a table"),
        ("t.data", "a,b\n", {}, r"found the separator None and the suffix '.data'"),
        ("t.csv", b"name,sequence\n\xff\xfe,ACGT\n", {}, r"found a byte that is no UTF-8"),
        ("t.csv.gz", gzip.compress(b"name,sequence\na,ACGT\n", mtime=0)[:-12], {}, r"gzip file is truncated"),
        ("t.parquet", b"PAR1 no", {}, r"cannot be read as Parquet"),
        ("t.csv", "name,sequence,s\na,AC,holdout\n", {"split": "s"}, r"line 2: found the split 'holdout'"),
        ("t.csv", "name,sequence\na,AC\n", {"split": "part"}, r"expected 'part' among them"),
        ("t.csv", "name,sequence\na,AC\n", {"grup": "x"}, r"found the key 'grup', .* did you mean group"),
        ("t.csv", "name,sequence\na,AC\n", {"repeated_names": True}, r"found True, expected refuse or number"),
        ("t.fa", ">a\nAC\n> b\nGG\n", {}, r"t.fa, line 3: found a header without a name"),
        ("t.fa", ">a\n>b\nGG\n", {}, r"t.fa, line 1: found an empty sequence"),
        ("t.fa", "AC\n>b\nGG\n", {}, r"t.fa, line 1: found 'AC', expected a FASTA header"),
        ("t.fa", "", {}, r"found no sequence in it, expected FASTA"),
        ("t.fa", ">a\nAC\n>a\nGG\n", {}, r"t.fa, line 3: found the name a a second time"),
        ("t.fa", ">a\nAC\n", {"header": r"class=(?P<class>\w)"}, r"t.fa, line 1: found the header 'a', expected"),
        ("t.fa", ">a\nAC\n", {"header": "("}, r"sequences.header: found '\(', expected a regular expression"),
    ],
)  # fmt: skip
def test_what_is_refused(
    tmp_path: Path, name: str, content: str | bytes, config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        read(tmp_path, content, name, **config)


def test_a_missing_file_and_a_missing_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        list(read_labelled({"fasta": [{"file": "none.fa"}]}, tmp_path))
    with pytest.raises(UserError, match="found neither, expected one of fasta and table"):
        list(read_labelled({"alphabet": "dna"}, tmp_path))
    with pytest.raises(UserError, match=r"sequences.table: found \{'class': 'x'\}"):
        list(read_labelled({"table": [{"class": "x"}]}, tmp_path))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='>aACGT,;\t"\n\r# ', max_size=120).map(lambda text: text.encode()),
        st.text(alphabet='>aACGT,;\t"\n\r# ', max_size=120).map(lambda text: b"name,sequence\n" + text.encode()),
    ),
    name=st.sampled_from(["t.csv", "t.tsv", "t.fa", "t.parquet"]),
)
def test_random_bytes_give_sequences_or_a_sentence(tmp_path: Path, content: bytes, name: str) -> None:
    try:
        found = read(tmp_path, content, name)
    except UserError:
        return
    assert len({one.name for one in found}) == len(found)
    assert all(one.letters for one in found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    letters=st.lists(st.text(alphabet="ACGTN", min_size=1, max_size=40), min_size=1, max_size=8),
    width=st.integers(1, 9),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_is_written_comes_back_from_every_form(tmp_path: Path, letters: list[str], width: int, end: str) -> None:
    fasta = "".join(
        f">s{number} x{end}" + "".join(f"{text[at : at + width]}{end}" for at in range(0, len(text), width))
        for number, text in enumerate(letters)
    )
    table = end.join(["name,sequence", *(f'"s{number}",{text}' for number, text in enumerate(letters))])
    expected = [(f"s{number}", text) for number, text in enumerate(letters)]
    for name, content in (("t.fa", fasta), ("t.csv", table)):
        assert [(one.name, one.letters) for one in read(tmp_path, content, name)] == expected
