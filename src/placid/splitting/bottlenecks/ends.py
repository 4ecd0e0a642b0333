"""The two ends of a bottleneck: a light encoder for the device, a decoder that imitates what the tail expects."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import nn

from placid.errors import InputError
from placid.splitting.nets.blocks import Normalise, Residual, conv_bn, conv_bn_relu
from placid.splitting.nets.resnet import CIFAR_DEVIATION, CIFAR_MEAN

__all__ = ["ENCODERS", "decoder", "encoder"]

#: channels at full, half and quarter resolution of the encoders offered
ENCODERS: dict[str, tuple[int, int, int]] = {
    "tiny": (8, 16, 32),
    "small": (8, 32, 56),
    "medium": (16, 48, 80),
}


def encoder(channels: int, widths: Sequence[int] = ENCODERS["medium"]) -> nn.Sequential:
    """Images [batch, 3, 4h, 4w] in [0, 1] to latents [batch, channels, h, w] of zero mean and unit variance.

    Three convolutions, two of them strided, a residual pair where it is cheap, and one to the few channels that cross.
    The last normalisation has no weights: every codec starts from numbers of one scale.

    Args:
        channels: of the latent: 1 to 16 are of interest.
        widths: at full, half and quarter resolution. (16, 48, 80) makes 11.9 million multiply-adds of 32 x 32 pixels.
    """
    full, half, quarter = widths
    return nn.Sequential(
        Normalise(CIFAR_MEAN, CIFAR_DEVIATION),
        conv_bn_relu(3, full),
        conv_bn_relu(full, half, stride=2),
        conv_bn_relu(half, quarter, stride=2),
        Residual(nn.Sequential(conv_bn_relu(quarter, quarter), conv_bn_relu(quarter, quarter)), relu=False),
        nn.Conv2d(quarter, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels, affine=False),
    )


def decoder(channels: int, shape: tuple[int, int, int], latent: tuple[int, int]) -> nn.Sequential:
    """Latents [batch, channels, *latent] to features [batch, *shape]: what the tail of the network takes, after a ReLU.

    Two convolutions at the latent's resolution; if the features are finer, they are reached by shuffling pixels.

    Raises:
        InputError: the features are not a whole power of two finer than the latent.
    """
    out, height, width = shape
    finer = height // latent[0]
    if (height, width) != (latent[0] * finer, latent[1] * finer) or finer & (finer - 1):
        raise InputError(
            f"a decoder reaches features 1, 2, 4, … times as fine as its latent {latent}, not {height} x {width}"
        )
    layers: list[nn.Module] = [conv_bn_relu(channels, out)]
    for _ in range(int(math.log2(finer))):
        layers += [nn.Conv2d(out, 4 * out, 1), nn.PixelShuffle(2)]
    return nn.Sequential(*layers, *conv_bn(out, out), nn.ReLU())
