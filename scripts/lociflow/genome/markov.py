"""Markov chains of nucleotides with a chosen GC content that read the same on both strands.

The chain of order k is that of a one-dimensional Gibbs measure: a sequence has the probability that is proportional to
the product of the weights of its words of k + 1 bases. The weight of a word is the product of the factors of the short
words that it ends with (``{"CG": 0.3}`` makes CpG rare) and of a term for the GC content. Because a word and its
reverse complement are given the same factor, so are a sequence and its reverse complement, which freely chosen
transition probabilities would not give. The transition probabilities follow from the weights by Doob's h-transform of
the transfer matrix (Baxter 1982, Exactly Solved Models in Statistical Mechanics, chapter 2).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from lociflow.command import UserError
from lociflow.sequence.alphabet import LETTERS, decode, encode, reverse_complement

BASES = 4


class Chain(NamedTuple):
    """A stationary Markov chain over A, C, G, T."""

    order: int
    transition: np.ndarray
    """``float64``, shape (4 ** order, 4): the next base, given the ``order`` bases before it read as a number of base
    4, oldest first."""
    stationary: np.ndarray
    """``float64``, shape (4 ** order,): probability of each context."""


def word_factors(words: Mapping[str, float], order: int) -> dict[str, float]:
    """Give every word's factor to its reverse complement too.

    Raises
    ------
    UserError
        A word is not of A, C, G, T, is longer than ``order + 1``, has a factor that is not above 0, or is named
        together with its reverse complement at another factor.
    """
    factors: dict[str, float] = {}
    for word, factor in sorted(words.items()):
        if not word or set(word) - set(LETTERS[:BASES]) or len(word) > order + 1:
            raise UserError(
                f"simulation.background.words: found {word!r}, expected 1 to {order + 1} of ACGT at order {order}"
            )
        if not factor > 0:
            raise UserError(f"simulation.background.words.{word}: found {factor}, expected a number above 0")
        for same in (word, decode(reverse_complement(encode(word)))):
            if factors.setdefault(same, float(factor)) != float(factor):
                raise UserError(
                    f"simulation.background.words: {word} and its reverse complement have different factors; "
                    "name one of the two"
                )
    return factors


def markov_chain(order: int, gc: float, words: Mapping[str, float]) -> Chain:
    """Make the strand-symmetric chain whose GC content is ``gc``.

    Parameters
    ----------
    order
        Bases of context, 0 to 5.
    gc
        Fraction of G and C in the stationary distribution, in (0, 1).
    words
        Factor of each occurrence of a word of at most ``order + 1`` bases, and of its reverse complement; 1 changes
        nothing.

    Raises
    ------
    UserError
        An argument is out of range.
    """
    if not 0 <= order <= 5 or not 0 < gc < 1:
        raise UserError(
            f"simulation.background: found order {order} and GC {gc}, expected order 0 to 5, GC between 0 and 1"
        )
    factors = word_factors(words, order)
    weights = np.ones((BASES**order, BASES))
    for index, word in enumerate(np.ndindex(*[BASES] * (order + 1))):
        text = "".join(LETTERS[base] for base in word)
        for short, factor in factors.items():
            if text.endswith(short):
                weights[index // BASES, index % BASES] *= factor
    tilt = brentq(lambda tilt: _gc_content(_chain(order, weights, tilt)) - gc, -20, 20, xtol=1e-12)
    return _chain(order, weights, float(tilt))


def next_context(order: int) -> np.ndarray:
    """Return the context after each base, ``int64`` of shape (4 ** order, 4)."""
    contexts = np.arange(BASES**order)[:, None]
    return (contexts * BASES + np.arange(BASES)) % BASES**order


def _chain(order: int, weights: np.ndarray, tilt: float) -> Chain:
    tilted = weights * np.exp(tilt * np.array([0, 1, 1, 0]))
    states = BASES**order
    following = next_context(order)
    transfer = np.zeros((states, states))
    np.add.at(transfer, (np.arange(states)[:, None], following), tilted)
    right, value = _perron(transfer)
    left, _ = _perron(transfer.T)
    transition = tilted * right[following] / (value * right[:, None])
    stationary = left * right
    return Chain(order, transition / transition.sum(1, keepdims=True), stationary / stationary.sum())


def _perron(matrix: np.ndarray) -> tuple[np.ndarray, float]:
    values, vectors = np.linalg.eig(matrix)
    largest = int(values.real.argmax())
    return np.abs(vectors[:, largest].real), float(values[largest].real)


def _gc_content(chain: Chain) -> float:
    return float((chain.stationary @ chain.transition)[1:3].sum())


def draw_sequences(
    chains: Sequence[Chain], lengths: Sequence[int] | np.ndarray, generator: np.random.Generator
) -> list[np.ndarray]:
    """Draw a sequence from each chain, all of them side by side.

    Parameters
    ----------
    chains
        Of one order.
    lengths
        In bases, one for each chain.
    generator
        Gives one number to each sequence at each step.

    Returns
    -------
    list of numpy.ndarray
        ``uint8`` codes of A, C, G, T.
    """
    order = chains[0].order
    # The last cumulated probability is 1 but for rounding; leaving it out keeps every draw within the four bases.
    cumulative = np.stack([chain.transition.cumsum(1)[:, :-1] for chain in chains])
    lanes = np.arange(len(chains))
    start = np.stack([chain.stationary.cumsum()[:-1] for chain in chains])
    context = (generator.random(len(chains))[:, None] >= start).sum(1)
    longest = int(max(lengths))
    drawn = np.empty((longest, len(chains)), dtype=np.uint8)
    # The first context is drawn, not shown: what follows it is stationary too.
    for step in range(longest):
        base = (generator.random(len(chains))[:, None] >= cumulative[lanes, context]).sum(1)
        drawn[step] = base
        context = (context * BASES + base) % BASES**order
    return [drawn[:length, lane].copy() for lane, length in enumerate(lengths)]
