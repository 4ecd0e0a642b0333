"""Random small instances with hard limits: links and processors that cannot carry all that is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from placid.errors import InputError
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.problem.limits import Terms
from placid.problem.uses import Budget
from placid.testing.instances import random_setting

__all__ = ["limited_problem"]


def limited_problem(
    rng: np.random.Generator,
    *,
    nodes: int = 6,
    tasks: int = 3,
    models: int = 3,
    plans: int = 0,
    tight: bool = True,
    wide: float = 1.0,
    budgets: Sequence[Budget] = (),
    terms: Terms | None = None,
) -> Problem:
    """As `placid.testing.instances.random_problem`, with a rate on every link and one to eight processors at every node.

    Args:
        wide: what the limits are multiplied by: 1 binds for demands of some tens of requests, 1e9 never.
        terms: what a refusal costs.

    Example:
        >>> import numpy as np
        >>> problem = limited_problem(np.random.default_rng(0))
        >>> len(problem.limits) == 2 * 5 + 6  # both ways of five links, six processors
        True
    """
    for _ in range(100):
        network, catalog, requests = random_setting(
            rng, nodes=nodes, tasks=tasks, models=models, plans=plans, tight=tight
        )
        links = tuple(replace(e, rate_bytes_per_s=wide * rng.uniform(3, 60)) for e in network.links)
        hosts = tuple(replace(n, processors=wide * rng.uniform(1, 8)) for n in network.nodes)
        weights = np.array(
            [1.0, rng.choice([0.0, 0.5, 2.0]), rng.choice([0.0, 0.1]), rng.choice([0.0, 1e-3])]
        )
        try:
            return compile_problem(
                replace(network, nodes=hosts, links=links),
                catalog,
                requests,
                weights,
                budgets=budgets,
                terms=terms,
            )
        except InputError:
            continue  # a link so narrow that not one request passes
    raise AssertionError("a hundred networks in a row could not carry one request")
