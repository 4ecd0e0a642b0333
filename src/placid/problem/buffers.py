"""Where options are gathered while a problem is compiled: arrays that grow in place, so that nothing is held twice."""

from __future__ import annotations

import numpy as np

__all__ = ["ChainBuffers", "OptionBuffers", "WayBuffers"]


class OptionBuffers:
    """Options type by type, in the layout of `placid.problem.arrays.Problem`.

    Args:
        types: how many request types will be closed.
    """

    def __init__(self, types: int) -> None:
        self._ptr = np.zeros(types + 1, np.int64)
        self._closed = 0
        self._used = 0
        self._item = np.empty(0, np.int32)
        self._saving = np.empty(0)
        self._vector = np.empty((0, 4), np.float32)

    def append(self, item: np.ndarray, saving: np.ndarray, vector: np.ndarray) -> None:
        """Further options of the type that is open, cheapest first: [n], [n] and [n, 4]."""
        end = self._used + len(item)
        if end > len(self._item):
            self._resize(max(end, len(self._item) * 5 // 4, 1024))
        self._item[self._used : end] = item
        self._saving[self._used : end] = saving
        self._vector[self._used : end] = vector
        self._used = end

    def close_type(self) -> None:
        """The open type is complete; the next one begins."""
        self._closed += 1
        self._ptr[self._closed] = self._used

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """`option_ptr`, `option_item`, `option_saving` and `option_vector`. Nothing can be appended any more."""
        self._resize(self._used)
        return self._ptr, self._item, self._saving, self._vector

    def _resize(self, length: int) -> None:
        # in place: the system moves pages of large arrays instead of copying them
        self._item.resize(length, refcheck=False)
        self._saving.resize(length, refcheck=False)
        self._vector.resize((length, 4), refcheck=False)


class ChainBuffers:
    """The items that options need, option by option, in the layout of `placid.problem.arrays.Chains`."""

    def __init__(self) -> None:
        self._count: list[np.ndarray] = [np.zeros(1, np.int64)]
        self._item: list[np.ndarray] = [np.zeros(0, np.int32)]
        self._load: list[np.ndarray] = [np.zeros(0)]
        self._answered: list[np.ndarray] = [np.zeros(0)]

    def append(self, item: np.ndarray, load: np.ndarray, answered: np.ndarray) -> None:
        """Of further options: items [n, k], -1 where an option needs fewer than k, and what goes with each, [n, k]."""
        needed = item >= 0
        self._count.append(needed.sum(axis=1).astype(np.int64))
        self._item.append(item[needed].astype(np.int32))
        self._load.append(load[needed])
        self._answered.append(answered[needed])

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """`ptr`, `item`, `load` and `answered`."""
        return (
            np.cumsum(np.concatenate(self._count)),
            np.concatenate(self._item),
            np.concatenate(self._load),
            np.concatenate(self._answered),
        )


class WayBuffers:
    """What each way takes of the limits, in the layout of `placid.problem.limits.Limits`: options, then repositories.

    Args:
        types: how many request types will be closed.
    """

    def __init__(self, types: int) -> None:
        self._options: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._repositories: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._refusal_cost = np.zeros(types)

    def append(self, touched: np.ndarray, share: np.ndarray) -> None:
        """Further options of the type that is open: what they take [n, L] of the limits `touched` [L]."""
        self._options.append(_sparse(touched, share))

    def close_type(self, refusal_cost: float, touched: np.ndarray, share: np.ndarray) -> None:
        """The open type is complete; what refusing it costs, and what its repository takes [L]."""
        self._refusal_cost[len(self._repositories)] = refusal_cost
        self._repositories.append(_sparse(touched, share[None, :]))

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """`ptr`, `limit`, `share` and `refusal_cost`."""
        parts = self._options + self._repositories
        counts, limit, share = (
            np.concatenate([p[i] for p in parts]) if parts else np.zeros(0) for i in range(3)
        )
        ptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return ptr, limit.astype(np.int32), share.astype(np.float64), self._refusal_cost


def _sparse(touched: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entries a row, their limits, their shares: what is above 0 of `share` [n, L]."""
    row, column = np.nonzero(share > 0)
    return np.bincount(row, minlength=len(share)), touched[column], share[row, column]
