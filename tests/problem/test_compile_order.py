"""The order in which request types are given changes where their options stand, and nothing about them."""

from __future__ import annotations

import numpy as np

from placid.catalog import parametric
from placid.network import tiered
from placid.problem.buffers import OptionBuffers
from placid.problem.compile import compile_problem
from placid.workload import RequestTypes


def test_shuffled_types_have_the_same_options() -> None:
    network, catalog = tiered(25, processor="gpu"), parametric(3, 4)
    grid = RequestTypes.grid(
        [n.name for n in network.nodes if n.tier == "base-station"], [t.name for t in catalog.tasks]
    )
    order = np.random.default_rng(0).permutation(len(grid))
    shuffled = RequestTypes(tuple(grid.ingress[i] for i in order), tuple(grid.task[i] for i in order))
    weights = np.array([1.0, 0.2, 0.1, 0.0])
    one, other = (compile_problem(network, catalog, types, weights) for types in (grid, shuffled))
    assert one.option_count == other.option_count > 500
    for new, old in enumerate(order):
        a = slice(one.option_ptr[old], one.option_ptr[old + 1])
        b = slice(other.option_ptr[new], other.option_ptr[new + 1])
        np.testing.assert_array_equal(one.option_item[a], other.option_item[b])
        np.testing.assert_array_equal(one.option_saving[a], other.option_saving[b])
        np.testing.assert_array_equal(one.option_vector[a], other.option_vector[b])
        assert one.repository_cost[old] == other.repository_cost[new]


def test_buffers_hold_what_was_appended_type_by_type() -> None:
    rng = np.random.default_rng(1)
    counts = [0, 3, 5000, 1, 0, 20000]
    items = [rng.integers(0, 99, n).astype(np.int32) for n in counts]
    buffers = OptionBuffers(len(counts))
    for item in items:
        half = len(item) // 2
        buffers.append(item[:half], item[:half] * 0.5, np.repeat(item[:half, None], 4, axis=1))
        buffers.append(item[half:], item[half:] * 0.5, np.repeat(item[half:, None], 4, axis=1))
        buffers.close_type()
    ptr, item, saving, vector = buffers.arrays()
    assert ptr.tolist() == np.concatenate(([0], np.cumsum(counts))).tolist()
    np.testing.assert_array_equal(item, np.concatenate(items))
    np.testing.assert_array_equal(saving, item * 0.5)
    np.testing.assert_array_equal(vector[:, 3], item)
