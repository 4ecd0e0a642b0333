"""Well-known networks for pictures [batch, 3, 224, 224], to cut and to compare cuts on. Nothing here trains them.

``placid splits cuts placid.splitting.nets.imagenet:googlenet --shape 3,224,224`` lists the places.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from placid.splitting.nets.blocks import Residual, conv_bn, conv_bn_relu

__all__ = ["Inception", "alexnet_224", "googlenet", "resnet18"]


def alexnet_224(classes: int = 1000) -> nn.Sequential:
    """AlexNet on one device: 5 convolutions, 3 linear layers, 61 million parameters, 0.71 billion multiply-adds.

    Widths as of Krizhevsky, One weird trick for parallelizing convolutional neural networks (arXiv:1404.5997), without the
    normalisation across channels. Its children in order: conv1, pool1, conv2, …, pool5, fc6, fc7, fc8.
    """

    def convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
        margin = 2 if size > 3 else 1
        return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, margin), nn.ReLU())

    return nn.Sequential(
        OrderedDict(
            conv1=convolution(3, 64, 11, 4),
            pool1=nn.MaxPool2d(3, 2),
            conv2=convolution(64, 192, 5),
            pool2=nn.MaxPool2d(3, 2),
            conv3=convolution(192, 384, 3),
            conv4=convolution(384, 256, 3),
            conv5=convolution(256, 256, 3),
            pool5=nn.MaxPool2d(3, 2),
            fc6=nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(256 * 36, 4096), nn.ReLU()),
            fc7=nn.Sequential(nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU()),
            fc8=nn.Linear(4096, classes),
        )
    )


def resnet18(classes: int = 1000) -> nn.Sequential:
    """The 18-layer residual network of He et al. (2016): 11.7 million parameters, 1.8 billion multiply-adds.

    Its children in order: stem, pool, stage1, …, stage4, head.
    """

    def stage(inputs: int, outputs: int) -> nn.Sequential:
        def block(given: int, stride: int) -> Residual:
            body = nn.Sequential(
                *conv_bn(given, outputs, stride=stride), nn.ReLU(), *conv_bn(outputs, outputs)
            )
            shortcut = nn.Sequential(*conv_bn(given, outputs, 1, stride)) if given != outputs else None
            return Residual(body, shortcut)

        return nn.Sequential(block(inputs, 1 if inputs == outputs else 2), block(outputs, 1))

    return nn.Sequential(
        OrderedDict(
            stem=nn.Sequential(*conv_bn(3, 64, 7, 2), nn.ReLU()),
            pool=nn.MaxPool2d(3, 2, 1),
            stage1=stage(64, 64),
            stage2=stage(64, 128),
            stage3=stage(128, 256),
            stage4=stage(256, 512),
            head=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes)),
        )
    )


class Inception(nn.Module):
    """Four branches side by side, joined by channel: 1 x 1; 1 x 1 and 3 x 3; 1 x 1 and 5 x 5; pooling and 1 x 1.

    Args:
        outputs: channels that the branches give.
        reduced: channels between the two convolutions of the second and the third.
    """

    def __init__(self, inputs: int, outputs: tuple[int, int, int, int], reduced: tuple[int, int]) -> None:
        super().__init__()
        self.one = conv_bn_relu(inputs, outputs[0], 1)
        self.three = nn.Sequential(
            conv_bn_relu(inputs, reduced[0], 1), conv_bn_relu(reduced[0], outputs[1], 3)
        )
        self.five = nn.Sequential(
            conv_bn_relu(inputs, reduced[1], 1), conv_bn_relu(reduced[1], outputs[2], 5)
        )
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_bn_relu(inputs, outputs[3], 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


def googlenet(classes: int = 1000) -> nn.Sequential:
    """GoogLeNet (Szegedy et al., 2015), with batch normalisation for the older one: 1.5 billion multiply-adds.

    Its children in order: stem, inception3a, inception3b, pool3, inception4a, …, inception4e, pool4, inception5a,
    inception5b, head.
    """

    def pool() -> nn.MaxPool2d:
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    return nn.Sequential(
        OrderedDict(
            stem=nn.Sequential(
                *conv_bn(3, 64, 7, 2), nn.ReLU(), pool(),
                conv_bn_relu(64, 64, 1), conv_bn_relu(64, 192, 3), pool(),
            ),
            inception3a=Inception(192, (64, 128, 32, 32), (96, 16)),
            inception3b=Inception(256, (128, 192, 96, 64), (128, 32)),
            pool3=pool(),
            inception4a=Inception(480, (192, 208, 48, 64), (96, 16)),
            inception4b=Inception(512, (160, 224, 64, 64), (112, 24)),
            inception4c=Inception(512, (128, 256, 64, 64), (128, 24)),
            inception4d=Inception(512, (112, 288, 64, 64), (144, 32)),
            inception4e=Inception(528, (256, 320, 128, 128), (160, 32)),
            pool4=pool(),
            inception5a=Inception(832, (256, 320, 128, 128), (160, 32)),
            inception5b=Inception(832, (384, 384, 128, 128), (192, 48)),
            head=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(1024, classes)),
        )
    )  # fmt: skip
