"""A run on Slurm is the run of one machine, whatever happens to its jobs on the way."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from declared_resources import declared_resources
from on_slurm import SLURM, SUBMIT_COMMAND, finish, jobs, snakemake, start, wait_for
from result_digests import RESULTS, differences, result_digests
from tiny_run import HOME, write_tiny_run

pytestmark = pytest.mark.skipif(
    "LOCIFLOW_SLURM" not in os.environ, reason="make test-cluster starts the Slurm that these tests need"
)
CHECKPOINT = "results/tiny/holdout/deepbind_small+brief/seed1/model.ckpt"
PREDICTIONS = CHECKPOINT.replace("model.ckpt", "predictions.parquet")
STORE = "resources/sequences/tiny/store.json"
TINY = "--configfile=tiny.yaml"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run of one machine."""
    folder = tmp_path_factory.mktemp("local")
    write_tiny_run(folder)
    snakemake(folder, "--cores=2", TINY)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing but the run's configuration."""
    write_tiny_run(tmp_path)
    return tmp_path


def expected(local: Path, folder: Path) -> dict[str, str]:
    """Return the digests of what a folder should hold so far."""
    found = result_digests(folder)
    return {name: digest for name, digest in result_digests(local).items() if name in found}


def check_jobs(folder: Path, profile: str) -> None:
    """Every job has asked for what its rule declares and, where it uses a GPU, for one in the other partition."""
    declared = declared_resources()
    # The profile gives the loaders their threads.
    given = yaml.safe_load((HOME / "profiles" / profile / "config.yaml").read_text())["set-threads"]
    for job in jobs(folder):
        threads, mem_mb, runtime, uses_gpu = declared[job.rule]
        assert job.threads == given.get(job.rule, threads), job
        assert (job.mem_mb, job.minutes, job.gpus) == (mem_mb, runtime, int(uses_gpu)), job
        assert job.partition == ("gpu" if uses_gpu else "cpu"), job
        assert job.state == "COMPLETED", job


def check_submitted(folder: Path) -> None:
    """The submit command was given what the jobs have asked for."""
    submitted = {tuple(line.split()) for line in (folder / "submitted").read_text().splitlines()}
    assert submitted == {
        (job.rule, *map(str, (job.threads, job.mem_mb, job.minutes, job.gpus)), job.partition) for job in jobs(folder)
    }


def test_a_run_on_slurm_gives_the_digests_of_the_local_run(local: Path, folder: Path) -> None:
    # Where no step takes several GPUs, the profile may as well be given beside profiles/default.
    snakemake(folder, SLURM[0].replace("--workflow-profile", "--profile"), *SLURM[1:], TINY)
    kinds = {Path(name).name for name in result_digests(local)}
    assert set(RESULTS) <= kinds
    assert differences(result_digests(local), result_digests(folder)) == []
    check_jobs(folder, "slurm")
    ran = {job.rule for job in jobs(folder)}
    assert {"make_windows", "train", "predict", "evaluate", "attribute", "discover_motifs", "report"} <= ran
    assert not ran & {"fetch", "admit_dataset", "write_manifest"}
    assert "Nothing to be done" in snakemake(folder, *SLURM, TINY, "--dry-run")


def test_a_run_through_a_submit_command_gives_the_digests_of_the_local_run(local: Path, folder: Path) -> None:
    snakemake(folder, *SUBMIT_COMMAND, TINY)
    assert differences(result_digests(local), result_digests(folder)) == []
    check_jobs(folder, "cluster-generic")
    check_submitted(folder)


def test_a_job_that_fails_ends_the_run_with_its_sentence(local: Path, folder: Path) -> None:
    shutil.copytree(local, folder, dirs_exist_ok=True)
    checkpoint = folder / CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    (folder / PREDICTIONS).unlink()
    said = snakemake(folder, *SLURM, TINY, "--retries=0", PREDICTIONS, status=1)
    assert [(job.rule, job.state) for job in jobs(folder)] == [("predict", "FAILED")]
    assert "Error in rule predict" in said
    (log,) = (folder / "logs").rglob("predict.log")
    assert "model.ckpt: found 1000 bytes" in log.read_text()
    assert str(log.relative_to(folder)) in said
    assert not (folder / PREDICTIONS).exists()


def test_a_job_that_exceeds_its_memory_is_tried_again_with_more(local: Path, folder: Path) -> None:
    memory = "--set-resources=encode_sequences:mem_mb=60 * 40 ** (attempt - 1)"
    snakemake(folder, *SLURM, TINY, memory, STORE)
    tried = [(job.mem_mb, job.state == "COMPLETED") for job in jobs(folder) if job.rule == "encode_sequences"]
    assert tried == [(60, False), (2400, True)]
    assert (folder / STORE).read_text() == (local / STORE).read_text()


def test_with_too_little_memory_the_run_ends_with_the_name_of_the_step_and_what_helps(folder: Path) -> None:
    memory = "--set-resources=encode_sequences:mem_mb=60"
    said = snakemake(folder, *SLURM, TINY, memory, "--retries=0", STORE, status=1)
    assert "Error in rule encode_sequences" in said
    assert "--set-resources encode_sequences:mem_mb=120" in said


def test_a_cancelled_job_and_a_restarted_controller_change_nothing(local: Path, folder: Path) -> None:
    running = start(folder, *SLURM, TINY, CHECKPOINT)
    state = Path(os.environ["LOCIFLOW_SLURM"])
    wait_for(running, lambda: any(job.rule == "make_windows" for job in jobs(folder)))
    # A controller that is killed before it has saved a job forgets it, and snakemake would wait for it for ever.
    seen = time.time()
    wait_for(running, lambda: (state / "state/job_state").stat().st_mtime > seen)
    os.kill(int((state / "run/slurmctld.pid").read_text()), signal.SIGKILL)
    time.sleep(5)
    subprocess.Popen([state / "controller"])
    wait_for(running, lambda: any((job.rule, job.state) == ("train", "RUNNING") for job in jobs(folder)))
    (first,) = (job for job in jobs(folder) if job.rule == "train")
    subprocess.run(["scancel", first.number], check=True)
    finish(folder, running)
    trained = [job for job in jobs(folder) if job.rule == "train"]
    assert [job.state for job in trained] == ["CANCELLED", "COMPLETED"]
    assert [job.mem_mb for job in trained] == [6000, 12000]
    found = result_digests(folder)
    assert {"results/tiny/windows.parquet", "results/tiny/targets.npy", CHECKPOINT} <= found.keys()
    assert differences(expected(local, folder), found) == []


@pytest.mark.slow
def test_the_quickstart_through_each_profile_gives_the_digests_of_the_local_run(tmp_path: Path) -> None:
    here, slurm, generic = folders = [tmp_path / name for name in ("local", "slurm", "generic")]
    for folder in folders:
        folder.mkdir()
    snakemake(here, "--cores=2")
    snakemake(slurm, *SLURM)
    snakemake(generic, *SUBMIT_COMMAND)
    for folder, profile in ((slurm, "slurm"), (generic, "cluster-generic")):
        assert differences(result_digests(here), result_digests(folder)) == []
        check_jobs(folder, profile)
    check_submitted(generic)
