"""Segments together are the network; what a cut says is what crosses and what runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from placid.errors import InputError, UnknownNameError
from placid.randomness import stream
from placid.splitting.cutting import Traced, segments, trace
from placid.splitting.nets import resnet

from .networks import FROM_TIMM, OWN, Twice, from_timm


def images(count: int, size: int = 32) -> Tensor:
    return torch.from_numpy(stream(1, "cutting").random((count, 3, size, size), "float32"))


def through(parts: Sequence[nn.Module], given: Tensor) -> tuple[Tensor, ...]:
    """What the parts make of it one after another."""
    value: tuple[Tensor, ...] = (given,)
    for part in parts:
        out = part(*value)
        value = out if isinstance(out, tuple) else (out,)
    return value


def settled(network: nn.Module, size: int = 32) -> nn.Module:
    """With statistics of normalisation that are not those of a fresh network."""
    with torch.no_grad():
        network.train()(images(4, size))
    return network.eval()


def hold(network: nn.Module, size: int, most: int) -> Traced:
    traced = trace(network, images(2, size))
    cuts = traced.cuts
    chosen = cuts if len(cuts) <= most else [cuts[i * (len(cuts) - 1) // (most - 1)] for i in range(most)]
    given = images(3, size)
    with torch.no_grad():
        answer = network(given.clone())
        wanted = answer if isinstance(answer, tuple) else (answer,)
        for cut in chosen:
            head, tail = traced.segments([cut.name])
            crossing = through([head], given.clone())
            for sent, told in zip(crossing, cut.crossing, strict=True):
                assert sorted(sent.shape) == sorted((3, *told.shape)) or len(told.shape) == sent.ndim, (
                    cut.name
                )
            assert sum(c.numel() * c.element_size() for c in crossing) == 3 * cut.size_bytes, cut.name
            for found, due in zip(through([head, tail], given.clone()), wanted, strict=True):
                torch.testing.assert_close(found, due, atol=1e-5, rtol=1e-4)
        thirds = [cuts[len(cuts) // 3].name, cuts[2 * len(cuts) // 3].name]
        for found, due in zip(through(traced.segments(thirds), given.clone()), wanted, strict=True):
            torch.testing.assert_close(found, due, atol=1e-5, rtol=1e-4)
    return traced


@pytest.mark.parametrize("name", OWN)
def test_segments_together_are_the_network(name: str) -> None:
    torch.manual_seed(0)
    hold(settled(OWN[name]()), 32, 40)


@pytest.mark.parametrize("name", FROM_TIMM)
def test_segments_of_models_written_by_others(name: str) -> None:
    torch.manual_seed(0)
    hold(from_timm(name).eval(), FROM_TIMM[name], 4)


@pytest.mark.parametrize("name", ["resnet8", "dense", "hourglass", "transformer"])
def test_both_sides_together_do_what_the_network_does(name: str) -> None:
    network = OWN[name]().eval()
    traced = trace(network, images(2))
    # the example is counted by torch, as a whole: another way than operation by operation
    torch.backends.mha.set_fastpath_enabled(False)  # one operation that torch does not count
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(images(1))
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    for cut in traced.cuts:
        together = cut.head.multiply_adds + cut.tail.multiply_adds
        assert together == traced.multiply_adds == counter.get_total_flops() // 2
        assert cut.size_bytes <= cut.head.peak_bytes
        assert cut.size_bytes <= cut.tail.peak_bytes
    for a, b in pairwise(traced.cuts):
        assert a.head.multiply_adds <= b.head.multiply_adds
        assert a.head.parameter_bytes <= b.head.parameter_bytes
        assert a.tail.peak_bytes >= b.tail.peak_bytes


def test_costs_of_a_network_counted_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 5))
    traced = trace(network, torch.zeros(1, 3, 8, 8))
    first = traced.cut("0")
    assert first.head.multiply_adds == 64 * 4 * 27
    assert first.tail.multiply_adds == 256 * 5
    assert first.head.parameter_bytes == 4 * (4 * 27 + 4)
    assert first.tail.parameter_bytes == 4 * (256 * 5 + 5)
    assert first.head.moved_bytes == 4 * (192 + 108 + 4 + 256)
    # convolution: input and output alive; after it the ReLU has two tensors of 256
    assert first.head.peak_bytes == 4 * (192 + 256)
    assert first.tail.peak_bytes == 4 * (256 + 256)
    assert [c.name for c in traced.cuts] == ["0", "1"], "flattening is a view, no place to cut"


def test_a_residual_block_is_cut_inside_with_two_tensors() -> None:
    traced = trace(resnet(8).eval(), images(2))
    (inside,) = (c for c in traced.cuts if c.name == "stage2.0.body.2")
    assert [c.shape for c in inside.crossing] == [(16, 32, 32), (32, 16, 16)]
    assert len(traced.cut("stage2").crossing) == 1
    assert traced.cut("stage2.0.after") is traced.cut("stage2"), (
        "inner modules that end there are names for it too"
    )


def test_segments_hold_the_weights_of_the_network() -> None:
    network = resnet(8)
    network.train()
    head, tail = segments(network, images(2), ["stage1"])
    assert network.training
    own = {id(p): n for n, p in network.named_parameters()}
    shared = {own[id(p)] for part in (head, tail) for p in part.parameters()}
    assert shared == {n for n, _ in network.named_parameters()}
    assert {n for n, _ in head.named_parameters()} <= {n for n, _ in network.named_parameters()}
    # a step on a segment changes the network
    before = network.eval()(images(2))
    tail(head(images(2))).square().sum().backward()
    with torch.no_grad():
        for p in tail.parameters():
            p -= 0.1 * p.grad if p.grad is not None else 0
    after = network(images(2))
    assert not torch.allclose(before, after)
    torch.testing.assert_close(tail(head(images(2))), after)


def test_weights_used_on_both_sides_count_on_both() -> None:
    traced = trace(Twice().eval(), images(2))
    cut = next(c for c in traced.cuts if c.name.startswith("again") or "again" in c.aliases[0])
    again = 4 * (6 * 6 * 9 + 6)
    stem = 4 * (6 * 27 + 6)
    assert cut.head.parameter_bytes == stem + again
    assert cut.tail.parameter_bytes == again + 4 * 6
    assert len(cut.crossing) == 1


def test_two_hundred_layers() -> None:
    """How long that takes is a benchmark's to say: `python -m benchmarks cutting`."""
    torch.manual_seed(0)
    assert len(trace(resnet(200).eval(), images(2)).cuts) > 600


def test_a_cut_that_does_not_exist() -> None:
    with pytest.raises(UnknownNameError, match=r"stage22.*stage2"):
        segments(resnet(8), images(2), ["stage22"])


def test_cuts_go_along_the_network() -> None:
    traced = trace(resnet(8), images(2))
    for names in (["stage2", "stage1"], ["stage2", "stage2"]):
        with pytest.raises(InputError, match="along the network"):
            traced.segments(names)


class Choosy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1 if float(x.sum()) > 0 else x - 1


class Aloof(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.zeros(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.answer * 2


@pytest.mark.parametrize(
    ("network", "said"), [(Choosy(), "torch.export cannot read Choosy"), (Aloof(), "depend")]
)
def test_a_network_that_cannot_be_cut(network: nn.Module, said: str) -> None:
    with pytest.raises(InputError, match=said):
        trace(network, images(2))


def test_an_example_needs_a_batch() -> None:
    with pytest.raises(InputError, match="batch"):
        trace(resnet(8), torch.zeros(0, 3, 32, 32))
