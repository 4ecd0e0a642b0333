"""Residual networks for small colour images."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from placid.splitting.nets.blocks import Normalise, Residual, conv_bn, conv_bn_relu

__all__ = ["CIFAR_DEVIATION", "CIFAR_MEAN", "resnet", "resnet9"]

#: of the 45,000 training images, by channel, pixels in [0, 1]
CIFAR_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR_DEVIATION = (0.2470, 0.2435, 0.2616)


def resnet9(width: int = 24, classes: int = 10) -> nn.Sequential:
    """Eight convolutions and a linear layer, two residual pairs, pooling between: quick to train for how good it is.

    The shape is that of D. Page's entry for DAWNBench (2018) with a free width: `width` channels at full resolution, eight
    times that at the end; 24 gives 53.7 million multiply-adds and 0.93 million parameters for 32 x 32 pixels.

    Its children in order are the places where it is naturally cut: normalise, stem, stage1, stage2, stage3, head.
    """
    w = width

    def pair(channels: int) -> Residual:
        return Residual(
            nn.Sequential(conv_bn_relu(channels, channels), conv_bn_relu(channels, channels)), relu=False
        )

    def pooled(inputs: int, outputs: int) -> list[nn.Module]:
        convolution, norm = conv_bn(inputs, outputs)
        return [convolution, nn.MaxPool2d(2), norm, nn.ReLU()]

    return nn.Sequential(
        OrderedDict(
            normalise=Normalise(CIFAR_MEAN, CIFAR_DEVIATION),
            stem=conv_bn_relu(3, w),
            stage1=nn.Sequential(*pooled(w, 2 * w), pair(2 * w)),
            stage2=nn.Sequential(*pooled(2 * w, 4 * w)),
            stage3=nn.Sequential(*pooled(4 * w, 8 * w), pair(8 * w)),
            head=nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(8 * w, classes)),
        )
    )


def resnet(depth: int, width: int = 16, classes: int = 10) -> nn.Sequential:
    """The residual networks of He et al. (2016) for CIFAR-10: depth 6n + 2, three stages of n blocks.

    ``Differs from the paper:`` where a block changes its input's shape, the shortcut is a 1 x 1 convolution (their option
    B), not zero padding (their option A).

    Args:
        depth: 8, 14, 20, 32, 44, 56 or 110 (any 6n + 2).
        width: channels of the first stage; the third has four times as many.
    """
    blocks = (depth - 2) // 6
    if blocks < 1 or 6 * blocks + 2 != depth:
        raise ValueError(f"a residual network has a depth of 6n + 2 (8, 14, 20, …), got {depth}")
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        normalise=Normalise(CIFAR_MEAN, CIFAR_DEVIATION), stem=conv_bn_relu(3, width)
    )
    inputs = width
    for stage in range(3):
        outputs = width << stage
        members = []
        for block in range(blocks):
            stride = 2 if stage and block == 0 else 1
            body = nn.Sequential(
                *conv_bn(inputs, outputs, stride=stride), nn.ReLU(), *conv_bn(outputs, outputs)
            )
            shortcut = nn.Sequential(*conv_bn(inputs, outputs, 1, stride)) if inputs != outputs else None
            members.append(Residual(body, shortcut))
            inputs = outputs
        layers[f"stage{stage + 1}"] = nn.Sequential(*members)
    layers["head"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
    return nn.Sequential(layers)
