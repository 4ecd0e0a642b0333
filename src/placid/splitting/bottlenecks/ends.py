"""The two ends of a bottleneck: a light encoder for the device, a decoder that imitates what the tail expects."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from placid.errors import InputError
from placid.splitting.nets.airbench import Whitening
from placid.splitting.nets.blocks import Normalise, Residual, conv_bn, conv_bn_relu
from placid.splitting.nets.resnet import CIFAR_DEVIATION, CIFAR_MEAN

__all__ = ["ENCODERS", "decoder", "encoder", "latent_size"]

#: channels at half and at quarter resolution of the encoders offered
ENCODERS: dict[str, tuple[int, int]] = {
    "tiny": (12, 24),
    "small": (24, 48),
    "medium": (32, 60),
    "large": (48, 88),
    "wide": (48, 92),
}


def latent_size(image: tuple[int, int], features: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the latent for a tail that takes `features`: a quarter of the image, as the tail counts it.

    A network that pads its convolutions makes 8 x 8 of 32 x 32 pixels, one that does not 7 x 7.
    """
    quarter = (image[0] // 4, image[1] // 4)
    unpadded = (quarter[0] - 1, quarter[1] - 1)
    return unpadded if features == unpadded else quarter


def encoder(
    channels: int, widths: Sequence[int] = ENCODERS["medium"], *, padded: bool = True
) -> nn.Sequential:
    """Images [batch, 3, h, w] in [0, 1] to latents [batch, channels, h/4, w/4] of zero mean and unit variance.

    A whitening layer, four convolutions, two of them strided, a residual pair where it is cheap, and one to the few channels
    that cross. The last normalisation has no weights: every codec starts from numbers of one scale.

    Args:
        channels: of the latent: 1 to 16 are of interest.
        widths: at half and at quarter resolution. (32, 60) makes 8.1 million multiply-adds of 32 x 32 pixels, (48, 92)
            16.9 million, unpadded.
        padded: false for latents of one row and column less: see `latent_size`.
    """
    half, quarter = widths
    whitening = Whitening()

    def halved(inputs: int, outputs: int) -> nn.Sequential:
        convolution = nn.Conv2d(inputs, outputs, 3, 2, 1 if padded else 0, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())

    return nn.Sequential(
        OrderedDict(
            normalise=Normalise(CIFAR_MEAN, CIFAR_DEVIATION),
            pad=nn.ZeroPad2d((0, 1, 0, 1)) if padded else nn.Identity(),
            stem=nn.Sequential(whitening, nn.ReLU()),
            stage1=nn.Sequential(halved(whitening.out_channels, half), conv_bn_relu(half, half)),
            stage2=nn.Sequential(
                halved(half, quarter),
                Residual(
                    nn.Sequential(conv_bn_relu(quarter, quarter), conv_bn_relu(quarter, quarter)), relu=False
                ),
            ),
            squeeze=nn.Sequential(
                nn.Conv2d(quarter, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels, affine=False),
            ),
        )
    )


def decoder(
    channels: int, shape: tuple[int, int, int], latent: tuple[int, int], *, blocks: int = 0
) -> nn.Sequential:
    """Latents [batch, channels, *latent] to features [batch, *shape]: what the tail of the network takes, after a ReLU.

    A convolution, `blocks` residual pairs of them and another convolution at the latent's resolution; if the features are
    finer, they are reached by shuffling pixels. What a light encoder leaves undone a server can do: it is the device that
    has little to spare.

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
    layers += [
        Residual(nn.Sequential(conv_bn_relu(out, out), *conv_bn(out, out)), relu=True) for _ in range(blocks)
    ]
    for _ in range(int(math.log2(finer))):
        layers += [nn.Conv2d(out, 4 * out, 1), nn.PixelShuffle(2)]
    return nn.Sequential(*layers, *conv_bn(out, out), nn.ReLU())
