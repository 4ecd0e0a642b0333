"""Low-rank adapters: nothing at first, the same beside a layer as within it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from placid.errors import InputError
from placid.splitting.adaptation.lowrank import Adapted, insert_adapters, merge_adapters


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2, padding=1, padding_mode="reflect"),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=2, dilation=2, groups=4),
        nn.Conv2d(16, 12, (3, 1)),
        nn.Flatten(),
        nn.Linear(12 * 6 * 8, 9),
    ).eval()


def halves(network: nn.Module) -> dict[str, torch.Tensor]:
    return {
        key: value
        for key, value in network.state_dict().items()
        if key.endswith((".down.weight", ".up.weight"))
    }


def test_adapters_beside_are_adapters_within() -> None:
    plain = layers()
    beside = copy.deepcopy(plain)
    names = insert_adapters(beside, 2, seed=3)
    assert names == ["0", "3", "5"]  # not the grouped one
    images = torch.rand(5, 3, 16, 16)
    assert torch.equal(beside(images), plain(images))
    for key, value in beside.named_parameters():
        if ".up." in key:
            nn.init.normal_(value)
    merged = copy.deepcopy(plain)
    merge_adapters(merged, halves(beside))
    assert torch.allclose(merged(images), beside(images), atol=1e-5)
    assert not torch.allclose(merged(images), plain(images), atol=0.1)
    assert [p.shape for p in merged.parameters()] == [p.shape for p in plain.parameters()]


def test_seed_decides_and_nothing_is_left_behind() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    drawn = []
    for seed in (1, 1, 2):
        network = layers()
        torch.random.set_rng_state(before)
        insert_adapters(network, 2, seed)
        assert torch.equal(torch.random.get_rng_state(), before)
        drawn.append(halves(network)["0.down.weight"])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_layers_smaller_than_an_adapter_have_none() -> None:
    network = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 4))
    # 4 (64 + 4) numbers would stand in for 256
    assert insert_adapters(network, 4, 0) == ["0"]
    assert isinstance(network[0], Adapted)
    with pytest.raises(InputError, match="no layer of the network is larger"):
        insert_adapters(nn.Sequential(nn.Linear(2, 2)), 4, 0)
    with pytest.raises(InputError, match="a rank is at least 1"):
        insert_adapters(nn.Sequential(nn.Linear(64, 64)), 0, 0)


def test_half_an_adapter_is_refused() -> None:
    network = layers()
    insert_adapters(network, 2, 0)
    held = halves(network)
    del held["3.up.weight"]
    with pytest.raises(InputError, match="adapter of '3'"):
        merge_adapters(layers(), held)
    with pytest.raises(InputError, match="adapter of 'nowhere'"):
        merge_adapters(layers(), {"nowhere.down.weight": torch.zeros(1), "nowhere.up.weight": torch.zeros(1)})
