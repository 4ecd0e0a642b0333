"""Whether a node answers or forwards: what going up is worth against what it costs now.

A node forwards if ``value x (expected accuracy above - own confidence) > seconds that going up takes now``. Plain functions
of numbers: a live node calls them as they are, the simulator compiles the very same ones. What a node knows of what lies
above it is a row of numbers, `UNHEARD` before the first reply; a list in a node, a row of an array in the simulator.
"""

from __future__ import annotations

from math import exp, inf
from typing import Any

__all__ = [
    "ASKED",
    "HEARD",
    "HERE",
    "LEAST",
    "PER_BYTE",
    "UNHEARD",
    "UP",
    "expected_above",
    "goes_up",
    "learn",
    "price_s",
]

#: when the node above was last heard and last asked; what a byte on the link takes; what the stage above takes, its queue
#: included; what going up from there takes; the least that all this together ever was
HEARD, ASKED, PER_BYTE, HERE, UP, LEAST = range(6)
#: of a node that has heard nothing yet: optimistic, so that it asks
UNHEARD = (-inf, -inf, 0.0, 0.0, 0.0, inf)


def expected_above(knots: Any, penalties: Any, table: Any, confidence: float, penalty: float) -> float:
    """The accuracy to expect further up of a request of this calibrated confidence, less what going on from there costs.

    Linear between the knots of a fitted table, constant beyond.

    Args:
        knots, penalties: numbers in rising order; `table`: [knots][penalties].
        penalty: what the node above would have to pay to go on, in units of accuracy.
    """
    low, high = 0, len(knots) - 1
    if confidence >= knots[high]:
        low, across = high - 1, 1.0
    elif confidence <= knots[0]:
        across = 0.0
    else:
        while high - low > 1:
            middle = (low + high) >> 1
            if knots[middle] <= confidence:
                low = middle
            else:
                high = middle
        across = (confidence - knots[low]) / (knots[low + 1] - knots[low])
    last = len(penalties) - 1
    left, along = 0, 0.0
    if penalty >= penalties[last]:
        left, along = last - 1, 1.0
    elif penalty > penalties[0]:
        while penalties[left + 1] <= penalty:
            left += 1
        along = (penalty - penalties[left]) / (penalties[left + 1] - penalties[left])
    below = table[low][left] + along * (table[low][left + 1] - table[low][left])
    above = table[low + 1][left] + along * (table[low + 1][left + 1] - table[low + 1][left])
    return float(below + across * (above - below))


def price_s(seen: Any, rtt_s: float, ahead_bytes: float) -> float:
    """What going up takes now, as far as is known: the link's round trip, all that is queued on it with this request, and
    the stage above with its queue.
    """
    return rtt_s + ahead_bytes * seen[2] + seen[3]


def learn(
    seen: Any, now_s: float, forget_s: float, per_byte_s: float, here_s: float, up_s: float, took_s: float
) -> None:
    """A reply came: forget exponentially, with time constant `forget_s`, and take in what it says.

    Args:
        took_s: link and stage above, of this request.
    """
    share = 1.0
    if seen[0] > -1e300:
        share = 1.0 - exp(-max(now_s - seen[0], 0.02 * forget_s) / forget_s)
    seen[0] = now_s
    seen[2] += share * (per_byte_s - seen[2])
    seen[3] += share * (here_s - seen[3])
    seen[4] += share * (up_s - seen[4])
    seen[5] = min(seen[5], took_s)


def goes_up(
    seen: Any, now_s: float, value_s: float, gain: float, price_s: float, probe_every_s: float
) -> bool:
    """Whether to forward: if it pays, or, when nothing went up for `probe_every_s`, if it would pay at the best price that
    was ever heard: a node that never asks would never notice that things are better again.
    """
    worth_s = value_s * gain
    return worth_s > price_s or (now_s - seen[1] > probe_every_s and worth_s > seen[5])
