"""Windows of the ceiling's prices: as many as there are slots, at most."""

from __future__ import annotations

import numpy as np
import pytest

from placid.experiments.hindsight import look_back
from placid.experiments.scenario import build, load_scenario

SCENARIO = {
    "slots": 3,
    "network": {"tiered": {"base_stations": 2, "memory": {"base-station": "300 MB"}, "processor": "rtx2070"}},
    "catalog": {"family": "yolov4", "tasks": 2, "replicas": 1, "processors": ["rtx2070"]},
    "workload": {"process": "poisson", "rate": "60 /s"},
    "objective": {"latency": 1, "error": 0.2},
    "changes": [{"slot": 1, "memory": "bs-0", "to": "0 B"}],
}


def test_more_windows_than_slots_are_a_window_a_slot() -> None:
    built = build(load_scenario(SCENARIO))
    demand = np.array([built.workload.demand(s, 0, None) for s in range(3)])
    each, more = (look_back(built.problems(), demand, (), windows, 10.0) for windows in (3, 50))
    np.testing.assert_allclose(more.ceiling, each.ceiling)
    assert more.bound == pytest.approx(each.bound)
