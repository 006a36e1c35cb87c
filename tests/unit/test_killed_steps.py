"""Which steps were ended for memory is read from Snakemake's log as it is written."""

from pathlib import Path

import pytest

from lociflow.killed_steps import advise, steps_without_memory

JOB = """[Sun Nov 29 23:35:41 2026]
rule encode_sequences:
    output: codes.npy
    resources: tmpdir=<TBD>, mem_mb={mem_mb}, mem=60 MB, runtime=60
"""
ON_SLURM = """[Sun Nov 29 23:35:41 2026]
Error in rule encode_sequences:
    message: SLURM-job '2' failed, SLURM status is: '{state}'. Detailed failure reason unavailable.
    jobid: 0
    log: encode.log, {log} (check log file(s) for error details)
    external_jobid: 2
Trying to restart job 0.
"""
LOCAL = """RuleException:
CalledProcessError in file "/work/Snakefile", line 7:
Command 'set -euo pipefail;  python encode_sequences.py' {end}
[Sun Nov 29 23:39:05 2026]
Error in rule encode_sequences:
    message: None
    jobid: 1
    log: encode.log (check log file(s) for error details)
"""


def test_slurm_says_so_where_it_keeps_accounts():
    text = JOB.format(mem_mb=60) + ON_SLURM.format(state="OUT_OF_MEMORY", log="2.log")
    assert steps_without_memory(text) == {"encode_sequences": 60}


@pytest.mark.parametrize(
    "line",
    [
        "slurmstepd-vm: error: Exceeded job memory limit",
        "slurmstepd: error: Detected 1 oom_kill event in StepId=2.0. Some of the step tasks have been OOM Killed.",
    ],
)
def test_otherwise_the_log_of_the_job_does(tmp_path: Path, line: str):
    log = tmp_path / "2.log"
    text = JOB.format(mem_mb=60) + ON_SLURM.format(state="FAILED", log=log)
    assert steps_without_memory(text) == {}
    log.write_text("x" * 100_000 + f"\n{line}\n")
    assert steps_without_memory(text) == {"encode_sequences": 60}


@pytest.mark.parametrize(
    ("end", "found"),
    [
        ("died with <Signals.SIGKILL: 9>.", {"encode_sequences": 4000}),
        ("returned non-zero exit status 137.", {"encode_sequences": 4000}),
        ("returned non-zero exit status 1.", {}),
        ("died with <Signals.SIGTERM: 15>.", {}),
    ],
)
def test_on_one_machine_a_kill_that_nobody_asked_for(end: str, found: dict[str, int]):
    assert steps_without_memory(JOB.format(mem_mb=4000) + LOCAL.format(end=end)) == found


def test_the_last_attempt_counts_and_the_sentence_asks_for_twice_as_much(tmp_path: Path):
    failed = ON_SLURM.format(state="OUT_OF_MEMORY", log="2.log")
    (tmp_path / "log").write_text(JOB.format(mem_mb=60) + failed + JOB.format(mem_mb=120) + failed)
    (told,) = advise([str(tmp_path / "log")])
    assert told == (
        "encode_sequences: was ended, most likely because it took more memory than mem_mb=120 or than the machine had "
        "left; give it more under set-resources of the profile, or with --set-resources encode_sequences:mem_mb=240 "
        "where the profile has no such key, or start fewer steps together"
    )
