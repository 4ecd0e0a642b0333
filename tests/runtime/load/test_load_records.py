"""Rows and what they come to, by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from placid.runtime.load.play import Answered
from placid.runtime.load.records import Records, summary
from placid.runtime.load.schedule import Schedule

INGRESS, TASK = ["a", "b"], ["cats", "dogs"]


def frame() -> pl.DataFrame:
    """Twelve requests, one every second; ten of cats are answered, one of dogs refused, one not sent."""
    kind = np.array([0] * 10 + [1, 1])
    records = Records(Schedule(np.arange(12.0), kind, np.zeros(12, np.int64), np.zeros(12, np.int64)))
    for i in range(10):
        records.sent_s[i] = i + 0.5
        # right 8 times of 10; from when it was due it took 1, 2, ..., 10 s
        node = "near" if i < 4 else "far"
        records.answered(
            i, Answered(int(i >= 8), node, "v", i, 0.25 if i else float("nan"), 0.1), 2.0 * i + 1
        )
    records.sent_s[10] = 10.5
    records.refused(10, 503, "no way up", 11.0)
    records.refused(11, 0, "not sent", 11.0)
    return records.to_frame(INGRESS, TASK, labels=np.array([0]))


def test_rows_say_what_became_of_each() -> None:
    found = frame()
    assert found["latency_s"].to_list()[:10] == [1.0 + i for i in range(10)]
    assert found["latency_since_sent_s"].to_list()[:10] == [0.5 + i for i in range(10)]
    assert found["right"].to_list() == [True] * 8 + [False] * 2 + [None] * 2
    assert found["status"].to_list() == [200] * 10 + [503, 0]
    assert np.isnan(found["sent_s"][11]), "it was not sent"
    assert found.filter(pl.col("task") == "dogs")["ingress"].unique().to_list() == ["b"]


def test_the_summary_by_hand() -> None:
    found = summary(frame(), {"near": "edge", "far": "cloud"})
    assert (found["requests"], found["answered"], found["unfinished"]) == (12, 10, 0)
    assert found["refused"] == {"0": 1, "503": 1}
    assert found["reasons"] == {"no way up": 1, "not sent": 1}
    # the last was due after 11 s, the last answer came after 19 s
    assert found["rate_per_s"] == pytest.approx(12 / 11)
    assert found["answered_per_s"] == pytest.approx(10 / 19)
    assert found["sent_late_s"] == {"p50": 0.5, "p99": 0.5, "max": 0.5}
    assert found["latency_s"] == pytest.approx(
        {"mean": 5.5, "p50": 5.5, "p90": 9.1, "p95": 9.55, "p99": 9.91}
    )
    assert found["latency_since_sent_s"]["mean"] == pytest.approx(5.0)
    # Wilson, 8 of 10: (8 + z^2 / 2) / (10 + z^2), and so on
    assert found["accuracy"] == pytest.approx({"share": 0.8, "low": 0.4902, "high": 0.9433}, abs=5e-5)
    # one answer did not say
    assert found["estimated_quality"] == 0.25


def test_the_summary_by_task_and_tier() -> None:
    found = summary(frame(), {"near": "edge"})
    assert list(found["by_task"]) == ["cats", "dogs"]
    assert found["by_task"]["cats"]["answered"] == 10
    assert found["by_task"]["cats"]["accuracy"]["share"] == 0.8
    assert found["by_task"]["dogs"] == {"requests": 2, "answered": 0, "refused": {"0": 1, "503": 1}}
    # a node of which no tier is known is there all the same
    assert found["tiers"] == {"?": 0.6, "edge": 0.4}
    assert found["by_tier"]["edge"]["latency_s"]["mean"] == 2.5
    assert found["by_tier"]["?"]["accuracy"]["share"] == pytest.approx(4 / 6)


def test_a_summary_of_nothing_has_no_figures() -> None:
    nothing = Schedule(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
    found = summary(Records(nothing).to_frame(INGRESS, TASK), {"near": "edge"})
    assert (found["requests"], found["answered"], found["by_task"], found["tiers"]) == (0, 0, {}, {})
    assert "latency_s" not in found
    # so slots in which nobody asked can stand beside others
    assert pl.concat([Records(nothing).to_frame(INGRESS, TASK), frame()]).height == 12
    only_refused = summary(frame().filter(pl.col("status") != 200))
    assert (only_refused["answered"], only_refused["refused"]) == (0, {"0": 1, "503": 1})
    assert "accuracy" not in only_refused
