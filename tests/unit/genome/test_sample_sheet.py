from pathlib import Path

import pytest

from lociflow.command import UserError
from lociflow.genome.sample_sheet import SampleSheetRow, read_sample_sheet


def sheet(folder: Path, *rows: tuple[str, ...]) -> Path:
    path = folder / "sheet.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_sample_sheet(path)
    assert str(caught.value).startswith(str(path))
    return str(caught.value).removeprefix(str(path))


def test_rows_keep_the_sheets_order_and_the_other_columns(tmp_path):
    path = sheet(
        tmp_path,
        ("target", "url", "path", "sha256", "tissue"),
        ("Rap1", "https://a.org/rap1.bed", "", "0" * 64, "bud"),
        (" Abf1 ", "", "peaks/abf1.bed ", "", ""),
    )
    assert read_sample_sheet(path) == [
        SampleSheetRow(
            "Rap1", {"file": "", "url": "https://a.org/rap1.bed", "path": "", "sha256": "0" * 64}, {"tissue": "bud"}
        ),
        SampleSheetRow("Abf1", {"file": "", "url": "", "path": "peaks/abf1.bed", "sha256": ""}, {"tissue": ""}),
    ]


def test_columns_may_stand_in_any_order_and_may_be_left_out(tmp_path):
    path = sheet(tmp_path, ("path", "file", "target"), ("a.bed", "toy/a.bed", "A"))
    assert read_sample_sheet(path) == [
        SampleSheetRow("A", {"file": "toy/a.bed", "url": "", "path": "a.bed", "sha256": ""}, {})
    ]


@pytest.mark.parametrize(("begin", "end"), [("\ufeff", "\n"), ("", "\r\n"), ("", "\n\n")])
def test_a_byte_order_mark_windows_line_ends_and_empty_lines_change_nothing(tmp_path, begin, end):
    path = tmp_path / "sheet.tsv"
    path.write_bytes((begin + end.join(["target\tpath", "A\ta.bed", "B\tb.bed", ""])).encode())
    assert [(row.target, row.source["path"]) for row in read_sample_sheet(path)] == [("A", "a.bed"), ("B", "b.bed")]


def test_a_missing_sheet_is_told_with_what_its_path_is_relative_to(tmp_path):
    assert refused(tmp_path / "none.tsv") == ": no such sample sheet; its path is relative to the data set's YAML file"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], ": found the columns none, expected tab-separated columns target and url or path; add a header line"),
        ([("target", "sha256")], ": found the columns target, sha256, expected"),
        ([("target,path",), ("A,a.bed",)], ": found the columns target,path, expected tab-separated"),
        ([("A", "a.bed")], ": found the columns A, a.bed, expected"),
        ([("target", "path")], ": lists no target; add one line for each"),
        ([("target", "path"), ("A", "a.bed"), ("B",)], ", line 3: found another number of columns than the header's 2"),
        ([("target", "path"), ("A", "a.bed", "more")], ", line 2: found another number of columns"),
        ([("target", "path"), (" ", "a.bed")], ", line 2: the target has no name; fill in the column target"),
        (
            [("target", "path"), ("A", "a.bed"), ("B", "b.bed"), ("A ", "c.bed")],
            ", line 4: target A stands here twice; give each target one line",
        ),
        ([("target", "path"), ("A", " ")], ", line 2: target A needs either a url or a path, found none"),
        (
            [("target", "path", "url"), ("A", "a.bed", "https://a.org/a.bed")],
            ", line 2: target A needs either a url or a path, found both",
        ),
    ],
)
def test_a_sheet_that_does_not_fit_is_refused_with_its_line(tmp_path, rows, told):
    assert refused(sheet(tmp_path, *rows)).startswith(told)


def test_an_open_quote_is_refused_and_does_not_swallow_the_lines_below(tmp_path):
    path = sheet(tmp_path, ("target", "path", "note"), ("A", "a.bed", '"open'), ("B", "b.bed", ""))
    assert ": cannot be read" in refused(path)


def test_a_quote_inside_a_field_stays_as_it_is(tmp_path):
    path = sheet(tmp_path, ("target", "path", "note"), ("A", "a.bed", "5' and 3\" end"))
    assert read_sample_sheet(path)[0].metadata == {"note": "5' and 3\" end"}


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "sheet.tsv"
    path.write_bytes("target\tpath\nÉ\ta.bed\n".encode("latin-1"))
    assert ": cannot be read" in refused(path)
