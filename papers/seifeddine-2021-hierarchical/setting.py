"""The network of config.toml as the simulator has it, its requests, and what the exits said of the test images."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from placid.catalog.variants import read_zoo, shipped_zoo
from placid.inference.ladder import Ladder, ladder_of
from placid.randomness import stream
from placid.runtime.node.networks import Networks
from placid.runtime.node.pace import pace_of
from placid.simulation.events.climbing import Tree

__all__ = ["Case", "Requests", "case_of", "cases", "config", "requests_of"]

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Case:
    """A tree, a network on it, and what changes.

    Attributes:
        manifest: thresholds of the zoo.
        confidence, right: [levels, test images].
    """

    name: str
    variant: str
    value_s: float
    phase_s: float
    load_per_s: tuple[float, ...]
    tree: Tree
    ladder: Ladder
    manifest: tuple[float, ...]
    confidence: np.ndarray
    right: np.ndarray


@dataclass(frozen=True)
class Requests:
    """n requests in the order in which they come: when, at which device, with which test image."""

    time_s: np.ndarray
    leaf: np.ndarray
    picture: np.ndarray


def config() -> dict[str, Any]:
    """What config.toml says."""
    return tomllib.loads((HERE / "config.toml").read_text())


def cases(phase_s: float | None = None) -> list[Case]:
    """All cases; phases last as the file says if not given."""
    told = config()
    return [case_of(told, one, phase_s or told["phase_s"]) for one in told["case"]]


def case_of(told: dict[str, Any], one: dict[str, Any], phase_s: float) -> Case:
    """One case of the file."""
    variant = one["variant"]
    chain = read_zoo().variant(variant)
    networks = Networks(shipped_zoo())
    devices, levels = told["levels"]["nodes"][0], told["levels"]["processors"]
    count = len(levels)
    work_s = [
        pace_of(networks, p, "x86-core")(variant, k, k + 1, k > 0, k < count - 1)
        for k, p in enumerate(levels)
    ]
    servers = [_side_by_side(p) for p in levels]
    load = one.get("load_per_s", told["phases"]["load_per_s"])
    share = one.get("rate_share", told["phases"]["rate_share"])
    rtt_s, rate = told["links"]["rtt_s"], told["links"]["rate_bytes_per_s"]
    recorded = np.load(HERE / "recorded.npz")
    tree = Tree(
        np.array([devices] * devices + [devices + 1, -1]),
        np.array([servers[0]] * devices + servers[1:]),
        np.array([work_s[0]] * devices + work_s[1:]),
        np.array([rtt_s[0]] * devices + [rtt_s[1], 0.0]),
        np.arange(1, len(load)) * phase_s,
        np.array([[rate[0] * s] * devices + [rate[1], 1.0] for s in share]),
        np.array([c.mean_bytes for c in chain.crossings] + [0.0]),
        float(told["response_bytes"]),
    )
    return Case(
        *(
            one["name"],
            variant,
            one["value_s"],
            phase_s,
            tuple(load),
            tree,
            ladder_of(shipped_zoo(), variant),
        ),
        tuple(e.threshold for e in chain.exits),
        *(recorded[f"{variant}/confidence"], recorded[f"{variant}/right"]),
    )


def requests_of(case: Case, seed: int, pictures: int) -> Requests:
    """Poisson at each device, phase by phase; `pictures` first test images to draw from."""
    rng = stream(seed, "hierarchical", "requests")
    devices = int((case.tree.level == 0).sum())
    times, leaves = [], []
    for phase, load in enumerate(case.load_per_s):
        for v in range(devices):
            moments = (phase + rng.random(rng.poisson(load * case.phase_s))) * case.phase_s
            times.append(moments)
            leaves.append(np.full(len(moments), v))
    time_s = np.concatenate(times)
    order = np.argsort(time_s, kind="stable")
    return Requests(time_s[order], np.concatenate(leaves)[order], rng.integers(0, pictures, len(time_s)))


def _side_by_side(processor: str) -> int:
    from placid.catalog.processors import processor_class

    return processor_class(processor).side_by_side
