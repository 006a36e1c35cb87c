import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from lociflow.checksums import FOLDER, damage, named_files, noted_files, record_of
from lociflow.command import UserError, atomic, atomic_folder, check_files, write_json

SCRIPTS = Path(__file__).parents[2] / "scripts"
RECORD = FOLDER / "results/toy/table.tsv.crc32"


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A file that a step has written in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = Path("results/toy/table.tsv")
    with atomic(path) as temporary:
        temporary.write_bytes(b"a\tb\n1\t2\n")
    return path


def test_what_a_step_writes_has_its_crc_and_length_below_the_working_directory(table):
    assert (
        RECORD.read_text()
        == f"{zlib.crc32(b'a' + bytes([9]) + b'b' + bytes([10]) + b'1' + bytes([9, 50, 10])):08x} 8\n"
    )
    assert sorted(path.name for path in table.parent.iterdir()) == ["table.tsv"]
    assert damage(table) is None
    assert list(noted_files()) == [table]


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"a\tb\n1\t3\n", "found 8 bytes (CRC-32 "), (b"a\tb\n1", "found 5 bytes (CRC-32 -)"), (b"", "found 0 bytes")],
)
def test_a_changed_byte_a_missing_end_and_an_empty_file_are_told_with_the_remedy(table, content, found):
    table.write_bytes(content)
    with pytest.raises(UserError) as caught:
        check_files({"table": table})
    assert str(caught.value).startswith("results/toy/table.tsv: found")
    assert found in str(caught.value)
    assert "remove it and run snakemake again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_are_found_wherever_arguments_name_them(table):
    absolute = table.absolute()
    for value in ([table], ("label", table), {"config": {"deep": ["results/toy/table.tsv"]}}, absolute):
        assert [path.absolute() for path in named_files(value)] == [absolute]
    assert list(named_files({"file": "table.tsv"}, (Path("results/toy"),))) == [table]
    table.write_bytes(b"other")
    with pytest.raises(UserError, match=r"table\.tsv: found 5 bytes"):
        check_files({"sources": Path("results"), "config": {"targets": {"file": "toy/table.tsv"}}})


def test_texts_that_are_no_file_are_left_alone(table):
    values = ["", "x" * 5000, "a\0b", "é" * 200, "../../etc/passwd", "/", ".", 3, None, {"a": 1.5}]
    assert list(named_files(values, (Path("results/toy"),))) == []
    check_files(values)


def test_a_file_without_a_record_and_one_elsewhere_are_not_judged(table, tmp_path_factory):
    RECORD.unlink()
    table.write_bytes(b"other")
    assert damage(table) is None
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "table.json"
    write_json(elsewhere, {})
    assert list(noted_files()) == []


def test_a_file_that_is_written_again_has_the_new_checksum(table):
    with atomic(table) as temporary:
        temporary.write_bytes(b"other")
    assert RECORD.read_text().endswith(" 5\n")
    assert damage(table) is None


def test_a_step_that_is_given_a_damaged_file_says_so_before_it_begins(table):
    step = (
        "import argparse; from pathlib import Path; from lociflow.command import run\n"
        "parser = argparse.ArgumentParser(); parser.add_argument('--table', type=Path)\n"
        "run(lambda table: print('began'), parser)\n"
    )
    command = [sys.executable, "-c", step, "--table", "results/toy/table.tsv"]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "began\n")
    table.write_bytes(b"a\tb\n1\t3\n")
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("error: results/toy/table.tsv: found 8 bytes")
    assert "Traceback" not in ran.stderr


def test_check_results_names_every_damaged_file(table):
    write_json(Path("results/toy/metrics.json"), {"auroc": 0.75})
    command = [sys.executable, str(SCRIPTS / "check_results.py")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "2 files are what the steps that made them wrote\n")
    for path, old, new in ((table, b"2", b"3"), (Path("results/toy/metrics.json"), b"0.75", b"0.85")):
        path.write_bytes(path.read_bytes().replace(old, new))
    assert json.loads(Path("results/toy/metrics.json").read_text()) == {"auroc": 0.85}
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "results/toy/table.tsv: found" in ran.stderr
    assert "results/toy/metrics.json: found" in ran.stderr
    assert "found 2 of 2 files damaged or replaced" in ran.stderr


@pytest.mark.parametrize(
    ("act", "status"),
    [
        ("table.write_bytes(b'somebody was here')", 1),
        ("table.unlink()", 1),
        ("table.touch()", 0),
        ("write_json(table, 'a step was here')", 0),
    ],
)
def test_a_file_that_somebody_changes_under_a_running_step_is_told(table, act, status):
    step = (
        "import argparse; from pathlib import Path; from lociflow.command import run, write_json\n"
        f"def step(table):\n    {act}\n"
        "parser = argparse.ArgumentParser(); parser.add_argument('--table', type=Path)\n"
        "run(step, parser)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", step, "--table", "results/toy/table.tsv"],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == status
    sentence = r"error: \S*table\.tsv: found other content, or none, at the end of this step than at its beginning.*\n"
    assert re.fullmatch(sentence if status else "", ran.stderr)


def test_files_of_a_folder_have_checksums_and_those_of_the_folder_before_are_forgotten(table):
    folder = Path("results/toy/tracks")
    for name in ("old.bw", "new.bw"):
        with atomic_folder(folder) as written:
            (written / name).write_bytes(b"track")
    assert {path.name for path in noted_files()} == {"table.tsv", "new.bw"}
    (folder / "new.bw").write_bytes(b"trick")
    assert "found 5 bytes" in (damage(folder / "new.bw") or "")


def test_check_results_names_what_is_no_longer_there(table):
    write_json(Path("results/toy/metrics.json"), {"auroc": 0.75})
    table.unlink()
    ran = subprocess.run([sys.executable, str(SCRIPTS / "check_results.py")], capture_output=True, text=True)
    assert ran.returncode == 0
    assert "results/toy/table.tsv: is no longer there" in ran.stderr
    assert "1 files are what the steps that made them wrote; 1 are no longer there" in ran.stderr


@pytest.mark.parametrize("record", ["", "12345678", "\0\0\0\0"])
def test_a_damaged_checksum_is_told_as_such(table, record):
    place = record_of(table)
    assert place is not None
    place.write_text(record)
    assert "its checksum in .lociflow/checksums/results/toy/table.tsv.crc32 is damaged" in (damage(table) or "")
