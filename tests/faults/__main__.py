"""The campaign of kills and corruptions: ``make test-faults``.

Jobs are killed at random moments and run again, files are damaged and read; the results must be those of an undisturbed
run, or a sentence must name the file and the remedy. Some of the faults hit runs of snakemake, the others single jobs,
in processes that have the libraries loaded.
"""

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from corruptions import FILES, corrupt, corrupt_run
from kills import STAGES, kill_job, kill_run
from verdicts import Verdict, summary, table
from world import make_world


def faults(
    kinds: list[str], one: Callable[[str, random.Random], Verdict | None], count: int, seed: str
) -> Iterator[Verdict]:
    """Yield the verdicts on so many faults, of each kind in turn; kinds that a short run lacks are left out by name."""
    found, numbers, kinds = 0, itertools.count(), list(kinds)
    while found < count and kinds:
        number = next(numbers)
        kind = kinds[number % len(kinds)]
        # A fault can be had again by itself: its draws depend on nothing before it.
        verdict = one(kind, random.Random(f"{seed} {number}"))
        if verdict is None:
            print(f"{kind}: nothing of it in this run", flush=True)
            kinds.remove(kind)
            continue
        found += 1
        print(f"{verdict.outcome}: {verdict.about}", flush=True)
        if verdict.outcome == "lost":
            print(verdict.told, flush=True)
        yield verdict


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--corruptions", type=int, default=100)
    parser.add_argument(
        "--runs", type=int, default=4, help="how many of the kills, and of the corruptions, hit snakemake"
    )
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder that is removed)")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        world, work = make_world(folder / "whole", whole=arguments.runs > 0), folder / "work"
        print(f"an undisturbed run: {len(world.jobs)} jobs, {len(world.expected)} results", flush=True)
        seed, runs = arguments.seed, arguments.runs
        kinds = {
            "kill": (list(STAGES), partial(kill_job, world, work), arguments.kills - runs),
            "corrupt": (list(FILES), partial(corrupt, world, work), arguments.corruptions - runs),
            "kill run": (["run"], lambda _, draws: kill_run(world, work, draws), runs),
            "corrupt run": (["run"], lambda _, draws: corrupt_run(world, work, draws), runs),
        }
        found: dict[str, list[Verdict]] = {name: [] for name in kinds}
        # By turns, so that a campaign that is broken off has seen something of each.
        streams = {name: faults(*kinds[name], f"{name} {seed}") for name in kinds}
        for names in (("kill", "corrupt"), ("kill run", "corrupt run")):
            for verdicts in itertools.zip_longest(*(streams[name] for name in names)):
                for name, verdict in zip(names, verdicts, strict=True):
                    found[name] += [verdict] if verdict else []
    kills = found["kill"] + found["kill run"]
    corruptions = found["corrupt"] + found["corrupt run"]
    for name, verdicts in (("kills", kills), ("corruptions", corruptions)):
        print(f"\n{table(verdicts)}\n{summary(name, verdicts)}")
    print(f"seed {arguments.seed}, {time.monotonic() - began:.0f} s")
    sys.exit(any(verdict.outcome == "lost" for verdict in (*kills, *corruptions)))


if __name__ == "__main__":
    main()
