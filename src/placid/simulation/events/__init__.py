"""Requests one by one: queues at nodes and links, batches, deadlines. `placid.simulation.slots` only counts them."""

from placid.simulation.events.beside import beside_slots
from placid.simulation.events.caches import CachePaths, play_caches
from placid.simulation.events.compiled import CompiledSystem, compile_system
from placid.simulation.events.draft import Draft
from placid.simulation.events.playing import Fate, Played, play
from placid.simulation.events.queueing import Queueing
from placid.simulation.events.summary import batch_means, by_station, by_type
from placid.simulation.events.system import System
from placid.workload.arrivals import Arrivals, poisson_arrivals, workload_arrivals

__all__ = [
    "Arrivals",
    "CachePaths",
    "CompiledSystem",
    "Draft",
    "Fate",
    "Played",
    "Queueing",
    "System",
    "batch_means",
    "beside_slots",
    "by_station",
    "by_type",
    "compile_system",
    "play",
    "play_caches",
    "poisson_arrivals",
    "workload_arrivals",
]
