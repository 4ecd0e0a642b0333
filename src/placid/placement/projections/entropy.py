"""Projection in the size-weighted relative entropy: scale every weight of a node by one factor, cap at 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit
from scipy.special import rel_entr

from placid.placement.projections.base import Projection, check_arrays

__all__ = ["Entropy", "project_entropy", "project_entropy_log"]

#: above this, weights are handled by their logarithms
_LARGEST_EXPONENT = 300.0
#: fractions that were above 0 stay at least this after a step
_LEAST = 1e-300
#: Newton steps before sorting instead: typical nodes need 3-6, weights that fall geometrically one a capped
#: item
_NEWTON_STEPS = 24


@njit(cache=True)
def _capped_by_sorting(log_weight, size, placeable, first, last, budget, out):  # type: ignore[no-untyped-def]
    """The exact answer for one node that overflows at factor 1, in O(n log n) and without overflow.

    With items by falling weight, ``filled(k) = S_k + T_k`` is the mass when item k just reaches 1 (S_k: size
    of those before it, T_k: weighted size of the rest in units of w_k). It grows with k; items before the
    first k that overfills the budget are capped, the rest share what is left in proportion to their weights.
    """
    alive = np.empty(last - first, np.int64)
    count = 0
    for i in range(first, last):
        out[i] = 0.0
        if placeable[i] and log_weight[i] > -np.inf:
            alive[count] = i
            count += 1
    by_weight = np.empty(count)
    for k in range(count):
        by_weight[k] = -log_weight[alive[k]]
    order = alive[np.argsort(by_weight)]
    tail = np.empty(count)
    for k in range(count - 1, -1, -1):
        tail[k] = size[order[k]]
        if k + 1 < count:
            tail[k] += tail[k + 1] * np.exp(log_weight[order[k + 1]] - log_weight[order[k]])
    left = budget
    cut = 0
    while cut < count and tail[cut] <= left:
        out[order[cut]] = 1.0
        left -= size[order[cut]]
        cut += 1
    for k in range(cut, count):
        out[order[k]] = left / tail[cut] * np.exp(log_weight[order[k]] - log_weight[order[cut]])


@njit(cache=True)
def project_entropy_log(log_weight, size, node_ptr, budget, placeable, out):  # type: ignore[no-untyped-def]
    """`project_entropy` for weights given by their logarithms, which may be any size (-inf is weight 0).

    Use it for multiplicative updates, ``log_weight = log(y) + step * gradient / size``: nothing overflows.
    """
    for v in range(len(node_ptr) - 1):
        first, last = node_ptr[v], node_ptr[v + 1]
        filled = 0.0
        for i in range(first, last):
            if placeable[i]:
                out[i] = 1.0 if log_weight[i] >= 0.0 else np.exp(log_weight[i])
                filled += size[i] * out[i]
            else:
                out[i] = 0.0
        if filled <= budget[v]:
            continue
        # Newton from below on the concave filled(factor): nothing capped at first, the capped set only grows.
        # `cap_at`: items of at least this log weight are capped.
        cap_at = np.inf
        solved = False
        for _ in range(_NEWTON_STEPS):
            top = -np.inf
            for i in range(first, last):
                if placeable[i] and log_weight[i] < cap_at and log_weight[i] > top:
                    top = log_weight[i]
            left = budget[v]
            rest = 0.0
            for i in range(first, last):
                if placeable[i]:
                    if log_weight[i] >= cap_at:
                        left -= size[i]
                    else:
                        rest += size[i] * np.exp(log_weight[i] - top)
            if rest <= 0.0:
                break
            left = max(left, 0.0)
            if left < rest:  # even the largest uncapped item stays below 1: the capped set is final
                for i in range(first, last):
                    if not placeable[i]:
                        out[i] = 0.0
                    elif log_weight[i] >= cap_at:
                        out[i] = 1.0
                    else:
                        out[i] = left / rest * np.exp(log_weight[i] - top)
                solved = True
                break
            cap_at = min(top, top - np.log(left / rest))
        if not solved:
            _capped_by_sorting(log_weight, size, placeable, first, last, budget[v], out)


@njit(cache=True)
def project_entropy(weight, size, node_ptr, budget, placeable, out):  # type: ignore[no-untyped-def]
    """Per node the y nearest to `weight` in size-weighted relative entropy with 0 <= y <= 1 and sum(size * y)
    <= budget.

    Minimises ``sum(size * (y * log(y / w) - y + w))``; the answer is ``min(1, c * w)`` with c = 1 if that
    fits, else the c < 1 that meets the budget. O(n) a node (Newton, 3-6 sweeps; sorting when the weights fall
    too steeply).

    Args:
        weight: float64 [N], >= 0; infinite counts as the largest float. May be `out` itself.
        size: float64 [N], > 0.
        node_ptr: int64 [V + 1].
        budget: float64 [V], >= 0.
        placeable: bool [N]; y = 0 where false.
        out: float64 [N]; y is written here.
    """
    for v in range(len(node_ptr) - 1):
        first, last = node_ptr[v], node_ptr[v + 1]
        filled = 0.0
        capped_size = 0.0
        rest = 0.0
        for i in range(first, last):
            if not placeable[i]:
                out[i] = 0.0
                continue
            w = min(weight[i], 1.7976931348623157e308)
            out[i] = w
            if w >= 1.0:
                filled += size[i]
                capped_size += size[i]
            else:
                filled += size[i] * w
                rest += size[i] * w
        if filled <= budget[v]:
            for i in range(first, last):
                if out[i] > 1.0:
                    out[i] = 1.0
            continue
        # Newton on the concave filled(factor). From factor 1 it lands below the root (if above 0), and from
        # below it
        # climbs: the capped set then only grows, and the step that adds nobody is exact.
        factor = (budget[v] - capped_size) / rest if rest > 0.0 else 0.0
        solved = False
        if factor > 0.0:
            for _ in range(_NEWTON_STEPS):
                left = budget[v]
                rest = 0.0
                for i in range(first, last):
                    if placeable[i]:
                        if factor * out[i] >= 1.0:
                            left -= size[i]
                        else:
                            rest += size[i] * out[i]
                if rest <= 0.0 or left <= 0.0:
                    break
                better = left / rest
                if better <= factor * (1.0 + 4e-16):
                    solved = True
                    break
                factor = better
        if solved:
            for i in range(first, last):
                out[i] = min(1.0, factor * out[i])
        else:
            # the weights above 1 overfill the node by themselves, or fall too steeply: redo this node by
            # logarithms
            log_weight = np.log(out[first:last])
            _capped_by_sorting(
                log_weight,
                size[first:last],
                placeable[first:last],
                0,
                last - first,
                budget[v],
                out[first:last],
            )


@njit(cache=True)
def _multiply(y, gradient, step, size, out):  # type: ignore[no-untyped-def]
    """Writes ``y * exp(step * gradient / size)``; returns the largest exponent, in size."""
    largest = 0.0
    for i in range(len(y)):
        exponent = step * gradient[i] / size[i]
        if exponent == 0.0:
            out[i] = y[i]
        else:
            largest = max(largest, abs(exponent))
            out[i] = y[i] * np.exp(exponent)
    return largest


@njit(cache=True)
def _keep_above_zero(y, placeable, out):  # type: ignore[no-untyped-def]
    """What falls below the smallest float would be gone for good."""
    for i in range(len(y)):
        if out[i] < _LEAST and y[i] > 0.0 and placeable[i]:
            out[i] = _LEAST


@dataclass(frozen=True)
class Entropy(Projection):
    """Bregman projection in the size-weighted entropy: multiplicative updates, few items move."""

    name: ClassVar[str] = "entropy"

    def project(
        self,
        point: np.ndarray,
        size: np.ndarray,
        node_ptr: np.ndarray,
        budget: np.ndarray,
        placeable: np.ndarray,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """See `Projection.project`; `point` must be >= 0."""
        out = check_arrays(point, size, node_ptr, budget, placeable, out, least=0.0)
        project_entropy(point, size, node_ptr, budget, placeable, out)
        return out

    def divergence(self, y: np.ndarray, point: np.ndarray, size: np.ndarray) -> np.ndarray:
        """``size * (y log(y / point) - y + point)``, with 0 log 0 = 0."""
        return size * (rel_entr(y, point) - y + point)

    def ascend(
        self,
        y: np.ndarray,
        gradient: np.ndarray,
        step: float,
        size: np.ndarray,
        node_ptr: np.ndarray,
        budget: np.ndarray,
        placeable: np.ndarray,
    ) -> np.ndarray:
        """The projection of ``y * exp(step * gradient / size)``; no step is too large to represent."""
        out = check_arrays(gradient, size, node_ptr, budget, placeable, None, least=-np.inf)
        if _multiply(y, gradient, step, size, out) <= _LARGEST_EXPONENT:
            project_entropy(out, size, node_ptr, budget, placeable, out)
        else:
            log_weight = np.full(len(y), -np.inf)
            np.log(y, out=log_weight, where=y > 0)
            log_weight += step * gradient / size
            project_entropy_log(log_weight, size, node_ptr, budget, placeable, out)
        _keep_above_zero(y, placeable, out)
        return out
