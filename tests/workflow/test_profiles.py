"""Profiles for clusters: they can be read, name every step that uses a GPU, and hand on what the rules ask for."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from declared_resources import declared_resources
from stand_ins import HOME, Copy

CLUSTERS = ("slurm", "cluster-generic", "examples/kubernetes", "examples/aws-batch")
# A scheduler that keeps a line of each job and has done it at once: its outputs are there, empty.
SCHEDULER = """#!/bin/sh
echo "$1" >> submitted
for path in $2; do
    case ${path##*/} in
        *.* | Snakefile) mkdir -p "$(dirname "$path")"; echo '{}' > "$path" ;;
        *) mkdir -p "$path" ;;
    esac
done
echo 1
"""
ASKED = "{rule} {threads} {resources.mem_mb} {resources.runtime} {resources.gpu} {resources.queue}"


def profile(name: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load((HOME / "profiles" / name / "config.yaml").read_text())
    return found


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def rules_with_gpu() -> set[str]:
    return {name for name, declared in declared_resources().items() if declared.uses_gpu}


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_step_that_uses_a_gpu_is_given_one(name):
    given = profile(name)["set-resources"]
    assert sorted(given) == sorted(rules_with_gpu())
    assert all(step["gpu"] == 1 for step in given.values())


def test_steps_with_and_without_a_gpu_go_to_different_partitions():
    slurm = profile("slurm")
    partitions = {step["slurm_partition"] for step in slurm["set-resources"].values()}
    assert partitions == {"gpu"}
    assert slurm["default-resources"]["slurm_partition"] == "cpu"


@pytest.mark.parametrize("name", CLUSTERS[2:])
def test_what_was_not_run_says_so_first(name):
    assert (HOME / "profiles" / name / "config.yaml").read_text().startswith("# NOT RUN")


def test_what_each_rule_asks_for_reaches_the_scheduler(copy: Copy):
    (copy.folder / "run.yaml").write_text(yaml.safe_dump({"run": "small", "models": ["deepbind_small"]}))
    for path in (copy.folder / "workflow/rules").glob("*.smk"):
        # Snakemake itself writes these where a job runs, and none does.
        path.write_text(re.sub(r"^    benchmark:\n        .*\n", "", path.read_text(), flags=re.MULTILINE))
    write_program(copy.folder / "scheduler", SCHEDULER)
    settings = ["--profile", "profiles/cluster-generic", "--configfile", "run.yaml", "--set-threads", "train=3"]
    submit = ["--cluster-generic-submit-cmd", f"./scheduler '{ASKED}' '{{output}}'"]
    status = ["--cluster-generic-status-cmd", "echo success #", "--seconds-between-status-checks", "1"]
    ran = subprocess.run(
        ["snakemake", *settings, *submit, *status, "--latency-wait", "0", "--retries", "0"],
        cwd=copy.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    submitted = [line.split() for line in (copy.folder / "submitted").read_text().splitlines()]
    asked = {line[0]: line[1:] for line in submitted}
    declared = declared_resources()
    expected = {
        rule: [threads, mem_mb, runtime, int(uses_gpu), "gpu" if uses_gpu else "cpu"]
        for rule, (threads, mem_mb, runtime, uses_gpu) in declared.items()
    }
    # The profile gives the loaders their threads.
    expected["train"][0] = 3
    assert len(asked) > 25
    assert asked == {rule: [str(part) for part in expected[rule]] for rule in asked}
    assert asked["train"] == ["3", "6000", "720", "1", "gpu"]
    assert asked["fit_baseline"] == ["1", "8000", "240", "0", "cpu"]
    # Only what takes seconds or needs the network stays here.
    done = re.findall(r"^(?:local)?rule (\w+):", ran.stderr, flags=re.MULTILINE)
    assert set(done) - set(asked) == {"all", "admit_dataset", "write_manifest"}


QUEUE = "job-ID  prior   name  user state submit/start at     queue slots\n" + "-" * 60 + "\n7 0.5 train me {} 01/01/2026 10:00:00"


@pytest.mark.parametrize(
    ("scheduler", "answers", "status"),
    [
        ("pbs", {"qstat": ("    job_state = R", 0)}, "running"),
        ("pbs", {"qstat": ("    job_state = F\n    Exit_status = 0", 0)}, "success"),
        ("pbs", {"qstat": ("    job_state = F\n    Exit_status = 271", 0)}, "failed"),
        ("pbs", {"qstat": ("qstat: Unknown Job Id 7.server", 153)}, "failed"),
        ("pbs", {"qstat": ("qstat: Unknown Job Id Error 7.server", 153)}, "failed"),
        ("pbs", {"qstat": ("Connection refused\nqstat: cannot connect to server pbs (errno=111)", 111)}, "running"),
        ("pbs", {}, "running"),
        ("lsf", {"bjobs": ("PEND", 0)}, "running"),
        ("lsf", {"bjobs": ("DONE ", 0)}, "success"),
        ("lsf", {"bjobs": ("EXIT ", 0)}, "failed"),
        ("lsf", {"bjobs": ("Job <7> is not found", 255)}, "failed"),
        ("lsf", {"bjobs": ("LSF is down. Please wait ...", 255)}, "running"),
        ("lsf", {}, "running"),
        ("sge", {"qstat": (QUEUE.format("r"), 0)}, "running"),
        ("sge", {"qstat": (QUEUE.format("hqw"), 0)}, "running"),
        ("sge", {"qstat": (QUEUE.format("Eqw"), 0)}, "failed"),
        ("sge", {"qstat": ("error: commlib error: got select error (Connection refused)", 1)}, "running"),
        ("sge", {"qstat": ("", 0), "qacct": ("failed       0\nexit_status  0", 0)}, "success"),
        ("sge", {"qstat": (QUEUE.replace("\n7", "\n77").format("r"), 0), "qacct": ("failed 0\nexit_status 1", 0)}, "failed"),
        ("sge", {"qstat": ("", 0), "qacct": ("failed       100 : assumedly after job\nexit_status  137", 0)}, "failed"),
        ("sge", {"qstat": ("", 0), "qacct": ("error: job id 7 not found", 1)}, "failed"),
        ("sge", {"qstat": ("", 0), "qacct": ("error: /sge/accounting: Stale file handle", 1)}, "running"),
        ("sge", {}, "running"),
    ],
)
def test_where_a_job_stands_as_each_scheduler_says_it(tmp_path: Path, scheduler, answers, status):
    for name, (says, code) in answers.items():
        program = f"#!/bin/sh\ncat {'>&2 ' if code else ''}<<'END'\n{says}\nEND\nexit {code}\n"
        write_program(tmp_path / name, program)
    script = HOME / "profiles" / "cluster-generic" / f"status_{scheduler}.sh"
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SGE_ACCOUNT_TRIES": "2", "SGE_ACCOUNT_SECONDS": "0"}
    ran = subprocess.run([script, "7"], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == f"{status}\n"
    # Why it is not known, a user reads where snakemake runs.
    unanswered = [says for says, code in answers.values() if code and status == "running"]
    assert all(says in ran.stderr for says in unanswered)
