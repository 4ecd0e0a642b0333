"""What a request takes of links, processors and batteries on its way, for every model and plan at every place of a path.

A path of n nodes has 4 n - 1 columns: bytes up and bytes down over each of its n - 1 links, seconds of a busy processor and
joules at each of its n nodes, and joules in all. All are expected over the exits, like costs (`placid.problem.laying`). A
processor is busy with a request for the inverse of its profile's capacity: a copy that answers 20 a second takes 50 ms each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.problem.laying import PlanGroup, layouts
from placid.problem.limits import KINDS
from placid.problem.paths import PathCosts
from placid.problem.pinned import Carried

if TYPE_CHECKING:
    from placid.catalog.models import Catalog, Profile
    from placid.network.graph import Network
    from placid.network.routing import Routes

__all__ = ["Budget", "Limited", "ModelWork", "model_uses", "plan_uses"]


@dataclass(frozen=True)
class Budget:
    """What may be used in the long run: on average over the slots, not in each.

    Attributes:
        of: ``"energy"`` (joules: of a node's processors, or of everything) or ``"bytes"`` (over a link, both ways together,
            or of all links, counted on each).
        most_per_s: joules or bytes a second, above 0.
        node: whose energy; empty for all.
        link: its two ends; empty for all.
    """

    of: str
    most_per_s: float
    node: str = ""
    link: tuple[str, str] | tuple[()] = ()

    def __post_init__(self) -> None:
        if self.of not in ("energy", "bytes"):
            raise UnknownNameError("thing to budget", self.of, ("energy", "bytes"))
        if not 0 < self.most_per_s < float("inf"):
            raise InputError(f"a budget must be above 0 and finite, got {self.most_per_s:g} a second")
        if (self.node and self.of == "bytes") or (self.link and self.of == "energy"):
            raise InputError(
                "a node has a budget of energy, a link one of bytes; write the other one, or leave it out"
            )

    @property
    def name(self) -> str:
        """For people and tables."""
        whose = self.node or "-".join(self.link)
        return f"{self.of} of {whose}" if whose else f"{self.of} of all"


class Limited:
    """The limits of a network: which there are, and which columns of a path count towards each.

    Args:
        budgets: besides the hard rates and processors of the network.

    Raises:
        UnknownNameError, InputError: a budget is of a node or link that is not there.
    """

    def __init__(self, network: Network, budgets: Sequence[Budget], slot_s: float) -> None:
        self.names: list[str] = []
        self.kind: list[int] = []
        self.most: list[float] = []
        #: (link, direction), node, "energy" -> the limits that count it
        self._by_link: dict[tuple[int, str], list[int]] = {}
        self._busy: dict[int, list[int]] = {}
        self._joules: dict[int, list[int]] = {}
        self._all_joules: list[int] = []
        self._links = network.links
        self._index = network.index
        for i, link in enumerate(network.links):
            if link.rate_bytes_per_s < float("inf"):
                for end in (link.a, link.b):
                    limit = self._add(
                        f"link {link.a}-{link.b} from {end}", "link", link.rate_bytes_per_s * slot_s
                    )
                    self._by_link.setdefault((i, end), []).append(limit)
        for v, node in enumerate(network.nodes):
            if node.processors < float("inf"):
                self._busy[v] = [
                    self._add(f"processors of {node.name}", "processor", node.processors * slot_s)
                ]
        for budget in budgets:
            limit = self._add(budget.name, "budget", budget.most_per_s * slot_s)
            if budget.of == "energy" and not budget.node:
                self._all_joules.append(limit)
            elif budget.of == "energy":
                if budget.node not in network.index:
                    raise UnknownNameError("node", budget.node, network.index)
                self._joules.setdefault(network.index[budget.node], []).append(limit)
            else:
                for end in budget.link:
                    if end not in network.index:
                        raise UnknownNameError("node", end, network.index)
                mine = [
                    i
                    for i, e in enumerate(network.links)
                    if not budget.link or {e.a, e.b} == set(budget.link)
                ]
                if budget.link and not mine:
                    raise InputError(f"there is no link {'-'.join(budget.link)} to give a budget of bytes")
                for i in mine:
                    for end in (network.links[i].a, network.links[i].b):
                        self._by_link.setdefault((i, end), []).append(limit)
        if len(set(self.names)) < len(self.names):
            twice = next(n for n in self.names if self.names.count(n) > 1)
            raise InputError(f"the budget '{twice}' stands twice; keep one of the two")

    def _add(self, name: str, kind: str, most: float) -> int:
        self.names.append(name)
        self.kind.append(KINDS.index(kind))
        self.most.append(most)
        return len(self.names) - 1

    def __len__(self) -> int:
        return len(self.names)

    @property
    def hard(self) -> np.ndarray:
        """bool [M]; false for budgets."""
        return np.array(self.kind, np.int8) != KINDS.index("budget")

    def on_path(self, routes: Routes, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The limits that a path can touch, int64 [L], and how its columns count towards each, float64 [4 n - 1, L].

        A matrix of uses [.., 4 n - 1] times the second is the parts of the limits that a request takes.
        """
        n = len(nodes)
        entries: list[tuple[int, int]] = []
        for j, (v, w) in enumerate(pairwise(nodes.tolist())):
            link = int(routes.link[v])
            ends = {self._index[end]: end for end in (self._links[link].a, self._links[link].b)}
            entries += [(j, m) for m in self._by_link.get((link, ends[v]), ())]
            entries += [(n - 1 + j, m) for m in self._by_link.get((link, ends[w]), ())]
        for i, v in enumerate(nodes.tolist()):
            entries += [(2 * (n - 1) + i, m) for m in self._busy.get(v, ())]
            entries += [(2 * (n - 1) + n + i, m) for m in self._joules.get(v, ())]
        entries += [(4 * n - 2, m) for m in self._all_joules]
        touched = np.array(sorted({m for _, m in entries}), np.int64)
        counts = np.zeros((4 * n - 1, len(touched)))
        for column, m in entries:
            counts[column, np.searchsorted(touched, m)] += 1.0 / self.most[m]
        return touched, counts


