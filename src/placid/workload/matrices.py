"""Request rates from traffic matrices, such as those that SNDlib ships with its topologies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.workload.popularity import RANKS, task_ranks, zipf_shares
from placid.workload.process import PoissonProcess
from placid.workload.requests import RequestTypes
from placid.workload.settings import (
    check_choice,
    check_count,
    check_number,
    check_positive,
    check_requests,
    field_of,
)

__all__ = ["TrafficMatrices"]


@dataclass(frozen=True, eq=False)
class TrafficMatrices(PoissonProcess):
    """Poisson counts with Zipf popularity, where each ingress asks in proportion to the traffic that it
    sends.

    The row sum of a node in the matrix (all that it sends, whatever the unit) is its weight. The matrices are
    scaled together, so that `rate_per_s` is the mean over them of the total request rate: busy matrices ask
    for more, quiet ones for less. Each holds for `every_slots` slots; after the last comes the first again.
    Sources that are no ingress of `requests` (a repository, say) are left out before scaling.

    Attributes:
        requests: the R request types.
        matrices: one matrix or a sequence of them: a mapping (source, destination) -> traffic each; or an
            array [V, V] or [T, V, V] with the source first. Kept as rates, see `rate_of`.
        rate_per_s: requests per second, all types together, on average over the matrices.
        nodes: names of the V rows, for arrays only.
        exponent, slot_s, ranks, ranks_seed: as in `ZipfProcess`.
        every_slots: slots for which a matrix holds.

    Raises:
        InputError: an ingress is unknown to the matrices, a value is negative or not finite, the shape is
            wrong, or no ingress sends anything.

    Example:
        >>> from placid.workload import RequestTypes, TrafficMatrices
        >>> traffic = {("a", "b"): 30.0, ("b", "a"): 5.0, ("b", "c"): 5.0}
        >>> types = RequestTypes.grid(["a", "b"], ["cat"])
        >>> load = TrafficMatrices(types, traffic, rate_per_s=4.0, slot_s=10.0)
        >>> load.expected(0).tolist()
        [30.0, 10.0]
    """

    name: ClassVar[str] = "traffic-matrices"

    requests: RequestTypes
    matrices: Any = field(repr=False)
    rate_per_s: float
    nodes: tuple[str, ...] = ()
    exponent: float = 1.2
    slot_s: float = 60.0
    every_slots: int = 1
    ranks: str = "shared"
    ranks_seed: int = 0

    def __post_init__(self) -> None:
        check_requests(self.name, self.requests)
        check_number(self.name, "rate_per_s", self.rate_per_s, 0)
        check_number(self.name, "exponent", self.exponent, 0)
        check_positive(self.name, "slot_s", self.slot_s)
        check_count(self.name, "every_slots", self.every_slots, 1)
        check_choice(self.name, "ranks", self.ranks, RANKS)
        check_count(self.name, "ranks_seed", self.ranks_seed, 0)
        self.rate_of  # noqa: B018 - the matrices are checked now, not at the first slot

    @cached_property
    def rate_of(self) -> np.ndarray:
        """Requests per second at each ingress under each matrix, float64 [T, I], in the order of
        ``requests.nodes``."""
        where = field_of(self.name, "matrices")
        sent = _row_sums(self.matrices, self.nodes, self.requests.nodes, where)
        mean = sent.sum() / len(sent)
        if not mean > 0:
            raise InputError("no ingress node sends any traffic, so there is nothing to scale", where=where)
        rates = sent * (self.rate_per_s / mean)
        rates.flags.writeable = False
        return rates

    @cached_property
    def _share(self) -> np.ndarray:
        return zipf_shares(
            self.requests, task_ranks(self.requests, self.ranks, self.ranks_seed), self.exponent
        )

    def expected(self, slot: int) -> np.ndarray:
        """Expected demand of `slot`, float64 [R]. O(R)."""
        rates = self.rate_of[(slot // self.every_slots) % len(self.rate_of)]
        return self._share * (rates * self.slot_s)[self.requests.node_of]


def _row_sums(given: Any, rows: Sequence[str], ingress: Sequence[str], where: str) -> np.ndarray:
    """What every ingress node sends in every matrix, float64 [T, I]."""
    if isinstance(given, Mapping):
        given = [given]
    if isinstance(given, Sequence) and given and all(isinstance(m, Mapping) for m in given):
        return np.stack(
            [_row_sums_of_mapping(m, ingress, f"{where}, matrix {t}") for t, m in enumerate(given)]
        )
    try:
        array = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            "expected one or several mappings (source, destination) -> traffic, or a numeric array",
            where=where,
        ) from error
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.shape[1] != array.shape[2] or array.size == 0:
        raise InputError(
            f"expected an array of shape [V, V] or [T, V, V], got {np.shape(given)}", where=where
        )
    if len(rows) != array.shape[1]:
        raise InputError(
            f"'nodes' must name the {array.shape[1]} rows of the array, got {len(rows)} names", where=where
        )
    bad = np.argwhere(~(np.isfinite(array) & (array >= 0)))
    if len(bad):
        t, i, j = (int(v) for v in bad[0])
        raise InputError(
            f"traffic from '{rows[i]}' to '{rows[j]}' must be a finite number of at least 0, "
            f"got {array[t, i, j]}",
            where=f"{where}, matrix {t}",
        )
    at = {name: i for i, name in enumerate(rows)}
    for node in ingress:
        if node not in at:
            raise UnknownNameError("ingress node", node, at, where=where)
    return np.asarray(array.sum(axis=2)[:, [at[node] for node in ingress]])


def _row_sums_of_mapping(matrix: Mapping[Any, Any], ingress: Sequence[str], where: str) -> np.ndarray:
    sent = dict.fromkeys(ingress, 0.0)
    known: set[str] = set()
    for pair, value in matrix.items():
        if not (isinstance(pair, tuple) and len(pair) == 2):
            raise InputError(f"expected (source, destination) as key, got {pair!r}", where=where)
        source, destination = pair
        known.update((source, destination))
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise InputError(
                f"traffic from '{source}' to '{destination}' must be a finite number of at least 0, "
                f"got {value!r}",
                where=where,
            )
        if source in sent:
            sent[source] += float(value)
    for node in ingress:
        if node not in known:
            raise UnknownNameError("ingress node", node, known, where=where)
    return np.array([sent[node] for node in ingress])
