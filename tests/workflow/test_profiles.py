"""Profiles for clusters: they can be read, name every step that uses a GPU, and hand on what the rules ask for."""

import os
import re
import shutil
import subprocess
import sys
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
    settings = ["--workflow-profile", "cluster-generic", "--configfile", "run.yaml", "--set-threads", "train=3"]
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


# A scheduler that keeps the arguments of each job and has done it at once: what the job's script names is there, empty.
SUBMIT = """#!/bin/sh
printf '%s\\n' "${{0##*/}} $*" >> submitted
for script; do :; done
[ -f "$script" ] || exit 1
sed -n 's/^# properties = //p' "$script" | {python} -c '
import json, pathlib, sys
for path in map(pathlib.Path, json.load(sys.stdin)["output"]):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[]")
'
echo "{says}"
"""


CHECKPOINT = "results/simulated/holdout/deepbind_small/seed1/model.ckpt"


def cluster_profile(scheduler: str) -> str:
    """Return cluster-generic's profile with the lines of one scheduler in force and those of the others not."""
    text = (HOME / "profiles/cluster-generic/config.yaml").read_text()
    before, *blocks, after = re.split(r"^(?=# (?:PBS|SGE|LSF)\b)|(?<=\n)\n(?=# Of use)", text, flags=re.MULTILINE)
    (block,) = (block for block in blocks if block.startswith(f"# {scheduler}"))
    about, *lines = block.splitlines()
    return "\n".join([before, about, *(line.removeprefix("# ") for line in lines), "", after])


@pytest.mark.parametrize(
    ("scheduler", "program", "says", "answers", "submitted"),
    [
        (
            "PBS",
            "qsub",
            "7.server",
            {"qstat": "    job_state = F\n    Exit_status = 0"},
            "qsub -V -N {rule} -q {queue} -j oe -o logs/ -l walltime={seconds} "
            "-l select=1:ncpus={threads}:ngpus={gpu}:mem={mem}mb",
        ),
        (
            "SGE",
            "qsub",
            "7",
            {"qstat": "", "qacct": "failed 0\nexit_status 0"},
            "qsub -terse -V -cwd -N {rule} -q {queue} -j y -o logs/ -pe smp {threads} -l gpu={gpu} -l h_rt={seconds} "
            "-l h_vmem={mem_per_thread}M",
        ),
        (
            "LSF",
            "bsub",
            "Job <7> is submitted to queue <cpu>.",
            {"bjobs": "DONE"},
            "bsub -J {rule} -q {queue} -o logs/lsf.%J.log -n {threads} -R span[hosts=1] -W {minutes} -M {mem} "
            "-R rusage[mem={mem}]{gpus_of_lsf} sh",
        ),
    ],
)
def test_each_scheduler_is_asked_for_what_the_rules_ask(copy: Copy, scheduler, program, says, answers, submitted):
    for path in (copy.folder / "workflow/rules").glob("*.smk"):
        # Snakemake itself writes these where a job runs, and none does.
        path.write_text(re.sub(r"^    benchmark:\n        .*\n", "", path.read_text(), flags=re.MULTILINE))
    (copy.folder / "profiles/cluster-generic/config.yaml").write_text(cluster_profile(scheduler))
    (copy.folder / "bin").mkdir()
    write_program(copy.folder / "bin" / program, SUBMIT.format(python=sys.executable, says=says))
    for name, answer in answers.items():
        write_program(copy.folder / "bin" / name, f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
    ran = subprocess.run(
        ["snakemake", "--workflow-profile", "cluster-generic", "--seconds-between-status-checks=1", "--latency-wait=0",
         "--retries=0", "--config", "models=deepbind_small", "--", CHECKPOINT],
        cwd=copy.folder, env={**os.environ, "PATH": f"{copy.folder / 'bin'}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    number = says.strip("Job <").partition(">")[0]
    assert f"with external jobid '{number}'" in ran.stderr
    found = [line.rpartition(" ")[0] for line in (copy.folder / "submitted").read_text().splitlines()]
    expected = []
    for rule, (threads, mem_mb, runtime, uses_gpu) in declared_resources().items():
        threads = 4 if rule == "train" else threads
        asked = {
            "rule": rule, "queue": "gpu" if uses_gpu else "cpu", "threads": threads, "minutes": runtime,
            "seconds": runtime * 60, "mem": mem_mb, "mem_per_thread": mem_mb // threads + 1, "gpu": int(uses_gpu),
            "gpus_of_lsf": " -gpu num=1" if uses_gpu else "",
        }  # fmt: skip
        expected.append(submitted.format(**asked))
    assert set(found) <= set(expected)
    assert {line for line in expected if " train " in line} <= set(found)
    assert len(found) > 3


def with_four_gpus(profile: str) -> str:
    """Return a profile as its own comments say to write it for training on four GPUs."""
    text, changed = re.subn(r"^    # (gpu: 4|mem_mb: 4 \* .*|runtime: min.*)$", r"    \1", profile, flags=re.MULTILINE)
    assert changed == 3
    text, changed = re.subn(
        r"^  train: 4 # with four GPUs 13", "  train: 13 # with four GPUs 13", text, flags=re.MULTILINE
    )
    assert changed == 1
    return text


def asked_of_train(said: str) -> dict[str, str]:
    """Return threads and resources that a dry run announces for the first training."""
    (about,) = re.findall(r"^rule train:\n(.*?)\n\n", said, flags=re.MULTILINE | re.DOTALL)[:1]
    threads = re.search(r"^    threads: (\d+)", about, flags=re.MULTILINE)
    found = dict(re.findall(r"(\w+)=([^,\n]+)", about.partition("resources: ")[2]))
    return {"threads": threads[1] if threads else "1", **{key: found[key] for key in ("gpu", "mem_mb", "runtime")}}


@pytest.mark.parametrize("name", CLUSTERS[:2])
def test_four_gpus_reach_the_training_and_a_limit_that_would_cut_them_is_told(copy: Copy, name: str):
    mine = copy.folder / "my_cluster"
    shutil.copytree(copy.folder / "profiles" / name, mine)
    (mine / "config.yaml").write_text(with_four_gpus((mine / "config.yaml").read_text()))
    # A dry run takes the cores of one machine for a limit, and one core where none are named.
    dry = ["--dry-run", "--cores=16", "--printshellcmds", "--config", "models=deepbind_small"]
    ran, cut = (
        subprocess.run(
            ["snakemake", flag, "my_cluster", *dry], cwd=copy.folder, capture_output=True, text=True, check=False
        )
        for flag in ("--workflow-profile", "--profile")
    )
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout + ran.stderr
    assert asked_of_train(said) == {"threads": "13", "gpu": "4", "mem_mb": "24000", "runtime": "720"}
    assert "--workers $(((13 - 1) / (4 > 1 ? 4 : 1)))" in said
    assert cut.returncode == 1
    assert "error: set-resources, train: found gpu: 4, expected at most 1" in cut.stderr
    assert "--workflow-profile" in cut.stderr


QUEUE = (
    "job-ID  prior   name  user state submit/start at     queue slots\n"
    + "-" * 60
    + "\n7 0.5 train me {} 01/01/2026 10:00:00"
)


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
        (
            "sge",
            {"qstat": (QUEUE.replace("\n7", "\n77").format("r"), 0), "qacct": ("failed 0\nexit_status 1", 0)},
            "failed",
        ),
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
