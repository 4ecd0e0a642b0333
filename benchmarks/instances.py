"""The instances that the benchmarks share."""

from __future__ import annotations

import numpy as np

from placid.catalog import Catalog, parametric, yolov4
from placid.network import Network, tiered
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.workload import Poisson, RequestTypes

__all__ = ["infida_36", "infida_36_parts", "wide"]

_GIB = 1 << 30


def infida_36() -> tuple[Problem, Poisson]:
    """36 nodes x 20 tasks x 10 models x 3 replicas: the main topology of the INFIDA study, our catalog."""
    return infida_36_parts()[2:]


def infida_36_parts() -> tuple[Network, Catalog, Problem, Poisson]:
    """The same, with what it is made of."""
    network = tiered(
        24,
        processor={
            "base-station": "rtx2070",
            "central-office": "rtx2070",
            "regional-office": "rtx2070",
            "data-centre": "v100",
            "cloud": "v100",
        },
        memory_bytes={
            "base-station": _GIB,
            "central-office": 2 * _GIB,
            "regional-office": 4 * _GIB,
            "data-centre": 8 * _GIB,
        },
    )
    catalog = yolov4(20, 3)
    types = RequestTypes.grid(
        [n.name for n in network.nodes if n.tier == "base-station"], [t.name for t in catalog.tasks]
    )
    problem = compile_problem(network, catalog, types, np.array([1.0, 0.3, 0.0, 0.0]), 60.0)
    return network, catalog, problem, Poisson(types, rate_per_s=7500.0, slot_s=60.0)


def wide(base_stations: int) -> tuple[Problem, Poisson]:
    """The tiered network of any width: 10 tasks of 10 models; about 390 options a base station."""
    network = tiered(base_stations, processor="gpu", memory_bytes={"base-station": 2 * _GIB})
    catalog = parametric(10, 10, quality_min=0.3)
    types = RequestTypes.grid(
        [n.name for n in network.nodes if n.tier == "base-station"], [t.name for t in catalog.tasks]
    )
    problem = compile_problem(network, catalog, types, np.array([1.0, 0.1, 0.0, 0.0]), 60.0)
    return problem, Poisson(types, rate_per_s=20.0 * base_stations, slot_s=60.0)
