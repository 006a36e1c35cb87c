"""Logistic regression on the k-mers of the window, as a model."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.arguments import check_bases
from lociflow.models.heads import DenseHead
from lociflow.models.layers import check_length, check_sequence, convolved_length
from lociflow.sequence.kmers import canonical_columns

LONGEST = 8


class KmerCounts(nn.Module):
    """log(1 + count) of each k-mer of a one-hot sequence; a k-mer with another letter than A, C, G, T is not counted.

    Indices of k-mers are larger than half precision can tell apart: mixed precision stays out.

    Parameters
    ----------
    k
        Length of a k-mer.
    both_strands
        Whether a k-mer and its reverse complement are counted as one.
    """

    columns: Tensor
    filters: Tensor

    def __init__(self, k: int, both_strands: bool) -> None:
        super().__init__()
        columns = torch.from_numpy(canonical_columns(k)[0]) if both_strands else torch.arange(4**k)
        self.width = int(columns.max()) + 1
        # One filter reads a k-mer's index, the other counts its known letters.
        digits = 4.0 ** torch.arange(k - 1, -1, -1) * torch.arange(4.0)[:, None]
        self.register_buffer("columns", columns, persistent=False)
        self.register_buffer("filters", torch.stack([digits, torch.ones(4, k)]), persistent=False)

    def forward(self, sequence: Tensor) -> Tensor:
        """Map ``(batch, 4, length)`` to ``(batch, number of columns)``."""
        with torch.autocast(sequence.device.type, enabled=False):
            # An ambiguous letter is a share of several bases, at most a half, and counts as none of them; so does a
            # position that noise has made look like two.
            likely = sequence > 0.5
            bases = (likely & (likely.sum(dim=1, keepdim=True) == 1)).float()
            index, letters = nn.functional.conv1d(bases, self.filters).unbind(1)
        known = letters == self.filters.shape[2]
        rows = torch.arange(sequence.shape[0], device=sequence.device)[:, None] * self.width
        cells = (rows + self.columns[(index * known).long()])[known]
        counts = torch.zeros(sequence.shape[0] * self.width, dtype=sequence.dtype, device=sequence.device)
        counts.index_add_(0, cells, torch.ones_like(cells, dtype=sequence.dtype))
        return counts.view(sequence.shape[0], self.width).log1p()


class KmerLogistic(nn.Module):
    """Logistic regression on k-mer counts.

    ======  =====================================  =======  ===================
    layer   what                                   output   parameters
    ======  =====================================  =======  ===================
    counts  log(1 + count) of n k-mers             n                          0
    output  linear                                 targets      targets (n + 1)
    ======  =====================================  =======  ===================

    The linear relative of kmer-SVM (Lee, Karchin & Beer 2011, Genome Res. 21:2167, doi:10.1101/gr.121905.111).
    The L2 penalty is the optimiser's ``weight_decay``. Counts are whole numbers and have no gradient, so that the
    sequence can be explained by mutation only.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    k
        Length of a k-mer, 1 to 8. Both strands have 2,080 columns for 6, one strand has 4,096.
    both_strands
        Whether a k-mer and its reverse complement are counted as one; False where labels have a strand.
    channels
        4: k-mers are of DNA.

    Raises
    ------
    UserError
        ``k`` is out of its range, the sequence is not DNA, or shorter than a k-mer.
    """

    def __init__(
        self, input_length: int, n_targets: int, k: int = 6, both_strands: bool = True, channels: int = 4
    ) -> None:
        super().__init__()
        check_bases("a k-mer model", channels)
        if not 1 <= k <= LONGEST:
            raise UserError(
                f"model.architecture.k: found {k}, expected 1 to {LONGEST}; longer k-mers are too rare to be counted"
            )
        check_length("KmerLogistic", input_length, convolved_length(input_length, k))
        self.input_length = input_length
        self.channels = channels
        self.trunk = KmerCounts(k, both_strands)
        self.head = DenseHead(self.trunk.width, 0, n_targets)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, 4, input_length)}`` to logits, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
