from __future__ import annotations

import csv
import itertools
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placid.catalog import (
    CATALOGS,
    Catalog,
    Model,
    Profile,
    Task,
    for_tasks,
    parametric,
    with_replicas,
    yolov4,
)
from placid.catalog.variants import shipped_zoo
from placid.catalog.yolov4 import BOARD_POWER_W, TEN
from placid.errors import InputError, UnknownNameError

#: one generation: Darknet, the same activations, growing inputs
SCALED = ("yolov4-320", "yolov4-416", "yolov4-512", "yolov4-608")


def published() -> list[dict[str, str]]:
    with (resources.files("placid.catalog") / "data" / "yolov4.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_published_figure_has_its_source() -> None:
    rows = published()
    assert len(rows) == 14
    for row in rows:
        *sources, cfg = row["source"].split("; ")
        assert set(sources) <= {"darknet", "tkdnn"}
        assert "darknet" in sources
        assert cfg.startswith("cfg ")
        jetson = any(row[f"{p}_fps"] for p in ("agx_xavier", "xavier_nx", "tx2", "nano"))
        assert jetson == ("tkdnn" in sources)


def test_counted_parameters_give_the_published_sizes() -> None:
    for row in published():
        weights_mib = (4 * int(row["parameters"]) + 20) / 2**20
        assert weights_mib == pytest.approx(float(row["weights_mb"]), rel=0.005)


def test_one_description_at_several_inputs_has_the_same_weights_and_outputs_per_pixel() -> None:
    for cfg in {row["source"].split("; ")[-1] for row in published()}:
        rows = [row for row in published() if row["source"].endswith(f"; {cfg}")]
        assert len({row["parameters"] for row in rows}) == 1
        per_pixel = [int(row["layer_outputs"]) / int(row["input_px"]) ** 2 for row in rows]
        assert per_pixel == pytest.approx([per_pixel[0]] * len(rows), rel=1e-3)
        work = [float(row["bflops"]) / int(row["input_px"]) ** 2 for row in rows if row["bflops"]]
        assert work == pytest.approx(work[:1] * len(work), rel=0.005)


def test_on_the_v100_more_quality_costs_speed_within_a_generation() -> None:
    # the swish variants came later and beat their elders at the same speed
    generation = yolov4(1, 1, scaled=False, processors=("v100",), variants=SCALED)
    ranked = sorted(generation.models, key=lambda m: m.quality)
    speeds = [m.profiles["v100"].capacity_per_s for m in ranked]
    assert speeds == sorted(speeds, reverse=True)


def test_activations_make_larger_inputs_take_more_memory() -> None:
    sizes = {m.variant: m.size_bytes for m in yolov4(1, 1).models}
    loaded = yolov4(1, 1, memory="weights+activations")
    assert sizes["yolov4-320"] == sizes["yolov4-608"] == 245 << 20
    more = {m.variant: m.size_bytes for m in loaded.models}
    assert more["yolov4-608"] == 257_717_640 + 4 * 173_080_006
    assert more["yolov4-320"] < more["yolov4-416"] < more["yolov4-512"] < more["yolov4-608"]
    assert any("modelled" in note and "layers" in note for note in loaded.notes)
    assert yolov4(1, 1, size_scale=2.0).models[0].size_bytes == pytest.approx(
        2 * sizes["yolov4-tiny-416"], abs=1
    )


def test_classes_of_ones_own_are_declared() -> None:
    catalog = yolov4(1, 1, processors=("rtx2070",), relative_speed={"edge": 0.5})
    for m in catalog.models:
        assert m.profiles["edge"].latency_s == pytest.approx(2 * m.profiles["rtx2070"].latency_s)
        assert m.profiles["edge"].source.startswith("modelled: 0.5 x the speed on rtx2070, as declared")


def test_published_speeds_come_out_as_they_went_in() -> None:
    names = tuple(row["variant"] for row in published())
    every = yolov4(1, 1, variants=names, processors=tuple(BOARD_POWER_W), scaled=False)
    models = {m.variant: m for m in every.models}
    for row in published():
        for processor, profile in models[row["variant"]].profiles.items():
            fps = float(row[f"{processor.replace('-', '_')}_fps"])
            assert profile.capacity_per_s == fps
            assert profile.latency_s == pytest.approx(1 / fps)
            assert profile.source.startswith("published: ")
            assert "energy modelled" in profile.source
        cells = [row[f"{p.replace('-', '_')}_fps"] for p in BOARD_POWER_W]
        assert len(models[row["variant"]].profiles) == sum(map(bool, cells))


def test_what_was_not_published_says_modelled() -> None:
    tiny = yolov4(1, 1, variants=("yolov4-tiny-416",)).models[0]
    assert tiny.profiles["rtx2070"].source.startswith("published")
    assert tiny.profiles["v100"].source.startswith("modelled: 1.95 x the published speed on rtx2070")
    assert yolov4(1, 1, variants=("yolov4-tiny-416",), scaled=False).models[0].profiles.keys() == {"rtx2070"}


def test_the_default_is_twenty_tasks_of_ten_models_in_three_copies() -> None:
    catalog = yolov4()
    assert (len(catalog.tasks), len(catalog.models)) == (20, 600)
    assert catalog.models[0].name == "task-01/yolov4-tiny-416#1"
    assert catalog.models[0].variant == "yolov4-tiny-416"
    assert tuple(m.variant for m in catalog.models[:30:3]) == TEN
    assert any("assumption" in note for note in catalog.notes)


def test_larger_inputs_are_slower_and_better() -> None:
    sizes = [
        m
        for m in yolov4(1, 1).models
        if m.variant in ("yolov4-320", "yolov4-416", "yolov4-512", "yolov4-608")
    ]
    assert [m.quality for m in sizes] == sorted(m.quality for m in sizes)
    for processor in ("v100", "rtx2070"):
        latency = [m.profiles[processor].latency_s for m in sizes]
        assert latency == sorted(latency)


def test_ap_over_overlaps_leaves_out_what_lacks_it() -> None:
    variants = {m.variant for m in yolov4(1, 1, quality="ap50_95").models}
    assert len(variants) == 8
    assert "yolov4-tiny-416" not in variants


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"tasks": 0}, "'tasks' must be at least 1"),
        ({"replicas": 0}, "'replicas' must be at least 1"),
        ({"variants": ("yolov4-417",)}, "did you mean 'yolov4-41"),
        ({"processors": ("rtx2071",)}, "did you mean 'rtx2070'"),
        ({"processors": ()}, "'processors' is empty"),
        ({"quality": "ap"}, "unknown quality 'ap'"),
        ({"memory": "all"}, "unknown memory 'all'"),
        ({"relative_speed": {"v100": 2.0}}, "'v100', which has published figures"),
        ({"relative_speed": {"edge": 0.0}}, "'relative_speed' of 'edge' must be above 0"),
        ({"quality": "ap50_95", "variants": ("enet-coco",)}, "was not published for enet-coco"),
        ({"size_scale": 0}, "'size_scale' must be above 0"),
        ({"processors": ("nano",), "scaled": False}, "'yolov4-tiny-416' was not run on nano"),
    ],
)
def test_yolov4_tells_what_is_wrong(settings: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        yolov4(**settings)  # type: ignore[arg-type]


def test_parametric_trades_size_for_quality() -> None:
    models = parametric(tasks=1, variants=6).models
    for key in (lambda m: m.size_bytes, lambda m: m.quality, lambda m: m.profiles["cpu"].latency_s):
        assert [key(m) for m in models] == sorted(key(m) for m in models)
    assert all("modelled" in p.source for m in models for p in m.profiles.values())
    assert models[-1].profiles["cpu"].energy_j == pytest.approx(30 * models[-1].profiles["cpu"].latency_s)


@given(st.floats(0, 20), st.integers(2, 12))
def test_saturation_bends_quality_between_the_same_ends(saturation: float, variants: int) -> None:
    quality = [m.quality for m in parametric(1, variants, saturation=saturation).models]
    assert quality[0] == pytest.approx(0.55)
    assert quality[-1] == pytest.approx(0.85)
    steps = [b - a for a, b in itertools.pairwise(quality)]
    assert all(s >= 0 for s in steps)
    # every step is at most the one before: more compute helps less and less
    assert all(b <= a + 1e-9 for a, b in itertools.pairwise(steps))


def test_parametric_classes_of_ones_own_need_no_power() -> None:
    models = parametric(1, 1, gflops_per_s={"npu": 100.0}).models
    assert models[0].profiles["npu"].energy_j == 0


def test_parametric_jitter_is_seeded_and_differs_by_task() -> None:
    assert parametric(jitter=0.3, seed=1) == parametric(jitter=0.3, seed=1)
    assert parametric(jitter=0.3, seed=1) != parametric(jitter=0.3, seed=2)
    jittered = parametric(tasks=2, variants=2, jitter=0.3).models
    assert jittered[0].size_bytes != jittered[2].size_bytes


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"variants": 0}, "'variants' must be at least 1"),
        ({"size_min_bytes": 10, "size_max_bytes": 5}, "sizes must satisfy"),
        ({"quality_max": 1.2}, "qualities must satisfy"),
        ({"gflops_per_mb": 0.0}, "must be above 0"),
        ({"saturation": -1.0}, "'saturation' must be at least 0"),
        ({"jitter": float("nan")}, "'jitter' must be at least 0"),
        ({"power_w": {"cpu": -1.0}}, "'power' of 'cpu' must be at least 0"),
        ({"gflops_per_s": {"cpu": 0.0}}, "speed of 'cpu' must be above 0"),
        ({"power_w": {"tpu": 1.0}}, "'tpu', which has no speed"),
    ],
)
def test_parametric_tells_what_is_wrong(settings: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        parametric(**settings)  # type: ignore[arg-type]


def test_one_family_for_many_tasks_in_copies() -> None:
    model = Model("net", "", 10, 0.5, {"cpu": Profile(1.0, 1.0)})
    catalog = with_replicas(for_tasks([model], (Task("a"), Task("b")), "two"), 2)
    assert [m.name for m in catalog.models] == ["a/net#1", "a/net#2", "b/net#1", "b/net#2"]
    assert {m.variant for m in catalog.models} == {"net"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"size_bytes": 0}, "needs a size above 0"),
        ({"quality": 1.5}, "quality between 0 and 1"),
        ({"task": "z"}, "unknown task 'z'"),
        ({"profiles": {}}, "no profile"),
        ({"profiles": {"cpu": Profile(-1.0, 1.0)}}, "latency >= 0"),
    ],
)
def test_a_catalog_is_checked_when_made(changes: dict[str, object], told: str) -> None:
    fields: dict[str, object] = {
        "name": "m",
        "task": "a",
        "size_bytes": 1,
        "quality": 0.5,
        "profiles": {"cpu": Profile(1.0, 1.0)},
    }
    with pytest.raises(InputError, match=told):
        Catalog((Task("a"),), (Model(**(fields | changes)),))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CATALOGS)
def test_every_family_of_the_table_builds(name: str) -> None:
    if name == "measured" and not (shipped_zoo() / "manifest.json").exists():
        pytest.skip("no zoo comes with this checkout yet; test_measured.py makes one")
    assert CATALOGS[name](tasks=2).models


def test_unknown_names_are_unknown_name_errors() -> None:
    with pytest.raises(UnknownNameError):
        yolov4(variants=("x",))
