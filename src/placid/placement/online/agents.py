"""One node of the distributed form of INFIDA: what it knows, what it hears, what it says.

A node knows itself: its models' sizes and capacities, its budget, its next hop, and what each of its models saves against
the repository for a request that reaches it. That saving is a number of the node alone, not of where the request entered:
the way from the ingress to the node is the same for both and cancels. All else comes in messages.

In every slot each request type with demand sends one message up its path, hop by hop. A node that has heard all messages of
the slot knows the demand that passes it by type, and from it how much of each model's capacity falls to each type. It adds
to each message, for each of its models of use to the type, what the model saves and the part of the demand that it could
take with the fraction it has; it leaves out what the better ones gathered so far make superfluous; and passes it on. The
repository reads off the saving at which the demand is met and sends it back down the same way. From that, the node has the
part of the supergradient that belongs to its models, and takes its step. (Si Salem et al., ToN 2024, section IV.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from placid.placement.online.messages import HEADER_NUMBERS, NUMBER_BYTES, OPTION_NUMBERS, REPLY_NUMBERS
from placid.problem.arrays import Problem

__all__ = [
    "Climbing",
    "Heard",
    "Local",
    "Reply",
    "gradient",
    "hear",
    "local_of",
    "local_view",
    "meet",
    "report",
]


@dataclass(frozen=True)
class Local:
    """What a node knows of itself.

    Attributes:
        node: its number in the network.
        own: a problem of this one node, its n items, and the k request types for which it has something of use.
        types: int64 [k], rising; the numbers of these types in the network.
    """

    node: int
    own: Problem
    types: np.ndarray


@dataclass(frozen=True)
class Climbing:
    """Messages on their way up, one a request type, that travel over the same link in the same slot.

    Attributes:
        type: int64 [m], rising.
        demand: float64 [m].
        ptr: int64 [m + 1]; what was gathered for ``type[i]`` is at ``ptr[i]:ptr[i + 1]``, best first.
        saving: float64; what an option passed saves.
        part: float64; the part of the demand that it could take.
    """

    type: np.ndarray
    demand: np.ndarray
    ptr: np.ndarray
    saving: np.ndarray
    part: np.ndarray

    @property
    def size_bytes(self) -> int:
        """All of them together."""
        return NUMBER_BYTES * (HEADER_NUMBERS * len(self.type) + OPTION_NUMBERS * len(self.saving))


@dataclass(frozen=True)
class Reply:
    """Messages on their way down, one a request type.

    Attributes:
        type: int64 [m], rising.
        met: float64 [m]; the saving at which the demand is met, 0 if only the repository meets it.
    """

    type: np.ndarray
    met: np.ndarray

    @property
    def size_bytes(self) -> int:
        """All of them together."""
        return NUMBER_BYTES * REPLY_NUMBERS * len(self.type)

    def for_types(self, types: np.ndarray) -> Reply:
        """The replies for `types` (int64, rising), all of which must be there."""
        return Reply(types, self.met[np.searchsorted(self.type, types)])


@dataclass(frozen=True)
class Heard:
    """What a node has learned of the slot from the messages that came up to it.

    Attributes:
        messages: all of them, as they came, by type.
        share: float64 [n]; the part of each type's demand that an item could take with all its capacity.
    """

    messages: Climbing
    share: np.ndarray


def local_view(problem: Problem, node: int) -> Local:
    """What `node` knows of itself in `problem`."""
    first, last = int(problem.node_ptr[node]), int(problem.node_ptr[node + 1])
    mine = np.flatnonzero((problem.option_item >= first) & (problem.option_item < last))
    types, count = np.unique(problem.option_type[mine], return_counts=True)
    return local_of(
        node,
        item_size_bytes=problem.item_size_bytes[first:last],
        item_capacity=problem.item_capacity[first:last],
        budget_bytes=int(problem.budget_bytes[node]),
        types=types.astype(np.int64),
        option_ptr=np.concatenate(([0], np.cumsum(count))).astype(np.int64),
        option_item=(problem.option_item[mine] - first).astype(np.int32),
        option_saving=problem.option_saving[mine],
    )


def local_of(
    node: int,
    *,
    item_size_bytes: np.ndarray,
    item_capacity: np.ndarray,
    budget_bytes: int,
    types: np.ndarray,
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
) -> Local:
    """A node's view of itself, from what it was told.

    Args:
        item_size_bytes, item_capacity: [n]; see `Problem`.
        types: int64 [k], rising; options of ``types[i]`` are ``option_ptr[i]:option_ptr[i + 1]``, best first.
        option_item: int32, among the n items; `option_saving` float64.
    """
    n, k, none = len(item_size_bytes), len(types), np.zeros(0, np.int32)
    own = Problem(
        node_names=("",),
        model_names=(),
        model_variants=(),
        task_names=(),
        tiers=("",),
        model_task=none,
        model_quality=np.zeros(0),
        item_node=np.zeros(n, np.int32),
        item_model=np.arange(n, dtype=np.int32),
        item_size_bytes=item_size_bytes,
        item_capacity=item_capacity,
        item_servers=np.ones(n, np.int32),
        node_ptr=np.array([0, n]),
        budget_bytes=np.array([budget_bytes]),
        option_ptr=option_ptr,
        option_item=option_item,
        option_saving=option_saving,
        option_vector=np.zeros((len(option_item), 4), np.float32),
        option_type=np.repeat(np.arange(k, dtype=np.int32), np.diff(option_ptr)),
        # nothing of other nodes, and nothing of the paths
        serving_order=none,
        repository_cost=np.zeros(0),
        repository_vector=np.zeros((0, 4)),
        repository_node=none,
        repository_runs=none,
        type_ingress=none,
        type_task=none,
        type_hops=none,
        node_tier=np.zeros(1, np.int32),
        next_hop=np.full(1, -1, np.int32),
        slot_s=float("nan"),
    )
    return Local(node, own, types)


def hear(local: Local, arrived: Sequence[Climbing], entered: np.ndarray, demand: np.ndarray) -> Heard:
    """What the node makes of the messages that `arrived` and of the requests that `entered` the network here.

    Args:
        entered: int64, rising; types that entered here, with their `demand` (float64).
    """
    opened = Climbing(entered, demand, np.zeros(len(entered) + 1, np.int64), np.zeros(0), np.zeros(0))
    messages = _together([*arrived, opened])
    asked = np.zeros(local.own.item_count)
    row = _rows(local, messages.type)
    _ask(messages.demand, row, local.own.option_ptr, local.own.option_item, asked)
    return Heard(messages, np.minimum(1.0, local.own.item_capacity / np.maximum(asked, 1e-300)))


def report(local: Local, heard: Heard, y: np.ndarray) -> Climbing:
    """The messages that the node passes on, with what its fractions `y` (float64 [n]) add to them."""
    m = heard.messages
    row = _rows(local, m.type)
    room = len(m.saving) + int((np.diff(local.own.option_ptr)[row[row >= 0]]).sum())
    ptr, saving, part = np.zeros(len(m.type) + 1, np.int64), np.empty(room), np.empty(room)
    _add(
        m.ptr,
        m.saving,
        m.part,
        row,
        local.own.option_ptr,
        local.own.option_item,
        local.own.option_saving,
        heard.share,
        y,
        ptr,
        saving,
        part,
    )
    return Climbing(m.type, m.demand, ptr, saving[: ptr[-1]], part[: ptr[-1]])


def meet(messages: Climbing) -> Reply:
    """What the repository answers: for each type the saving at which the options gathered meet its demand."""
    met = np.zeros(len(messages.type))
    _meet(messages.ptr, messages.saving, messages.part, met)
    return Reply(messages.type, met)


def gradient(local: Local, heard: Heard, reply: Reply) -> np.ndarray:
    """The node's part of the supergradient, float64 [n]."""
    g = np.zeros(local.own.item_count)
    m = heard.messages
    row = _rows(local, m.type)
    met = reply.for_types(m.type).met
    _climb(
        m.demand,
        met,
        row,
        local.own.option_ptr,
        local.own.option_item,
        local.own.option_saving,
        heard.share,
        g,
    )
    return g


