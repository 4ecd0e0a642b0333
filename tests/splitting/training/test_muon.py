"""Orthogonalised momentum."""

from __future__ import annotations

import copy

import torch
from torch import nn

from placid.splitting.training.muon import Muon


def convolutions(count: int, inputs: int = 6, outputs: int = 4) -> nn.ModuleList:
    torch.manual_seed(3)
    return nn.ModuleList(nn.Conv2d(inputs, outputs, 3, bias=False) for _ in range(count))


def moved(layers: nn.ModuleList, channels_last: bool = False) -> list[torch.Tensor]:
    """Weights after two steps along gradients that differ from layer to layer."""
    if channels_last:
        layers.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = Muon(list(layers.parameters()), lr=0.1)
    for _ in range(2):
        for place, layer in enumerate(layers):
            rng = torch.Generator().manual_seed(place)
            layer.weight.grad = torch.randn(layer.weight.shape, generator=rng)  # type: ignore[union-attr,operator]
        optimiser.step()
    return [layer.weight.detach().clone() for layer in layers]  # type: ignore[union-attr,operator]


def test_every_direction_is_moved_by_the_rate() -> None:
    """What a first step adds, seen as a matrix, has singular values near one times the rate."""
    (layer,) = layers = convolutions(1)
    optimiser = Muon(list(layers.parameters()), lr=0.1)
    before = layer.weight.detach().clone()  # type: ignore[union-attr,operator]
    before *= len(before) ** 0.5 / before.norm()
    layer.weight.grad = torch.randn(layer.weight.shape)  # type: ignore[arg-type,union-attr]
    optimiser.step()
    values = torch.linalg.svdvals((before - layer.weight.detach()).flatten(1))  # type: ignore[union-attr,operator]
    assert 0.06 < float(values.min()) <= float(values.max()) < 0.13


def test_layers_of_one_shape_are_moved_together_as_each_would_be_alone() -> None:
    together = convolutions(3)
    alone = copy.deepcopy(together)
    found = moved(together)
    for place, layer in enumerate(alone):
        rng = torch.Generator().manual_seed(place)
        gradient = torch.randn(layer.weight.shape, generator=rng)  # type: ignore[arg-type]
        optimiser = Muon([layer.weight], lr=0.1)  # type: ignore[list-item]
        for _ in range(2):
            layer.weight.grad = gradient.clone()  # type: ignore[assignment]
            optimiser.step()
        torch.testing.assert_close(found[place], layer.weight.detach())  # type: ignore[operator]


def test_how_weights_lie_in_memory_changes_nothing() -> None:
    for a, b in zip(moved(convolutions(2)), moved(convolutions(2), channels_last=True), strict=True):
        torch.testing.assert_close(a, b)
