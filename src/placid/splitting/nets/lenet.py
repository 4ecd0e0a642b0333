"""LeNet for digits, as BranchyNet gives it an exit."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from placid.splitting.nets.blocks import Normalise

__all__ = ["MNIST_DEVIATION", "MNIST_MEAN", "lenet", "lenet_exits"]

#: of the 54,000 training images, pixels in [0, 1]
MNIST_MEAN = (0.1307,)
MNIST_DEVIATION = (0.3081,)


def lenet(classes: int = 10) -> nn.Sequential:
    """Three convolutions of 5 x 5 with pooling and two linear layers, for images [batch, 1, 28, 28].

    It takes 1.1 million multiply-adds. Widths and sizes are those of Teerapittayanon et al., BranchyNet (ICPR 2016): 5, 10,
    20 channels, 720-84-10, which asks for margins of 3 pixels and pooling that keeps the odd row. Between the linear layers
    is a ReLU by our reading.

    Its children in order: normalise, conv1, conv2, conv3, head.
    """

    def pooled(inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 5, padding=3), nn.MaxPool2d(2, ceil_mode=True), nn.ReLU()
        )

    return nn.Sequential(
        OrderedDict(
            normalise=Normalise(MNIST_MEAN, MNIST_DEVIATION),
            conv1=pooled(1, 5),
            conv2=pooled(5, 10),
            conv3=pooled(10, 20),
            head=nn.Sequential(nn.Flatten(), nn.Linear(720, 84), nn.ReLU(), nn.Linear(84, classes)),
        )
    )


def lenet_exits(classes: int = 10) -> dict[str, nn.Module]:
    """The exit of B-LeNet, by the child of `lenet` after which it stands: a convolution 5-10 of 3 x 3, pooling, 640-10.

    The paper has it before the first pooling and begins it with the same pooling: that is this one, computed once.
    """
    return {
        "conv1": nn.Sequential(
            nn.Conv2d(5, 10, 3, padding=1),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(640, classes),
        )
    }
