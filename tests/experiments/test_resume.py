"""An interrupted run goes on to the very rows of an uninterrupted one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from placid.errors import RunError
from placid.experiments.assemble import write_tables
from placid.experiments.part import load_part
from placid.experiments.pool import share_out
from placid.experiments.work import LookBack, Plan, Play, trace_of
from placid.placement.online.infida import AdaptiveInfida

MakePlan = Callable[..., Plan]


class Interrupted(Exception):
    pass


def finish(plan: Plan, processes: int = 1) -> pl.DataFrame:
    plays = [Play(label, seed) for seed in plan.seeds for label, _ in plan.policies]
    looks = [LookBack(trace, seed) for trace in plan.traces for seed in plan.seeds]
    share_out(plan, plays, processes, lambda title, step, steps: None)
    share_out(plan, looks, processes, lambda title, step, steps: None)
    write_tables(plan)
    return pl.read_parquet(plan.folder.rows)


@pytest.mark.parametrize("adversary", [False, True], ids=["poisson", "adversary"])
@pytest.mark.parametrize("stop_at", [1, 13, 29])
def test_resumed_equals_uninterrupted(make_plan: MakePlan, adversary: bool, stop_at: int) -> None:
    whole = finish(make_plan("whole", adversary))
    plan = make_plan("parts", adversary)

    def stop(slot: int) -> None:
        if slot == stop_at:
            raise Interrupted

    for seed in plan.seeds:
        for label, _ in plan.policies:
            with pytest.raises(Interrupted):
                Play(label, seed).do(plan, stop)
            part = load_part(plan.folder.part(trace_of(plan, label), label, seed))
            assert part is not None
            assert part.slots == stop_at
    assert_frame_equal(finish(plan), whole)
    assert_frame_equal(
        pl.read_parquet(plan.folder.placements), pl.read_parquet(make_plan("whole").folder.placements)
    )


def test_processes_change_nothing(make_plan: MakePlan) -> None:
    assert_frame_equal(finish(make_plan("two"), processes=2), finish(make_plan("one")))


def test_rows_add_up(make_plan: MakePlan) -> None:
    plan = make_plan()
    rows = finish(plan)
    assert rows.height == 3 * 2 * plan.slots
    assert set(rows["kind"]) == {"online", "hindsight"}
    assert not rows.select(pl.exclude("relaxed_gain", "regret_bound")).null_count().sum_horizontal().sum()
    tiers = rows.select(pl.sum_horizontal("served_cloud", "served_core", "served_edge"))
    np.testing.assert_allclose(tiers.to_series().to_numpy(), rows["served"].to_numpy())
    np.testing.assert_allclose((rows["served"] + rows["unserved"]).to_numpy(), rows["requests"].to_numpy())
    assert (rows["gain"] <= rows["ceiling"] * (1 + 1e-9)).all()
    bounds = pl.read_parquet(plan.folder.bounds)
    lp = bounds.filter(pl.col("method") == "lp").select("seed", "bound")
    fixed = (
        rows.filter(pl.col("kind") == "hindsight")
        .group_by("seed")
        .agg(pl.col("gain").sum())
        .join(lp, on="seed")
    )
    assert (fixed["gain"] <= fixed["bound"] * (1 + 1e-9)).all()


def test_what_is_held_never_exceeds_the_budget_in_the_events(make_plan: MakePlan) -> None:
    plan = make_plan()
    finish(plan)
    sizes = {m: int(s) for m, s in zip(plan.timeline[0][1].model_names, [60, 150] * 3, strict=True)}
    for label in ("learner", "recent", "hindsight-greedy"):
        held: dict[str, set[str]] = {}
        events = pl.read_parquet(plan.folder.placements).filter(pl.col("policy") == label)
        for slot in range(plan.slots):
            for e in events.filter(pl.col("slot") == slot).iter_rows(named=True):
                models = held.setdefault(e["node"], set())
                if e["loaded"]:
                    assert e["model"] not in models
                    models.add(e["model"])
                else:
                    models.remove(e["model"])
            budget = 250 if slot < 15 else 160
            for node, models in held.items():
                assert sum(sizes[m] for m in models) <= budget * (2 if node == "core" else 1)


def test_other_settings_under_the_same_label_are_refused(make_plan: MakePlan) -> None:
    plan = make_plan()
    Play("learner", 0).do(plan, lambda slot: None)
    changed = replace(plan, policies=(("learner", AdaptiveInfida(refresh=7)),))
    with pytest.raises(RunError, match="'learner' has other settings"):
        Play("learner", 0).do(changed, lambda slot: None)
