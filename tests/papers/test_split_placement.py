"""The splitting study: its rival by hand, its tables in step with its rows, its cases what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from placid.experiments.sweep.cells import cells_of
from placid.experiments.sweep.study import load_study
from placid.reports.studies import BEGIN, END

HERE = Path(__file__).resolve().parents[2] / "papers" / "split-placement"


def told(script: str) -> str:
    """What `script` prints beside the study, in a process of its own: other studies have a `tables` too."""
    head = f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
    done = subprocess.run([sys.executable, "-c", head + script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_the_readme_is_in_step_with_the_rows() -> None:
    """If it fails: `study.py --tables`."""
    section = (HERE / "README.md").read_text().partition(BEGIN)[2].partition(END)[0].strip()
    found = told(
        f"import polars as pl; from tables import results; print(results(pl.read_csv({str(HERE / 'rows.csv')!r})))"
    )
    assert found == section
    assert "*modelled*" in section


def test_the_rows_hold_every_cell_under_every_seed() -> None:
    rows = pl.read_csv(HERE / "rows.csv")
    cells = cells_of(load_study(HERE / "study.yaml"))
    wanted = {(c.levels[0].label, c.levels[1].label, seed) for c in cells for seed in range(5)}
    online = rows.filter(pl.col("policy") == "portfolio").select("case", "techniques", "seed")
    assert set(online.iter_rows()) == wanted
    assert online.height == len(wanted)


def test_changes_are_paired_by_seed() -> None:
    script = (
        "import polars as pl; from tables import change\n"
        "rows = pl.DataFrame({'case': ['a'] * 6, 'policy': ['portfolio'] * 6, 'techniques': ['unsplit'] * 3 + ['all'] * 3,\n"
        "  'seed': [0, 1, 2, 2, 1, 0], 'cost_s': [1.0, 2.0, 4.0, 2.0, 1.0, 0.5]})\n"
        "print(*change(rows, 'a', 'all'))\n"
    )
    mean, half = map(float, told(script).split())
    assert mean == pytest.approx(-0.5)
    assert half == pytest.approx(0, abs=1e-12)  # every seed is halved, however far apart the seeds are


def test_partition_costs_what_the_cheapest_cut_does() -> None:
    """One device of one kind: the rival's cost is that of the cheapest of its few options, read from the problem itself."""
    script = """
import copy, yaml
import numpy as np
from pathlib import Path
from partition import partitioned, _VARIANTS
from placid.experiments.scenario import build, load_scenario

base = yaml.safe_load(Path("BASE").read_text())
base["slots"] = 3
base["workload"]["weights"] = None
base["network"]["devices"] = {"phone": {"at": ["edge"], "link": "lte", "processor": "phone", "memory": "4 MiB"}}
found = partitioned(copy.deepcopy(base), 0)
base["network"]["memory"] = "1 GiB"
base["network"]["devices"]["phone"]["memory"] = "1 GiB"
base["catalog"] |= {"variants": _VARIANTS}
built = build(load_scenario(base))
((_, problem),) = built.problems()
ends = {v for v, n in enumerate(built.network.nodes) if n.tier == "phone"}
asked = sum(built.workload.demand(s, 0, None) for s in range(3))
cost = 0.0
for r in range(problem.type_count):
    least = problem.repository_cost[r]
    for o in range(problem.option_ptr[r], problem.option_ptr[r + 1]):
        items = problem.needs.item[problem.needs.ptr[o] : problem.needs.ptr[o + 1]]
        if all(int(problem.item_node[e]) in ends for e in items):
            least = min(least, problem.repository_cost[r] - problem.option_saving[o])
    cost += asked[r] * least
weights = base["objective"]
mine = weights["latency"] * found["latency_s"] + weights["error"] * found["error"] + weights["energy"] * found["energy_j"]
print(mine, cost / asked.sum())
""".replace("BASE", str(HERE / "base.yaml"))
    mine, by_hand = map(float, told(script).split())
    assert mine == pytest.approx(by_hand, rel=1e-7)
