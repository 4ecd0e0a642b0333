"""Glances: rates between two looks, nodes that are down, processes that are new."""

from __future__ import annotations

from typing import Any

from placid.runtime.control.watching import glances


def told(entered: int, up: int) -> dict[str, Any]:
    return {
        "in_flight": 2,
        "held": {"x": 10, "y": 20},
        "used_bytes": 30,
        "budget_bytes": 60,
        "tally": {"entered": {"t": entered}, "answered": {"v#0": 3, "v#-1": 1}, "refused": {}},
        "link": {"up": {"bytes_sent": up}, "down": {"bytes_sent": 5}},
    }


def test_rates_are_differences() -> None:
    nodes = [{"name": n, "tier": "edge"} for n in ("a", "b", "c")]
    before = {"a": told(10, 100), "b": told(50, 0)}
    now = {"a": told(30, 500), "b": told(5, 0)}
    a, b, c = glances(nodes, before, now, 2.0)
    assert (a.entered_per_s, a.up_bytes_per_s, a.answered_per_s, a.refused_per_s) == (10, 200, 0, 0)
    assert (a.held, a.used_bytes, a.budget_bytes, a.in_flight) == (2, 30, 60, 2)
    assert b.entered_per_s == 0, "it has started anew, and counts from 0"
    assert not c.alive
    assert glances(nodes[:1], {}, now, 0.0)[0].entered_per_s == 0
