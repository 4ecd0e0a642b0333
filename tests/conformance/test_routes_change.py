"""Routes change under every policy: links are cut and restored, nodes fail and join, so that options are numbered anew.

The kernels run with bounds checked, in a process of their own: an index kept from the old routes would read beside the
arrays, which shows as an error here and as noise elsewhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from placid.placement.online import POLICIES

SCRIPT = """
import json, sys
import numpy as np
from placid.catalog import parametric
from placid.network import Cut, Fail, Join, Link, Memory, Network, Node, Recover, Restore, timeline
from placid.placement.online import POLICIES
from placid.problem.compile import compile_problem
from placid.simulation.slots import Episode, play
from placid.workload import Poisson, RequestTypes

catalog = parametric(3, 3)
size = 600_000_000
nodes = (Node("cloud", "cloud", repository=True, processor="gpu"),) + tuple(
    Node(n, "edge", size, "gpu") for n in "abcd"
)
links = (
    Link("cloud", "a", 0.05), Link("a", "b", 0.01), Link("b", "c", 0.01), Link("c", "cloud", 0.09), Link("c", "d", 0.01)
)
network = Network(nodes, links, "ring")
changes = [
    Fail(5, "a"), Memory(8, "b", size // 2), Recover(10, "a"), Cut(13, "a", "b"), Cut(15, "c", "d"),
    Restore(17, "a", "b"), Restore(19, "c", "d"), Join(3, "d"),
]
types = RequestTypes.grid("abcd", [t.name for t in catalog.tasks])
stretches = [
    (first, compile_problem(n, catalog, types, np.array([1.0, 0.1, 0.0, 0.0]), 1.0))
    for first, n in timeline(network, changes)
]
assert len({p.option_count for _, p in stretches}) > 3
for name in sys.argv[1:]:
    policy = POLICIES[name]()
    runs = []
    for _ in range(2):
        episode = Episode(stretches, Poisson(types, 200.0, slot_s=1.0), policy, 1, 24)
        runs.append([r for r, _ in play(episode)])
    for one, other in zip(*runs):
        assert one.outcome.gain == other.outcome.gain, (name, one.slot)
        assert one.loaded.tolist() == other.loaded.tolist(), (name, one.slot)
    print(json.dumps([name, sum(r.outcome.gain for r in runs[0][20:])]))
"""


def test_every_policy_takes_new_routes_and_repeats_itself() -> None:
    names = [name for name in POLICIES if name != "fixed"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *names],
        capture_output=True,
        text=True,
        env=os.environ
        | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": os.environ.get("TMPDIR", "/tmp") + "/placid-bounds"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    gains = dict(json.loads(line) for line in done.stdout.splitlines())
    assert set(gains) == set(names)
    for name, gain in gains.items():
        assert gain > 0 or name == "cloud-only", name


@pytest.mark.parametrize("name", ["olag"])
def test_counters_are_carried_over(name: str) -> None:
    """After a cut and its repair OLAG knows again what it knew before."""
    import numpy as np

    from placid.placement.online.olag import Olag, OlagState, _carried_over, _names
    from placid.testing.instances import random_problem

    problem = random_problem(np.random.default_rng(5), nodes=5)
    other = random_problem(np.random.default_rng(6), nodes=5)
    start = Olag().start(problem, np.random.default_rng(0))
    state = OlagState(
        option=start.option, reached=np.arange(1.0, problem.option_count + 1), weight=1.0, placed=start.placed
    )
    moved = _carried_over(state, other)
    known = dict(zip(state.option.tolist(), state.reached.tolist(), strict=True))
    assert moved.reached.tolist() == [known.get(o, 0.0) for o in _names(other).tolist()]
