"""Random numbers that are addressed, not consumed: draw k of request i is the same whatever happens to other requests.

So two systems that are played under one seed give a request the same luck, and the order in which events are handled
changes no draw. A draw is the splitmix64 generator's output number k, of a generator whose state is output i of one that
the seed starts (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
"""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from placid.randomness import stream

__all__ = ["key_of", "uniform"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def key_of(seed: int) -> np.uint64:
    """What the draws under `seed` start from."""
    return np.uint64(stream(seed, "events").integers(1 << 64, dtype=np.uint64))


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def _mixed(x: np.uint64) -> np.uint64:
    x = uint64(x ^ (x >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    x = uint64(x ^ (x >> uint64(27))) * uint64(0x94D049BB133111EB)
    return uint64(x ^ (x >> uint64(31)))


@njit(cache=True)  # type: ignore[misc,unused-ignore]
def uniform(key: np.uint64, request: int, draw: int) -> float:
    """Draw `draw` of `request`, in [0, 1).

    Example:
        >>> key = key_of(7)
        >>> uniform(key, 3, 0) == uniform(key, 3, 0) != uniform(key, 3, 1)
        True
    """
    own = _mixed(uint64(key) + uint64(request + 1) * _GOLDEN)
    return float(_mixed(own + uint64(draw + 1) * _GOLDEN) >> uint64(11)) * 2.0**-53
