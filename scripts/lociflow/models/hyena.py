"""The Hyena encoder: filters as long as the window take the place of attention."""

import math

import torch
from torch import Tensor, nn

from lociflow.models.arguments import check_at_least

# What is left of a filter at the end of its window.
LEFT = 0.01


class HyenaEncoder(nn.Module):
    """Hyena (Poli et al. 2023, arXiv:2302.10866), on DNA HyenaDNA (Nguyen et al. 2023, arXiv:2306.15794).

    Both predict the next token and look only back; here the filters look both ways, because training hides tokens in
    the middle. A layer is the operator of order 2 and then two dense layers, each behind layer normalisation and added
    to its input.

    A layer of width w has, with dense layers of u units, short filters of s and a filter network of f units that sees b
    bands:

    ==============  =================================  ==================================
    part            what                               parameters
    ==============  =================================  ==================================
    operator        three projections                  3 w² + 3 w
    operator        their short filters                3 w s + 3 w
    operator        filter network                     (2 b + 1) f + f + f² + f + 2 w f
    operator        its sines' frequencies             2 f
    operator        values let through, mixing         w + w² + w
    dense           two layers                         w u + u + u w + w
    normalisation   before operator and dense layers   4 w
    ==============  =================================  ==================================

    Parameters
    ----------
    width
        Features of a token.
    layers
        Number of layers.
    units
        Of the dense layer; 4 widths where it is not given.
    short_kernel
        Tokens of the short filters before the long ones.
    filter_units, bands
        Units of the network that gives the filters, and number of sines and cosines of the position that it sees.
    reach
        Tokens after which the longest filters have fallen to a hundredth; the shortest do so after 8, the others in
        geometric steps between (the paper spaces them evenly by their rates).
    dropout
        Share of the features set to zero after operator and dense layers in training.

    Raises
    ------
    UserError
        A number is too small.
    """

    def __init__(
        self,
        width: int,
        layers: int,
        units: int | None = None,
        short_kernel: int = 3,
        filter_units: int = 32,
        bands: int = 8,
        reach: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_at_least(1, short_kernel=short_kernel, filter_units=filter_units, bands=bands, reach=reach)
        self.width = width
        self.layers = nn.ModuleList(
            HyenaLayer(width, units or 4 * width, short_kernel, filter_units, bands, reach, dropout)
            for _ in range(layers)
        )
        self.normalization = nn.LayerNorm(width)

    def forward(self, features: Tensor, present: Tensor) -> Tensor:
        """Map ``(batch, tokens, width)`` to the same shape; ``present``, ``(batch, tokens)``, is False on filling."""
        for layer in self.layers:
            features = layer(features, present)
        return self.normalization(features)


class HyenaLayer(nn.Module):
    """The Hyena operator and two dense layers."""

    def __init__(
        self, width: int, units: int, short_kernel: int, filter_units: int, bands: int, reach: int, dropout: float
    ) -> None:
        super().__init__()
        self.operator_normalization = nn.LayerNorm(width)
        self.projections = nn.Linear(width, 3 * width)
        self.short = nn.Conv1d(3 * width, 3 * width, short_kernel, padding="same", groups=3 * width)
        self.filters = ImplicitFilters(width, filter_units, bands, reach)
        self.through = nn.Parameter(torch.ones(width))
        self.mixed = nn.Linear(width, width)
        self.operator_dropout = nn.Dropout(dropout)
        self.dense = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, units), nn.GELU(), nn.Linear(units, width), nn.Dropout(dropout)
        )

    def forward(self, features: Tensor, present: Tensor) -> Tensor:
        """Map ``(batch, tokens, width)`` to the same shape."""
        features = features + self.operator_dropout(self.operate(self.operator_normalization(features), present))
        return features + self.dense(features)

    def operate(self, features: Tensor, present: Tensor) -> Tensor:
        """Gate, convolve with the long filters, gate again."""
        filled = present[:, None].to(features.dtype)
        short = self.short(self.projections(features).transpose(1, 2) * filled)
        one, other, values = short.chunk(3, dim=1)
        values = values * other * filled
        convolved = long_convolution(values, self.filters(features.shape[1])) + values * self.through[:, None]
        return self.mixed((one * convolved).transpose(1, 2))


class ImplicitFilters(nn.Module):
    """Filters whose values a small network gives for each distance; an exponential window lets them fade."""

    rates: Tensor

    def __init__(self, width: int, units: int, bands: int, reach: int) -> None:
        super().__init__()
        self.bands = bands
        self.reach = reach
        self.first = nn.Linear(2 * bands + 1, units)
        self.second = nn.Linear(units, units)
        self.last = nn.Linear(units, 2 * width, bias=False)
        self.frequencies = nn.Parameter(torch.ones(2, units))
        lengths = torch.logspace(math.log10(min(8, reach)), math.log10(reach), width)
        self.register_buffer("rates", -math.log(LEFT) / lengths, persistent=False)

    def forward(self, tokens: int) -> Tensor:
        """Return what a token gets from others at distances of 0 … tokens - 1 to either side.

        Returns
        -------
        torch.Tensor
            ``(2, width, tokens)``: from tokens before it, and from tokens after it.
        """
        distance = torch.arange(tokens, device=self.rates.device, dtype=self.rates.dtype)
        angles = distance[:, None] * torch.logspace(
            0, -math.log10(self.reach), self.bands, device=distance.device, dtype=distance.dtype
        )
        place = torch.cat((distance[:, None] / self.reach, angles.sin(), angles.cos()), dim=1)
        hidden = torch.sin(self.frequencies[0] * self.first(place))
        hidden = torch.sin(self.frequencies[1] * self.second(hidden))
        window = torch.exp(-distance[:, None] * self.rates)
        return (self.last(hidden).view(tokens, 2, -1) * window[:, None]).permute(1, 2, 0)


def long_convolution(values: Tensor, filters: Tensor) -> Tensor:
    """Convolve by the Fourier transform, to both sides; beyond the ends there are zeros.

    Parameters
    ----------
    values
        ``(batch, width, tokens)``.
    filters
        ``(2, width, tokens)``: weights of the values at distances of 0 … tokens - 1 before and after; what stands at
        distance 0 is the sum of both.

    Returns
    -------
    torch.Tensor
        ``(batch, width, tokens)``.
    """
    tokens = values.shape[-1]
    # The transform knows neither half precision on any length nor bfloat16.
    before, after = filters.float()
    # On a circle of twice the length, distances to the right and to the left never meet.
    circle = torch.cat((before, torch.zeros_like(before)), dim=1)
    circle = circle + torch.cat((after[:, :1], torch.zeros_like(after), after[:, 1:].flip(1)), dim=1)
    spectrum = torch.fft.rfft(values.float(), 2 * tokens) * torch.fft.rfft(circle, 2 * tokens)
    return torch.fft.irfft(spectrum, 2 * tokens)[..., :tokens].to(values.dtype)
