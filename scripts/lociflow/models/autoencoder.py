"""The convolutional autoencoder: from sequence to a short code and back, or from the code to labels."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from lociflow.models.code_trunk import CodeTrunk, Decoder
from lociflow.models.heads import DenseHead
from lociflow.models.layers import check_sequence


class Autoencoder(nn.Module):
    """A convolutional autoencoder, trained to restore corrupted sequence (Vincent et al. 2008).

    doi:10.1145/1390156.1390294. Without targets it restores sequence; with targets, the same trunk has a classifier on
    its code. For blocks of f filters of k on c channels, pools of p, a code of z and n features before it:

    ==========  ======================================================  =======================================
    part        what                                                    parameters
    ==========  ======================================================  =======================================
    trunk       per block: convolution, batch normalisation             c f k + 2 f
    trunk       code                                                    n z + z
    restoring   dense                                                   z n + n
    restoring   per block: unpooling (p > 1), transposed convolution    f² p + f, f c k + c
    targets     or: h ReLU units, t outputs                             z h + h + h t + t
    ==========  ======================================================  =======================================

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of outputs; 0 to restore sequence.
    filters, kernels, pools, code, dropout, batch_norm, initial_threshold
        See :class:`~lociflow.models.code_trunk.CodeTrunk`.
    hidden
        Units of the hidden layer between code and outputs; 0 for none.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        filters: Sequence[int] = (64, 64),
        kernels: Sequence[int] = (11, 5),
        pools: Sequence[int] = (4, 4),
        code: int = 64,
        dropout: float = 0.0,
        batch_norm: bool = True,
        initial_threshold: float = 0.0,
        hidden: int = 0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        self.input_length = input_length
        self.channels = channels
        self.trunk = CodeTrunk(
            input_length, filters, kernels, pools, code, dropout, batch_norm, initial_threshold, channels
        )
        self.head = (
            DenseHead(code, hidden, n_targets) if n_targets else Decoder(self.trunk, filters, kernels, pools, channels)
        )

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, channels, input_length)}`` to the head's answers.

        Returns
        -------
        torch.Tensor
            ``(batch, n_targets)``, or the bases' logits, ``(batch, channels, input_length)``.
        """
        return self.head(self.encode(views))

    def encode(self, views: Mapping[str, Tensor]) -> Tensor:
        """Return the windows' codes, ``(batch, code)``."""
        check_sequence(views["sequence"], self.input_length, self.channels)
        return self.trunk(views["sequence"])
