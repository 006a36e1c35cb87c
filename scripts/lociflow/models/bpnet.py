"""BPNet: dilated convolutions that give a profile along the bin and how much signal it has."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lociflow.models.arguments import check_at_least, check_positions
from lociflow.models.blocks import DilatedUnit, SameLengthBlock, initialise_thresholds
from lociflow.models.heads import ProfileOutput, central
from lociflow.models.layers import check_sequence


class BPNetHead(nn.Module):
    """Profile logits by a wide convolution, log counts from the mean of the features over the bin.

    Parameters
    ----------
    filters
        Of the features.
    n_targets
        Profiles.
    positions
        Of the bin, in the middle of the features.
    kernel
        Of the convolution of the profile.
    control
        Tracks of the control experiment; 0 for none.
    control_window
        Bases over which the control is summed, beside the control itself, for the profile.
    """

    def __init__(
        self, filters: int, n_targets: int, positions: int, kernel: int, control: int, control_window: int
    ) -> None:
        super().__init__()
        self.positions = positions
        self.profile = nn.Conv1d(filters, n_targets, kernel, padding="same")
        self.pool = nn.AvgPool1d(positions)
        self.counts = nn.Linear(filters, n_targets)
        if control:
            left = (control_window - 1) // 2
            self.control_window = nn.Sequential(
                nn.ConstantPad1d((left, control_window - 1 - left), 0.0), nn.AvgPool1d(control_window, 1)
            )
            self.control_profile = nn.Conv1d(2 * control, n_targets, 1, bias=False)
            self.control_counts = nn.Linear(control, n_targets, bias=False)

    def forward(self, features: Tensor, control: Tensor | None = None) -> ProfileOutput:
        """Map ``(batch, filters, length)``, and perhaps ``(batch, positions, tracks)``, to profile and counts."""
        middle = central(features.shape[-1], self.positions)
        profile = self.profile(features)[..., middle]
        counts = self.counts(self.pool(features[..., middle]).flatten(1))
        if control is not None:
            tracks = control.transpose(1, 2)
            profile = profile + self.control_profile(torch.cat([tracks, self.control_window(tracks)], dim=1))
            counts = counts + self.control_counts(torch.log1p(control.sum(dim=1).clamp(min=0)))
        return ProfileOutput(profile.transpose(1, 2), counts)


class BPNet(nn.Module):
    """BPNet (Avsec et al. 2021, Nat. Genet. 53:354, doi:10.1038/s41588-021-00782-6).

    Published, for 1,000 bases and 4 factors on 2 strands, which are 8 targets here:

    ==========  ==========================================================  ===========  ==========
    layer       what                                                        output       parameters
    ==========  ==========================================================  ===========  ==========
    conv        64 filters of 25, ReLU                                      64 × 1,000        6,464
    9 dilated   64 filters of 3, dilation 2 to 512, ReLU, added to input    64 × 1,000      111,168
    profile     8 deconvolution filters of 25                               8 × 1,000        12,808
    counts      mean over the positions, 8 log counts                       8                   520
    ==========  ==========================================================  ===========  ==========

    That is 130,960 parameters, checked against ``layers.py`` and ``premade/bpnet9.gin`` of kundajelab/bpnet. A
    deconvolution of stride 1 is a convolution with the kernel reversed, and is one here. Convolutions are padded with
    zeros ("same"), as published; with a window longer than the bin, the profile and the mean are of the bin in its
    middle, so that 2,114 bases for a bin of 1,000 give the layout of ChromBPNet.

    With a control (view ``control``, counts and not logarithms), each target's profile gets a weighted sum of the
    control's tracks and of their means over 50 bases, each target's log counts one of log(1 + a track's counts in the
    bin), without a constant, so that no control signal says nothing. Theirs adds up the tracks of a factor before
    weighting and sums over the 50 bases; here each track has a weight for each target.

    Weights and biases are initialised as torch does, where the Keras of the paper draws Glorot uniform weights.

    Parameters
    ----------
    input_length
        Bases per window, at least ``positions``.
    n_targets
        Profiles.
    positions
        Bases of a bin, in the middle of a window.
    filters, kernel
        Number of filters everywhere, and length of those of the first layer.
    dilated_layers
        Their dilations are 2, 4, 8, …
    profile_kernel
        Of the convolution of the profile.
    control
        Tracks of the data set's control; 0 without one. The model's ``views`` name ``control`` then.
    control_window
        Bases over which the control is averaged.
    initial_threshold
        See :func:`~lociflow.models.blocks.initialise_thresholds`; 0 as published.
    channels
        Of the one-hot sequence: 4 bases, or 20 amino acids.

    Raises
    ------
    UserError
        The window is shorter than the bin, or a number is too small.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        positions: int,
        filters: int = 64,
        kernel: int = 25,
        dilated_layers: int = 9,
        profile_kernel: int = 25,
        control: int = 0,
        control_window: int = 50,
        initial_threshold: float = 0.0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_positions(input_length, positions)
        check_at_least(1, profile_kernel=profile_kernel, control_window=control_window)
        self.input_length = input_length
        self.channels = channels
        self.control = control
        self.trunk = nn.Sequential()
        block = SameLengthBlock(channels, filters, kernel)
        initialise_thresholds(block, initial_threshold)
        self.trunk.add_module("block1", block)
        for number in range(1, dilated_layers + 1):
            self.trunk.add_module(f"dilated{number}", DilatedUnit(filters, 3, 2**number))
        self.head = BPNetHead(filters, n_targets, positions, profile_kernel, control, control_window)

    def forward(self, views: Mapping[str, Tensor]) -> ProfileOutput:
        """Map views to profile logits, ``(batch, positions, n_targets)``, and log counts, ``(batch, n_targets)``.

        Parameters
        ----------
        views
            ``sequence``, ``(batch, channels, input_length)``; with a control also ``control``,
            ``(batch, positions, tracks)``.

        Raises
        ------
        ValueError
            A view has another shape.
        """
        check_sequence(views["sequence"], self.input_length, self.channels)
        features = self.trunk(views["sequence"])
        if not self.control:
            return self.head(features)
        control = views["control"]
        if control.shape[1:] != (self.head.positions, self.control):
            raise ValueError(
                f"control of shape {tuple(control.shape)}: expected (batch, {self.head.positions}, {self.control})"
            )
        return self.head(features, control)
