"""Blocks: layers that always come together."""

import torch
from torch import Tensor, nn

from lociflow.models.arguments import check_at_least


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
        check_at_least(1, filters=filters, kernel=kernel, pool=pool)
        self.add_module("convolution", nn.Conv1d(channels, filters, kernel, bias=not batch_norm))
        if batch_norm:
            self.add_module("normalization", nn.BatchNorm1d(filters))
        if pool > 1:
            self.add_module("pool", nn.MaxPool1d(pool))
        self.add_module("activation", nn.ReLU())
        if dropout > 0:
            self.add_module("dropout", nn.Dropout(dropout))


class SameLengthBlock(ConvolutionBlock):
    """The same on features that are padded with zeros, so that the convolution keeps the length.

    An even kernel is padded with one zero more on the right, as Keras does.

    Parameters
    ----------
    channels, filters, kernel, pool, dropout, batch_norm
        See :class:`ConvolutionBlock`.
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
        super().__init__(channels, filters, kernel, pool, dropout, batch_norm)
        # torch's own padding to the same length warns of even kernels.
        self.padding = ((kernel - 1) // 2, kernel // 2)

    def forward(self, input: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, filters, length // pool)``."""
        return super().forward(nn.functional.pad(input, self.padding))


def initialise_thresholds(block: nn.Sequential, deviations: float) -> None:
    """Let the filters of a first layer begin as rare detectors: they rectify at so many standard deviations.

    Fresh filters answer to every sequence. Behind a high threshold only the best matches pass, as with a trained motif
    detector, and training leaves its first plateau in a few hundred steps instead of thousands.

    Parameters
    ----------
    block
        Has ``convolution`` on one-hot sequence, and perhaps ``normalization`` of its filters.
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
            for name, bias in normalization.named_parameters():
                if name.endswith("bias"):
                    bias.fill_(-deviations)


class PreactivationUnit(nn.Module):
    """Residual unit of identity mappings: batch normalisation, ReLU, convolution, twice, added to the input.

    The kind that He et al. 2016 (ECCV, doi:10.1007/978-3-319-46493-0_38) call full pre-activation. Convolutions are
    padded with zeros, so that only a stride changes the length. Where the unit changes the number of channels or the
    length, the input is added by way of a convolution of kernel 1 on the first rectified features, as theirs does.

    Parameters
    ----------
    channels
        Of the input.
    filters
        Of the output.
    kernel
        Length of a filter; odd.
    dilation
        Distance of a filter's positions.
    stride
        Of the first convolution.
    dropout
        Share of features set to zero in training before the second convolution; 0 leaves the dropout out.
    bias
        Whether convolutions have biases.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel: int,
        dilation: int = 1,
        stride: int = 1,
        dropout: float = 0.0,
        bias: bool = False,
    ) -> None:
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.normalization1 = nn.BatchNorm1d(channels)
        self.activation1 = nn.ReLU()
        self.convolution1 = nn.Conv1d(channels, filters, kernel, stride, padding, dilation, bias=bias)
        self.normalization2 = nn.BatchNorm1d(filters)
        self.activation2 = nn.ReLU()
        self.dropout = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.convolution2 = nn.Conv1d(filters, filters, kernel, 1, padding, dilation, bias=bias)
        changed = channels != filters or stride > 1
        self.projection = nn.Conv1d(channels, filters, 1, stride, bias=False) if changed else None

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, filters, length / stride, rounded up)``."""
        rectified = self.activation1(self.normalization1(features))
        shortcut = features if self.projection is None else self.projection(rectified)
        hidden = self.activation2(self.normalization2(self.convolution1(rectified)))
        return shortcut + self.convolution2(self.dropout(hidden))


class DilatedUnit(nn.Module):
    """Residual unit of one dilated convolution: its rectified answers are added to the input. Keeps the length.

    Parameters
    ----------
    filters
        Of input and output.
    kernel
        Length of a filter.
    dilation
        Distance of a filter's positions.
    """

    def __init__(self, filters: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(filters, filters, kernel, padding="same", dilation=dilation)
        self.activation = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, filters, length)`` to the same shape."""
        return features + self.activation(self.convolution(features))


class DilatedDenseUnit(nn.Module):
    """Dilated convolution, batch normalisation, ReLU, dropout; the answers are put beside the input. Keeps the length.

    Parameters
    ----------
    channels
        Of the input.
    filters
        By which the output has more channels.
    kernel
        Length of a filter.
    dilation
        Distance of a filter's positions.
    dropout
        Share of the answers set to zero in training; 0 leaves the dropout out.
    """

    def __init__(self, channels: int, filters: int, kernel: int, dilation: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels, filters, kernel, padding="same", dilation=dilation, bias=False)
        self.normalization = nn.BatchNorm1d(filters)
        self.activation = nn.ReLU()
        self.dropout = nn.Dropout(dropout) if dropout > 0 else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(batch, channels, length)`` to ``(batch, channels + filters, length)``."""
        answers = self.dropout(self.activation(self.normalization(self.convolution(features))))
        return torch.cat([features, answers], dim=1)
