"""Makes run folders out of seeded random walks: only for tests and for looking at the page. Nothing in them is measured."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

__all__ = ["make_run_folder"]

_ONLINE = (
    ("infida-adaptive", 0.955),
    ("infida", 0.94),
    ("infida-optimistic", 0.962),
    ("euclidean", 0.90),
    ("perturbed-leader", 0.92),
    ("olag", 0.88),
    ("lfu", 0.78),
    ("lru", 0.70),
    ("infida-doubling", 0.93),
)
_STATIC = (("all-in-cloud", 0.0), ("most-accurate", 0.42), ("smallest", 0.55))
_HINDSIGHT = (("hindsight-greedy", 0.965), ("hindsight-milp", 0.98), ("hindsight-averaged", 0.95))
_TIERS = ("base station", "central office", "data centre", "cloud")
_VARIANTS = tuple(
    (f"detector-{side}", 6_000_000 * (k + 1) ** 2) for k, side in enumerate((320, 416, 512, 608, 896))
)


def make_run_folder(
    path: Path,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    slots: int = 120,
    nodes: int = 12,
    tasks: int = 6,
    online: int = 3,
    static: int = 1,
    hindsight: int = 2,
    adaptive: bool = False,
    bounds: bool = True,
    positions: bool = True,
    name: str = "synthetic",
    rng_seed: int = 7,
) -> Path:
    """Write a run folder of the shape that `placid.experiments` writes, and give back its path.

    Gains approach a policy's own level and wander; all are below the ceiling, which is the same in all of a trace.
    """
    path.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(rng_seed)
    online_, static_, hindsight_ = _ONLINE[:online], _STATIC[:static], _HINDSIGHT[:hindsight]
    network = _network(rng, nodes, positions)
    rows: list[pl.DataFrame] = []
    found: list[dict[str, Any]] = []
    traces = [p for p, _ in (*online_, *static_)] if adaptive else [""]
    for trace in traces:
        for seed in seeds:
            requests = rng.poisson(20_000 * (1 + 0.2 * np.sin(np.arange(slots) / 15)))
            played = [(p, level, kind) for group, kind in ((online_, "online"), (static_, "static"))
                      for p, level in group if not adaptive or p == trace]  # fmt: skip
            played += [(p, level, "hindsight") for p, level in hindsight_]
            ceiling = 0.031 * requests if bounds else np.full(slots, math.nan)
            for policy, level, kind in played:
                rows.append(_rows(rng, trace, policy, kind, level, seed, requests, ceiling, network))
            total = 0.0305 * requests.sum()
            if bounds:
                found.append(_bound(trace, seed, "lp", None, total))
                for policy, _ in hindsight_:
                    frame = rows[-len(hindsight_) + [p for p, _ in hindsight_].index(policy)]
                    found.append(
                        _bound(
                            trace, seed, policy.removeprefix("hindsight-"), float(frame["gain"].sum()), total
                        )
                    )
    pl.concat(rows).write_parquet(path / "rows.parquet")
    pl.DataFrame(found, schema=_BOUNDS).write_parquet(path / "bounds.parquet")
    policies = [p for p, _ in (*online_, *static_)]
    _events(rng, network, [*policies, *(p for p, _ in hindsight_)], online_, slots, tasks).write_parquet(
        path / "placements.parquet"
    )
    (path / "network.json").write_text(json.dumps(network))
    (path / "meta.json").write_text(json.dumps(_meta(name, seeds, slots, policies, adaptive)))
    (path / "scenario.yaml").write_text(f"name: {name}\nslots: {slots}\nseeds: {list(seeds)}\n")
    return path


_BOUNDS = {
    "trace": pl.String,
    "seed": pl.Int64,
    "method": pl.String,
    "value": pl.Float64,
    "bound": pl.Float64,
    "status": pl.String,
    "gap": pl.Float64,
    "time_s": pl.Float64,
}


def _bound(trace: str, seed: int, method: str, value: float | None, bound: float) -> dict[str, Any]:
    gap = None if value is None else (bound - value) / bound
    return {"trace": trace, "seed": seed, "method": method, "value": value, "bound": bound, "status": "optimal",
            "gap": gap, "time_s": 1.5}  # fmt: skip


def _rows(
    rng: np.random.Generator,
    trace: str,
    policy: str,
    kind: str,
    level: float,
    seed: int,
    requests: np.ndarray,
    ceiling: np.ndarray,
    network: dict[str, Any],
) -> pl.DataFrame:
    slots = len(requests)
    t = np.arange(slots)
    rise = 1 - 0.6 * np.exp(-t / 25) if kind == "online" else np.ones(slots)
    walk = np.cumsum(rng.normal(0, 0.002, slots))
    quality = np.clip(level * rise + walk - walk.mean() + rng.normal(0, 0.004), 0, 0.999)
    gain = 0.031 * requests * quality
    shares = np.vstack([0.5 * quality, 0.25 * quality, 0.15 * quality, np.zeros(slots)])
    shares[3] = 1 - shares.sum(axis=0)
    moved = rng.poisson(3 if kind == "online" else 0, slots) + np.where(t == 0, 40, 0)
    learns = kind == "online" and policy.startswith(("infida", "euclidean"))
    return pl.DataFrame(
        {
            "trace": [trace] * slots,
            "policy": [policy] * slots,
            "kind": [kind] * slots,
            "seed": np.full(slots, seed, np.int64),
            "slot": t.astype(np.int64),
            "requests": requests.astype(float),
            "served": requests.astype(float),
            "unserved": np.zeros(slots),
            "gain": gain,
            "gain_partitioned": 0.97 * gain,
            "relaxed_gain": 0.99 * gain if learns else np.full(slots, math.nan),
            "latency_s": requests * (0.085 - 0.05 * quality),
            "error": requests * (0.33 + 0.08 * quality + 0.1 * rng.normal(0, 0.01)),
            "energy_j": requests * (1.8 - 0.4 * quality),
            "traffic_byte_hops": requests * 2e5 * (1.2 - quality),
            "repository_served": requests * shares[3],
            **{f"served_{tier}": requests * shares[k] for k, tier in enumerate(_TIERS)},
            "bytes_loaded": moved * 4.5e7,
            "models_loaded": moved.astype(np.int64),
            "bytes_placed": np.full(slots, 0.9 * sum(n["memory_bytes"] for n in network["nodes"])),
            "messages": np.full(slots, 240 if learns else 0, np.int64),
            "message_bytes": np.full(slots, 30_000 if learns else 0, np.int64),
            "regret_bound": 5e5 * np.sqrt(t + 1) if learns else np.full(slots, math.nan),
            "ceiling": ceiling,
        }
    )


def _network(rng: np.random.Generator, nodes: int, positions: bool) -> dict[str, Any]:
    """A ring with chords around a data centre and a cloud; places are drawn over a piece of Europe."""
    described = []
    for k in range(nodes):
        tier = _TIERS[3 if k == nodes - 1 else 2 if k == nodes - 2 else 1 if k % 3 == 0 else 0]
        angle = 2 * math.pi * k / max(1, nodes - 2)
        radius = 0.2 if tier in _TIERS[2:] else 1.0 if tier == _TIERS[0] else 0.6
        place = [
            round(10 + 12 * radius * math.cos(angle) + rng.normal(0, 0.8), 2),
            round(49 + 8 * radius * math.sin(angle) + rng.normal(0, 0.5), 2),
        ]
        described.append(
            {
                "name": f"{'cloud' if k == nodes - 1 else 'node'}{k:02d}",
                "tier": tier,
                "memory_bytes": int((1e9, 2e9, 6e9, 0)[_TIERS.index(tier)]),
                "processor": "cpu",
                "repository": k == nodes - 1,
                "position": place if positions else None,
            }
        )
    pairs = [(k, (k + 1) % (nodes - 2)) for k in range(nodes - 2)] if nodes > 4 else []
    pairs += [(k, nodes - 2) for k in range(0, nodes - 2, 3)] + [(nodes - 2, nodes - 1)]
    links = [
        {
            "a": described[a]["name"],
            "b": described[b]["name"],
            "rtt_s": round(float(rng.uniform(2e-3, 3e-2)), 4),
        }
        for a, b in dict.fromkeys(pairs)
        if a != b
    ]
    return {"name": "ring", "nodes": described, "links": links}


def _events(
    rng: np.random.Generator,
    network: dict[str, Any],
    policies: Sequence[str],
    online: Sequence[tuple[str, float]],
    slots: int,
    tasks: int,
) -> pl.DataFrame:
    """Every node holds what fits; online policies swap now and then, always within the budget."""
    models = [(f"task{t}/{v}", v, f"task{t}", size) for t in range(tasks) for v, size in _VARIANTS]
    moving = {p for p, _ in online}
    events: list[tuple[str, int, str, str, str, str, bool, int]] = []
    for policy in policies:
        for node in network["nodes"]:
            if node["repository"]:
                continue
            held: list[int] = []
            for slot in range(slots if policy in moving else 1):
                if slot and rng.random() > 0.06:
                    continue
                if held and slot:
                    gone = held.pop(int(rng.integers(len(held))))
                    events.append((policy, slot, node["name"], *models[gone][:3], False, models[gone][3]))
                for new in rng.permutation(len(models))[: 3 if slot else len(models)].tolist():
                    used = sum(models[m][3] for m in held)
                    if new not in held and used + models[new][3] <= 0.97 * node["memory_bytes"]:
                        held.append(new)
                        events.append((policy, slot, node["name"], *models[new][:3], True, models[new][3]))
    columns = ("policy", "slot", "node", "model", "variant", "task", "loaded", "size_bytes")
    return pl.DataFrame(events, schema=columns, orient="row")


def _meta(
    name: str, seeds: Sequence[int], slots: int, policies: Sequence[str], adaptive: bool
) -> dict[str, Any]:
    return {
        "name": name,
        "description": "made by placid.testing.run_folder from random walks; nothing here was simulated",
        "placid": "0.0.0",
        "versions": {"python": "3.11", "numpy": "2.0"},
        "commit": "0123456789ab",
        "seeds": list(seeds),
        "machine": {"system": "none", "processor": "none", "cores": 2},
        "slot_s": 60.0,
        "slots": slots,
        "tiers": list(_TIERS),
        "objective": {"latency": 1.0, "error": 0.05, "energy": 0.0, "traffic": 0.0},
        "policies": list(policies),
        "settings": {p: f"{p}()" for p in policies},
        "adaptive": adaptive,
        "declared": ["Memory per tier: 1, 2 and 6 GB, declared by this maker."],
        "sources": ["Random walks; see placid.testing.run_folder."],
    }
