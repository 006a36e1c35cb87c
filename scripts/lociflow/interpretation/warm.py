"""Fill the compilation caches of the libraries behind the interpretation steps."""

import multiprocessing
import time

import numpy as np
import torch

from lociflow.command import status
from lociflow.interpretation.motifs.discover import MotifConfig, find_patterns
from lociflow.interpretation.motifs.hits import HitConfig, find_hits
from lociflow.interpretation.motifs.match import compare
from lociflow.interpretation.references import dinucleotide_shuffled
from lociflow.sequence.one_hot import one_hot
from lociflow.sequence.shuffle import dinucleotide_shuffle


def warm_caches() -> None:
    """Run toy data through TOMTOM, TF-MoDISco and the dinucleotide shuffle.

    numba keeps what it compiles beside the libraries' modules, or where ``NUMBA_CACHE_DIR`` says, for this processor.
    Cold this takes about a minute, warm a quarter of that. The three run in processes of their own, as the steps do.
    """
    start = time.monotonic()
    status("compiling the numerical kernels of TOMTOM and TF-MoDISco (about a minute, once)")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=task) for task in (warm_tomtom, warm_modisco, warm_shuffle)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    failed = [process for process in processes if process.exitcode]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(processes)} warm-up processes failed")
    status(f"kernels ready in {time.monotonic() - start:.0f} s")


def warm_tomtom() -> None:
    """Compare random motifs, and scan for one."""
    draws = np.random.default_rng(1)
    motifs = [draws.dirichlet(np.full(4, 0.3), 8).T for _ in range(40)]
    compare(motifs[:8], motifs)
    find_hits(draws.integers(0, 4, (4, 40)).astype(np.uint8), motifs[0], HitConfig().p)


def warm_modisco() -> None:
    """Find two planted words, one of each sign, in made-up contributions."""
    codes, hypothetical = planted_contributions(windows=120, length=200)
    find_patterns(codes, hypothetical, MotifConfig())


def warm_shuffle() -> None:
    """Shuffle a window."""
    codes = np.random.default_rng(1).integers(0, 4, (2, 50)).astype(np.uint8)
    dinucleotide_shuffle(codes, np.arange(2))
    dinucleotide_shuffled(torch.from_numpy(one_hot(codes)), np.arange(2), seed=1, shuffles=2)


def planted_contributions(
    windows: int, length: int, words: dict[str, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Make windows that hold each of some words once, a tenth of its bases changed, and contributions that know it.

    Parameters
    ----------
    windows, length
        How many, and their length in bases.
    words
        Contribution of each base of each word; by default one positive and one negative word.

    Returns
    -------
    codes : numpy.ndarray
        ``uint8``, shape ``(windows, length)``.
    hypothetical : numpy.ndarray
        ``float32``, shape ``(windows, 4, length)``: in a word its own base has the contribution, half to one and a half
        times, the others minus a third of it; elsewhere noise.
    """
    words = words or {"TTACCCGT": 1.0, "GATAAGCA": -1.0}
    draws = np.random.default_rng(1)
    codes = draws.integers(0, 4, (windows, length)).astype(np.uint8)
    hypothetical = draws.normal(0, 0.02, (windows, 4, length)).astype(np.float32)
    share = length // len(words)
    for window in range(windows):
        for place, (letters, contribution) in enumerate(words.items()):
            bases = np.array(["ACGT".index(letter) for letter in letters])
            start = place * share + int(draws.integers(0, share - len(bases) + 1))
            here = np.arange(start, start + len(bases))
            # Sites differ, as in a genome: clustering has nothing to go by among equals.
            strength = contribution * draws.uniform(0.5, 1.5, len(bases))
            changed = draws.random(len(bases)) < 0.1
            codes[window, here] = np.where(changed, draws.integers(0, 4, len(bases)), bases)
            hypothetical[window][:, here] -= strength / 3
            hypothetical[window, bases, here] += strength * 4 / 3
    return codes, hypothetical
