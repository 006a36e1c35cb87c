"""Kill jobs and whole runs at random moments, run them again, and compare."""

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

from folder import environment, snakemake, snakemake_command
from jobs import Job, run_and_kill, run_job
from verdicts import Verdict
from world import World, judge, restore

# Rules by the stage of which a kill is counted.
STAGES = {
    "fetch": ("fetch",),
    "encode": ("encode_sequences",),
    "windows": ("make_windows", "describe_bins"),
    "training": ("train",),
    "prediction": ("predict", "fit_baseline", "evaluate"),
    "attribution": ("attribute", "check_explanations", "extract_filters", "score_prefixes"),
    "motifs": ("discover_motifs", "match_motifs", "locate_motifs"),
    "report": ("compare", "compare_models", "report"),
}
TRIES = 20


def kill_job(world: World, work: Path, stage: str, draws: random.Random) -> Verdict | None:
    """Kill a job of a stage once, twice or three times and then let it end; None where the stage has no job."""
    jobs = [job for job in world.jobs if job.rule in STAGES[stage]]
    if not jobs:
        return None
    job = draws.choice(jobs)
    restore(world, work)
    # Snakemake removes the outputs of a job that it runs again; by hand they stay.
    removed = draws.random() < 0.5
    if removed:
        remove_outputs(job, work)
    moments = []
    for _ in range(draws.choice((1, 1, 2, 3))):
        if (moment := _kill(job, world, work, draws)) is None:
            break
        moments.append(f"{moment:.2f}")
    if not moments:
        return None
    about = f"{job.rule} killed after {', '.join(moments)} s" + (", outputs removed" if removed else "")
    ended = run_job(job, work)
    if ended.status:
        return Verdict(stage, about, "lost", f"the rerun ended with {ended.status}: {ended.said[-2000:]}")
    told = judge(world, work, [job])
    return Verdict(stage, about, "lost" if told else "survived", "; ".join(told))


def _kill(job: Job, world: World, work: Path, draws: random.Random) -> float | None:
    for _ in range(TRIES):
        moment = draws.uniform(0, world.seconds[job.outputs])
        ended = run_and_kill(job, work, moment)
        if ended is None:
            return moment
        # The machine is less busy than it was: the moments must lie closer together.
        world.seconds[job.outputs] = min(world.seconds[job.outputs], ended.seconds)
        remove_outputs(job, work)
    return None


def remove_outputs(job: Job, work: Path) -> None:
    """Remove the outputs of a job, as Snakemake does before it runs it."""
    for name in job.outputs:
        path = work / name
        if path.is_dir():
            subprocess.run(["rm", "-r", path], check=True)
        path.unlink(missing_ok=True)


def kill_run(world: World, work: Path, draws: random.Random) -> Verdict:
    """Kill snakemake and all that it has started, and run it again as the user would."""
    restore(world, work)
    first = draws.randrange(len(world.jobs))
    for job in world.jobs[first:]:
        remove_outputs(job, work)
    began = time.monotonic()
    process = subprocess.Popen(
        snakemake_command(),
        cwd=work,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Planning takes longer than most steps: the clock of the moment begins when the folder is locked.
    while process.poll() is None and not any((work / ".snakemake/locks").glob("*.lock")):
        time.sleep(0.01)
    moment = draws.uniform(0, 1 + sum(world.seconds[job.outputs] for job in world.jobs[first:]))
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    about = f"snakemake from {world.jobs[first].rule} on, killed after {time.monotonic() - began:.1f} s"
    ran = snakemake(work)
    if "cannot be locked" in ran.stdout + ran.stderr:
        if "--unlock" not in ran.stdout + ran.stderr:
            return Verdict("run", about, "lost", "the lock does not say how it is taken away")
        snakemake(work, "--unlock")
        ran = snakemake(work)
    if ran.returncode:
        return Verdict("run", about, "lost", re.sub(r"\s+", " ", (ran.stdout + ran.stderr)[-2000:]))
    told = judge(world, work, world.jobs)
    return Verdict("run", about, "lost" if told else "survived", "; ".join(told))
