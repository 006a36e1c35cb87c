"""DeepSTARR: four convolutions for the activity of enhancers."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_layers
from lociflow.models.blocks import SameLengthBlock, initialise_thresholds
from lociflow.models.heads import StackedHead
from lociflow.models.layers import check_length, check_sequence, pooled_length


class DeepSTARR(nn.Module):
    """DeepSTARR (de Almeida, Reiter, Pagani & Stark 2022, Nat. Genet. 54:613, doi:10.1038/s41588-022-01048-5).

    Published, for 249 bases and two activities (log2 enrichment with a developmental and a housekeeping promoter):

    ======  ===================================================  ============  ==========
    layer   what                                                 output        parameters
    ======  ===================================================  ============  ==========
    conv    256 filters of 7, batch normalisation, ReLU          256 × 249          7,680
    pool    maximum of 2                                         256 × 124              0
    conv    60 filters of 3, batch normalisation, ReLU           60 × 124          46,200
    pool    maximum of 2                                         60 × 62                0
    conv    60 filters of 5, batch normalisation, ReLU           60 × 62           18,120
    pool    maximum of 2                                         60 × 31                0
    conv    120 filters of 3, batch normalisation, ReLU          120 × 31          21,840
    pool    maximum of 2                                         120 × 15               0
    dense   256 units, batch norm., ReLU, dropout 0.4            256              461,312
    dense   256 units, batch norm., ReLU, dropout 0.4            256               66,048
    output  2                                                    2                    514
    ======  ===================================================  ============  ==========

    Convolutions are padded with zeros to the same length. That is 621,714 parameters. The authors' network has 1,008
    more: biases in front of batch normalisation, which takes them off again; they are left out here. The table was
    checked against the authors' training script (bernardo-de-almeida/DeepSTARR, ``DeepSTARR_training.ipynb``) and four
    independent implementations, p-koo/degu's ``model_zoo.py`` among them.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of outputs.
    filters, kernels, pools
        One number per block of convolution, batch normalisation, ReLU and pooling; a pool of 1 is none.
    convolution_dropout
        Share of the features set to zero in training after each convolution; 0 as published.
    hidden
        Units of each hidden layer.
    dropout
        Share of the hidden units set to zero in training.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (256, 60, 60, 120),
        kernels: Sequence[int] = (7, 3, 5, 3),
        pools: Sequence[int] = (2, 2, 2, 2),
        convolution_dropout: float = 0.0,
        hidden: Sequence[int] = (256, 256),
        dropout: float = 0.4,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(filters=filters, kernels=kernels, pools=pools)
        self.input_length = input_length
        self.channels = channels
        self.trunk = nn.Sequential()
        length = input_length
        for number, (count, kernel, pool) in enumerate(zip(filters, kernels, pools, strict=True), start=1):
            block = SameLengthBlock(channels, count, kernel, pool, convolution_dropout, batch_norm=True)
            if number == 1:
                initialise_thresholds(block, initial_threshold)
            self.trunk.add_module(f"block{number}", block)
            length, channels = pooled_length(length, pool), count
            check_length("DeepSTARR", input_length, length)
        self.head = StackedHead(channels * length, hidden, n_targets, dropout, batch_norm=True)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to outputs, ``(batch, n_targets)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.head(self.trunk(views["sequence"]))
