"""All ways of deciding over all cases and seeds, simulated."""

from __future__ import annotations

from itertools import product
from math import inf
from typing import Any

import numpy as np
import polars as pl
from setting import Case, Requests, config, requests_of

from placid.simulation.events.climbing import Climbed, Deciding, climb

__all__ = ["BEST", "CALM", "decidings", "fixed_of", "grid", "simulate", "told"]

#: of the fixed thresholds, those chosen with all requests known, and those chosen on the first phase alone
BEST, CALM = "fixed, best in hindsight", "fixed, best when calm"


def decidings(case: Case) -> dict[str, Deciding]:
    """All but the fixed thresholds that have to be chosen."""
    told_, x = config(), case.value_s
    rest = {"forget_s": told_["forget_s"], "probe_every_s": told_["probe_every_s"]}
    return {
        "dynamic": Deciding("dynamic", x, **rest),
        "dynamic, no probes": Deciding("dynamic", x, forget_s=rest["forget_s"], probe_every_s=inf),
        "dynamic, forgets in 5 s": Deciding("dynamic", x, forget_s=5.0, probe_every_s=rest["probe_every_s"]),
        "oracle": Deciding("oracle", x),
        "always local": Deciding("thresholds", x, (0.0, 0.0)),
        "always to the edge": Deciding("thresholds", x, (2.0, 0.0)),
        "always cloud": Deciding("thresholds", x, (2.0, 2.0)),
        "fixed, manifest": Deciding("thresholds", x, case.manifest),
    }


def grid(quick: bool) -> list[tuple[float, float]]:
    """Thresholds to choose from."""
    low = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)
    high = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    return list(product(low[::4], high[::3])) if quick else list(product(low, high))


def told(case: Case, requests: Requests, climbed: Climbed) -> dict[str, Any]:
    """What a run comes to, in all and phase by phase."""
    right = case.right[climbed.level, requests.picture]
    good = case.value_s * right - climbed.latency_s
    phase = np.minimum(requests.time_s // case.phase_s, len(case.load_per_s) - 1).astype(int)
    found: dict[str, Any] = {
        "accuracy": right.mean(),
        "mean_s": climbed.latency_s.mean(),
        "p95_s": np.quantile(climbed.latency_s, 0.95),
        "objective_s": good.mean(),
    }
    found |= {f"share_{k}": (climbed.level == k).mean() for k in range(3)}
    for p in range(len(case.load_per_s)):
        found[f"objective_s_{p}"] = good[phase == p].mean()
        found |= {f"share_{k}_{p}": (climbed.level[phase == p] == k).mean() for k in range(3)}
    return found


def run(case: Case, deciding: Deciding, requests: Requests) -> Climbed:
    """One run."""
    return climb(
        case.tree, case.ladder, deciding, requests.time_s, requests.leaf, case.confidence[:, requests.picture]
    )


def fixed_of(case: Case, drawn: list[Requests], quick: bool) -> dict[str, Deciding]:
    """The thresholds that are best over all of `drawn`, and those best in the first phase."""
    best: dict[str, tuple[float, Deciding]] = {}
    for pair in grid(quick):
        deciding = Deciding("thresholds", case.value_s, pair)
        rows = [told(case, requests, run(case, deciding, requests)) for requests in drawn]
        for name, column in ((BEST, "objective_s"), (CALM, "objective_s_0")):
            good = float(np.mean([row[column] for row in rows]))
            if name not in best or good > best[name][0]:
                best[name] = (good, deciding)
    return {name: deciding for name, (_, deciding) in best.items()}


def simulate(case: Case, seeds: int, quick: bool) -> pl.DataFrame:
    """A row for every way of deciding and seed."""
    drawn = [requests_of(case, seed, case.right.shape[1]) for seed in range(seeds)]
    rows = []
    for name, deciding in (decidings(case) | fixed_of(case, drawn, quick)).items():
        for seed, requests in enumerate(drawn):
            found = told(case, requests, run(case, deciding, requests))
            by = "; ".join(f"{t:.3g}" for t in deciding.thresholds)
            rows.append({"case": case.name, "policy": name, "thresholds": by, "seed": seed, **found})
    return pl.DataFrame(rows)
