"""Time and memory of the search for similar sequences: yeast's tiles, mutated copies of them and random sequences.

Prints one JSON row. Of ``--windows`` sequences of 200 bases a tenth are tiles of the genome (random ones where
LOCIFLOW_REAL_DATA is not set), a tenth copies of these with 10 % of errors, a fifth of them gaps, every second one on
the other strand; the rest is random. Run it with ``python tests/perf/homology.py``.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2] / "scripts"), str(HERE.parents[1] / "unit")]

from split_cases import mutated  # noqa: E402

from lociflow.sequence.genome_store import write_store  # noqa: E402
from lociflow.sequence.homology import best_match, similar_groups  # noqa: E402
from lociflow.sequence.search import Search  # noqa: E402
from lociflow.sequence.store import gather, open_store  # noqa: E402

LENGTH = 200
RATE, INDELS = 0.1, 0.2


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--windows", type=int, default=1_000_000)
    arguments.add_argument("--task", choices=["groups", "best"], default="groups")
    arguments.add_argument("--threads", type=int, default=None)
    options = arguments.parse_args()
    sequences, tiles = _sequences(options.windows)
    n = len(sequences)
    search = Search(threads=options.threads)
    before = _peak()
    # What numba compiles for the first time on a machine is not what is measured.
    similar_groups(lambda rows: sequences[rows], 100, LENGTH, search=search)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    counts: dict[str, int]
    if options.task == "groups":
        groups = similar_groups(lambda rows: sequences[rows], n, LENGTH, search=search)
        found = groups.label[:tiles] == groups.label[tiles : 2 * tiles]
        counts = groups.counts
    else:
        # A fifth of the data is looked up in the rest, as the test split is in training.
        queries = np.arange(tiles, 3 * tiles)
        references = np.setdiff1d(np.arange(n), queries)
        best = best_match(lambda rows: sequences[rows], LENGTH, queries, references, search=search)
        found = best.reference[:tiles] >= 0
        counts = best.counts
    row = {
        "what": f"homology {options.task}",
        "windows": n,
        "bases": LENGTH,
        "seconds": round(time.perf_counter() - begun, 1),
        "cpu_seconds": round(time.process_time() - begun_cpu, 1),
        "peak_mb": _peak(),
        "peak_mb_before": before,
        "copies": int(tiles),
        "copies_found": int(found.sum()),
        "recall": round(float(found.mean()), 5),
        **counts,
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE.parent, check=False
        ).stdout.strip(),
        "processor": platform.processor() or platform.machine(),
        "threads": options.threads or len(os.sched_getaffinity(0)),
    }
    print(json.dumps(row))


def _sequences(n: int) -> tuple[np.ndarray, int]:
    generator = np.random.Generator(np.random.Philox(key=7))
    sequences = generator.integers(0, 4, (n, LENGTH), dtype=np.uint8)
    tiles = n // 10
    data = os.environ.get("LOCIFLOW_REAL_DATA")
    if data:
        fasta = sorted((Path(data) / "yeast_sacCer3_chain/genome").glob("*.fa"))
        with tempfile.TemporaryDirectory() as folder:
            paths = Path(folder) / "codes.npy", Path(folder) / "store.json"
            write_store(fasta, *paths, name="sacCer3")
            store = open_store(paths[1])
            contig = np.repeat(np.arange(len(store.names)), store.lengths // LENGTH)
            start = np.concatenate([np.arange(length // LENGTH) * LENGTH for length in store.lengths])
            tiles = min(tiles, len(contig))
            sequences[:tiles] = gather(store, contig[:tiles], start[:tiles], LENGTH)
    for row in range(tiles):
        sequences[tiles + row] = mutated(sequences[row], generator, RATE, INDELS, reverse=bool(row % 2))
    return sequences, tiles


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