def _rows(local: Local, types: np.ndarray) -> np.ndarray:
    """Where each of `types` stands in ``local.types``, -1 where the node has nothing of use."""
    row = np.searchsorted(local.types, types)
    known = row < len(local.types)
    known[known] = local.types[row[known]] == types[known]
    return np.where(known, row, -1)


def _together(batches: Sequence[Climbing]) -> Climbing:
    """All messages of `batches`, by type; no type is in two, as its path is one."""
    kind = np.concatenate([b.type for b in batches])
    order = np.argsort(kind)
    length = np.concatenate([np.diff(b.ptr) for b in batches])
    start = np.concatenate(([0], np.cumsum(length)))[:-1]
    saving, part = (np.concatenate([getattr(b, name) for b in batches]) for name in ("saving", "part"))
    ptr = np.concatenate(([0], np.cumsum(length[order])))
    # entry k of the answer stands at start[its message] + its place in the message
    at = np.repeat(start[order] - ptr[:-1], length[order]) + np.arange(len(saving))
    demand = np.concatenate([b.demand for b in batches])
    return Climbing(kind[order], demand[order], ptr, saving[at], part[at])


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _ask(
    demand: np.ndarray, row: np.ndarray, option_ptr: np.ndarray, option_item: np.ndarray, asked: np.ndarray
) -> None:
    for i in range(len(demand)):
        if row[i] >= 0:
            for o in range(option_ptr[row[i]], option_ptr[row[i] + 1]):
                asked[option_item[o]] += demand[i]


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _add(
    ptr: np.ndarray,
    saving: np.ndarray,
    part: np.ndarray,
    row: np.ndarray,
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    share: np.ndarray,
    y: np.ndarray,
    out_ptr: np.ndarray,
    out_saving: np.ndarray,
    out_part: np.ndarray,
) -> None:
    """Merge what was gathered with the node's own options, best first, until the demand is met."""
    k = 0
    for i in range(len(row)):
        a, a_end = ptr[i], ptr[i + 1]
        b, b_end = 0, 0
        if row[i] >= 0:
            b, b_end = option_ptr[row[i]], option_ptr[row[i] + 1]
        room = 1.0
        while a < a_end or b < b_end:
            if b >= b_end or (a < a_end and saving[a] >= option_saving[b]):
                worth, take = saving[a], part[a]
                a += 1
            else:
                worth, take = option_saving[b], share[option_item[b]] * y[option_item[b]]
                b += 1
            if take > 0.0:
                out_saving[k], out_part[k] = worth, take
                k += 1
                if take >= room:
                    break
                room -= take
        out_ptr[i + 1] = k


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _meet(ptr: np.ndarray, saving: np.ndarray, part: np.ndarray, met: np.ndarray) -> None:
    for i in range(len(met)):
        room = 1.0
        for k in range(ptr[i], ptr[i + 1]):
            if part[k] >= room:
                met[i] = saving[k]
                break
            room -= part[k]


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _climb(
    demand: np.ndarray,
    met: np.ndarray,
    row: np.ndarray,
    option_ptr: np.ndarray,
    option_item: np.ndarray,
    option_saving: np.ndarray,
    share: np.ndarray,
    g: np.ndarray,
) -> None:
    for i in range(len(demand)):
        if row[i] >= 0:
            for o in range(option_ptr[row[i]], option_ptr[row[i] + 1]):
                if option_saving[o] > met[i]:
                    g[option_item[o]] += demand[i] * share[option_item[o]] * (option_saving[o] - met[i])
