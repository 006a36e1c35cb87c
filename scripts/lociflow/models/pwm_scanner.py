"""A scanner with known motifs: the best match of each, and a linear layer."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lociflow.models.arguments import check_bases
from lociflow.models.heads import DenseHead
from lociflow.models.layers import check_length, check_sequence, convolved_length
from lociflow.models.strand_pairs import PairedConvolution, fold_strands


class MotifScores(PairedConvolution):
    """Scores of motifs on both strands; where a placement holds an unknown base, the lowest that the motif can have.

    An unknown base is a column of zeros, and would count as one that fits neither well nor badly: better than most
    bases do. What is unknown must win no maximum, so that the placement has the sum of the motif's lowest number at
    each position, which no sequence of known bases falls below. What is missing of a base, on the line from zeros to a
    sequence that attributions follow, counts as the base that fits worst, so that the score has no jump there.

    A motif is where its columns say anything: columns of zeros beside it may lie on unknown bases and past the window's
    ends, where all is unknown.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Map ``(batch, 4, length)`` to ``(batch, 2 * filters, length + kernel - 1)``."""
        beyond = self.kernel_size[0] - 1
        input = nn.functional.pad(input, (beyond, beyond))
        known = input.sum(dim=1, keepdim=True)
        least = _both_strands(self.weight.amin(dim=1, keepdim=True))
        says = _both_strands(self.weight.detach().abs().amax(dim=1, keepdim=True) > 0).to(input.dtype)
        scores = super().forward(input) + nn.functional.conv1d(1 - known, least)
        excluded = nn.functional.conv1d((known == 0).to(input.dtype), says) > 0
        return torch.where(excluded, least.sum(dim=(1, 2))[:, None].to(scores.dtype), scores)


def _both_strands(columns: Tensor) -> Tensor:
    """Add to one number a column, ``(filters, 1, kernel)``, those of the twin filters: ``(2 * filters, 1, kernel)``."""
    return torch.cat([columns, columns.flip(0, 2)])


class BothStrands(nn.Module):
    """Lays the second strand of paired channels behind the first."""

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, 2 * pairs, length)`` to ``(batch, pairs, 2 * length)``."""
        return fold_strands(features)


class PWMScanner(nn.Module):
    """Position weight matrices (Stormo 2000, Bioinformatics 16:16, doi:10.1093/bioinformatics/16.1.16) as filters.

    ======  ================================================  =================  ===============
    layer   what                                              output             parameters
    ======  ================================================  =================  ===============
    scan    log-odds of m motifs of w bases on both strands   m × 2 (L + w - 1)  4 w m
            of L bases
    pool    maximum over positions and strands                m                  0
    norm    batch normalisation                               m                  2 m
    output  linear                                            targets            targets (m + 1)
    ======  ================================================  =================  ===============

    f(x) = f(reverse complement of x). Placements on an unknown base have the motif's lowest possible score, and so has
    a window in which there is no other placement.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters
        Log-odds matrices, shape ``(count, 4, length)``, with which the filters begin, from
        :func:`~lociflow.models.jaspar_filters.jaspar_filters` or :func:`~lociflow.models.meme_filters.meme_filters`.
        Both are read again where a checkpoint is loaded.
    trained
        Whether training changes the filters, or the linear layer alone.
    channels
        4: motifs are of DNA.

    Raises
    ------
    UserError
        The sequence is not DNA, or shorter than the filters.
    """

    def __init__(
        self, input_length: int, n_targets: int, filters: Tensor, trained: bool = True, channels: int = 4
    ) -> None:
        super().__init__()
        check_bases("a motif scanner", channels)
        count, _, kernel = filters.shape
        check_length("PWMScanner", input_length, convolved_length(input_length, kernel))
        self.input_length = input_length
        self.channels = channels
        convolution = MotifScores(4, count, kernel, bias=False)
        with torch.no_grad():
            convolution.weight.copy_(filters)
        convolution.requires_grad_(trained)
        self.trunk = nn.Sequential()
        self.trunk.add_module("convolution", convolution)
        self.trunk.add_module("strands", BothStrands())
        self.trunk.add_module("pool", nn.MaxPool1d(2 * (input_length + kernel - 1)))
        self.trunk.add_module("normalization", nn.BatchNorm1d(count))
        self.head = DenseHead(count, 0, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, 4, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
