"""The trunk of autoencoders, from sequence to a short code, and the way back."""

from collections.abc import Sequence

from torch import Tensor, nn

from lociflow.models.arguments import check_layers
from lociflow.models.blocks import ConvolutionBlock, initialise_thresholds
from lociflow.models.layers import check_length, convolved_length, pooled_length


class CodeTrunk(nn.Module):
    """Blocks of convolution, pooling and ReLU, and a linear map to the code.

    Parameters
    ----------
    input_length
        Bases per window.
    filters, kernels, pools
        One number per block.
    code
        Numbers of the code.
    dropout
        Share of features set to zero after each block in training.
    batch_norm
        Whether each convolution is followed by batch normalisation.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`.
    channels
        Of the one-hot sequence.
    """

    def __init__(
        self,
        input_length: int,
        filters: Sequence[int],
        kernels: Sequence[int],
        pools: Sequence[int],
        code: int,
        dropout: float = 0.0,
        batch_norm: bool = True,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_layers(filters=filters, kernels=kernels, pools=pools)
        self.features = nn.Sequential()
        self.lengths = [input_length]
        """Of the sequence, and then after each block's convolution and after its pooling."""
        for number, (count, kernel, pool) in enumerate(zip(filters, kernels, pools, strict=True), start=1):
            block = ConvolutionBlock(channels, count, kernel, pool, dropout, batch_norm)
            if number == 1:
                initialise_thresholds(block, initial_threshold)
            self.features.add_module(f"block{number}", block)
            convolved = convolved_length(self.lengths[-1], kernel)
            self.lengths += [convolved, pooled_length(convolved, pool)]
            check_length("the autoencoder", input_length, self.lengths[-1])
            channels = count
        self.features.add_module("flatten", nn.Flatten())
        self.size = channels * self.lengths[-1]
        self.code = nn.Linear(self.size, code)

    def forward(self, sequence: Tensor) -> Tensor:
        """Map one-hot windows, ``(batch, channels, input_length)``, to codes, ``(batch, code)``."""
        return self.code(self.features(sequence))


class Decoder(nn.Module):
    """The trunk in reverse: a dense layer, and a transposed convolution for each pooling and each convolution.

    Parameters
    ----------
    trunk
        Whose lengths are gone through backwards.
    filters, kernels, pools
        Of the trunk.
    channels
        Of the one-hot sequence.
    """

    def __init__(
        self,
        trunk: CodeTrunk,
        filters: Sequence[int],
        kernels: Sequence[int],
        pools: Sequence[int],
        channels: int = 4,
    ) -> None:
        super().__init__()
        self.unfolded = (filters[-1], trunk.lengths[-1])
        self.dense = nn.Linear(trunk.code.out_features, trunk.size)
        self.blocks = nn.Sequential(nn.ReLU())
        for number in range(len(filters), 0, -1):
            count, kernel, pool = filters[number - 1], kernels[number - 1], pools[number - 1]
            if pool > 1:
                convolved, pooled = trunk.lengths[2 * number - 1 : 2 * number + 1]
                unpool = nn.ConvTranspose1d(count, count, pool, pool, output_padding=convolved - pool * pooled)
                self.blocks.add_module(f"unpool{number}", unpool)
            if number > 1:
                self.blocks.add_module(f"unconvolve{number}", nn.ConvTranspose1d(count, filters[number - 2], kernel))
                self.blocks.add_module(f"activation{number}", nn.ReLU())
        self.output = nn.ConvTranspose1d(filters[0], channels, kernels[0])

    def forward(self, code: Tensor) -> Tensor:
        """Map codes, ``(batch, code)``, to logits of the bases, ``(batch, channels, input_length)``."""
        return self.output(self.blocks(self.dense(code).unflatten(1, self.unfolded)))
