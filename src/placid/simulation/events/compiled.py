"""From a problem, its network and catalog, and a placement, to a system that requests pass through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from placid.catalog.models import Catalog
from placid.errors import InputError
from placid.network.graph import Network
from placid.problem.arrays import Problem
from placid.problem.placement import check_feasible
from placid.simulation.events.playing import Played
from placid.simulation.events.queueing import Queueing
from placid.simulation.events.system import System
from placid.simulation.events.writing import Writer

__all__ = ["CompiledSystem", "compile_system"]


@dataclass(frozen=True)
class CompiledSystem:
    """A system, and what it was made from.

    Attributes:
        type_names: ``ingress/task`` of each type.
        link_names: ``a->b`` and ``b->a`` of each link of the network; `link_rate` its bytes a second.
        way_step, way_link: int64 [W]; the step that carries bytes over the link; `way_bytes` how many.
    """

    system: System
    type_names: tuple[str, ...]
    link_names: tuple[str, ...]
    link_rate: np.ndarray
    way_step: np.ndarray
    way_link: np.ndarray
    way_bytes: np.ndarray

    def by_link(self, played: Played) -> pl.DataFrame:
        """One row for each direction of a link: ``link``, ``bytes`` sent, and ``load``, the share of its rate in the window.

        Bytes are of all requests that set out on it, also of those dropped behind it.
        """
        sent = np.bincount(
            self.way_link,
            weights=self.way_bytes * played.visits[self.way_step],
            minlength=len(self.link_names),
        )
        length_s = played.window_s[1] - played.window_s[0]
        return pl.DataFrame(
            {"link": self.link_names, "bytes": sent, "load": sent / (self.link_rate * length_s)},
            schema_overrides={"link": pl.String},
        )


def compile_system(
    problem: Problem,
    network: Network,
    catalog: Catalog,
    placed: np.ndarray,
    queueing: Queueing | None = None,
) -> CompiledSystem:
    """What requests pass through while `placed` is in place. O(options placed x length of their paths).

    A type's options are those of `problem` whose items are all placed, cheapest first, and then the repository, which has
    as many servers as it takes; while there is room, a request is answered as `placid.problem.serving` says. It is carried
    up its path to the node of the option's first item, is served there, leaves at an exit or goes on to the next, and its
    answer comes back down: half a link's round-trip time each way, and bytes over rate. What has a fixed place where
    requests enter, and coding at both ends of a handover, take their time without a queue.

    Args:
        placed: bool [N].

    Raises:
        InputError: problem, network and catalog were not made from each other, or an option's account does not come to its
            cost, or links or processors have hard limits.
        InfeasiblePlacementError: a node's memory does not hold what is placed there.
    """
    check_feasible(problem, placed)
    if problem.node_names != tuple(n.name for n in network.nodes) or problem.model_names != tuple(
        m.name for m in catalog.placed
    ):
        raise InputError("problem, network and catalog have to be those that belong together")
    writer = Writer(problem, network, catalog, queueing or Queueing())
    problem.check_unlimited("the request-level simulator")
    needs = problem.needs
    in_place = np.zeros(0, bool)
    if problem.option_count:
        in_place = np.logical_and.reduceat(placed[needs.item], needs.ptr[:-1])
    for r in range(problem.type_count):
        writer.options_of(r, in_place)
    way = np.array(writer.ways, np.float64).reshape(-1, 3)
    return CompiledSystem(
        writer.draft.system(problem.type_count),
        tuple(
            f"{problem.node_names[v]}/{problem.task_names[t]}"
            for v, t in zip(problem.type_ingress, problem.type_task, strict=True)
        ),
        tuple(writer.link_name(hop) for hop in range(2 * len(network.links))),
        np.repeat([e.bandwidth_bytes_per_s for e in network.links], 2),
        way[:, 0].astype(np.int64),
        way[:, 1].astype(np.int64),
        way[:, 2],
    )
