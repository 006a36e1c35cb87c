from collections.abc import Callable
from pathlib import Path

import pytest

from lociflow.command import UserError
from lociflow.genome.target_peaks import TargetPeaks, read_on_genome, read_target_peaks
from lociflow.sequence.store import SequenceStore

StoreOf = Callable[[dict[str, str]], SequenceStore]


@pytest.fixture
def store(store_of: StoreOf) -> SequenceStore:
    return store_of({"chrI": "A" * 100, "chrII": "C" * 50})


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "reb1.bed").write_text("chrI\t1\t2\tx\t5\t.\nchrII\t3\t4\tx\t7\t.\n")
    (folder / "abf1.bed").write_text("chrI\t9\t9\nchrI\t10\t20\nchrM\t1\t2\n")
    (folder / "empty.bed").write_text("#nothing\n")
    (folder / "sites.bed").write_text("chrI\t1\t2\tReb1\t5\t+\nchrII\t5\t6\tAbf1\t1\t-\nchrI\t3\t4\tReb1\t6\t+\n")
    return folder


def sheet(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sheet.tsv"
    path.write_text(text)
    return path


def rows(found: TargetPeaks) -> list[tuple]:
    return list(found.peaks[["contig", "start", "end", "target"]].itertuples(index=False, name=None))


def test_sheet(store: SequenceStore, sources: Path, tmp_path: Path):
    path = sheet(
        tmp_path, "target\tfile\turl\tsha256\tpeaks\tgeo\nReb1\treb1.bed\tu\tx\t2\tGSM1\nAbf1\tabf1.bed\tu\t\t\t\n"
    )
    found = read_target_peaks({"sheet": True}, sources, path, store, {"chrM": None}, False)
    assert found.targets == ["Reb1", "Abf1"]
    assert rows(found) == [("chrI", 1, 2, "Reb1"), ("chrII", 3, 4, "Reb1"), ("chrI", 10, 20, "Abf1")]
    assert list(found.peaks["target"].cat.categories) == ["Reb1", "Abf1"]
    assert found.read == [2, 3]
    assert found.files[1]["dropped"] == {"zero_length": 1, "excluded_contig": 1, "beyond_end": 0}
    assert found.metadata.to_dict("list") == {"geo": ["GSM1", ""]}


def test_files(store: SequenceStore, sources: Path):
    found = read_target_peaks({"files": {"B": "reb1.bed", "A": "reb1.bed"}}, sources, None, store, {}, False)
    assert found.targets == ["B", "A"]
    assert len(found.peaks) == 4
    assert found.metadata.shape == (2, 0)


def test_files_with_their_sides_of_a_published_split(store: SequenceStore, sources: Path):
    parts = [{"file": "reb1.bed", "split": "train"}, {"file": "abf1.bed", "split": "test"}]
    found = read_target_peaks({"files": {"A": parts, "B": "sites.bed"}}, sources, None, store, {"chrM": None}, False)
    assert list(found.peaks["published"].astype(object).fillna("")) == ["train", "train", "test", "", "", ""]
    assert list(found.peaks["published"].cat.categories) == ["train", "validation", "test"]
    assert list(found.peaks["target"]) == ["A", "A", "A", "B", "B", "B"]
    # The peaks of a target are those of its files together, also the dropped ones.
    assert found.read == [5, 3]
    assert [(file["file"], file["target"]) for file in found.files] == [
        ("reb1.bed", "A"), ("abf1.bed", "A"), ("sites.bed", "B"),
    ]  # fmt: skip


def test_named(store: SequenceStore, sources: Path):
    found = read_target_peaks({"named": "sites.bed"}, sources, None, store, {}, False)
    assert found.targets == ["Abf1", "Reb1"]
    assert found.read == [1, 2]
    assert rows(found) == [("chrI", 1, 2, "Reb1"), ("chrII", 5, 6, "Abf1"), ("chrI", 3, 4, "Reb1")]
    chosen = read_target_peaks({"named": "sites.bed", "names": ["Reb1"]}, sources, None, store, {}, False)
    assert chosen.targets == ["Reb1"]
    assert chosen.files[0]["dropped"]["other_name"] == 1
    assert len(chosen.peaks) == 2


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["bin"], "found the target name 'bin', which is reserved"),
        (["split"], "found the target name 'split', which is reserved"),
        (["Pol II", "Pol_II"], "found the targets 'Pol II' and 'Pol_II', expected names that differ by more"),
        (["a/b", "a b"], "found the targets 'a/b' and 'a b', expected names that differ by more"),
        (["Reb1", "Reb1"], "found the target Reb1 twice"),
    ],
)
def test_names_that_other_files_cannot_hold(store: SequenceStore, sources: Path, names: list[str], sentence: str):
    with pytest.raises(UserError, match=sentence):
        read_target_peaks({"named": "sites.bed", "names": names}, sources, None, store, {}, True)


