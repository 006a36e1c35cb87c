"""Blocks: layers that always come together."""

import torch
from torch import nn


class ConvolutionBlock(nn.Sequential):
    """Convolution without padding, batch normalisation, ReLU, max pooling, dropout.

    The pooling is computed before the ReLU: the maximum of rectified numbers is the rectified maximum, and the
    rectification then has only the pooled numbers to do, which is a third of a small model's time.

    Parameters
    ----------
    channels
        Of the input.
    filters
        Of the output.
    kernel
        Length of a filter.
    pool
        Length and stride of the pooling windows; 1 leaves the pooling out.
    dropout
        Share of features set to zero in training; 0 leaves the dropout out.
    batch_norm
        Whether there is batch normalisation; the convolution has no bias then.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel: int,
        pool: int = 1,
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.add_module("convolution", nn.Conv1d(channels, filters, kernel, bias=not batch_norm))
        if batch_norm:
            self.add_module("normalization", nn.BatchNorm1d(filters))
        if pool > 1:
            self.add_module("pool", nn.MaxPool1d(pool))
        self.add_module("activation", nn.ReLU())
        if dropout > 0:
            self.add_module("dropout", nn.Dropout(dropout))


def initialise_thresholds(block: nn.Sequential, deviations: float) -> None:
    """Let the filters of a first layer begin as rare detectors: they rectify at so many standard deviations.

    Fresh filters answer to every sequence. Behind a high threshold only the best matches pass, as with a trained motif
    detector, and training leaves its first plateau in a few hundred steps instead of thousands.

    Parameters
    ----------
    block
        Has ``convolution`` on one-hot sequence, and perhaps ``normalization``.
    deviations
        Threshold in standard deviations of a filter's answers to random sequence; 0 changes nothing.
    """
    if deviations == 0:
        return
    convolution, normalization = block.get_submodule("convolution"), dict(block.named_children()).get("normalization")
    assert isinstance(convolution, nn.Conv1d)
    with torch.no_grad():
        if normalization is None:
            assert convolution.bias is not None
            # At each of a filter's positions one of a column's weights is picked: the variances of the columns add up.
            variance = convolution.weight.var(dim=1, unbiased=False).sum(dim=1)
            mean = convolution.weight.mean(dim=1).sum(dim=1)
            convolution.bias.copy_(-mean - deviations * variance.sqrt())
        else:
            assert isinstance(normalization, nn.BatchNorm1d)
            normalization.bias.fill_(-deviations)
