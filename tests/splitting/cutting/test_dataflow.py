"""The arrays say what the cuts say; a head that lies on no line still runs."""

from __future__ import annotations

import pytest
import torch

from placid.errors import InputError
from placid.placement.offline.graph_cut import best_graph_cut
from placid.randomness import stream
from placid.splitting.cutting import dataflow, trace
from placid.splitting.nets.imagenet import Inception

from .networks import OWN
from .test_cutting import settled, through


@pytest.mark.parametrize("name", OWN)
def test_every_cut_of_the_network_is_in_the_arrays(name: str) -> None:
    traced = trace(OWN[name]().eval(), torch.zeros(2, 3, 32, 32))
    flow = dataflow(traced)
    assert flow.multiply_adds.sum() == traced.multiply_adds
    assert (flow.arcs[:, 0] < flow.arcs[:, 1]).all()
    assert len(flow.cuts) == len(traced.cuts) > 3
    assert flow.parameter_bytes >= max(c.head.parameter_bytes for c in traced.cuts)
    assert flow.parameter_bytes <= min(c.head.parameter_bytes + c.tail.parameter_bytes for c in traced.cuts)
    assert flow.peak_bytes >= max(max(c.head.peak_bytes, c.tail.peak_bytes) for c in traced.cuts) > 0
    outputs = {n.name for n in traced.operations.outputs}
    for before, cut in zip(flow.cuts, traced.cuts, strict=True):
        assert flow.names[before - 1] == cut.name
        assert flow.multiply_adds[:before].sum() == cut.head.multiply_adds
        assert flow.moved_bytes[:before].sum() == cut.head.moved_bytes
        # an answer that is ready crosses a cut too, though no operation reads it
        ready = sum(c.size_bytes for c in cut.crossing if c.name in outputs)
        assert flow.made_bytes[flow.crossing(before)].sum() + ready == cut.size_bytes


@pytest.mark.parametrize("name", OWN)
def test_a_head_of_any_shape_and_the_rest_are_the_network(name: str) -> None:
    torch.manual_seed(0)
    network = settled(OWN[name]())
    traced = trace(network, torch.zeros(2, 3, 32, 32))
    flow, rng, parted = dataflow(traced), stream(0, f"heads of {name}"), 0
    given = torch.from_numpy(rng.random((3, 3, 32, 32), "float32"))
    with torch.no_grad():
        answer = network(given.clone())
        wanted = answer if isinstance(answer, tuple) else (answer,)
        for _ in range(6):
            # random work makes least cuts of any shape
            first, second = rng.random(len(flow.names)), rng.random(len(flow.names))
            second[: flow.inputs] = torch.inf
            found = best_graph_cut(
                first, second, flow.made_bytes, flow.arcs, per_byte=1e-6, orders=flow.orders
            )
            head = {i - flow.inputs for i in range(flow.inputs, len(flow.names)) if found.head[i]}
            if not 0 < len(head) < len(traced.operations.steps):
                continue
            parts = traced.parted(head)
            for due, got in zip(wanted, through(parts, given.clone()), strict=True):
                torch.testing.assert_close(got, due, atol=1e-5, rtol=1e-4)
            parted += 1
    assert parted > 0


def test_a_head_across_branches_sends_what_is_thin() -> None:
    """Each branch is cut after its 1 x 1, which no place in the network's order does."""
    torch.manual_seed(0)
    network = settled(torch.nn.Sequential(Inception(3, (4, 16, 16, 4), (1, 1))), 16)
    traced = trace(network, torch.zeros(2, 3, 16, 16))
    names = [s.name for s in traced.operations.steps]
    modules = [next(reversed(s.meta["nn_module_stack"].values()))[0] for s in traced.operations.steps]
    wanted = ("0.one", "0.three.0", "0.five.0", "0.pool")
    head = {i for i, m in enumerate(modules) if m.startswith(wanted)}
    assert 0 < len(head) < len(names)
    first, rest = traced.parted(head)
    given = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(through([first, rest], given)[0], network(given), atol=1e-5, rtol=1e-4)
        sent = through([first], given)
    # 4 + 1 + 1 + 4 channels; in the network's own order at least 3 more, of the input, or 16 of a branch
    assert sum(t.shape[1] for t in sent) == 10


def test_what_is_read_before_it_is_written_over_stays_before() -> None:
    """In `Attentive` a mean and a gate are taken of a tensor that a product then overwrites."""
    traced = trace(OWN["attentive"]().eval(), torch.zeros(2, 3, 32, 32))
    flow = dataflow(traced)
    steps = [s.name.rstrip("_") for s in traced.operations.steps]
    before = {(steps[v - 1], steps[w - 1]) for v, w in flow.orders}
    assert ("mean", "mul") in before
    assert ("mul", "amax") in before
    assert len(dataflow(trace(OWN["dense"]().eval(), torch.zeros(2, 3, 32, 32))).orders) == 0


def test_impossible_heads_are_refused() -> None:
    traced = trace(OWN["dense"]().eval(), torch.zeros(2, 3, 32, 32))
    with pytest.raises(InputError, match="which is not in it"):
        traced.parted([1])
    for none_or_all in ([], range(len(traced.operations.steps))):
        with pytest.raises(InputError, match="some of the"):
            traced.parted(none_or_all)
