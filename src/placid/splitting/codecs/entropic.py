"""As many bits as a learned distribution says: factorised prior and range coder."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from placid.inference.wire import RangeCoded
from placid.splitting.codecs.base import Codec

__all__ = ["Entropic"]

#: steps of the gain's logarithm, in those of other parameters: how fine the integers are decides between bits and error, has
#: far to go from wherever it starts, and the convolution before it, normalised, cannot go instead
_GAIN_PACE = 8.0


class Entropic(Codec):
    """Numbers rounded to integers and range coded under a density learned for each channel (a factorised prior).

    Entropic Student (Matsubara et al., WACV 2022), after Ballé et al. (2018): in training uniform noise of width one stands
    for rounding, and the bits are -log2 of the density over the unit interval around each number.

    ``Differs from the paper:`` the density of a channel is a mixture of logistics, not Ballé's monotone network: as
    flexible for one number, and its distribution function is a formula.

    Args:
        channels: of the tensor.
        reach: integers from -reach to reach can be sent; what lies beyond is sent as the nearest.
        parts: logistics a channel.
    """

    name = "entropic"

    def __init__(self, channels: int, reach: int = 31, parts: int = 3) -> None:
        super().__init__()
        self.reach = reach
        self.weight = nn.Parameter(torch.zeros(channels, parts))
        self.centre = nn.Parameter(torch.linspace(-1, 1, parts).repeat(channels, 1))
        self.width = nn.Parameter(torch.zeros(channels, parts))  # logarithm
        self.gain = nn.Parameter(torch.full((channels,), 1 / _GAIN_PACE))  # logarithm, over the pace

    def start(self, latents: Tensor) -> None:
        """Spread the mixture over what crosses."""
        with torch.no_grad():
            values = (latents * self._gain()).transpose(0, 1).flatten(1)
            shares = torch.linspace(0.15, 0.85, self.centre.shape[1])
            self.centre.copy_(torch.stack([torch.quantile(values, float(q), dim=1) for q in shares], 1))
            self.width.copy_((values.std(1) * 0.4).clamp_min(0.1).log()[:, None].expand_as(self.width))

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        if self.training:
            # what lies beyond the reach is lost in training as it will be on the wire, or the gain would grow past it
            integers = (latents * self._gain()).clamp(-self.reach, self.reach)
            sent = integers + torch.rand_like(latents) - 0.5
        else:
            sent = self.symbols(latents).to(torch.float32) - float(self.reach)
        return sent / self._gain(), self.bits(sent)

    def symbols(self, latents: Tensor) -> Tensor:
        integers = (latents * self._gain()).round().clamp(-self.reach, self.reach)
        return (integers + self.reach).to(torch.uint8)

    def restore(self, symbols: Tensor) -> Tensor:
        return (symbols.to(torch.float32) - float(self.reach)) / self._gain()

    def _gain(self) -> Tensor:
        return (_GAIN_PACE * self.gain).exp().view(1, -1, 1, 1)

    def bits(self, sent: Tensor) -> Tensor:
        """float32 [batch]: -log2 of the probability of each input's integers (or noisy stand-ins), summed."""
        likelihood = self._mass(sent.transpose(0, 1).flatten(1)).view(sent.shape[1], *sent[:, 0].shape)
        return -likelihood.clamp_min(1e-9).log2().sum((0, 2, 3))

    @torch.no_grad()
    def probabilities(self) -> np.ndarray:
        """float32 [channels, 2 reach + 1]: of every integer that can be sent."""
        integers = torch.arange(-self.reach, self.reach + 1, dtype=torch.float32)
        mass = self._mass(integers.repeat(len(self.weight), 1)).clamp_min(1e-6)
        found: np.ndarray = (mass / mass.sum(1, keepdim=True)).numpy()
        return found

    def wire(self, shape: tuple[int, ...], tag: int = 0) -> RangeCoded:
        return RangeCoded(shape, self.probabilities(), tag)

    def _mass(self, values: Tensor) -> Tensor:
        """Probability of the unit interval around each of `values` [channels, n]."""
        share = F.softmax(self.weight, 1)[:, :, None]
        centre, width = self.centre[:, :, None], self.width.exp()[:, :, None]
        # on the left half of a logistic: there differences of its distribution function keep their digits
        away = -(values[:, None] - centre).abs()
        mass = torch.sigmoid((away + 0.5) / width) - torch.sigmoid((away - 0.5) / width)
        return (share * mass).sum(1)
