"""Request types, and the processes that make requests: popularity, rhythms, traces, adversaries.

A new workload is one new file and one line in `WORKLOADS`.
"""

from __future__ import annotations

from placid.workload.adversaries import Evader, RoundRobin
from placid.workload.azure import from_azure_functions
from placid.workload.base import Workload
from placid.workload.diurnal import Diurnal
from placid.workload.flash_crowds import FlashCrowds
from placid.workload.matrices import TrafficMatrices
from placid.workload.poisson import Poisson
from placid.workload.popularity import zipf
from placid.workload.process import PoissonProcess
from placid.workload.replay import Replay
from placid.workload.requests import RequestTypes
from placid.workload.sliding import SlidingPopularity
from placid.workload.trace import Trace
from placid.workload.trace_file import read_trace, write_trace

__all__ = [
    "WORKLOADS",
    "Diurnal",
    "Evader",
    "FlashCrowds",
    "Poisson",
    "PoissonProcess",
    "Replay",
    "RequestTypes",
    "RoundRobin",
    "SlidingPopularity",
    "Trace",
    "TrafficMatrices",
    "Workload",
    "from_azure_functions",
    "read_trace",
    "write_trace",
    "zipf",
]

#: every workload by the name that scenarios and tables use
WORKLOADS: dict[str, type[Workload]] = {
    "poisson": Poisson,
    "sliding": SlidingPopularity,
    "diurnal": Diurnal,
    "flash-crowds": FlashCrowds,
    "traffic-matrices": TrafficMatrices,
    "trace": Trace,
    "replay": Replay,
    "evader": Evader,
    "round-robin": RoundRobin,
}
