"""The problem as flat arrays. Everything hot runs on these; names are kept only to speak to people.

An *item* is a (node, model) pair that may be placed; a part of a split model is placed like a model. An *option* of a
request type is a way of answering it on its path whose cost is below the repository's: it needs one item, or with a
split model that is laid over several nodes all of several (`Chains`). Options are stored type by type (CSR), cheapest
first. What an option saves against the repository, `option_saving`, is its only cost that matters to a policy: the
repository itself is the option that saves 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from placid.errors import InputError
from placid.problem.limits import Limits

__all__ = ["COMPONENTS", "Chains", "Problem"]

#: the cost vector, in this order everywhere
COMPONENTS = ("latency_s", "error", "energy_j", "traffic_byte_hops")


@dataclass(frozen=True)
class Chains:
    """The items that each option needs, all of them, where options need several; CSR, in the order in which they run.

    Attributes:
        ptr: int64 [K + 1]; option o needs ``item[ptr[o]:ptr[o + 1]]``, at least one, none twice.
        item: int32 [Z].
        load: float64 [Z] in (0, 1]; what a request that takes the option is of the item's capacity: the share of requests
            that get as far, the others being answered by an earlier exit.
        answered: float64 [Z] in [0, 1]; the share of requests that the item answers. What is missing to 1 over an
            option is answered by the repository.
    """

    ptr: np.ndarray
    item: np.ndarray
    load: np.ndarray
    answered: np.ndarray


@dataclass(frozen=True)
class Problem:
    """V nodes, M models, N items, R request types, K options; compiled once, never changed.

    Attributes:
        item_node, item_model: int32 [N]; items of one node are contiguous.
        item_size_bytes: int64 [N].
        item_capacity: float64 [N]; requests per slot that the item answers when placed.
        item_servers: int32 [N]; how many of them it works on at a time.
        node_ptr: int64 [V + 1]; items of node v are ``node_ptr[v]:node_ptr[v + 1]``.
        budget_bytes: int64 [V]; 0 while a node is down.
        option_ptr: int64 [R + 1]; options of type r are ``option_ptr[r]:option_ptr[r + 1]``, cheapest first.
        option_item: int32 [K]; empty if options need several items.
        option_saving: float64 [K]; repository cost minus option cost, > 0, descending within a type. With `limits` options
            that are dearer than the repository are there too, last, with savings below 0.
        option_vector: float32 [K, 4]; the cost vector (`COMPONENTS`) of one request.
        option_type: int32 [K]; the type that an option belongs to.
        serving_order: int32 [K]; options by falling saving over all types (ties: lower type, then lower rank).
        repository_cost: float64 [R]; infinity where no repository can be reached.
        repository_vector: float64 [R, 4].
        repository_node: int32 [R]; -1 where no repository can be reached.
        repository_runs: int32 [R], among the models; what the repository answers with alone, the first part of it if it is a
            plan; -1 where no repository can be reached.
        type_ingress, type_task, type_hops: int32 [R]; hops is the number of links to the repository.
        node_tier: int32 [V], an index into `tiers`.
        next_hop: int32 [V]; where a node forwards, -1 at repositories and cut-off nodes.
        slot_s: length of a slot.
        chains: what options need where one item is not enough; None if it is for all.
        limits: what links and processors can carry, None if all they are asked. Policies and most solvers read a problem
            with limits through prices: `placid.problem.pricing`.
    """

    node_names: tuple[str, ...]
    model_names: tuple[str, ...]
    model_variants: tuple[str, ...]
    task_names: tuple[str, ...]
    tiers: tuple[str, ...]
    model_task: np.ndarray
    model_quality: np.ndarray
    item_node: np.ndarray
    item_model: np.ndarray
    item_size_bytes: np.ndarray
    item_capacity: np.ndarray
    item_servers: np.ndarray
    node_ptr: np.ndarray
    budget_bytes: np.ndarray
    option_ptr: np.ndarray
    option_item: np.ndarray
    option_saving: np.ndarray
    option_vector: np.ndarray
    option_type: np.ndarray
    serving_order: np.ndarray
    repository_cost: np.ndarray
    repository_vector: np.ndarray
    repository_node: np.ndarray
    repository_runs: np.ndarray
    type_ingress: np.ndarray
    type_task: np.ndarray
    type_hops: np.ndarray
    node_tier: np.ndarray
    next_hop: np.ndarray
    slot_s: float
    chains: Chains | None = None
    limits: Limits | None = None

    @property
    def item_count(self) -> int:
        """N, the number of (node, model) pairs that may be placed."""
        return len(self.item_node)

    @property
    def type_count(self) -> int:
        """R, the number of request types."""
        return len(self.option_ptr) - 1

    @property
    def option_count(self) -> int:
        """K, the number of options: the non-zeros of the problem."""
        return len(self.option_saving)

    def check_one_item_each(self, who: str) -> None:
        """Nothing, if every option needs one item.

        Raises:
            InputError: some need several, which `who` cannot place.
        """
        if self.chains is not None:
            raise InputError(
                f"{who} places models that answer alone, and this catalog has plans over several nodes: leave the plans out "
                "('plans: false'), or choose a method that places them"
            )

    def check_unlimited(self, who: str) -> None:
        """Nothing, if links and processors carry what they are asked.

        Raises:
            InputError: they do not, and `who` knows nothing of that.
        """
        if self.limits is not None:
            raise InputError(
                f"{who} knows no hard limits, and this network has some ({self.limits.names[0]}): leave 'rate', "
                "'processors' and 'budgets' out of it, or play it slot by slot with 'placid run'"
            )

    @cached_property
    def needs(self) -> Chains:
        """`chains`, or what they would be: one item an option, which answers what it is asked."""
        if self.chains is not None:
            return self.chains
        ones = np.ones(self.option_count)
        return Chains(np.arange(self.option_count + 1, dtype=np.int64), self.option_item, ones, ones)

    @cached_property
    def bundles(self) -> tuple[np.ndarray, np.ndarray]:
        """The sets of items that options need, each once: int64 [B + 1] and int32; bundle b is ``items[ptr[b]:ptr[b + 1]]``.

        Types whose requests meet on their way share many: there can be a tenth as many bundles as options.
        """
        needs = self.needs
        counts = np.diff(needs.ptr)
        rows = np.full((self.option_count, int(counts.max(initial=1))), np.iinfo(np.int32).max, np.int32)
        option = np.repeat(np.arange(self.option_count), counts)
        rows[option, np.arange(len(needs.item)) - needs.ptr[option]] = needs.item
        rows.sort(axis=1)
        rows = np.unique(rows, axis=0)
        there = rows < np.iinfo(np.int32).max
        return np.concatenate(([0], np.cumsum(there.sum(1)))).astype(np.int64), rows[there]

    @property
    def node_count(self) -> int:
        """V, the number of nodes."""
        return len(self.node_names)

    @cached_property
    def item_size(self) -> np.ndarray:
        """Sizes as float64 [N], for the projections."""
        return self.item_size_bytes.astype(np.float64)

    @cached_property
    def placeable(self) -> np.ndarray:
        """bool [N]; false for items larger than their whole node, which no placement can hold."""
        return self.item_size_bytes <= self.budget_bytes[self.item_node]

    @cached_property
    def item_task(self) -> np.ndarray:
        """int32 [N]; the task that an item solves."""
        return self.model_task[self.item_model]

    @cached_property
    def types_by_node(self) -> tuple[np.ndarray, np.ndarray]:
        """The types with options at each node: int64 [V + 1] and indices; node v's are ``types[ptr[v]:ptr[v + 1]]``."""
        types = max(self.type_count, 1)
        needs = self.needs
        kind = np.repeat(self.option_type, np.diff(needs.ptr))
        pair = np.unique(self.item_node[needs.item].astype(np.int64) * types + kind)
        counts = np.bincount(pair // types, minlength=self.node_count)
        return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), pair % types

    @cached_property
    def node_hops(self) -> np.ndarray:
        """int64 [V]; links from each node to where it forwards last."""
        hops = np.zeros(self.node_count, np.int64)
        at = np.arange(self.node_count)
        while (at >= 0).any():
            at = np.where(at >= 0, self.next_hop[at], -1)
            hops += at >= 0
        return hops

    @cached_property
    def far_first(self) -> np.ndarray:
        """The nodes that have memory, those with most hops to their repository first, int64."""
        nodes = np.flatnonzero(self.budget_bytes > 0)
        return nodes[np.argsort(-self.node_hops[nodes], kind="stable")]

    @cached_property
    def options_by_item(self) -> tuple[np.ndarray, np.ndarray]:
        """The options that need each item: int64 [N + 1] and int32 [Z]; item e's are ``options[ptr[e]:ptr[e + 1]]``."""
        needs = self.needs
        counts = np.bincount(needs.item, minlength=self.item_count)
        ptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        order = np.argsort(needs.item, kind="stable")
        if self.chains is None:
            return ptr, order.astype(np.int32)
        option = np.repeat(np.arange(self.option_count, dtype=np.int32), np.diff(needs.ptr))
        return ptr, option[order]

    def item_name(self, item: int) -> str:
        """``node/model`` of an item, for messages and tables."""
        return f"{self.node_names[self.item_node[item]]}/{self.model_names[self.item_model[item]]}"
