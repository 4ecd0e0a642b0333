"""Where Neurosurgeon and DADS cut a real network: against every cut tried, against each other, and by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from placid.catalog.processors import PROCESSORS  # noqa: E402
from placid.catalog.radios import RADIOS, Radio  # noqa: E402
from placid.errors import InputError  # noqa: E402
from placid.experiments.partition import (  # noqa: E402
    Priced,
    dads,
    neurosurgeon,
    operation_seconds,
    parting,
    priced,
)
from placid.splitting.cutting import Dataflow, dataflow, trace  # noqa: E402
from placid.splitting.nets import alexnet, lenet, resnet  # noqa: E402
from placid.splitting.nets.imagenet import Inception  # noqa: E402


def branched() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 24, 3, 4, 1),
        Inception(24, (2, 256, 256, 2), (2, 2)),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(516, 10),
    )


@cache
def flow(name: str) -> Dataflow:
    network, shape = {
        "lenet": (lenet, (2, 1, 28, 28)),
        "alexnet": (alexnet, (2, 3, 32, 32)),  # its pooling also gives places of maxima, which nobody reads
        "resnet": (lambda: resnet(8), (2, 3, 32, 32)),
        "branched": (branched, (2, 3, 32, 32)),
    }[name]
    return dataflow(trace(network().eval(), torch.zeros(shape)))


def between(name: str, device: str = "raspberry-pi-4") -> Priced:
    numbers = flow(name).made_bytes[0] / 4
    return priced(flow(name), PROCESSORS[device], PROCESSORS["x86-core"], input_bytes=numbers)


def link(bits_per_s: float) -> Radio:
    return Radio("some", "a link", bits_per_s / 8, 1e-6, 0.0, 1e-5)


RATES = [10.0 ** (k / 2) for k in range(8, 22)]


@pytest.mark.parametrize("name", ["lenet", "resnet", "branched"])
@pytest.mark.parametrize("device", ["cortex-m7", "raspberry-pi-4", "phone"])
def test_neurosurgeon_is_the_best_of_all_cuts_in_order(name: str, device: str) -> None:
    network = between(name, device)
    n, places = len(network.flow.names), set()
    for rate in RATES:
        radio = link(rate)
        heads = [np.arange(n) < end for end in network.ends]
        tried = [parting(network, head, radio) for head in heads]
        best = neurosurgeon(network, radio)
        assert best.latency_s == pytest.approx(min(p.latency_s for p in tried), rel=1e-9)
        least = neurosurgeon(network, radio, "energy")
        assert least.device_j == pytest.approx(min(p.device_j for p in tried), rel=1e-9)
        places.add(best.after)
    assert len(places) > 1, "the link decides"


@pytest.mark.parametrize("device", ["cortex-m7", "raspberry-pi-4", "phone"])
def test_on_a_chain_dads_is_neurosurgeon_and_elsewhere_no_worse(device: str) -> None:
    for name in ("lenet", "alexnet", "resnet", "branched"):
        for rate in RATES:
            network, radio = between(name, device), link(rate)
            free, chain = dads(network, radio), neurosurgeon(network, radio)
            assert free.latency_s <= chain.latency_s * (1 + 1e-6)
            if name == "lenet":
                assert free.latency_s == pytest.approx(chain.latency_s, rel=1e-6)


def test_a_branched_network_is_cut_where_no_order_cuts_it() -> None:
    """Slow enough for a thin cut, with a device that is not much slower than the server: each branch after its 1 x 1."""
    network = between("branched")
    better = 0
    for rate in np.geomspace(1e6, 1e10, 40):
        free, chain = dads(network, link(rate)), neurosurgeon(network, link(rate))
        gains = free.latency_s < chain.latency_s * (1 - 1e-5)
        better += gains
        if gains:
            assert len(free.after) > 1
    assert better > 0


def test_a_high_rate_trades_latency_for_throughput() -> None:
    network, radio = between("resnet"), link(2e8)
    alone = dads(network, radio)
    assert dads(network, radio, 0.5 / max(alone.stages_s)).head.tolist() == alone.head.tolist()
    many = dads(network, radio, 1e6)
    assert max(many.stages_s) < max(alone.stages_s)
    assert many.latency_s >= alone.latency_s


def test_what_a_parting_comes_to_by_hand() -> None:
    network, device, server = between("lenet"), PROCESSORS["raspberry-pi-4"], PROCESSORS["x86-core"]
    f, wifi = network.flow, RADIOS["wifi"]
    before = int(network.ends[3])
    got = parting(network, np.arange(len(f.names)) < before, wifi)
    seconds = [max(a / (6e9 * 0.4), b / 2e9) for a, b in zip(f.multiply_adds, f.moved_bytes, strict=True)]
    assert operation_seconds(f, device) == pytest.approx(seconds)
    sent = f.made_bytes[before - 1]
    assert got.sent_bytes == sent
    assert got.after == (f.names[before - 1],)
    assert got.stages_s[0] == pytest.approx(device.overhead_s + sum(seconds[:before]))
    assert got.stages_s[1] == pytest.approx(sent / 2.5e6)
    assert got.stages_s[2] == pytest.approx(server.overhead_s + operation_seconds(f, server)[before:].sum())
    assert got.latency_s == pytest.approx(sum(got.stages_s) + 0.004)
    assert got.device_j == pytest.approx(1.6 * got.stages_s[0] + sent * wifi.sent_j_per_byte)
    nothing = parting(network, np.arange(len(f.names)) < 1, wifi)
    assert (nothing.sent_bytes, nothing.stages_s[0], nothing.device_share) == (784, 0, 0)
    everything = parting(network, np.ones(len(f.names), bool), wifi)
    assert everything.latency_s == everything.stages_s[0]
    assert (everything.after, everything.device_share) == ((), 1)


def test_messages_of_few_bytes_each_take_their_round_trip() -> None:
    lora = RADIOS["lora-sf7"]
    got = parting(between("lenet"), np.arange(len(flow("lenet").names)) < 1, lora)
    assert got.stages_s[1] == pytest.approx(784 / lora.bytes_per_s + 784 / 222 * 0.1)


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="at least 0 bytes"):
        priced(flow("lenet"), PROCESSORS["phone"], PROCESSORS["t4"], input_bytes=-1)
    with pytest.raises(InputError, match="money"):
        neurosurgeon(between("lenet"), link(1e6), "money")
    two = torch.nn.Module()
    two.forward = lambda x: (x + 1, x * 2)  # type: ignore[method-assign]
    with pytest.raises(InputError, match="one operation that begins and one answer, got 2 and 2"):
        priced(dataflow(trace(two, torch.zeros(2, 3))), PROCESSORS["phone"], PROCESSORS["t4"])
