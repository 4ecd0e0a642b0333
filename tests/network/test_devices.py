"""Devices hang below nodes as leaves, by links of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placid.errors import InputError, UnknownNameError
from placid.network import Devices, hang, route, tiered

CAMERA = Devices("jetson-nano", 4 << 20, 0.004, 2.5e6, 1e-6, at=("base-station",))


def test_every_device_is_a_leaf_below_its_node() -> None:
    bare = tiered(6)
    network = hang(bare, {"camera": CAMERA, "sensor": Devices("cortex-m7", 1 << 20, 0.1, each=2)})
    cameras = [n for n in network.nodes if n.tier == "camera"]
    assert [n.name for n in cameras] == [f"camera-bs-{i}" for i in range(6)]
    assert {(n.processor, n.memory_bytes, n.repository) for n in cameras} == {("jetson-nano", 4 << 20, False)}
    hosts = [n for n in bare.nodes if not n.repository]
    assert sum(n.tier == "sensor" for n in network.nodes) == 2 * len(hosts)
    ends = {link.a: link for link in network.links}
    assert (ends["camera-bs-0"].b, ends["camera-bs-0"].rtt_s, ends["camera-bs-0"].bandwidth_bytes_per_s) == (
        "bs-0",
        0.004,
        2.5e6,
    )
    # the paths of others are as before
    before, after = route(bare), route(network)
    for i, node in enumerate(bare.nodes):
        path = [network.nodes[v].name for v in after.path(network.index[node.name])]
        assert path == [bare.nodes[v].name for v in before.path(i)]


def test_devices_stand_beside_their_node_on_the_map() -> None:
    network = hang(tiered(3), {"camera": CAMERA})
    host, camera = network.node("bs-1"), network.node("camera-bs-1")
    assert host.position is not None
    assert camera.position is not None
    assert 0 < abs(host.position[0] - camera.position[0]) + abs(host.position[1] - camera.position[1]) < 0.5


def test_what_cannot_hang_says_so() -> None:
    with pytest.raises(UnknownNameError, match="unknown node or tier 'base-stations'"):
        hang(tiered(3), {"camera": Devices("cpu", 1, 0.1, at=("base-stations",))})
    with pytest.raises(InputError, match="'cloud' is a tier of the network already"):
        hang(tiered(3), {"cloud": CAMERA})
    with pytest.raises(InputError, match="'each' must be at least 1, got 0"):
        Devices("cpu", 1, 0.1, each=0)


def test_one_node_stands_for_devices_that_hold_nothing() -> None:
    tags = Devices("cortex-m7", 0, 0.015, each=10_000, together=True)
    network = hang(tiered(3), {"tag": tags})
    hosts = [n for n in tiered(3).nodes if not n.repository]
    assert [n.name for n in network.nodes if n.tier == "tag"] == [f"tag-{n.name}" for n in hosts]
    assert (tags.stands_for, CAMERA.stands_for) == (10_000, 1)
    for more in ({"memory_bytes": 1}, {"rate_bytes_per_s": 1e3}):
        with pytest.raises(InputError, match="cannot stand 'together'"):
            replace(tags, **more)  # type: ignore[arg-type]