def test_a_named_target_without_peaks(store: SequenceStore, sources: Path):
    targets = {"named": "sites.bed", "names": ["Reb1", "Rap1"]}
    with pytest.raises(UserError, match=r"sites\.bed: found no peak named Rap1"):
        read_target_peaks(targets, sources, None, store, {}, False)
    found = read_target_peaks(targets, sources, None, store, {}, True)
    assert found.read == [2, 0]


def test_an_empty_file_is_refused_by_name_unless_allowed(store: SequenceStore, sources: Path):
    targets = {"files": {"Reb1": "reb1.bed", "Kti12": "empty.bed"}}
    with pytest.raises(UserError, match=r"empty\.bed: found no peak for Kti12, .*labels\.allow_empty_targets"):
        read_target_peaks(targets, sources, None, store, {}, False)
    found = read_target_peaks(targets, sources, None, store, {}, True)
    assert found.targets == ["Reb1", "Kti12"]
    assert found.read == [2, 0]
    assert list(found.peaks["contig"].cat.categories) == ["chrI", "chrII"]


def test_a_file_of_which_nothing_is_left(store: SequenceStore, sources: Path):
    (sources / "none.bed").write_text("chrI\t9\t9\n")
    with pytest.raises(UserError, match=r"found 1 peaks of which none is left \(dropped: 1 zero_length\) for A"):
        read_target_peaks({"files": {"A": "none.bed"}}, sources, None, store, {}, False)


def test_ends_beyond_the_contig_are_clipped_and_starts_left_out_and_counted(store: SequenceStore, tmp_path: Path):
    path = tmp_path / "x.bed"
    path.write_text("chrII\t40\t60\n")
    found = read_on_genome(path, store, {})
    assert found.regions["end"].tolist() == [50]
    assert found.clipped == 1
    path.write_text("chrII\t40\t50\nchrII\t50\t60\n")
    found = read_on_genome(path, store, {})
    assert found.regions[["start", "end"]].values.tolist() == [[40, 50]]
    assert (found.read, found.dropped["beyond_end"], found.clipped) == (2, 1, 0)


def test_a_file_of_a_whole_genome_may_name_contigs_that_a_part_of_it_lacks(store: SequenceStore, tmp_path: Path):
    path = tmp_path / "black.bed"
    path.write_text("chrII\t1\t5\nchrX\t1\t5\nchrY\t1\t5\n")
    with pytest.raises(UserError, match="no contig chrX, chrY"):
        read_on_genome(path, store, {})
    found = read_on_genome(path, store, {}, of_a_whole_genome=True)
    assert (len(found.regions), found.dropped["excluded_contig"]) == (1, 2)
    path.write_text("2\t1\t5\n")
    with pytest.raises(UserError, match="no contig 2"):
        read_on_genome(path, store, {}, of_a_whole_genome=True)


def test_peaks_keep_their_strand_and_values(store: SequenceStore, sources: Path):
    (sources / "x.narrowPeak").write_text("chrI\t1\t9\tp\t7\t-\t1.5\t-1\t2\t3\n")
    found = read_target_peaks({"files": {"A": "x.narrowPeak", "B": "reb1.bed"}}, sources, None, store, {}, False)
    columns = ["contig", "start", "end", "strand", "score", "signal_value", "p_value", "q_value", "summit", "target"]
    assert list(found.peaks) == columns
    rows_found = found.peaks.astype(object).where(found.peaks.notna(), None)
    assert rows_found.iloc[0].tolist() == ["chrI", 1, 9, "-", 7, 1.5, None, 2, 4, "A"]
    assert rows_found.iloc[1].tolist() == ["chrI", 1, 2, ".", 5, None, None, None, -1, "B"]
    assert list(found.peaks["strand"].cat.categories) == [".", "+", "-"]


