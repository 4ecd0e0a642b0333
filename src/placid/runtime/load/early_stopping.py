"""What LoadGen makes of a run with few queries: a percentile that holds with 99 % confidence.

Of n queries, t were slower than some bound. If more than 1 - p of all queries were, so few as t or fewer would come with a
probability below the binomial distribution's; where that is under 1 %, the bound holds for the share p (MLPerf Inference
rules, appendix on early stopping).
"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtr

__all__ = ["bound_holds", "sure_quantile_s"]

_DOUBT = 0.01


def bound_holds(over: int, count: int, p: float) -> bool:
    """Whether `over` of `count` queries beyond a bound are few enough to say that a share `p` of all keeps it.

    Example:
        >>> bound_holds(0, 458, 0.99), bound_holds(0, 459, 0.99)
        (False, True)
    """
    return bool(bdtr(over, count, 1 - p) < _DOUBT)


def sure_quantile_s(latency_s: np.ndarray, p: float) -> float:
    """A latency that a share `p` of all queries keeps, with 99 % confidence; NaN if there are too few to say.

    LoadGen's "early stopping estimate": for 90 % it takes 64 queries, for 99 % 662.

    Args:
        latency_s: float64 [n], in any order.

    Example:
        >>> sure_quantile_s(np.arange(1.0, 65.0), 0.9), sure_quantile_s(np.arange(1.0, 64.0), 0.9)
        (64.0, nan)
    """
    count = len(latency_s)
    left_out = int((bdtr(np.arange(count), count, 1 - p) < _DOUBT).sum()) - 1
    if left_out < 1:
        return float("nan")
    return float(np.sort(latency_s)[count - left_out])
