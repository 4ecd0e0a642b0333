"""The rival that places nothing: each request is cut where that is best for it, between its device and the cloud.

Devices and cloud hold every network whole, whatever that takes, and nothing lies between them. That is Neurosurgeon (Kang et
al., ASPLOS 2017); for a network in one row the cut of DADS (Hu et al., INFOCOM 2019) is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from placid.experiments.scenario import build, load_scenario
from placid.problem.arrays import COMPONENTS
from placid.problem.serving import serve

__all__ = ["partitioned"]

#: the network whole, on the device or in the cloud, and cut after each stage; what crosses in 8 bits costs it no accuracy
_VARIANTS = ["remote-raw", "split-*-32bit", "split-*-16bit", "split-*-8bit"]


def partitioned(scenario: Mapping[str, Any], seed: int) -> dict[str, float]:
    """Latency, error, energy and traffic of a request, on average over the slots of `scenario` under `seed`."""
    free = deepcopy(dict(scenario))
    network = free["network"]
    network["memory"] = "0 B"
    for devices in network["devices"].values():
        devices["memory"] = "1 GiB"
    free["catalog"] |= {"variants": _VARIANTS, "plans": True}
    built = build(load_scenario(free))
    ((_, problem),) = built.problems()
    everything = np.ones(problem.item_count, bool)
    total, requests = np.zeros(len(COMPONENTS)), 0.0
    for slot in range(built.slots):
        demand = built.workload.demand(slot, seed, None)
        total += serve(problem, everything, demand).vector
        requests += float(demand.sum())
    return dict(zip(COMPONENTS, (total / requests).tolist(), strict=True))
