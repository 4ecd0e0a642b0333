"""`network.devices`, and weights by tier, as a scenario says them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from placid.errors import InputError
from placid.experiments.scenario import build, load_scenario
from placid.placement.offline import Greedy, LinearProgram

SCENARIO: dict[str, Any] = {
    "slots": 2,
    "network": {
        "topology": "sndlib/abilene",
        "memory": "16 MiB",
        "processor": "x86-server",
        "cloud": {"rtt": "40 ms", "processor": "t4"},
        "devices": {
            "sensor": {"link": "lora-sf7", "processor": "cortex-m7", "memory": "1 MiB"},
            "camera": {
                "link": "wifi",
                "rtt": "9 ms",
                "processor": "jetson-nano",
                "memory": "4 MiB",
                "each": 2,
            },
        },
    },
    "catalog": {"family": "measured", "processors": ["cortex-m7", "jetson-nano", "x86-server", "t4"]},
    "workload": {"process": "poisson", "rate": "100 /s", "weights": {"sensor": 1, "camera": 9}},
    "objective": {"latency": 1, "error": 0.5},
}


def test_requests_enter_at_devices_by_the_weight_of_their_tier() -> None:
    built = build(load_scenario(copy.deepcopy(SCENARIO)))
    tiers = [built.network.node(name).tier for name in built.requests.nodes]
    assert set(tiers) == {"sensor", "camera"}
    link = next(e for e in built.network.links if e.a.startswith("camera-"))
    # what is written goes before the kind of link
    assert (link.rtt_s, link.bandwidth_bytes_per_s) == (pytest.approx(0.009), pytest.approx(20e6 / 8))
    asked = np.mean([built.workload.demand(s, 0, None) for s in range(50)], axis=0)
    of_node = np.bincount(built.requests.node_of, weights=asked)
    means = {t: np.mean([a for a, tier in zip(of_node, tiers, strict=True) if tier == t]) for t in set(tiers)}
    assert means["camera"] / means["sensor"] == pytest.approx(9, rel=0.1)


def test_a_nodes_own_weight_goes_before_its_tiers() -> None:
    document = copy.deepcopy(SCENARIO)
    first = next(
        n for n in build(load_scenario(copy.deepcopy(SCENARIO))).requests.nodes if n.startswith("camera-")
    )
    document["workload"]["weights"][first] = 0
    built = build(load_scenario(document))
    asked = np.sum([built.workload.demand(s, 0, None) for s in range(20)], axis=0)
    of_node = np.bincount(built.requests.node_of, weights=asked)
    assert of_node[built.requests.nodes.index(first)] == 0
    assert (of_node[[n.startswith("camera-") and n != first for n in built.requests.nodes]] > 0).all()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("devices", "camera", "link"), "wify", r"devices\.camera\.link.*wifi"),
        (("devices", "sensor", "link"), None, "says not how far they are"),
        (("devices", "sensor", "memory"), "1 apple", r"devices\.sensor\.memory"),
        (("devices", "sensor", "at"), ["nowhere"], "unknown node or tier 'nowhere'"),
        (("devices", "sensor", "colour"), "red", "colour"),
        (("devices",), ["camera"], "expected a mapping, kind: fields"),
    ],
)
def test_mistakes_are_told_with_their_line(
    tmp_path: Path, path: tuple[str, ...], value: Any, said: str
) -> None:
    document = copy.deepcopy(SCENARIO)
    at = document["network"]
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    file = tmp_path / "scenario.yaml"
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(InputError, match=said) as caught:
        build(load_scenario(file))
    assert "scenario.yaml:" in str(caught.value)


def test_devices_together_are_the_same_network(tmp_path: Path) -> None:
    """One node for five tags, against five nodes: the same requests a second, bound and greedy gain."""
    bounds, gains, rates = [], [], []
    for together in (False, True):
        document = copy.deepcopy(SCENARIO)
        document["network"]["devices"] = {
            "tag": {
                "link": "ble",
                "processor": "cortex-m7",
                "memory": "0 B",
                "each": 5,
                "together": together,
            },
            "camera": {"link": "wifi", "processor": "jetson-nano", "memory": "4 MiB"},
        }
        document["catalog"] |= {"plans": True, "variants": ["local-*", "remote-*", "bottlefit-*", "split-*"]}
        document["workload"] = {"process": "poisson", "rate": "100 /s", "weights": {"tag": 2, "camera": 1}}
        built = build(load_scenario(document))
        ((_, problem),) = built.problems()
        expected = built.workload.expected(0)
        assert expected is not None
        of_node = np.bincount(built.requests.node_of, weights=expected)
        tiers = [built.network.node(n).tier for n in built.requests.nodes]
        rates.append(
            [sum(c for c, t in zip(of_node, tiers, strict=True) if t == kind) for kind in ("tag", "camera")]
        )
        bounds.append(LinearProgram().solve(problem, expected).bound)
        gains.append(Greedy().solve(problem, expected).value)
    np.testing.assert_allclose(rates[1], rates[0])
    assert bounds[1] == pytest.approx(bounds[0], rel=1e-6)
    assert gains[1] == pytest.approx(gains[0], rel=1e-6)


def test_devices_together_weigh_as_many_and_ask_alike() -> None:
    document = copy.deepcopy(SCENARIO)
    document["network"]["devices"]["camera"] |= {"memory": "0 B", "each": 50, "together": True}
    del document["workload"]["weights"]
    built = build(load_scenario(document))
    of_node = np.bincount(built.requests.node_of, weights=built.workload.expected(0))
    tiers = [built.network.node(n).tier for n in built.requests.nodes]
    assert of_node[tiers.index("camera")] == pytest.approx(50 * of_node[tiers.index("sensor")])
    assert any("50 to a node" in sentence for sentence in built.declared)
    document["workload"]["ranks"] = "per ingress"
    with pytest.raises(InputError, match="stand 'together' ask for the same things"):
        build(load_scenario(document))
