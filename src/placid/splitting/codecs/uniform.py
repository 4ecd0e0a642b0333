"""k bits a number, evenly spaced."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from placid.errors import InputError
from placid.inference.wire import Packed
from placid.splitting.codecs.base import Codec

__all__ = ["Uniform"]


class Uniform(Codec):
    """Each channel's numbers rounded to 2^bits evenly spaced levels.

    Ranges are chosen by `start` for the least squared error; that alone is quantisation after training. In training the
    lowest level and the step of each channel are learned with everything else (Esser et al., "Learned step size
    quantization", 2020, with an offset): rounding lets gradients through unchanged.

    Args:
        channels: of the tensor.
        bits: 1 to 8.
    """

    name = "uniform"

    def __init__(self, channels: int, bits: int) -> None:
        super().__init__()
        if not 1 <= bits <= 8:
            raise InputError(f"a uniform codec has 1 to 8 bits, got {bits}")
        self.bits = bits
        self.low = nn.Parameter(torch.zeros(channels))
        self.step = nn.Parameter(torch.ones(channels))

    @property
    def top(self) -> int:
        """The highest symbol."""
        return (1 << self.bits) - 1

    @torch.no_grad()
    def start(self, latents: Tensor) -> None:
        values = latents.transpose(0, 1).flatten(1)
        low, high = values.amin(1), values.amax(1)
        best = torch.full_like(low, math.inf)
        # few bits do better to cut rare extremes off than to spend levels on them: try ranges drawn in from both ends
        for inner in torch.linspace(1.0, 0.2, 33):
            for left in torch.linspace(0.0, 1.0, 5):
                start = low + (1 - inner) * left * (high - low)
                step = (inner * (high - low) / self.top).clamp_min(1e-8)
                level = ((values - start[:, None]) / step[:, None]).round().clamp(0, self.top)
                error = (start[:, None] + level * step[:, None] - values).square().mean(1)
                better = error < best
                best = torch.where(better, error, best)
                self.low.copy_(torch.where(better, start, self.low))
                self.step.copy_(torch.where(better, step, self.step))

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        bits = latents.new_zeros(len(latents))
        if not self.training:
            return self.restore(self.symbols(latents)), bits
        # a gradient summed over all numbers of a channel is scaled to the size of a weight's (Esser et al., section 2.2)
        scale = 1.0 / math.sqrt(latents[:, 0].numel() * self.top)
        low, step = (_scaled(p, scale).view(1, -1, 1, 1) for p in (self.low, self.step))
        level = ((latents - low) / step).clamp(0, self.top)
        return low + step * (level + (level.round() - level).detach()), bits

    def symbols(self, latents: Tensor) -> Tensor:
        level = (latents - self.low.view(1, -1, 1, 1)) / self.step.view(1, -1, 1, 1)
        return level.round().clamp(0, self.top).to(torch.uint8)

    def restore(self, symbols: Tensor) -> Tensor:
        return self.low.view(1, -1, 1, 1) + symbols.to(torch.float32) * self.step.view(1, -1, 1, 1)

    def wire(self, shape: tuple[int, ...], tag: int = 0) -> Packed:
        return Packed(shape, self.bits, tag)


def _scaled(parameter: Tensor, scale: float) -> Tensor:
    """`parameter` itself, with `scale` times its gradient."""
    return (parameter - parameter * scale).detach() + parameter * scale
