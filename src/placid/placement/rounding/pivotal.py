"""The pivotal draw that dependent and coupled rounding share: pairs of items trade bytes until all but one
are whole.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["pivot_line", "pivot_tree", "settle"]

#: fractions this near to 0 or 1 are 0 or 1
_WHOLE = 1e-12


@njit(cache=True, inline="always")
def _trade(y, size, a, b, u):  # type: ignore[no-untyped-def]
    """Moves bytes between fractional items a and b until one is whole; fair, so E[y] stays. Returns the other
    one.

    a gains as many bytes as b loses, at most until a is 1 or b is 0; or the other way round. Each way has the
    probability that makes the expected change 0 (`u` uniform). Returns -1 if both became whole.
    """
    a_gains = min(size[a] * (1.0 - y[a]), size[b] * y[b])
    a_loses = min(size[a] * y[a], size[b] * (1.0 - y[b]))
    if u * (a_gains + a_loses) < a_loses:
        if size[a] * (1.0 - y[a]) <= size[b] * y[b]:
            y[a] = 1.0
            y[b] -= a_gains / size[b]
            left = b
        else:
            y[b] = 0.0
            y[a] += a_gains / size[a]
            left = a
    elif size[a] * y[a] <= size[b] * (1.0 - y[b]):
        y[a] = 0.0
        y[b] += a_loses / size[b]
        left = b
    else:
        y[b] = 1.0
        y[a] -= a_loses / size[a]
        left = a
    if y[left] < _WHOLE:
        y[left] = 0.0
        return -1
    if y[left] > 1.0 - _WHOLE:
        y[left] = 1.0
        return -1
    return left


@njit(cache=True, inline="always")
def _fractional(y, i):  # type: ignore[no-untyped-def]
    """Whether item i still has to be decided; snaps it if it is whole up to round-off."""
    if y[i] < _WHOLE:
        y[i] = 0.0
        return False
    if y[i] > 1.0 - _WHOLE:
        y[i] = 1.0
        return False
    return True


@njit(cache=True)
def pivot_line(y, size, first, last, u):  # type: ignore[no-untyped-def]
    """Plays items ``first:last`` in their order, the one left over against the next; ``u[j]`` decides the
    game j enters.

    Changes `y` in place to 0 or 1 but for at most one item, which is returned (-1: none).
    """
    pivot = -1
    for j in range(first, last):
        if _fractional(y, j):
            pivot = j if pivot < 0 else _trade(y, size, pivot, j, u[j])
    return pivot


@njit(cache=True)
def pivot_tree(y, size, first, last, u, ranks):  # type: ignore[no-untyped-def]
    """Plays items ``first:last`` as a knock-out tournament whose seats are fixed by index.

    The winner of seats [k, k + 2^h) meets that of [k + 2^h, k + 2^(h+1)); their game is decided by
    ``u[first + k + 2^h]``, which no other game uses. A change in one fraction reaches only the log2(n) games
    above it. `ranks` is int64 scratch of at least ``last - first``.
    """
    count = last - first
    for k in range(count):
        ranks[k] = first + k if _fractional(y, first + k) else -1
    step = 1
    while step < count:
        for k in range(0, count - step, 2 * step):
            a, b = ranks[k], ranks[k + step]
            if a < 0:
                ranks[k] = b
            elif b >= 0:
                ranks[k] = _trade(y, size, a, b, u[first + k + step])
        step *= 2
    return ranks[0] if count else -1


@njit(cache=True)
def settle(y, size_bytes, first, last, budget, left, coin, reserve, placed):  # type: ignore[no-untyped-def]
    """Decides the item left over (-1: none) by `coin`, writes the node's `placed`, within `budget` in
    integers.

    With `reserve` the item is placed with its own probability phi. Without, the same if it fits beside the
    rest, else the rest stays with probability 1 / (1 + phi), and otherwise the item is placed and as little of
    the rest goes as makes it fit.
    """
    used = np.int64(0)
    for i in range(first, last):
        placed[i] = i != left and y[i] > 0.5
        if placed[i]:
            used += size_bytes[i]
    keep = -1
    if left >= 0:
        phi = y[left]
        if used + size_bytes[left] <= budget:
            wanted = coin < phi
        else:
            wanted = not reserve and coin * (1.0 + phi) >= 1.0 and size_bytes[left] <= budget
        if wanted:
            keep = left
            placed[left] = True
            used += size_bytes[left]
    # Makes room for the item left over. (And round-off can round a fraction up that only just filled the last
    # byte.) The smallest item that is large enough goes, or the largest if none is.
    while used > budget:
        gone = -1
        for i in range(first, last):
            if placed[i] and i != keep:
                enough = size_bytes[i] >= used - budget
                if gone < 0:
                    gone = i
                elif size_bytes[gone] >= used - budget:
                    if enough and size_bytes[i] < size_bytes[gone]:
                        gone = i
                elif size_bytes[i] > size_bytes[gone]:
                    gone = i
        placed[gone] = False
        used -= size_bytes[gone]
