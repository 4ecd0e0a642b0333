"""One network, one node, every way: what is changed, what is sent, what it took."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from placid.errors import InputError, RunError
from placid.splitting.adaptation.adapt import Adaptation, Effort, NodeSeen, adapt
from placid.splitting.adaptation.energy import DEVICE_CLASSES, count_operations, device_class
from placid.splitting.adaptation.methods import METHODS
from placid.splitting.adaptation.mixes import NodeSpec, draw_node
from placid.splitting.adaptation.pieces import Seen, first_changed, pieces_of, rest_of
from placid.splitting.adaptation.statistics import estimate_again
from placid.splitting.adaptation.update import apply_update, update_bytes
from placid.splitting.data import LabelledImages

EFFORT = Effort(pictures=200, fewest_epochs=2, most_epochs=4, batch=20, rank=2)
#: multiply-adds of the network in conftest for one picture of 16 x 16
STEM, MIDDLE, LAST, HEAD = 8 * 64 * 27, 12 * 16 * 72, 12 * 16 * 108, 4 * 192


@pytest.fixture(scope="module")
def seen(labelled_data: LabelledImages, trained_network: nn.Sequential) -> NodeSeen:
    spec = NodeSpec("dim", "dominant:2", "contrast", 5)
    node = draw_node(labelled_data, spec, 0, labelled=100, calibration=60, test=150)
    return NodeSeen(trained_network, node)


@pytest.fixture(scope="module")
def done(seen: NodeSeen, trained_network: nn.Sequential) -> dict[str, Adaptation]:
    return {
        name: adapt(trained_network, way, seen, 0 if name == "none" else 60, _rate(name), EFFORT, 5)
        for name, way in METHODS.items()
        if way.keeps
    }


def _rate(name: str) -> float:
    return METHODS[name].rates[1] if METHODS[name].rates else 0.0


def changed(network: nn.Module, other: nn.Module) -> set[str]:
    held = other.state_dict()
    return {key for key, value in network.state_dict().items() if not torch.equal(value, held[key])}


NORMS = {
    f"{layer}.{what}"
    for layer in ("stem.1", "last.1")
    for what in ("weight", "bias", "running_mean", "running_var")
}
LAYERS = {"stem.0.weight", "middle.0.weight", "last.0.weight", "head.1.weight"}
STATISTICS = {name for name in NORMS if "running" in name}
CHANGED = {
    "none": set(),
    "normalisation": NORMS,
    "head": {"head.1.weight", "head.1.bias"},
    "tail": {n for n in NORMS if n.startswith("last")} | {"last.0.weight", "head.1.weight", "head.1.bias"},
    "adapters": LAYERS | STATISTICS,
    "full": NORMS | LAYERS | {"middle.0.bias", "head.1.bias"},
}


@pytest.mark.parametrize("name", CHANGED)
def test_each_way_changes_what_it_says(
    name: str, done: dict[str, Adaptation], trained_network: nn.Sequential
) -> None:
    assert changed(done[name].network, trained_network) == CHANGED[name]


def test_every_way_is_tried() -> None:
    assert set(CHANGED) == {name for name, way in METHODS.items() if way.keeps}


def test_what_the_node_holds_stays(
    seen: NodeSeen, trained_network: nn.Sequential, labelled_data: LabelledImages
) -> None:
    before = copy.deepcopy(trained_network.state_dict())
    flags = [p.requires_grad for p in trained_network.parameters()]
    adapt(trained_network, METHODS["full"], seen, 30, 1e-3, EFFORT, 0)
    assert all(torch.equal(value, before[key]) for key, value in trained_network.state_dict().items())
    assert [p.requires_grad for p in trained_network.parameters()] == flags


@pytest.mark.parametrize("name", ["normalisation", "head", "tail", "adapters", "full"])
def test_adapting_helps_where_contrast_is_lost(
    name: str, done: dict[str, Adaptation], seen: NodeSeen, trained_network: nn.Sequential
) -> None:
    test = Seen(trained_network, seen.node.test.images)

    def accuracy(made: Adaptation) -> float:
        return float(
            (test.logits(made.network, made.first).argmax(1).numpy() == seen.node.test.labels).mean()
        )

    assert accuracy(done["none"]) < 0.8
    assert accuracy(done[name]) > accuracy(done["none"]) + 0.05


@pytest.mark.parametrize("name", CHANGED)
def test_answers_from_kept_features_are_the_networks(
    name: str, done: dict[str, Adaptation], seen: NodeSeen, trained_network: nn.Sequential
) -> None:
    made = done[name]
    test = Seen(trained_network, seen.node.test.images)
    with torch.no_grad():
        whole = made.network(test.features(0))
    assert torch.allclose(test.logits(made.network, made.first), whole, atol=1e-5)


def test_the_same_seed_gives_the_same_update(
    done: dict[str, Adaptation], seen: NodeSeen, trained_network: nn.Sequential
) -> None:
    way = METHODS["adapters"]
    assert (
        adapt(trained_network, way, seen, 60, _rate("adapters"), EFFORT, 5).update == done["adapters"].update
    )
    assert (
        adapt(trained_network, way, seen, 60, _rate("adapters"), EFFORT, 6).update != done["adapters"].update
    )


def test_bytes_are_those_of_the_tensors(done: dict[str, Adaptation], trained_network: nn.Sequential) -> None:
    assert done["none"].update == b""
    norms = 4 * 4 * (8 + 12)  # mean, variance, scale, shift in 32 bits
    head = 2 * 4 * 192 + 4 * 4  # weights in 16 bits, biases in 32
    adapters = 2 * 2 * sum((27 + 8, 72 + 12, 108 + 12, 192 + 4))  # rank 2, 16 bits
    expected = {
        "normalisation": norms,
        "head": head,
        "tail": 4 * 4 * 12 + 2 * 12 * 108 + head,
        "adapters": adapters + norms // 2,
        "full": norms + 2 * (8 * 27 + 12 * 72 + 12 * 108) + 4 * 12 + head,
    }
    for name, due in expected.items():
        update = done[name].update
        header = 8 + int.from_bytes(update[:8], "little")
        assert len(update) - header == due, name
        assert header < 0.2 * due + 1600


def test_the_node_answers_with_what_was_sent(
    done: dict[str, Adaptation], trained_network: nn.Sequential
) -> None:
    made = done["full"]
    arrived = apply_update(trained_network, made.update)
    assert changed(arrived, made.network) == set()
    weight = made.network.get_submodule("last.0").weight
    assert torch.equal(weight, weight.half().float())
    with pytest.raises(InputError, match="is damaged"):
        apply_update(trained_network, made.update[:-1])
    with pytest.raises(InputError, match=r"'head.1.(weight|bias)' has the shape"):
        apply_update(_with_head(trained_network, 5), made.update)


def _with_head(network: nn.Sequential, classes: int) -> nn.Module:
    other = copy.deepcopy(network)
    other.get_submodule("head")[1] = nn.Linear(192, classes)  # type: ignore[index,operator]
    return other


def test_what_16_bits_cannot_hold_is_told(trained_network: nn.Sequential) -> None:
    broken = copy.deepcopy(trained_network)
    with torch.no_grad():
        broken.get_submodule("last.0").weight[0, 0, 0, 0] = 1e6  # type: ignore[index,operator]
    with pytest.raises(RunError, match=r"'last.0.weight' cannot be sent"):
        update_bytes(trained_network, broken)


def test_operations_are_those_worked_out_by_hand(done: dict[str, Adaptation]) -> None:
    whole = STEM + MIDDLE + LAST + HEAD
    # 60 unlabelled pictures, 60 labelled ones, plain and mirrored once where nothing changes; 3 epochs
    epochs = 3
    passes = 60 * epochs
    norm_front = 2 * 60 * STEM  # the convolution before the first normalisation
    expected = {
        "none": 0,
        # gradients go back through all layers behind the first normalisation, none to weights
        "normalisation": 60 * whole + norm_front + passes * 2 * (MIDDLE + LAST + HEAD),
        "head": 2 * 60 * (STEM + MIDDLE + LAST) + passes * 2 * HEAD,
        # weights of both layers, and the input of the second
        "tail": 60 * whole + 2 * 60 * (STEM + MIDDLE) + passes * (2 * LAST + 3 * HEAD),
        "full": 60 * whole + passes * (2 * STEM + 3 * (MIDDLE + LAST + HEAD)),
    }
    for name, due in expected.items():
        assert done[name].multiply_adds == due, name
        assert done[name].epochs == (0 if name == "none" else epochs)
    assert done["normalisation"].pictures == 120
    assert done["head"].pictures == 60
    down = 2 * (27 * 64 + 72 * 16 + 108 * 16 + 192)
    up = 2 * (8 * 64 + 12 * 16 + 12 * 16 + 4)
    # the first layer's input needs no gradient; weights of narrow paths learn, those of layers do not
    step = 2 * (MIDDLE + LAST + HEAD) + STEM + 3 * down - 2 * 27 * 64 + 3 * up
    assert done["adapters"].multiply_adds == 60 * (whole + down + up) + passes * step


def test_counting_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 4, 5))
    network.train()
    example = torch.rand(1, 3, 4, 4)
    before = copy.deepcopy(network.state_dict())
    found = count_operations(network, example)
    conv, linear = 4 * 4 * 27, 80
    assert (found.forward, found.backward) == (conv + linear, conv + 2 * linear)
    network[0].requires_grad_(False)
    assert count_operations(network, example).backward == 2 * linear  # a shift in between is trained
    network[1].requires_grad_(False)
    assert count_operations(network, example).backward == linear
    network.requires_grad_(False)
    assert count_operations(network, example).backward == 0
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_joules_of_a_device() -> None:
    assert device_class("single-board").joules_per_multiply_add == pytest.approx(6 / 9.6e9)
    assert all(1e-11 < d.joules_per_multiply_add < 1e-7 for d in DEVICE_CLASSES.values())
    with pytest.raises(InputError, match="unknown device class 'edge-gp'; did you mean 'edge-gpu'"):
        device_class("edge-gp")


def test_statistics_are_those_of_all_pictures(trained_network: nn.Sequential, seen: NodeSeen) -> None:
    own = copy.deepcopy(trained_network)
    pictures = seen.unlabelled.features(0)
    estimate_again(own, pictures, prior=0)
    after_stem = own.stem[0](own.normalise(pictures))  # type: ignore[operator,index]
    assert own.stem[1].running_mean == pytest.approx(after_stem.mean((0, 2, 3)).detach(), abs=1e-5)  # type: ignore[index,union-attr]
    # the second layer is estimated on what the first one gives with its new statistics
    before = own[:3](pictures)
    behind = own.last[0](before)  # type: ignore[operator,index]
    assert own.last[1].running_var == pytest.approx(behind.var((0, 2, 3)).detach(), rel=1e-3)  # type: ignore[index,union-attr]
    mixed = copy.deepcopy(trained_network)
    estimate_again(mixed, pictures, prior=len(pictures))
    old = trained_network.stem[1].running_mean  # type: ignore[index,union-attr]
    assert mixed.stem[1].running_mean == pytest.approx((old + own.stem[1].running_mean) / 2, abs=1e-5)  # type: ignore[index,union-attr,operator]
    with pytest.raises(InputError, match="no pictures"):
        estimate_again(own, pictures[:0], prior=0)


def test_no_batch_moves_statistics(seen: NodeSeen, trained_network: nn.Sequential) -> None:
    without, with_labels = (
        adapt(trained_network, METHODS["normalisation"], seen, labels, 1e-2, EFFORT, 0).network.state_dict()
        for labels in (0, 30)
    )
    for key in STATISTICS:
        assert torch.equal(without[key], with_labels[key])
    assert not torch.equal(without["stem.1.weight"], with_labels["stem.1.weight"])


def test_pieces() -> None:
    network = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Linear(2, 2))
    assert [name for name, _ in pieces_of(network)] == ["0.0", "0.1", "1"]
    assert first_changed(network, {"1.weight"}) == 2
    assert first_changed(network, set()) == 3
    assert first_changed(nn.Linear(2, 2), {"weight"}) == 0
    given = torch.rand(3, 2)
    assert torch.equal(rest_of(network, 2)(network[0](given)), network(given))


class Bare(nn.Module):
    """A network that is no sequence and normalises nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.end = nn.Linear(16 * 16 * 3, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.end(images.flatten(1))
        return out


def test_networks_that_have_not_what_a_way_changes(seen: NodeSeen) -> None:
    bare = Bare().eval()
    own = NodeSeen(bare, seen.node)
    with pytest.raises(InputError, match="no batch normalisation"):
        adapt(bare, METHODS["normalisation"], own, 0, 0, EFFORT, 0)
    with pytest.raises(InputError, match="'tail': a tail can be told"):
        adapt(bare, METHODS["tail"], own, 20, 1e-3, EFFORT, 0)
    assert changed(adapt(bare, METHODS["head"], own, 20, 1e-3, EFFORT, 0).network, bare) == {
        "end.weight",
        "end.bias",
    }


def test_what_cannot_be_is_told(seen: NodeSeen, trained_network: nn.Sequential) -> None:
    with pytest.raises(InputError, match="'head': takes 10 to 100 labelled pictures here, got 101"):
        adapt(trained_network, METHODS["head"], seen, 101, 1e-3, EFFORT, 0)
    with pytest.raises(InputError, match="got 0"):
        adapt(trained_network, METHODS["full"], seen, 0, 1e-3, EFFORT, 0)
    with pytest.raises(InputError, match="known: normalise, stem, middle, last"):
        adapt(trained_network, METHODS["tail"], seen, 20, 1e-3, replace(EFFORT, tail_after="stem2"), 0)
    with pytest.raises(RunError, match=r"dim, full, 20 labels: the loss became (nan|inf)"):
        adapt(trained_network, METHODS["full"], seen, 20, 1e20, EFFORT, 0)
    with pytest.raises(InputError, match="'batch' is at least 1"):
        Effort(batch=0)
    assert [Effort().epochs(n) for n in (10, 250, 1000, 5000)] == [20, 16, 4, 4]
    assert np.isfinite(_rate("full"))
