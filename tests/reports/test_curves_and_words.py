"""Curves over time by hand; the verdict says what the numbers say; colours, layout and labels."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.reports import read_run, verdict
from placid.reports.holdings import holdings
from placid.reports.labels import place_labels
from placid.reports.map_layout import lay_out
from placid.reports.palette import policy_styles, ramp
from placid.reports.run_data import RunData
from placid.reports.series import ceiling_curve, gain_curves, loaded_curves, regret_curves, window_slots
from placid.reports.verdicts import lead
from placid.testing.run_folder import make_run_folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    return read_run(make_run_folder(tmp_path_factory.mktemp("runs") / "run", slots=250, seeds=(0, 1, 2)))


def test_a_point_is_the_mean_of_its_window(run: RunData) -> None:
    assert window_slots(run) == 3
    curves = gain_curves(run).filter(policy="infida", slot=30)
    rows = run.rows.filter(pl.col("policy") == "infida", pl.col("slot").is_between(30, 32))
    by_seed = rows.group_by("seed").agg(v=pl.col("gain").sum() / pl.col("requests").sum())["v"]
    assert curves["value"].item() == pytest.approx(by_seed.mean())
    assert curves["n"].item() == 3
    half = 4.30265 * by_seed.std() / math.sqrt(3)  # t(2) at 97.5 %
    assert curves["value_high"].item() - curves["value"].item() == pytest.approx(half, rel=1e-4)


def test_curves_are_short_and_whole(run: RunData) -> None:
    for curves in (gain_curves(run), loaded_curves(run), regret_curves(run)):
        assert curves.group_by("trace", "policy").len()["len"].max() <= 100
    loaded = loaded_curves(run).filter(policy="infida")
    width = np.minimum(window_slots(run), run.slots - loaded["slot"].to_numpy())
    total = run.rows.filter(policy="infida")["bytes_loaded"].sum() / 3
    assert (loaded["value"].to_numpy() * width).sum() == pytest.approx(total)


def test_regret_at_the_end_is_the_regret_of_the_table(run: RunData) -> None:
    from placid.reports import summary

    last = regret_curves(run).filter(pl.col("slot") == run.slots - 1)
    table = summary(run)
    for policy in ("infida", "infida-adaptive", "infida-optimistic"):
        at_end, row = (
            last.filter(policy=policy).row(0, named=True),
            table.filter(policy=policy).row(0, named=True),
        )
        assert at_end["regret"] == pytest.approx(row["regret"])
        # the table discounts the theorem's bound, the curve does not
        assert at_end["bound"] * (1 - 1 / math.e) == pytest.approx(row["regret_bound"])
    assert set(last["policy"]) == {"infida", "infida-adaptive", "infida-optimistic"}


def test_the_comparator_of_a_curve_is_one_placement(run: RunData) -> None:
    rows = run.rows.filter(seed=0)
    totals = rows.filter(pl.col("kind") != "online").group_by("policy").agg(pl.col("gain").sum()).sort("gain")
    best = rows.filter(policy=totals["policy"][-1]).sort("slot")["gain"].cum_sum().to_numpy()
    own = rows.filter(policy="infida").sort("slot")
    slot = 29  # the last of its window
    expected = (best[slot] - own["gain"].cum_sum()[slot]) / own["requests"].cum_sum()[slot]
    one = RunData(run.path, run.meta, run.network, rows, run.placements, run.bounds, "")
    found = regret_curves(one).filter(policy="infida", slot=slot)
    assert found["regret"].item() == pytest.approx(expected)
    assert found["regret_low"].item() is None


def test_without_hindsight_there_is_no_regret(tmp_path: Path) -> None:
    bare = read_run(make_run_folder(tmp_path / "run", slots=20, hindsight=0, bounds=False))
    assert regret_curves(bare).is_empty()
    assert ceiling_curve(bare).is_empty()


def test_the_verdict_names_the_winner_and_its_distance(run: RunData) -> None:
    said = verdict(run)
    online = run.rows.filter(pl.col("kind") != "hindsight").group_by("policy", "seed")
    gain = (
        online.agg(g=pl.col("gain").sum() / pl.col("requests").sum())
        .group_by("policy")
        .agg(pl.col("g").mean())
    )
    first, second = gain.sort("g", descending=True)["policy"].to_list()[:2]
    assert said.startswith(f"{first} saves the most: {gain['g'].max() * 1e3:.1f}")
    assert second in said
    assert "ms per request (95 % interval over 3 seeds)" in said
    assert "of the LP bound" in said
    assert "below the best static placement" in said


def test_the_verdict_does_not_claim_what_seeds_cannot_tell() -> None:
    apart = pl.DataFrame({"policy": ["a"] * 3 + ["b"] * 3, "kind": "online", "seed": [0, 1, 2] * 2})
    close = apart.with_columns(gain=pl.Series([1.0, 2.0, 3.0, 1.1, 1.6, 3.0]))
    found = lead(close, "gain")
    assert found is not None
    assert (found.first, found.second, found.certain) == ("a", "b", False)
    # seed by seed, a is ahead by nearly the same: its own spread does not matter
    clear = lead(apart.with_columns(gain=pl.Series([1.0, 2.0, 3.0, 0.90, 1.91, 2.90])), "gain")
    assert clear is not None
    assert clear.certain
    assert clear.ahead[0] == pytest.approx((0.1 + 0.09 + 0.1) / 3)


def test_hindsight_never_wins(run: RunData) -> None:
    assert (
        run.rows.group_by("policy").agg(pl.col("gain").sum()).sort("gain")["policy"][-1] == "hindsight-milp"
    )
    assert "hindsight-milp saves" not in verdict(run)


def test_the_verdict_of_odd_runs(tmp_path: Path) -> None:
    one = verdict(
        make_run_folder(tmp_path / "one", seeds=[5], slots=20, online=1, static=0, hindsight=0, bounds=False)
    )
    assert "one seed, so no interval" in one
    assert "the only policy" in one
    assert "bound" not in one
    against = verdict(make_run_folder(tmp_path / "adaptive", slots=20, adaptive=True))
    assert against.startswith("Against requests made to hurt it, infida-")
    bare = make_run_folder(tmp_path / "bare", slots=20, adaptive=True, bounds=False)
    assert "cannot be compared" in verdict(bare)


def test_policies_look_different() -> None:
    kinds = (
        {f"p{k}": "online" for k in range(24)} | {f"s{k}": "static" for k in range(3)} | {"h": "hindsight"}
    )
    styles = policy_styles(kinds)
    looks = [(s.colour, s.dash, s.shape) for s in styles.values()]
    assert len(set(looks)) == len(looks)
    assert {s.shape for s in styles.values() if s.kind != "online"} == {"square", "diamond"}
    # the look of a policy does not hang on those after it
    assert policy_styles({"p0": "online"})["p0"] == styles["p0"]


def test_a_ramp_begins_and_ends_with_its_ends() -> None:
    assert ramp(("#000000", "#ffffff"), 3) == ["#000000", "#808080", "#ffffff"]
    assert len(set(ramp(("#000000", "#00ff00", "#ffffff"), 9))) == 9
    assert len(ramp(("#000000", "#ffffff"), 1)) == 1


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((1.0, 0.0, 900.0), [0, 1, 10, 100]),
        ((0.5, -20.0, 50.0), [-10, -1, 0, 1, 10]),
        ((3.0, 0.0, 4.0), [0, 10]),
        ((1e-3, 0.0, 1e9), [0, 1e-3, 1e0, 1e3, 1e6, 1e9]),
    ],
)
def test_ticks_of_a_scale_that_is_linear_near_zero(
    ends: tuple[float, float, float], ticks: list[float]
) -> None:
    from placid.reports.chart_tools import _powers

    assert _powers(*ends) == pytest.approx(ticks)


points = st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(points)
def test_names_cover_no_point_and_no_name(at: list[tuple[float, float]]) -> None:
    from placid.reports.labels import SIDES, _box, _meet

    names = ["name"] * len(at)
    sides = place_labels(at, names, radius=5, letter=6, line=12, width=400, height=300)
    boxes = [
        (k, _box(x, y, 24, 12, 5, *SIDES[s]))
        for k, ((x, y), s) in enumerate(zip(at, sides, strict=True))
        if s
    ]
    for k, box in boxes:
        assert box[0] >= 0
        assert box[2] <= 400
        assert not any(_meet(box, other) for j, other in boxes if j != k)
        assert not any(_meet(box, (x - 5, y - 5, x + 5, y + 5)) for j, (x, y) in enumerate(at) if j != k)


@pytest.mark.parametrize("positions", [True, False])
def test_nodes_lie_on_the_map_and_not_on_each_other(tmp_path: Path, positions: bool) -> None:
    network = read_run(make_run_folder(tmp_path / "run", slots=5, nodes=36, positions=positions)).network
    network["nodes"][3]["position"] = network["nodes"][4]["position"]  # two in one place
    network["nodes"][-1]["position"] = None  # a cloud hangs nowhere
    lay = lay_out(network)
    assert ((lay.x > lay.radius) & (lay.x < lay.width - lay.radius)).all()
    assert ((lay.y > lay.radius) & (lay.y < lay.height - lay.radius)).all()
    apart = np.hypot(lay.x[:, None] - lay.x, lay.y[:, None] - lay.y) + 1e9 * np.eye(36)
    assert apart.min() > 1.9 * lay.radius


def test_the_map_shows_what_was_placed(run: RunData) -> None:
    found = holdings(run)
    events = run.placements.filter(policy="infida")
    nodes = [n["name"] for n in run.network["nodes"]]
    for frame in (0, len(found.frames) // 2, len(found.frames) - 1):
        held: set[tuple[str, str]] = set()
        for node, model, loaded in (
            events.filter(pl.col("slot") <= int(found.frames[frame]))
            .select("node", "model", "loaded")
            .iter_rows()
        ):
            (held.add if loaded else held.discard)((node, model))
        grid = found.held("infida", frame, len(nodes))
        drawn = {(nodes[n], found.models[m][0]) for n, m in zip(*np.nonzero(grid), strict=True)}
        assert drawn == held
        assert held
    assert len(found.frames) <= 101
    assert list(found.variants) == [f"detector-{s}" for s in (320, 416, 512, 608, 896)]


def test_the_map_stops_less_often_where_much_changes(run: RunData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placid.reports.holdings.MOST_CHANGES", 900)
    few = holdings(run)
    assert 2 <= len(few.frames) < 101
    assert few.frames[0] == 0
    assert few.frames[-1] == run.slots - 1


def test_placements_without_sizes_are_counted(run: RunData) -> None:
    from placid.reports.network_map import network_map

    bare = RunData(
        run.path, run.meta, run.network, run.rows, run.placements.drop("size_bytes"), run.bounds, ""
    )
    drawn = network_map(bare)
    assert drawn is not None
    assert not drawn.sized
    most = max(
        drawn.held.held(p, f, 12).sum(axis=1).max()
        for p in drawn.held.changes
        for f in range(len(drawn.held.frames))
    )
    assert drawn.full.max() == most
