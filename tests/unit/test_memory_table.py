"""The table of memory is what the benchmark files say."""

import json
from pathlib import Path

import pytest

from lociflow.command import UserError
from lociflow.memory_table import memory_table, tabulate_memory


def write(path: Path, rule: str, taken: float | str, asked: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    more = {} if asked is None else {"rule_name": rule, "resources": {"mem_mb": asked, "gpu": 0}}
    path.write_text(json.dumps({"s": 1.0, "max_rss": taken, **more}) + "\n")


def test_the_job_that_comes_nearest_to_what_it_asked_for_stands_for_its_rule(tmp_path, capsys):
    write(tmp_path / "a/train.jsonl", "train", 1500.0, 6000)
    write(tmp_path / "b/train.jsonl", "train", 1800.0, 12000)
    write(tmp_path / "a/windows.jsonl", "make_windows", 3600.0, 4000)
    # A job of a moment is not measured.
    write(tmp_path / "a/admit.jsonl", "admit_dataset", "NA", 500)
    table = memory_table(tmp_path)
    assert table.to_dict("index") == {
        "make_windows": {"jobs": 1, "asked_mb": 4000, "taken_mb": 3600.0, "share": 0.9},
        "train": {"jobs": 2, "asked_mb": 6000, "taken_mb": 1800.0, "share": 0.25},
    }
    assert list(table.index) == ["make_windows", "train"]
    tabulate_memory(tmp_path)
    assert capsys.readouterr().err == "more than 80% of what they asked for: make_windows\n"


def test_files_that_do_not_say_what_was_asked_for_are_refused(tmp_path):
    write(tmp_path / "train.jsonl", "train", 1500.0, None)
    with pytest.raises(UserError, match="expected those of a run with --benchmark-extended"):
        memory_table(tmp_path)
