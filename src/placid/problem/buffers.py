"""Where options are gathered while a problem is compiled: arrays that grow in place, so that nothing is held twice."""

from __future__ import annotations

import numpy as np

__all__ = ["ChainBuffers", "OptionBuffers"]


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
