"""Tokens: how a language model cuts a sequence into words of a vocabulary."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lociflow.command import UserError

LETTERS = "ACGT"
UNKNOWN = "N"


class Tokens(NamedTuple):
    """The words of a batch of windows; rows with fewer words than others are filled up at the end."""

    ids: Tensor
    """``int64``, shape ``(batch, tokens)``."""
    present: Tensor
    """``bool``, the same shape: False where a row is filled up."""
    known: Tensor
    """``bool``, the same shape: whether a token is a word of the vocabulary, without any base that is not known."""
    informed: Tensor
    """``bool``, the same shape: whether a token says anything of its bases; those known, and partly known bases where
    the embedding is of their mixture."""
    starts: Tensor
    """``int64``, the same shape: first base of each token in the window, 0-based."""
    ends: Tensor
    """``int64``, the same shape: base after its last."""


class Tokeniser(nn.Module, ABC):
    """From one-hot windows to tokens.

    The words of the vocabulary are numbered from 0; then come the token for what is not known, and the one that hides a
    word in masked training.

    Parameters
    ----------
    words
        Size of the vocabulary without these two.
    span
        Neighbours that share bases, so that masked training must hide this many tokens in a row.
    shortest
        Bases that a window needs at least.
    places
        Bases of a token that are told apart where each base has an answer; 1 where their tokens differ anyway.
    """

    def __init__(self, words: int, span: int = 1, shortest: int = 1, places: int = 1) -> None:
        super().__init__()
        self.words = words
        self.unknown = words
        self.mask = words + 1
        self.size = words + 2
        self.span = span
        self.shortest = shortest
        self.places = places

    @abstractmethod
    def forward(self, sequence: Tensor) -> Tokens:
        """Cut windows, one-hot of shape ``(batch, 4, length)``, into tokens."""

    def embed(self, sequence: Tensor, table: Tensor) -> tuple[Tensor, Tokens]:
        """Look up the tokens of windows in a table of embeddings.

        Parameters
        ----------
        sequence
            One-hot, ``(batch, 4, length)``.
        table
            ``(size, width)``.

        Returns
        -------
        tuple
            Embeddings, ``(batch, tokens, width)``, and the tokens.
        """
        tokens = self(sequence)
        return nn.functional.embedding(tokens.ids, table), tokens

    def learn(self, sequences: Iterable[str]) -> None:
        """Learn the vocabulary from sequences; one that is fixed beforehand does not look at them."""


class Nucleotides(Tokeniser):
    """A token for each base.

    The embedding is linear in the one-hot sequence, so that gradients reach the bases: a base that is partly known (an
    IUPAC code, a point between two sequences) gets the mixture of their embeddings.
    """

    def __init__(self) -> None:
        super().__init__(len(LETTERS))

    def forward(self, sequence: Tensor) -> Tokens:
        """Cut windows, one-hot of shape ``(batch, 4, length)``, into ``length`` tokens."""
        bases, known = base_codes(sequence)
        informed = sequence.sum(dim=1) > 0
        return Tokens(bases.where(known, self.unknown), torch.ones_like(known), known, informed, *_spans(bases, 1, 1))

    def embed(self, sequence: Tensor, table: Tensor) -> tuple[Tensor, Tokens]:
        """Map windows linearly to their embeddings; see :meth:`Tokeniser.embed`."""
        columns = sequence.transpose(1, 2)
        unknown = 1 - columns.sum(dim=2, keepdim=True)
        return columns @ table[: self.words] + unknown * table[self.unknown], self(sequence)


class KMers(Tokeniser):
    """A token for k bases.

    Overlapping as in DNABERT (Ji et al. 2021, doi:10.1093/bioinformatics/btab083), one k-mer begins at each base;
    otherwise as in the Nucleotide Transformer (Dalla-Torre et al. 2025, doi:10.1038/s41592-024-02523-z), each k-mer
    begins where the last one ends, and bases left at the end are tokens of one base. A k-mer with a base that is not
    known is unknown.

    Parameters
    ----------
    k
        Bases of a token.
    overlapping
        Whether a k-mer begins at every base.

    Raises
    ------
    UserError
        ``k`` is not from 2 to 8: more than 65,536 embeddings would never all be met.
    """

    def __init__(self, k: int, overlapping: bool = False) -> None:
        if not 2 <= k <= 8:
            raise UserError(f"model.architecture.tokens.k: found {k}, expected 2 to 8; choose a shorter k-mer")
        super().__init__(4**k + (0 if overlapping else len(LETTERS)), *((k, k, 1) if overlapping else (1, 1, k)))
        self.k = k
        self.step = 1 if overlapping else k

    def forward(self, sequence: Tensor) -> Tokens:
        """Cut windows, one-hot of shape ``(batch, 4, length)``, into k-mers."""
        bases, known = base_codes(sequence)
        length = bases.shape[1]
        tail = 0 if self.step == 1 else length % self.k
        whole = length - tail
        if whole:
            powers = 4 ** torch.arange(self.k - 1, -1, -1, device=bases.device)
            ids = (bases[:, :whole].unfold(1, self.k, self.step) * powers).sum(dim=2)
            complete = known[:, :whole].unfold(1, self.k, self.step).all(dim=2)
        else:
            ids, complete = bases[:, :0], known[:, :0]
        starts, ends = _spans(bases[:, :whole], self.k, self.step)
        last_starts, last_ends = _spans(bases[:, whole:], 1, 1)
        ids = torch.cat((ids, bases[:, whole:] + 4**self.k), dim=1)
        complete = torch.cat((complete, known[:, whole:]), dim=1)
        return Tokens(
            ids.where(complete, self.unknown),
            torch.ones_like(complete),
            complete,
            complete,
            torch.cat((starts, last_starts + whole), dim=1),
            torch.cat((ends, last_ends + whole), dim=1),
        )


def base_codes(sequence: Tensor) -> tuple[Tensor, Tensor]:
    """Turn one-hot windows into codes.

    Parameters
    ----------
    sequence
        ``(batch, 4, length)``.

    Returns
    -------
    tuple
        ``int64`` codes from 0 to 3, and ``bool`` whether a base is known (otherwise its code means nothing): each of
        shape ``(batch, length)``.
    """
    most, codes = sequence.max(dim=1)
    return codes, most > 0.5


def letters(sequence: Tensor) -> Iterator[str]:
    """Turn one-hot windows, ``(batch, 4, length)``, into letters; what is not known is N."""
    bases, known = base_codes(sequence)
    codes = bases.where(known, len(LETTERS)).cpu().numpy()
    for row in np.frombuffer((LETTERS + UNKNOWN).encode(), dtype=np.uint8)[codes]:
        yield row.tobytes().decode()


def _spans(bases: Tensor, size: int, step: int) -> tuple[Tensor, Tensor]:
    starts = torch.arange(0, max(bases.shape[1] - size + 1, 0), step, device=bases.device).expand(bases.shape[0], -1)
    return starts, starts + size
