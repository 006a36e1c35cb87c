import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lociflow.command import UserError
from lociflow.file_digest import sha256_of
from lociflow.provenance import reproduce as module
from lociflow.provenance.read import CrateSource, ReadCrate, read_crate
from lociflow.provenance.reproduce import link_path, mirror_of, reproduce, tell_code

from .conftest import RUN

HOME = Path(__file__).parents[3]


def crate(folder: Path, *sources: CrateSource) -> ReadCrate:
    (folder / RUN).mkdir(parents=True, exist_ok=True)
    return ReadCrate(folder / RUN, "toy", {}, {source.file: source for source in sources}, {})


@pytest.fixture
def two_runs(recorded):
    """A recorded run, and the same made again elsewhere with another weight."""
    return recorded / "work" / RUN, recorded / "again" / RUN


def test_a_crate_says_what_was_recorded_wherever_it_lies(two_runs, tmp_path):
    shutil.copytree(two_runs[0], tmp_path / "elsewhere")
    found = read_crate(tmp_path / "elsewhere")
    assert found == read_crate(tmp_path / "elsewhere" / "ro-crate-metadata.json")
    assert found.run == "toy"
    assert found.configuration == tmp_path / "elsewhere" / "configuration"
    assert found.files["../../peaks/holdout/small+long/seed7/model.ckpt"].content
    assert found.sources["peaks/peaks.bed"].via == "url"
    assert len(found.code) == 64


@pytest.mark.parametrize("text", [None, "{", "{}", '{"@graph": []}'])
def test_what_is_no_crate_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "ro-crate-metadata.json").write_text(text)
    with pytest.raises(UserError, match=r"found no crate of a run of lociflow .* name a folder results/runs/NAME"):
        read_crate(tmp_path)


def test_other_weights_with_the_same_scores_reproduce_a_run(two_runs, capsys):
    reproduce(two_runs[0], out=None, against=two_runs[1], cores="1", snakemake=[])
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line]
    told = {line[0]: line[1] for line in lines}
    assert told["peaks/holdout/small+long/seed7"].startswith("same scores, other bits")
    assert told["peaks/holdout/small+long/seed7"].endswith("model.ckpt, predictions.parquet")
    assert told["peaks"].startswith("same ")


def test_other_scores_are_told_and_are_the_exit_status(two_runs, capsys):
    scores = two_runs[1] / "scores.tsv"
    scores.write_text(scores.read_text().replace("0.91", "0.9"))
    with pytest.raises(SystemExit) as ended:
        reproduce(two_runs[0], out=None, against=two_runs[1], cores="1", snakemake=[])
    assert ended.value.code == 1
    assert "auroc_mean 0.91 before, 0.9 now; model.ckpt, predictions.parquet" in capsys.readouterr().out


def test_a_run_and_itself_are_the_same(two_runs, capsys):
    reproduce(two_runs[0], out=None, against=two_runs[0], cores="1", snakemake=[])
    assert capsys.readouterr().out.splitlines()[-1] == "same: 5"


def test_snakemake_is_called_once_with_the_recorded_configuration(two_runs, tmp_path, monkeypatch):
    calls = []

    def run(command, env, check):
        calls.append(command)
        shutil.copytree(two_runs[1], tmp_path / "out/results/runs/toy")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(module, "commit", lambda: None)
    monkeypatch.setattr(module.subprocess, "run", run)
    out = tmp_path / "out"
    with pytest.raises(UserError, match="held a password or a token, which is not recorded; name a mirror"):
        reproduce(two_runs[0], out, None, "3", [])
    monkeypatch.setenv("LOCIFLOW_MIRROR", "/data/mirror")
    reproduce(two_runs[0], out, None, "3", ["--profile", "profiles/slurm"])
    (command,) = calls
    assert command == [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(HOME / "Snakefile"), "--directory", str(out)),
        *("--configfile", str(out / "configuration/run.yaml"), "--cores", "3", "--profile", "profiles/slurm"),
    ]
    recorded = two_runs[0] / "configuration/run.yaml"
    assert (out / "configuration/run.yaml").read_bytes() == recorded.read_bytes()


