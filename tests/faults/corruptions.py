"""Damage files and run what reads them: the same results, or a sentence, and nothing else."""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from damages import DAMAGES, another, delete, flip, half_folder, stamped, truncate, version, zeros
from folder import snakemake
from jobs import kill_at, run_job
from kills import remove_outputs
from verdicts import Verdict
from world import World, judge, restore

# Files that are damaged, by what they are.
FILES = {
    "input": ("data/genome.fa", "data/peaks.bed"),
    "source": ("resources/sources/**/genome.fa", "resources/sources/**/peaks.bed"),
    "store": ("resources/sequences/tiny/*",),
    "windows": ("results/tiny/windows.parquet", "results/tiny/targets.npy", "results/tiny/targets.tsv"),
    "checkpoint": ("results/**/model.ckpt",),
    "state": ("results/**/resume/*.ckpt",),
    "predictions": ("results/**/predictions.parquet",),
    "metrics": ("results/**/metrics.json", "results/**/draws.npz", "results/**/curves.npz"),
    "attributions": ("results/**/attributions.npz",),
    "motifs": ("results/**/modisco.*", "results/**/filters.*", "results/**/seqlets.bed"),
}
# What these formats find out by themselves, in a folder that was copied without its checksums.
UNAIDED: dict[str, tuple[Callable[[Path, random.Random], None], ...]] = {
    "codes.npy": (flip, truncate, zeros, another),
    "model.ckpt": (flip, truncate, zeros, version),
    "attributions.npz": (flip, truncate, zeros, version),
    "predictions.parquet": (flip, truncate, zeros, version),
    "windows.parquet": (flip, truncate, zeros, version),
    "metrics.json": (truncate, version),
    "store.json": (flip, truncate, zeros, version),
}


def corrupt(world: World, work: Path, kind: str, draws: random.Random) -> Verdict | None:
    """Damage a file of one kind and run one of the jobs that read it; None where there is none."""
    restore(world, work)
    if kind == "state":
        return _corrupt_state(world, work, draws)
    files = sorted(path for pattern in FILES[kind] for path in work.glob(pattern) if path.is_file())
    draws.shuffle(files)
    for path in files:
        name = str(path.relative_to(work))
        readers = [job for job in world.jobs if name in job.inputs]
        if readers:
            break
    else:
        return None
    damage = draws.choice([damage for damage in DAMAGES if damage is not version or stamped(path)])
    aided = path.name not in UNAIDED or draws.random() < 0.5
    if not aided:
        damage = draws.choice(UNAIDED[path.name])
        shutil.rmtree(work / ".lociflow")
    reader = draws.choice(readers)
    about = f"{name}: {damage.__name__}, read by {reader.rule}" + ("" if aided else ", without checksums")
    before = {other: other.stat().st_size for other in path.parent.iterdir() if other.is_file()}
    damage(path, draws)
    missing = [other.name for other in before if not other.exists()]
    remove_outputs(reader, work)
    ended = run_job(reader, work)
    if ended.status:
        places = [path, *(path.parent / other for other in missing)]
        return _refusal(kind, about, ended.said, [str(place.relative_to(work)) for place in places])
    # What is damaged is the file; what was made of it must be what it was.
    for other in (path, *(path.parent / found for found in missing)):
        shutil.copy2(world.folder / other.relative_to(work), other)
    told = judge(world, work, [reader])
    return Verdict(kind, about, "lost" if told else "survived", "; ".join(told))


def _corrupt_state(world: World, work: Path, draws: random.Random) -> Verdict | None:
    (job,) = (job for job in world.jobs if job.rule == "train")
    remove_outputs(job, work)
    state = kill_at(job, work, FILES["state"][0])
    if state is None:
        return None
    damage = draws.choice([damage for damage in DAMAGES if damage not in (another, version, delete, half_folder)])
    if not (aided := draws.random() < 0.5):
        shutil.rmtree(work / ".lociflow")
    about = f"{state.relative_to(work)}: {damage.__name__}" + ("" if aided else ", without checksums")
    damage(state, draws)
    ended = run_job(job, work)
    if ended.status:
        return Verdict("state", about, "lost", ended.said[-2000:])
    told = judge(world, work, [job])
    return Verdict("state", about, "lost" if told else "survived", "; ".join(told))


def _refusal(kind: str, about: str, said: str, names: list[str]) -> Verdict:
    sentences = re.findall(r"error: (.*)", said)
    clear = "Traceback" not in said and "fault of lociflow" not in said and len(sentences) == 1
    named = any(name in sentence for sentence in sentences for name in names)
    return Verdict(kind, about, "refused" if clear and named else "lost", said[-2000:])


def corrupt_run(world: World, work: Path, draws: random.Random) -> Verdict | None:
    """Damage a file, run snakemake, and do what its sentence says until the run is whole again."""
    restore(world, work)
    kind = draws.choice([kind for kind in FILES if kind not in ("input", "state")])
    files = sorted(path for pattern in FILES[kind] for path in work.glob(pattern) if path.is_file())
    read = [path for path in files if any(str(path.relative_to(work)) in job.inputs for job in world.jobs)]
    if not read:
        return None
    path, damage = draws.choice(read), draws.choice([flip, truncate, delete, half_folder])
    about = f"{path.relative_to(work)}: {damage.__name__}, then snakemake"
    damage(path, draws)
    gone = [other for other in world.folder.joinpath(path.parent.relative_to(work)).iterdir() if other.is_file()]
    outcome, said = "survived", ""
    ran = snakemake(work)
    if ran.returncode:
        outcome, said = "refused", ran.stdout + ran.stderr
        verdict = _refusal("run", about, said, [str(other.relative_to(world.folder)) for other in gone])
        if verdict.outcome == "lost":
            return verdict
        path.unlink(missing_ok=True)
        ran = snakemake(work)
    # What nothing needs any more, as all that follows is made, snakemake makes only when it is asked for it by name.
    names = [
        str(other.relative_to(world.folder)) for other in gone if not (work / other.relative_to(world.folder)).exists()
    ]
    wanted = [name for name in names if any(name in job.outputs for job in world.jobs)]
    if not ran.returncode and wanted:
        ran = snakemake(work, *wanted)
    if ran.returncode:
        return Verdict("run", about, "lost", (ran.stdout + ran.stderr)[-2000:])
    told = judge(world, work, world.jobs)
    return Verdict("run", about, "lost" if told else outcome, "; ".join(told) or said[-2000:])
