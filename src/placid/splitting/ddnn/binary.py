"""Layers of one bit for devices that can do little: weights and activations are +1 or -1."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["BinaryConvPool", "BinaryScores", "sign"]


class _Sign(torch.autograd.Function):
    """The sign, with the gradient of the identity between -1 and 1 and none beyond."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        passed: Tensor = gradient * (x.abs() <= 1)
        return passed


def sign(x: Tensor) -> Tensor:
    """+1 where x >= 0, else -1; the gradient passes straight through where abs(x) <= 1 (Hubara et al., 2016)."""
    result: Tensor = _Sign.apply(x)  # type: ignore[no-untyped-call]
    return result


def _one_bit(weight: nn.Parameter, training: bool) -> Tensor:
    if training:
        # BinaryConnect's clipping: a weight that ran away would hardly ever change its sign again
        with torch.no_grad():
            weight.clamp_(-1, 1)
    return sign(weight)


class BinaryConvPool(nn.Module):
    """The paper's ConvP block, for several parties at once: binary 3 x 3 convolution, pooling by 2, normalisation, sign.

    [batch, parties, inputs, h, w] to +1 and -1 in [batch, parties, filters, ceil(h / 2), ceil(w / 2)]. A device that runs
    it adds and subtracts only: `filters * inputs * 9 * h * w` additions, then one comparison for each bit, as normalisation
    and sign together are a threshold. It stores `filters * inputs * 9` bits, and for each filter a threshold and its
    direction. Pooling takes the greatest of 3 x 3.

    Args:
        parties: devices with weights of their own; 1 to have all of them share.
    """

    def __init__(self, parties: int, inputs: int, filters: int) -> None:
        super().__init__()
        self.parties, self.filters = parties, filters
        # starting weights as wide as the clipping allows take long to turn: a third of it
        self.weight = nn.Parameter(torch.empty(parties * filters, inputs, 3, 3).uniform_(-0.3, 0.3))
        self.norm = nn.BatchNorm2d(parties * filters)

    def forward(self, x: Tensor) -> Tensor:
        batch, present = x.shape[:2]
        grouped = x.reshape(batch * present // self.parties, self.parties * x.shape[2], *x.shape[3:])
        grouped = grouped.contiguous(memory_format=torch.channels_last)  # pooling is half as slow then
        summed = F.conv2d(grouped, _one_bit(self.weight, self.training), padding=1, groups=self.parties)
        bits = sign(self.norm(F.max_pool2d(summed, 3, 2, 1)))
        return bits.reshape(batch, present, self.filters, *bits.shape[2:])


class BinaryScores(nn.Module):
    """Class scores from bits by weights of one bit: the device's part of the local exit.

    [batch, parties, bits] of +1 and -1 to [batch, parties, classes]: `sums` are whole numbers between -bits and bits, and
    are all that has to be sent; `forward` also normalises them, which the receiver can do as well.

    Args:
        parties: as in `BinaryConvPool`.
    """

    def __init__(self, parties: int, bits: int, classes: int) -> None:
        super().__init__()
        self.parties, self.classes = parties, classes
        self.weight = nn.Parameter(torch.empty(parties, classes, bits).uniform_(-0.3, 0.3))
        self.norm = nn.BatchNorm1d(parties * classes)

    def sums(self, bits: Tensor) -> Tensor:
        """Whole numbers, as floats, [batch, parties, classes]: of `bits` terms, each +1 or -1."""
        weight = _one_bit(self.weight, self.training)
        return torch.matmul(bits.transpose(0, 1), weight.transpose(1, 2)).transpose(0, 1)

    def scores(self, sums: Tensor) -> Tensor:
        """What of `sums` is compared between classes."""
        flat = sums.reshape(-1, self.parties * self.classes)
        normalised: Tensor = self.norm(flat)
        return normalised.reshape(sums.shape)

    def forward(self, bits: Tensor) -> Tensor:
        return self.scores(self.sums(bits))
