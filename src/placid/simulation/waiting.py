"""What requests wait at a copy that others keep busy: an approximation by slot, where no request is followed.

A copy with c servers and capacity mu (requests a second, all servers together) that lambda requests a second reach is an
M/G/c queue, if they come at random. With C the probability of Erlang that all servers are held and v the squared
coefficient of variation of service times, the mean wait is (Lee and Longton, 1959; exact for one server and for exponential
services)

    W = (1 + v) / 2 * C(c, lambda c / mu) / (mu - lambda).

The serving rule may fill a copy to the brim, lambda = mu, where no queue comes to rest. What a slot of T seconds that begins
without a queue can build up is then the mean of a reflected Brownian motion, so the wait is at most (own derivation, held
against the request-level simulator)

    W <= 2/3 * sqrt(2 T (lambda + v mu) / pi) / mu.
"""

from __future__ import annotations

import numpy as np

from placid.problem.arrays import Problem

__all__ = ["LAWS", "erlang_c", "mean_waits"]

#: squared coefficient of variation of service times, by the name that scenarios use
LAWS = {"fixed": 0.0, "exponential": 1.0}


def erlang_c(servers: np.ndarray, load: np.ndarray) -> np.ndarray:
    """Probability that a request finds all servers of M/M/c held, float64 like `load`; 1 from a load of `servers` on.

    Args:
        servers: int, at least 1.
        load: mean number of servers held, at least 0.
    """
    held = np.minimum(load, servers).astype(np.float64)
    blocked = np.ones(held.shape)  # Erlang B of k servers, from that of k - 1
    result = np.where(held > 0, 1.0, 0.0)
    for k in range(1, int(servers.max(initial=1)) + 1):
        blocked = held * blocked / (k + held * blocked)
        done = servers == k
        result[done] = (blocked / (1 - held / servers * (1 - blocked)))[done]
    return result


def mean_waits(problem: Problem, item_load: np.ndarray, variation: float) -> np.ndarray:
    """Mean wait of a request at each item in seconds, float64 [N]; 0 where none comes.

    Args:
        item_load: float64 [N]; requests that reach each item in the slot.
        variation: squared coefficient of variation of service times: 0 if all take the same, 1 if exponential.
    """
    waits = np.zeros(problem.item_count)
    busy = np.flatnonzero(item_load > 0)
    if not len(busy):
        return waits
    servers = problem.item_servers[busy]
    arrivals = item_load[busy] / problem.slot_s
    capacity = problem.item_capacity[busy] / problem.slot_s
    spare = np.maximum(capacity - arrivals, 0.0)
    held = erlang_c(servers, arrivals / capacity * servers)
    with np.errstate(divide="ignore"):
        settled = np.where(spare > 0, (1 + variation) / 2 * held / spare, np.inf)
    most = 2 / 3 * np.sqrt(2 * problem.slot_s * (arrivals + variation * capacity) / np.pi) / capacity
    waits[busy] = np.minimum(settled, most)
    return waits