def test_pairs_that_are_no_fragment_are_read_and_dropped(store: SequenceStore, sources: Path):
    pair = "chrI\t{}\t{}\t{}\t{}\t{}\n".format
    text = pair(1, 2, "chrI", 5, 9) + pair(1, 2, "chrII", 5, 9) + pair(1, 2, ".", -1, -1) + pair(7, 7, "chrI", 7, 7)
    (sources / "x.bedpe").write_text(text)
    found = read_target_peaks({"files": {"A": "x.bedpe"}}, sources, None, store, {}, False)
    assert rows(found) == [("chrI", 1, 9, "A")]
    assert found.read == [4]
    dropped = {"no_mate": 1, "mates_on_two_contigs": 1, "zero_length": 1, "excluded_contig": 0, "beyond_end": 0}
    assert found.files[0]["dropped"] == dropped


def test_names_are_asked_of_a_file_that_has_none(store: SequenceStore, sources: Path):
    (sources / "bed3.bed").write_text("chrI\t1\t2\n")
    with pytest.raises(UserError, match=r"bed3\.bed: found no names, expected each region's target in column 4"):
        read_target_peaks({"named": "bed3.bed"}, sources, None, store, {}, False)


def test_missing_files_are_all_counted_and_named(store: SequenceStore, sources: Path):
    with pytest.raises(UserError, match=r"2 of 3 are missing: .*/a\.bed, .*/b\.bed; fetch them first"):
        read_target_peaks({"files": {"A": "a.bed", "R": "reb1.bed", "B": "b.bed"}}, sources, None, store, {}, False)


@pytest.mark.parametrize(
    "targets", [{}, {"sheet": True, "named": "x"}, {"sheets": True}, {"files": {"a": "b"}, "names": ["a"]}]
)
def test_targets_that_are_not_one_kind(store: SequenceStore, sources: Path, targets: dict):
    with pytest.raises(UserError, match="targets: found the keys"):
        read_target_peaks(targets, sources, None, store, {}, False)


def test_a_sheet_that_is_not_given(store: SequenceStore, sources: Path):
    with pytest.raises(UserError, match="--sheet: found none"):
        read_target_peaks({"sheet": True}, sources, None, store, {}, False)


def test_files_with_a_sheet_take_its_order_and_what_it_knows(store: SequenceStore, sources: Path, tmp_path: Path):
    path = sheet(tmp_path, "target\turl\tpeaks\tgeo\nReb1\tu\t2\tGSM1\nAbf1\tu\t\tGSM2\n")
    files = {"Abf1": "reb1.bed", "Reb1": "reb1.bed"}
    found = read_target_peaks({"files": files}, sources, path, store, {}, False)
    assert found.targets == ["Reb1", "Abf1"]
    assert found.metadata.to_dict("list") == {"geo": ["GSM1", "GSM2"]}
    with pytest.raises(UserError, match=r"found other targets than in targets\.files \(Abf1\)"):
        read_target_peaks({"files": {"Reb1": "reb1.bed"}}, sources, path, store, {}, False)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("target\tfile\turl\tkept\nA\treb1.bed\tu\t1\n", r"sheet\.tsv: found the column 'kept', which is reserved"),
        ("target\tfile\turl\tpeaks\nA\treb1.bed\tu\tmany\n", "target A: found peaks 'many', expected a whole number"),
        ("target\tfile\turl\tpeaks\nA\treb1.bed\tu\t3\n", r"reb1\.bed: found 2 peaks, expected 3 for A by the sample"),
        ("target\turl\nA\tu\n", "target A: found no file"),
        ("target\tfile\turl\nA\treb1.bed\tu\nA\treb1.bed\tu\n", "target A stands here twice"),
    ],
)
def test_sheets_at_odds_with_themselves_or_the_files(
    store: SequenceStore, sources: Path, tmp_path: Path, text: str, sentence: str
):
    with pytest.raises(UserError, match=sentence):
        read_target_peaks({"sheet": True}, sources, sheet(tmp_path, text), store, {}, False)


def test_a_name_with_a_tab(store: SequenceStore, sources: Path):
    with pytest.raises(UserError, match=r"found the target name 'A\\tB', expected one without tabs"):
        read_target_peaks({"files": {"A\tB": "reb1.bed"}}, sources, None, store, {}, False)