def test_a_failure_of_snakemake_is_told(two_runs, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCIFLOW_MIRROR", "/data/mirror")
    monkeypatch.setattr(module.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 2))
    with pytest.raises(UserError, match=r"out: snakemake ended with status 2"):
        module.make_again(read_crate(two_runs[0]), tmp_path / "out", "1", [])


def test_the_recorded_run_is_not_worked_in(two_runs, tmp_path):
    with pytest.raises(UserError, match="is the folder of the recorded run; name another with OUT="):
        module.make_again(read_crate(two_runs[0]), two_runs[0].parents[2], "1", [])


def test_a_configuration_that_has_changed_since_is_refused(two_runs, tmp_path):
    (two_runs[0] / "configuration/run.yaml").write_text("run: other\n")
    with pytest.raises(UserError, match=r"run\.yaml: found another file, expected sha256"):
        module.make_again(read_crate(two_runs[0]), tmp_path / "out", "1", [])


@pytest.mark.parametrize("copied", [False, True])
def test_another_commit_or_another_file_of_lociflow_is_warned_of(two_runs, monkeypatch, caplog, copied):
    caplog.set_level("INFO", logger="lociflow")
    monkeypatch.setattr(module, "commit", lambda: "b" * 40)
    if copied:
        monkeypatch.setattr(module, "code_digest", lambda home: "0" * 64)
    before = read_crate(two_runs[0])
    tell_code(before)
    assert f"recorded at commit {before.commit}; this checkout is at {'b' * 40}" in caplog.text
    assert ("this checkout's files are not those that made the run" in caplog.text) == copied


def test_a_relative_source_is_found_where_it_was_and_then_among_the_sources(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    work, out = tmp_path / "work", tmp_path / "out"
    kept = work / "resources/sources/mine/peaks.bed"
    kept.parent.mkdir(parents=True)
    kept.write_text("recorded")
    source = CrateSource("mine/peaks.bed", sha256_of(kept), "path", ("data/peaks.bed",))
    link_path(source, crate(work, source), out)
    assert (out / "data/peaks.bed").resolve() == kept
    # A file of the same name with other content is not what was recorded.
    (work / "data").mkdir()
    (work / "data/peaks.bed").write_text("changed since")
    link_path(source, crate(work, source), out)
    assert (out / "data/peaks.bed").resolve() == kept
    (work / "data/peaks.bed").write_text("recorded")
    link_path(source, crate(work, source), out)
    assert (out / "data/peaks.bed").resolve() == work / "data/peaks.bed"


def test_a_source_that_is_nowhere_is_named_with_its_digest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = CrateSource("mine/peaks.bed", "ab" * 32, "path", ("data/peaks.bed",))
    with pytest.raises(UserError, match=rf"data/peaks\.bed: there is no such file .* sha256 {'ab' * 32}; put it at"):
        link_path(source, crate(tmp_path / "work", source), tmp_path / "out")


def test_nothing_is_linked_outside_the_new_folder(tmp_path):
    source = CrateSource("mine/peaks.bed", "ab" * 32, "path", ("../peaks.bed",))
    with pytest.raises(UserError, match="leads out of the folder of the run"):
        link_path(source, crate(tmp_path / "work", source), tmp_path / "out")


def test_the_mirror_of_the_recorded_run_is_used_unless_another_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("LOCIFLOW_MIRROR", raising=False)
    (tmp_path / "mirror").mkdir()
    local = CrateSource("mine/peaks.bed", "aa", "mirror", (f"{tmp_path}/mirror/mine/peaks.bed",))
    gone = CrateSource("mine/peaks.bed", "aa", "mirror", (f"{tmp_path}/gone/mine/peaks.bed",))
    remote = CrateSource("mine/peaks.bed", "aa", "mirror", ("https://x.org/m/mine/peaks.bed",))
    assert mirror_of(crate(tmp_path, local)) == {"LOCIFLOW_MIRROR": f"{tmp_path}/mirror"}
    assert mirror_of(crate(tmp_path, remote)) == {"LOCIFLOW_MIRROR": "https://x.org/m"}
    assert mirror_of(crate(tmp_path, gone)) == {}
    monkeypatch.setenv("LOCIFLOW_MIRROR", "/mine")
    assert mirror_of(crate(tmp_path, local)) == {}
