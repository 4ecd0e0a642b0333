"""Convolutions of one pixel without strides: the same answers and gradients, and everything as before afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from placid.splitting.training.strided import pointwise_without_strides

#: what crashed: filters' gradients of few channels, with other memory asked for between
CRASHED = """
import torch
from torch import nn
from placid.splitting.training.strided import pointwise_without_strides
torch.set_num_threads(1)
layer = nn.Conv2d(4, 8, 1, 2, bias=False).to(memory_format=torch.channels_last)
with pointwise_without_strides(layer):
    for _ in range(60):
        for batch in (256, 64, 7):
            images = torch.rand(batch, 4, 16, 16, requires_grad=True).contiguous(memory_format=torch.channels_last)
            layer(images).square().sum().backward()
print(layer.stride)
"""


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(4, 6, 1, 2, bias=False), nn.Conv2d(6, 16, 1, (2, 3)), nn.Conv2d(16, 3, 1, 2)
    )


def test_answers_and_gradients_are_those_of_the_strides() -> None:
    images = torch.rand(3, 4, 15, 13)
    plain, other = network(), network()
    plain(images).square().sum().backward()
    with pointwise_without_strides(other):
        assert [layer.stride for layer in other] == [(1, 1), (1, 1), (2, 2)]
        other(images).square().sum().backward()
    torch.testing.assert_close(other(images), plain(images))
    for a, b in zip(plain.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_a_network_is_left_as_it_was_also_after_an_error() -> None:
    made = network()
    with pytest.raises(ZeroDivisionError), pointwise_without_strides(made):
        raise ZeroDivisionError
    assert [layer.stride for layer in made] == [(2, 2), (2, 3), (2, 2)]
    assert not any(layer._forward_pre_hooks for layer in made)


def test_what_crashed_does_not() -> None:
    done = subprocess.run([sys.executable, "-c", CRASHED], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "(2, 2)")
