"""What roundings of plans keep: on gadgets made to be lost, and in `column-ascent` on the metro network.

python -m benchmarks.chain_roundings [--quick]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from benchmarks.plans import SCENARIO
from placid.experiments.scenario import build, load_scenario
from placid.placement.online.column_ascent import ColumnAscent
from placid.placement.rounding import CHAIN_ROUNDINGS
from placid.simulation.slots import Episode, play
from placid.testing import check_chain_rounding

__all__ = ["on_gadgets", "on_the_metro_network"]

#: where the error of the draws is larger, as a share of the concave gain, the least says nothing
ERROR = 0.2


def on_gadgets(
    count: int = 4000, names: Sequence[str] = tuple(CHAIN_ROUNDINGS), draws: int = 500
) -> Iterator[str]:
    """A table: what draws kept of the concave gain of random gadgets."""
    yield "| rounding | nodes | gadgets | kept, mean | kept, least |"
    yield "| --- | --- | --- | --- | --- |"
    for name in names:
        kept = check_chain_rounding(CHAIN_ROUNDINGS[name], gadgets=count, draws=draws, seed=1)
        for nodes in ("tiny", "roomy"):
            mine = [k for k in kept if k.gadget.kind.startswith(nodes)]
            ratio = np.array([k.ratio for k in mine])
            least = min((k.ratio for k in mine if k.error < ERROR), default=np.nan)
            yield f"| `{name}` | {nodes} | {len(mine):,} | {ratio.mean():.3f} | {least:.3f} |"


def on_the_metro_network(slots: int = 120, seeds: int = 3) -> Iterator[str]:
    """A table: gain per request and bytes loaded with each rounding, filled up with bundles or not."""
    built = build(load_scenario(SCENARIO))
    ((_, problem),) = built.problems()
    yield "| `column-ascent` with | gain per request, ms | MB loaded a slot |"
    yield "| --- | --- | --- |"
    settings: list[dict[str, Any]] = [{}, {"refresh": 10}, {"fill": False}]
    for other, name in product(settings, CHAIN_ROUNDINGS):
        policy = ColumnAscent(rounding=name, **other)  # type: ignore[arg-type]
        gain, loaded = [], []
        for seed in range(seeds):
            records = [r for r, _ in play(Episode(((0, problem),), built.workload, policy, seed, slots))]
            asked = sum(r.outcome.served for r in records)
            gain.append(1e3 * sum(r.outcome.gain for r in records) / asked)
            loaded.append(sum(problem.item_size_bytes[r.loaded].sum() for r in records) / 1e6 / slots)
        said = "".join(f", `{key}: {str(value).lower()}`" for key, value in other.items())
        yield f"| `rounding: {name}`{said} | {np.mean(gain):.2f} ± {np.std(gain):.2f} | {np.mean(loaded):.1f} |"


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["gadgets"]
    if what == "gadgets":
        lines = on_gadgets(*(int(n) for n in rest[:1]), *([rest[1]] for _ in rest[1:]))
    else:
        lines = on_the_metro_network(*(int(n) for n in rest))
    for line in lines:
        print(line, flush=True)
