"""Small hard cases for roundings of columns: fractions of parts of plans, made to be lost by drawing.

Everything that makes a draw lose is common: memory full to the last byte of what fractions take, sizes close to the budget
and with no common divisor, rivals that fill a node, many heads of one tail, one-sided fractions, fractions near 0 and 1.
Roomy nodes hold dozens of parts, tiny ones a single one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from placid.placement.columns import Columns
from placid.problem.arrays import Chains, Problem

__all__ = ["Gadget", "problem_of_options", "random_gadget"]

#: the (node, part) pairs that an option needs, in the order in which they run
Option = tuple[tuple[int, int], ...]

_PRIMES = np.array([7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47])


@dataclass(frozen=True)
class Gadget:
    """A problem of a few options and fractions of its columns.

    Attributes:
        demand: float64 [R].
        share: float64 [C], from `Columns.share`.
        z: float64 [C], within the budgets.
        kind: in words, what it was made to be.
    """

    problem: Problem
    columns: Columns
    demand: np.ndarray
    share: np.ndarray
    z: np.ndarray
    kind: str

    @property
    def gain(self) -> float:
        """The concave gain at `z`."""
        return self.columns.gain(self.demand, self.share, self.z)

    def times(self, factor: int) -> Gadget:
        """The same with every size and budget `factor` times as large."""
        problem = replace(
            self.problem,
            item_size_bytes=self.problem.item_size_bytes * factor,
            budget_bytes=self.problem.budget_bytes * factor,
        )
        return replace(self, problem=problem, columns=Columns.of(problem))


def random_gadget(rng: np.random.Generator, *, roomy: bool | None = None, tiers: bool = False) -> Gadget:
    """A random gadget with some gain at its fractions.

    Args:
        roomy: parts take at most 1/8 to 1/40 of their node, so a node holds dozens; otherwise one to four; None: either.
        tiers: options of one or two parts, heads at the lowest node and tails, all of one size, above it: what
            `TopDown.least_ratio` promises most of.
    """
    roomy = bool(rng.random() < 0.3) if roomy is None else roomy
    while True:
        up = _network(rng, tiers)
        made = _gadget(rng, up, _options(rng, up, roomy, tiers), roomy, tiers)
        if made.gain > 1e-9:
            return made


def _network(rng: np.random.Generator, tiers: bool) -> np.ndarray:
    """int64 [V]: the node above each; -1 above the last, where the repository is."""
    if tiers:
        return np.array([1, -1]) if rng.random() < 0.5 else np.array([1, 2, -1])
    return np.array([[-1], [1, -1], [1, 2, -1], [2, 2, -1], [2, 2, 3, -1]][int(rng.integers(5))])


def _options(rng: np.random.Generator, up: np.ndarray, roomy: bool, tiers: bool) -> list[list[Option]]:
    """For every request type its options."""
    plans: list[tuple[int, ...]] = []
    part = 0
    for _ in range(int(rng.integers(12, 40)) if roomy else int(rng.integers(1, 6))):
        length = int(rng.integers(1, 3 if tiers else 4))
        tail = tuple(range(part, part + length - 1))
        heads = int(rng.integers(1, 5)) if length > 1 and not tiers and rng.random() < 0.3 else 1
        part += length - 1
        for _ in range(heads):  # heads that share their tail
            plans.append((part, *tail))
            part += 1
    types: list[list[Option]] = []
    for _ in range(int(rng.integers(1, 9 if roomy else 5))):
        at = 0 if tiers else int(rng.integers(len(up)))
        path = [at]
        while up[path[-1]] >= 0:
            path.append(int(up[path[-1]]))
        known: set[Option] = set()
        for plan in plans:
            if rng.random() < 0.25:
                continue
            for _ in range(int(rng.integers(1, 4))):
                if tiers:
                    first = 0 if len(plan) > 1 else int(rng.choice(path))
                    nodes = [first, *(int(rng.choice(path[1:])) for _ in plan[1:])]
                else:
                    nodes = [path[i] for i in np.sort(rng.integers(0, len(path), len(plan)))]
                known.add(tuple(zip(nodes, plan, strict=True)))
        if known:
            types.append([sorted(known)[i] for i in rng.permutation(len(known))])
    return types


def _gadget(
    rng: np.random.Generator, up: np.ndarray, types: list[list[Option]], roomy: bool, tiers: bool
) -> Gadget:
    items = sorted({pair for options in types for option in options for pair in option})
    node, part = np.array(items, np.int64).reshape(-1, 2).T
    by_part, budget, word = _memory(rng, node, part, len(up), roomy)
    size = {pair: int(by_part[pair[1]]) for pair in items}
    if tiers:
        # tails and what else is above the heads: one size, which divides the memory there
        size = {pair: by if pair[0] == 0 else 5 for pair, by in size.items()}
        budget[1:] = 5 * rng.integers(1, 40 if roomy else 4, len(up) - 1)
    # what fits nowhere takes fractions and earns nothing; no rounding can help it
    types = [[option for option in options if _fits(option, size, budget)] for options in types]
    bound = not tiers and rng.random() < 0.3
    capacity = {pair: float(rng.uniform(0.2, 3.0)) for pair in items} if bound else {}
    savings = [_savings(rng, len(options)) for options in types]
    problem = problem_of_options(up, types, savings, size, budget, capacity)
    columns = Columns.of(problem)
    demand = rng.integers(1, 4, len(types)).astype(np.float64)
    z, shape = _fractions(rng, columns)
    kind = f"{'roomy' if roomy else 'tiny'} nodes, {word} sizes, {shape} fractions{', capacities' if bound else ''}"
    return Gadget(problem, columns, demand, columns.share(problem, demand), z, kind)


def problem_of_options(
    up: np.ndarray,
    types: Sequence[Sequence[Option]],
    savings: Sequence[np.ndarray],
    size: Mapping[tuple[int, int], int],
    budget: np.ndarray,
    capacity: Mapping[tuple[int, int], float] | None = None,
) -> Problem:
    """A problem written down by its options, with no network behind it.

    Args:
        up: int64 [V]; the node above each, -1 above those that are next to the repository.
        types: for every request type its options, each the (node, part) pairs that it needs in the order in which they run.
        savings: for every type what its options save, falling.
        size: bytes of (node, part).
        budget: int64 [V].
        capacity: requests a slot of (node, part); a million where it says nothing.
    """
    items = sorted({pair for options in types for option in options for pair in option})
    number = {pair: i for i, pair in enumerate(items)}
    node, part = np.array(items, np.int32).reshape(-1, 2).T
    count = int(part.max(initial=0)) + 1
    chain = [option for options in types for option in options]
    need = np.array([number[pair] for option in chain for pair in option], np.int32)
    option_ptr = np.concatenate(([0], np.cumsum([len(options) for options in types]))).astype(np.int64)
    saving = np.concatenate([*savings, np.zeros(0)]).astype(np.float64)
    need_ptr = np.concatenate(([0], np.cumsum([len(option) for option in chain]))).astype(np.int64)
    parts = tuple(f"p{p}" for p in range(count))
    return Problem(
        node_names=tuple(f"v{v}" for v in range(len(up))),
        model_names=parts,
        model_variants=parts,
        task_names=("t",),
        tiers=("tier",),
        model_task=np.zeros(count, np.int32),
        model_quality=np.ones(count),
        item_node=node,
        item_model=part,
        item_size_bytes=np.array([size[pair] for pair in items], np.int64),
        item_capacity=np.array([(capacity or {}).get(pair, 1e6) for pair in items]),
        item_servers=np.ones(len(items), np.int32),
        node_ptr=np.searchsorted(node, np.arange(len(up) + 1)).astype(np.int64),
        budget_bytes=np.asarray(budget, np.int64),
        option_ptr=option_ptr,
        option_item=np.zeros(0, np.int32),
        option_saving=saving,
        option_vector=np.zeros((len(saving), 4), np.float32),
        option_type=np.repeat(np.arange(len(types), dtype=np.int32), np.diff(option_ptr)),
        serving_order=np.argsort(-saving, kind="stable").astype(np.int32),
        repository_cost=np.ones(len(types)),
        repository_vector=np.zeros((len(types), 4)),
        repository_node=np.full(len(types), len(up) - 1, np.int32),
        repository_runs=np.full(len(types), -1, np.int32),
        type_ingress=np.zeros(len(types), np.int32),
        type_task=np.zeros(len(types), np.int32),
        type_hops=np.zeros(len(types), np.int32),
        node_tier=np.zeros(len(up), np.int32),
        next_hop=np.asarray(up, np.int32),
        slot_s=1.0,
        chains=Chains(need_ptr, need, np.ones(len(need)), np.ones(len(need))),
    )


def _fits(option: Option, size: Mapping[tuple[int, int], int], budget: np.ndarray) -> bool:
    taken = np.zeros(len(budget), np.int64)
    for pair in option:
        taken[pair[0]] += size[pair]
    return bool((taken <= budget).all())


def _memory(
    rng: np.random.Generator, node: np.ndarray, part: np.ndarray, nodes: int, roomy: bool
) -> tuple[np.ndarray, np.ndarray, str]:
    """Sizes of parts and budgets, int64 [P] and [V], for parts `part` at `node`."""
    parts = int(part.max(initial=0)) + 1
    word = str(rng.choice(["equal", "prime", "close", "mixed"]))
    if word == "equal":
        size = np.full(parts, int(rng.integers(1, 9)))
    elif word == "prime":
        size = rng.choice(_PRIMES, parts)
    elif word == "close":  # two of them never fit, or just so
        size = 50 + rng.integers(-1, 2, parts)
    else:
        size = np.maximum(1, np.exp(rng.normal(3.0, 1.2, parts))).astype(np.int64)
    budget = np.zeros(nodes, np.int64)
    for v in range(nodes):
        largest = int(size[part[node == v]].max(initial=1))
        many = int(rng.integers(8, 41)) if roomy else int(rng.choice([1, 1, 2, 3, 4]))
        budget[v] = max(1, many * largest + int(rng.choice([0, 0, 1, -1, largest // 2])))
    return size, budget, word


def _savings(rng: np.random.Generator, count: int) -> np.ndarray:
    """float64 [count], falling: all alike, spread out, or each a tenth of the last."""
    how = rng.integers(3)
    if how == 0:
        return np.full(count, 1.0)
    if how == 1:
        return np.sort(rng.uniform(0.01, 1.0, count))[::-1]
    return 10.0 ** -np.arange(count, dtype=np.float64).clip(max=12)


def _fractions(rng: np.random.Generator, columns: Columns) -> tuple[np.ndarray, str]:
    """float64 [C] within the budgets, and their shape in a word; all fractions of a node are scaled alike."""
    lifted, count = columns.lifted, len(columns)
    shape = str(rng.choice(["uniform", "extreme", "heads", "tails", "split", "cover", "rival"]))
    z = rng.random(count)
    if shape == "extreme":
        z = rng.choice([1e-9, 1e-3, 0.03, 0.5, 0.97, 1 - 1e-3, 1.0], count)
    elif shape in ("heads", "tails"):  # one-sided: only heads, or only tails, are there as often as not
        z = np.where(
            (columns.depth > 0) == (shape == "heads"),
            rng.uniform(0.7, 1.0, count),
            rng.uniform(0.0, 0.1, count),
        )
    elif shape == "split":  # a tail's fraction divided over its heads, or its heads at the very same one
        z = np.where(columns.depth == 0, rng.uniform(0.02, 1.0, count), z)
        children = np.maximum(np.bincount(columns.parent[columns.parent >= 0], minlength=count), 1)
        divided = rng.random() < 0.5
        for d in range(1, int(columns.depth.max(initial=0)) + 1):
            mine = columns.depth == d
            above = columns.parent[mine]
            z[mine] = z[above] / (children[above] if divided else 1)
    elif (
        shape == "cover"
    ):  # what a type has to choose from adds up to one: drawing by chance covers least of it
        z = np.full(count, 1.0 / max(1, int((columns.depth == 0).sum())))
        children = np.maximum(np.bincount(columns.parent[columns.parent >= 0], minlength=count), 1)
        for d in range(1, int(columns.depth.max(initial=0)) + 1):
            mine = columns.depth == d
            z[mine] = z[columns.parent[mine]] / children[columns.parent[mine]]
    elif shape == "rival":  # something that answers alone fills the node, a plan has what is left
        alone = (columns.depth == 0) & np.isin(np.arange(count), columns.leaf)
        z = np.where(alone, 1.0, rng.choice([0.01, 0.05, 0.2], count))
    z = np.where(lifted.placeable, z, 0.0)
    full = rng.random() < 0.4
    for _ in range(30 if full else 1):
        load = np.bincount(lifted.item_node, lifted.item_size * z, lifted.node_count)
        over = load / np.maximum(lifted.budget_bytes, 1)
        # to the last byte, or only down where it is too much
        over = np.where(load > 0, over if full else np.maximum(over, 1.0), 1.0)
        z = np.minimum(z / over[lifted.item_node], 1.0)
    return z, f"{shape}{', filled up,' if full else ''}"