def busy_s(processors: Sequence[str], profiles: Sequence[Mapping[str, Profile]]) -> np.ndarray:
    """float64 [C, M]: seconds of a busy processor that a request takes; 0 where a class has no profile."""
    made = np.zeros((len(processors), len(profiles)))
    for i, cls in enumerate(processors):
        for j, given in enumerate(profiles):
            if cls in given:
                made[i, j] = 1 / given[cls].capacity_per_s
    return made


@dataclass(frozen=True)
class ModelWork:
    """Busy seconds and joules of models, each [2, C, M]: where the request enters, at the placed part, at the repository."""

    first: np.ndarray
    placed: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, catalog: Catalog, processors: Sequence[str]) -> ModelWork:
        def both(profiles: Sequence[Mapping[str, Profile]]) -> np.ndarray:
            joules = np.zeros((len(processors), len(profiles)))
            for i, name in enumerate(processors):
                for j, given in enumerate(profiles):
                    joules[i, j] = given[name].energy_j if name in given else 0.0
            return np.stack([busy_s(processors, profiles), joules])

        models = catalog.models
        return cls(
            both([{} if m.before is None else m.before.profiles for m in models]),
            both([m.profiles for m in models]),
            both([{} if m.after is None else m.after.profiles for m in models]),
        )


def model_uses(path: PathCosts, carried: Carried, work: ModelWork, energy_j: np.ndarray) -> np.ndarray:
    """float64 [n, M, 4 n - 1]: what a request of every model takes, with the placed part at every node of `path`.

    Args:
        energy_j: in all, links included, [n, M].
    """
    n, models = len(path), len(carried.up)
    uses = np.zeros((n, models, 4 * n - 1))
    below = np.arange(n - 1) < np.arange(n)[:, None]  # [n, n - 1]: the link is on the way to the placed part
    beyond = ~below
    onward = carried.travels * carried.goes_on
    for first, to_part, to_top in (
        (0, carried.travels * carried.up, onward * carried.on),
        (n - 1, carried.travels * carried.down, onward * carried.down),
    ):
        uses[:, :, first : first + n - 1] = (
            below[:, None, :] * to_part[None, :, None] + beyond[:, None, :] * to_top[None, :, None]
        )
    here, top = path.processor[0], path.processor[-1]
    at = np.arange(n)
    for c, begin in enumerate((2 * (n - 1), 2 * (n - 1) + n)):
        uses[:, :, begin] += work.first[c, here]
        uses[at, :, begin + at] += carried.travels * work.placed[c, path.processor]
        uses[:, :, begin + n - 1] += onward * work.last[c, top]
    uses[:, :, -1] = np.where(np.isfinite(energy_j), energy_j, 0.0)
    return uses


def plan_uses(group: PlanGroup, path: PathCosts, energy_j: np.ndarray) -> np.ndarray:
    """float64 [P, A, 4 n - 1]: what a request of every plan takes under every layout.

    Args:
        energy_j: in all, links included, [P, A].
    """
    n = len(path)
    at = layouts(group.part.shape[1], n).at  # [A, k]
    on = path.processor[at]
    reach, travels = group.reach, group.travels
    stays = reach[:, :-1] - reach[:, 1:]
    uses = np.zeros((len(group.part), len(at), 4 * n - 1))
    hop = np.arange(n - 1)
    up, down = uses[:, :, : n - 1], uses[:, :, n - 1 : 2 * (n - 1)]
    up += group.up_bytes[:, None, None] * (hop < at[:, :1])[None]
    rows = np.arange(len(at))
    for i in range(at.shape[1]):
        go = at[:, i]
        down += (stays[:, i] * group.down_bytes)[:, None, None] * (hop < go[:, None])[None]
        if i:
            come = at[:, i - 1]
            crossed = (come[:, None] <= hop) & (hop < go[:, None])
            up += (reach[:, i] * group.sent_bytes[:, i - 1])[:, None, None] * crossed[None]
    for c, begin in ((2, 2 * (n - 1)), (1, 2 * (n - 1) + n)):
        for i in range(at.shape[1]):
            go = at[:, i]
            uses[:, rows, begin + go] += reach[:, i, None] * group.work[c, :, i][:, on[:, i]]
            if i:
                come, moves = at[:, i - 1], at[:, i] > at[:, i - 1]
                coded = reach[:, i, None] * moves
                uses[:, rows, begin + come] += coded * group.encode[c, :, i - 1][:, on[:, i - 1]]
                uses[:, rows, begin + go] += coded * group.decode[c, :, i - 1][:, on[:, i]]
    uses *= travels[:, None, None]
    for c, begin in ((2, 2 * (n - 1)), (1, 2 * (n - 1) + n)):
        uses[:, :, begin] += group.before[c][:, path.processor[0], None]
    uses[:, :, -1] = np.where(np.isfinite(energy_j), energy_j, 0.0)
    return uses
