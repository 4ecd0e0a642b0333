"""Joules of a training: multiply-adds times what a declared class of device takes for one. Modelled, never measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from placid.errors import UnknownNameError

__all__ = ["DEVICE_CLASSES", "DeviceClass", "Operations", "count_operations", "device_class"]


@dataclass(frozen=True)
class DeviceClass:
    """A class of device that trains, as declared: power under load over multiply-adds a second that training reaches.

    Attributes:
        power_w: of the whole board under load.
        multiply_adds_per_s: float32, sustained: peak of the processor times the share declared beside it.
    """

    power_w: float
    multiply_adds_per_s: float

    @property
    def joules_per_multiply_add(self) -> float:
        """Of the whole board, not of the arithmetic alone (4.6 pJ at 45 nm: Horowitz, ISSCC 2014)."""
        return self.power_w / self.multiply_adds_per_s


#: declared by us: peaks follow from cores x clock x lanes of the data sheet, the shares reached are assumed
DEVICE_CLASSES: dict[str, DeviceClass] = {
    # Cortex-M7 at 216 MHz, one float32 multiply-add a cycle at best; 0.4 of it; 0.35 W
    "microcontroller": DeviceClass(0.35, 0.4 * 216e6),
    # four Cortex-A72 at 1.5 GHz, four lanes: 24e9 a second at best; 0.4 of it; 6 W for the board
    "single-board": DeviceClass(6.0, 0.4 * 24e9),
    # 128 GPU cores at 921 MHz: 118e9 at best; 0.3 of it; 10 W
    "edge-gpu": DeviceClass(10.0, 0.3 * 118e9),
}


def device_class(name: str) -> DeviceClass:
    """Raises UnknownNameError if there is none of that name."""
    if name not in DEVICE_CLASSES:
        raise UnknownNameError("device class", name, DEVICE_CLASSES)
    return DEVICE_CLASSES[name]


@dataclass(frozen=True)
class Operations:
    """Multiply-adds that one picture takes in convolutions and linear layers.

    Attributes:
        forward: to answer.
        backward: to learn from the answer: the gradients of all inputs before which something is trained, and those of
            the weights that are.
    """

    forward: int
    backward: int


def count_operations(network: nn.Module, example: Tensor) -> Operations:
    """What `network` takes for `example` (a batch of one), with what is trained in it as it is set now.

    Which gradients are needed is asked of the very graph that training builds.
    """
    forward = backward = 0

    def count(module: nn.Module, given: tuple[Tensor, ...], out: Any) -> None:
        nonlocal forward, backward
        assert isinstance(module, nn.Conv2d | nn.Linear)
        # each number put out sums over what one filter, or one row, holds
        operations = out.numel() * math.prod(module.weight.shape[1:])
        forward += operations
        backward += operations * (int(given[0].requires_grad) + int(module.weight.requires_grad))

    hooks = [
        m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)
    ]
    modes = [(m, m.training) for m in network.modules()]
    try:
        network.eval()  # a batch of one must not move running statistics
        with torch.enable_grad():
            network(example)
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes:
            module.training = training
    return Operations(forward, backward)
