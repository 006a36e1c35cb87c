"""DanQ-JASPAR: a larger DanQ, half of whose filters begin as known motifs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lociflow.models.arguments import check_at_least, check_bases
from lociflow.models.blocks import initialise_thresholds
from lociflow.models.danq import DanQ
from lociflow.models.jaspar_filters import jaspar_filters

# Bases that stay free between a motif and either end of its filter.
MARGIN = 3


class DanQJaspar(DanQ):
    """DanQ-JASPAR (Quang & Xie 2016, Nucleic Acids Res. 44:e107, doi:10.1093/nar/gkw226).

    Published, for 1,000 bases and 919 targets:

    ======  ===================================================  ============  ==========
    layer   what                                                 output        parameters
    ======  ===================================================  ============  ==========
    conv    1,024 filters of 30, ReLU                            1,024 × 971      123,904
    pool    maximum of 15, dropout 0.2                           1,024 × 64             0
    LSTM    512 units in each direction, dropout 0.5             1,024 × 64     6,295,552
    dense   925 units, ReLU                                      925           60,621,725
    output  919 sigmoids                                         919              850,994
    ======  ===================================================  ============  ==========

    That is 67,892,175 trained parameters, checked against the authors' ``DanQ-JASPAR_train.py`` (uci-cbcl/DanQ);
    torch's second bias vector of the LSTM, 4,096 numbers more, is held at zero.

    As in that script a motif's probabilities less 1/4 overwrite part of a filter, at a random place at least 3 bases
    from both ends, and the filter's bias is drawn from -1 to 0; the rest of the filter and all other filters stay as
    drawn. The script's file of motifs, an array of Python objects in the authors' repository
    (``JASPAR_CORE_2016_vertebrates.npy``), is not read: taken are all 519 matrices that pyjaspar has for vertebrates in
    the CORE collection of JASPAR 2016. The script adds the reverse complements of six of them, which are left out.
    Columns of counts get a pseudocount of 1 in all.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of logits.
    filters, kernel, pool, units, hidden, convolution_dropout, lstm_dropout, batch_norm, initial_threshold
        See :class:`~lociflow.models.danq.DanQ`. With batch normalisation a filter has no bias to be drawn; with a
        threshold all filters have that instead.
    motifs
        Number of filters that begin as motifs.
    release, tax_group
        Which motifs; see :func:`~lociflow.models.jaspar_filters.jaspar_filters`.
    channels
        4: motifs are of DNA.

    Raises
    ------
    UserError
        The sequence is not DNA, the release is unknown or has fewer motifs, or these do not fit into the filters.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: int = 1024,
        kernel: int = 30,
        pool: int = 15,
        units: int = 512,
        hidden: int = 925,
        convolution_dropout: float = 0.2,
        lstm_dropout: float = 0.5,
        motifs: int = 519,
        release: str = "JASPAR2016",
        tax_group: str | Sequence[str] = "vertebrates",
        batch_norm: bool = False,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        check_bases("DanQ-JASPAR", channels)
        check_at_least(2 * MARGIN + 1, kernel=kernel)
        check_at_least(motifs, filters=filters)
        super().__init__(
            input_length,
            n_targets,
            filters,
            kernel,
            pool,
            units,
            hidden,
            convolution_dropout,
            lstm_dropout,
            batch_norm,
        )
        block = self.trunk.get_submodule("block1")
        assert isinstance(block, nn.Sequential)
        convolution = block.get_submodule("convolution")
        assert isinstance(convolution, nn.Conv1d)
        lay_motifs(convolution, jaspar_filters(release, tax_group, motifs, kernel - 2 * MARGIN))
        initialise_thresholds(block, initial_threshold)


def lay_motifs(convolution: nn.Conv1d, matrices: Tensor) -> None:
    """Overwrite the first filters with motifs at random places, and their biases with numbers from -1 to 0.

    Parameters
    ----------
    convolution
        On one-hot sequence.
    matrices
        Log odds to base 2 against 1/4, shape ``(motifs, 4, length)``, 0 beside a motif; at least 6 bases shorter than
        the filters.
    """
    kernel = convolution.kernel_size[0]
    with torch.no_grad():
        for number, matrix in enumerate(matrices):
            columns = matrix.abs().sum(dim=0).nonzero().flatten()
            motif = matrix[:, int(columns[0]) : int(columns[-1]) + 1].exp2() / 4 - 0.25
            width = motif.shape[1]
            start = int(torch.randint(MARGIN, kernel - MARGIN - width + 1, ()))
            convolution.weight[number, :, start : start + width] = motif
        if convolution.bias is not None:
            convolution.bias[: len(matrices)].uniform_(-1.0, 0.0)
