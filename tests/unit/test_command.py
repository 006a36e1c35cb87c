import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lociflow.command import atomic, atomic_folder, json_argument, write_json

SCRIPTS = Path(__file__).parents[2] / "scripts"
STEP = """
import argparse, warnings
from lociflow.command import LOGGER, UserError, run, status

def step(number):
    status("one line of progress")
    LOGGER.debug("a detail")
    if number == 1:
        raise UserError("peaks.bed, line 3: found two columns, expected three; add the end")
    if number == 2:
        raise ZeroDivisionError("a fault inside")
    if number == 3:
        import resource
        import numpy
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
        numpy.ones(2**30)
    warnings.warn("a library warns")

arguments = argparse.ArgumentParser()
arguments.add_argument("--number", type=int, required=True)
run(step, arguments)
"""


def run_step(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    return subprocess.run(
        [sys.executable, "-c", STEP, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def fail_halfway(path: Path, error: BaseException) -> None:
    with atomic(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.fixture
def leftovers(tmp_path):
    """The names that lie in the folder of the outputs."""
    return lambda: sorted(path.name for path in (tmp_path / "out").iterdir())


def test_a_users_mistake_exits_with_1_and_is_told_in_one_sentence_without_a_traceback(tmp_path):
    ran = run_step("--number", "1", "--log", str(tmp_path / "step.log"))
    sentence = "error: peaks.bed, line 3: found two columns, expected three; add the end"
    assert ran.returncode == 1
    assert ran.stderr == f"one line of progress\n{sentence}\n"
    assert ran.stdout == ""
    log = (tmp_path / "step.log").read_text()
    assert sentence in log
    assert "Traceback" not in log


def test_any_other_failure_exits_with_70_and_its_traceback(tmp_path):
    ran = run_step("--number", "2", "--log", str(tmp_path / "step.log"))
    assert ran.returncode == 70
    for told in (ran.stderr, (tmp_path / "step.log").read_text()):
        assert "this is a fault of lociflow or of the machine" in told
        assert "Traceback" in told
        assert "ZeroDivisionError: a fault inside" in told


@pytest.mark.parametrize(("name", "status"), [("table", 1), ("'bedtools.cfg'", 70)], ids=["an input", "another file"])
def test_an_input_that_is_not_there_is_one_sentence_and_another_file_is_a_fault(tmp_path, name, status):
    step = (
        "import argparse; from pathlib import Path; from lociflow.command import run\n"
        "parser = argparse.ArgumentParser(); parser.add_argument('--table', type=Path)\n"
        f"run(lambda table: open({name}), parser)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", step, "--table", "a/table.npy"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == status
    assert ("Traceback" in ran.stderr) == (status == 70)
    sentence = (
        "error: a/table.npy: there is no such file, expected one that an earlier step has made; run snakemake again\n"
    )
    assert (ran.stderr == sentence) == (status == 1)


def test_the_log_receives_everything_with_time_and_level_and_stderr_only_the_status_lines(tmp_path):
    log = tmp_path / "a" / "new" / "folder" / "step.log"
    ran = run_step("--number", "0", "--log", str(log))
    assert ran.returncode == 0
    assert ran.stderr == "one line of progress\n"
    lines = log.read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d [\d:,]+ INFO one line of progress", lines[0])
    assert lines[1].endswith("DEBUG a detail")
    assert "WARNING" in lines[2]
    assert "UserWarning: a library warns" in lines[2]


def test_a_log_of_an_earlier_run_is_replaced(tmp_path):
    log = tmp_path / "step.log"
    log.write_text("of yesterday\n")
    run_step("--number", "0", "--log", str(log))
    assert "of yesterday" not in log.read_text()


def test_without_a_log_file_warnings_reach_stderr():
    ran = run_step("--number", "0")
    assert ran.returncode == 0
    assert "a library warns" in ran.stderr


def test_an_output_appears_under_its_name_only_once_it_is_whole(tmp_path, leftovers):
    path = tmp_path / "out" / "table.tsv"
    with atomic(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_text() == "half"
    assert leftovers() == ["table.tsv"]


def test_a_failure_leaves_nothing(tmp_path, leftovers):
    with pytest.raises(ZeroDivisionError):
        fail_halfway(tmp_path / "out" / "table.tsv", ZeroDivisionError())
    assert leftovers() == []


def test_a_failure_keeps_the_output_that_was_there(tmp_path, leftovers):
    path = tmp_path / "out" / "table.tsv"
    path.parent.mkdir()
    path.write_text("whole")
    with pytest.raises(KeyboardInterrupt):
        fail_halfway(path, KeyboardInterrupt())
    assert path.read_text() == "whole"
    assert leftovers() == ["table.tsv"]


@pytest.mark.parametrize(("name", "suffix"), [("a.npz", ".npz"), ("a.fa.gz", ".gz")])
def test_the_temporary_name_keeps_the_suffix(tmp_path, name, suffix):
    with atomic(tmp_path / name) as temporary:
        assert temporary.suffix == suffix


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_the_umask_decides_who_may_read_an_output(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with atomic(tmp_path / "a.txt") as temporary:
            temporary.write_text("a")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode


def test_json_has_the_same_bytes_whatever_the_order_of_the_keys(tmp_path):
    write_json(tmp_path / "one.json", {"b": [1, 2.5, None], "a": {"é": True}})
    write_json(tmp_path / "two.json", {"a": {"é": True}, "b": [1, 2.5, None]})
    expected = '{\n "a": {\n  "é": true\n },\n "b": [\n  1,\n  2.5,\n  null\n ]\n}\n'
    assert (tmp_path / "one.json").read_bytes() == expected.encode()
    assert (tmp_path / "two.json").read_bytes() == expected.encode()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_json_refuses_what_is_no_number_and_writes_nothing(tmp_path, leftovers, number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "out" / "a.json", {"score": [number]})
    assert leftovers() == []


def test_an_argument_that_is_no_json_is_told_with_what_was_found():
    assert json_argument('{"k": [1, null]}') == json.loads('{"k": [1, null]}')
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected JSON, found '\{k: 1\}'"):
        json_argument("{k: 1}")


def test_a_step_without_memory_is_named_with_what_helps_and_without_a_traceback(tmp_path):
    ran = run_step("--number", "3", "--log", str(tmp_path / "step.log"))
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[1:] == [
        "error: -c: found no more memory (Unable to allocate 8.00 GiB for an array with shape (1073741824,) and data "
        "type float64), expected as much as the step needs; give its rule more mem_mb under set-resources of the "
        "profile, or start fewer steps together"
    ]
    assert "Traceback" in (tmp_path / "step.log").read_text()


def test_what_killed_processes_have_left_of_an_output_is_swept_and_nothing_else(tmp_path):
    (tmp_path / ".table.abcd12_9.tsv").write_text("of a killed process")
    (tmp_path / "..table.abcd12_9.efgh3456.tsv").write_text("of one that was putting its contigs in order")
    kept = (".table.abcd12_9.json", ".table.motifs.abcd12_9x.tsv", "table.abcd12_9.tsv", ".other.abcd12_9.tsv")
    for name in kept:
        (tmp_path / name).write_text("of another output")
    with atomic(tmp_path / "table.tsv") as first:
        first.write_text("alive")
        other = "from lociflow.command import write_json; from pathlib import Path; write_json(Path('table.tsv'), 1)"
        environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
        subprocess.run([sys.executable, "-c", other], cwd=tmp_path, env=environment, check=True)
        assert first.read_text() == "alive"
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {"table.tsv", *kept}
    assert (tmp_path / "table.tsv").read_text() == "alive"


def test_a_killed_process_leaves_what_the_next_one_sweeps(tmp_path):
    die = (
        "import os, signal; from lociflow.command import atomic; from pathlib import Path\n"
        "with atomic(Path('table.tsv')) as t: t.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    assert subprocess.run([sys.executable, "-c", die], cwd=tmp_path, env=environment, check=False).returncode == -9
    (left,) = tmp_path.iterdir()
    assert left.read_text() == "half"
    with atomic(tmp_path / "table.tsv") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["table.tsv"]


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "figures"
    with atomic_folder(folder) as written:
        (written / "old.svg").touch()
        assert not folder.exists()
    (tmp_path / ".figures.abcd1234").mkdir()
    with contextlib.suppress(ZeroDivisionError), atomic_folder(folder) as written:
        (written / "new.svg").touch()
        raise ZeroDivisionError
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "figures",
        "figures/old.svg",
    ]
    with atomic_folder(folder) as written:
        (written / "new.svg").touch()
    assert [path.name for path in folder.iterdir()] == ["new.svg"]
    assert folder.stat().st_mode & 0o777 == 0o755
