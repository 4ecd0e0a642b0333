"""A zoo becomes models whose costs on a path are what adding them up by hand gives, and the metro scenario runs on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from placid.catalog import Catalog, Model, measured
from placid.catalog.processors import PROCESSORS, modelled_codec_s, modelled_latency_s
from placid.catalog.variants import (
    Crossing,
    Exit,
    Segment,
    Timing,
    Variant,
    Zoo,
    read_zoo,
    shipped_name,
    shipped_zoo,
    write_zoo,
    zoo_folder,
)
from placid.errors import InputError, UnknownNameError
from placid.experiments.scenario.build import build
from placid.experiments.scenario.load import load_scenario
from placid.network.graph import Link, Network, Node
from placid.problem.compile import compile_problem
from placid.workload import RequestTypes

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "split-metro.yaml"
INPUT_BYTES = 3072
LATENCY = np.array([1.0, 1e-9, 0.0, 0.0])


def timing(mean_s: float) -> Timing:
    return Timing(mean_s, mean_s, 1.2 * mean_s, 0.1 * mean_s, 200)


def segment(
    name: str, size_bytes: int, multiply_adds: int, peak_bytes: int = 100_000, file: str = ""
) -> Segment:
    if not size_bytes:
        return Segment(name, "", "", 0, 0, 0, 0, timing(0.0))
    moved_bytes = size_bytes + 2 * peak_bytes
    took = timing(30e-6 + multiply_adds / 15e9)
    file = file or f"{name}-{size_bytes}.onnx"
    return Segment(name, file, file, size_bytes, multiply_adds, moved_bytes, peak_bytes, took)


def crossing(codec: str, size_bytes: float) -> Crossing:
    return Crossing(codec, size_bytes, 1.1 * size_bytes, int(1.2 * size_bytes), timing(40e-6), timing(60e-6))


def variant(
    name: str,
    technique: str,
    segments: tuple[Segment, ...],
    crossings: tuple[Crossing, ...] = (),
    accuracy: float = 0.94,
    exits: tuple[Exit, ...] = (),
) -> Variant:
    return Variant(
        name, technique, "airbench", "stage2" if len(segments) > 1 else "", segments, crossings, exits,
        accuracy, accuracy - 0.005, accuracy + 0.005, (accuracy,), {"seed": 0},
    )  # fmt: skip


def made_zoo(folder: Path) -> Zoo:
    """A zoo of the kind that the lab makes; all its figures are invented."""
    whole = segment("whole", 4_900_000, 60_000_000, 400_000)
    none = segment("picture", 0, 0)
    tail = segment("tail", 4_000_000, 30_000_000)
    zoo = Zoo(
        folder, "classify", "cifar10", "an invented processor", INPUT_BYTES, tuple("abcdefghij"),
        (
            variant("resnet8", "local", (segment("whole", 320_000, 12_500_000, 150_000),), accuracy=0.88),
            variant("airbench", "local", (whole,), accuracy=0.945),
            variant("remote-raw", "remote-raw", (none, whole), (crossing("raw", 3074),), 0.945),
            variant("remote-jpeg-75", "remote-jpeg", (none, whole), (crossing("jpeg-75", 302),), 0.91),
            variant("stage2-8bit", "split", (segment("head", 900_000, 30_000_000), tail),
                    (crossing("8bit", 4098),), 0.944),
            variant("bottle-128", "bottlefit", (segment("head", 60_000, 3_000_000), tail),
                    (crossing("4bit", 130),), 0.941),
            variant("early", "branchynet",
                    (segment("head", 200_000, 8_000_000), segment("middle", 500_000, 12_000_000), tail),
                    (crossing("8bit", 2050), crossing("8bit", 1026)), 0.94,
                    (Exit(0, "entropy", 0.2, 0.5, 0.98), Exit(1, "entropy", 0.4, 0.25, 0.95))),
        ),
        ("All of it is invented.",),
    )  # fmt: skip
    write_zoo(zoo)
    return zoo


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    return made_zoo(tmp_path)


def by_variant(catalog: Catalog) -> dict[str, Model]:
    return {m.variant: m for m in catalog.models}


def test_every_variant_gives_its_models(zoo: Zoo) -> None:
    models = by_variant(measured(zoo=zoo.folder))
    assert set(models) == {
        "resnet8", "airbench", "remote-raw", "remote-jpeg-75", "stage2-8bit/head", "stage2-8bit/tail",
        "bottle-128/head", "bottle-128/tail",
        "early", "early/head-1", "early/head-2", "early/middle-2", "early/tail-1", "early/tail-2",
    }  # fmt: skip
    whole = models["airbench"]
    assert whole.size_bytes == 4_900_000 + 400_000
    assert whole.quality == 0.945
    assert (whole.before, whole.after) == (None, None)
    jpeg = models["remote-jpeg-75"]
    assert jpeg.size_bytes == whole.size_bytes
    assert jpeg.before is not None
    assert jpeg.before.sent_bytes == 302
    head, tail = models["bottle-128/head"], models["bottle-128/tail"]
    assert head.after is not None
    assert tail.before is not None
    assert head.after.sent_bytes == tail.before.sent_bytes == 130
    assert head.size_bytes == 60_000 + 100_000
    assert tail.size_bytes == 4_000_000 + 100_000


def test_with_plans_every_part_is_placed(zoo: Zoo) -> None:
    catalog = measured(tasks=2, zoo=zoo.folder, plans=True)
    assert {m.variant for m in catalog.models} == {"resnet8", "airbench", "remote-raw", "remote-jpeg-75"}
    plans = {p.name: p for p in catalog.plans}
    assert {p.variant for p in catalog.plans} == {"stage2-8bit", "bottle-128", "early"}
    early = plans["task-2/early"]
    assert early.task == "task-2"
    assert early.parts == tuple(f"task-2/early/part-{i}" for i in (1, 2, 3))
    assert early.reach == pytest.approx((1.0, 0.5, 0.25))
    assert [h.sent_bytes for h in early.handovers] == [2050, 1026]
    assert early.quality == 0.94
    parts = {p.name: p for p in catalog.parts}
    first = parts["task-1/bottle-128/part-1"]
    assert first.size_bytes == 60_000 + 100_000
    took = first.profiles["x86-core"]
    assert took.latency_s == zoo.variant("bottle-128").segments[0].latency.mean_s, (
        "of the segment alone, no codec"
    )
    hand = plans["task-1/bottle-128"].handovers[0]
    assert hand.encode["x86-core"].latency_s == pytest.approx(40e-6)
    assert hand.decode["x86-core"].latency_s == pytest.approx(60e-6)
    with pytest.raises(InputError, match="'heads' have a fixed place"):
        measured(zoo=zoo.folder, plans=True, heads=["early"])
    with pytest.raises(InputError, match="leave 'replicas' at 1"):
        measured(zoo=zoo.folder, plans=True, replicas=2)


def test_measured_is_measured_and_the_rest_says_modelled(zoo: Zoo) -> None:
    models = by_variant(measured(zoo=zoo.folder))
    took = models["airbench"].profiles
    whole = zoo.variant("airbench").segments[0]
    assert took["x86-core"].latency_s == whole.latency.mean_s
    assert took["x86-core"].source.startswith("measured")
    # sixteen cores answer sixteen times as many, none of them sooner
    assert took["x86-server"].latency_s == whole.latency.mean_s
    assert took["x86-server"].capacity_per_s == pytest.approx(16 / whole.latency.mean_s)
    for name in set(took) - {"x86-core", "x86-server"}:
        assert took[name].latency_s == modelled_latency_s(whole, PROCESSORS[name])
        assert took[name].source.startswith("modelled")
    assert all("energy modelled" in p.source for p in took.values())
    elsewhere = by_variant(measured(zoo=zoo.folder, measured_on="phone"))["airbench"].profiles
    assert elsewhere["phone"].latency_s == whole.latency.mean_s
    assert elsewhere["x86-core"].source.startswith("modelled")


def test_what_does_not_fit_has_no_profile(zoo: Zoo) -> None:
    models = by_variant(measured(zoo=zoo.folder))
    assert "cortex-m7" in models["resnet8"].profiles
    assert "cortex-m7" not in models["airbench"].profiles
    assert "cortex-m4" in models["bottle-128/head"].profiles
    with pytest.raises(InputError, match="nothing of it fits"):
        measured(zoo=zoo.folder, variants=("airbench",), processors=("cortex-m4",))


def test_devices_hold_heads_as_long_as_they_fit_together(zoo: Zoo) -> None:
    def holders(name: str, **settings: object) -> set[str]:
        before = by_variant(measured(zoo=zoo.folder, **settings))[name].before  # type: ignore[arg-type]
        return set() if before is None else set(before.profiles)

    # 2 MiB of flash: 900 kB and 60 kB fit once, not for three tasks, of which only the first named then does
    assert "cortex-m7" in holders("stage2-8bit/tail")
    assert "cortex-m7" in holders("bottle-128/tail")
    assert "cortex-m7" not in holders("stage2-8bit/tail", tasks=3, heads=("bottle-128", "stage2-8bit"))
    assert "cortex-m7" in holders("bottle-128/tail", tasks=3, heads=("bottle-128", "stage2-8bit"))
    assert "phone" in holders("stage2-8bit/tail", tasks=3, heads=("bottle-128", "stage2-8bit"))
    # for two tasks there is room for either; the first named is taken, and unless told the smallest
    first = {"tasks": 2, "heads": ("stage2-8bit", "early")}
    assert "cortex-m7" in holders("stage2-8bit/tail", **first)
    assert "cortex-m7" not in holders("early/tail-2", **first)
    for other in ({"tasks": 2, "heads": ("early", "stage2-8bit")}, {"tasks": 2}):
        assert "cortex-m7" not in holders("stage2-8bit/tail", **other)
        assert "cortex-m7" in holders("early/tail-2", **other)
    # what nobody holds has no tail to place
    assert "early/tail-1" not in by_variant(measured(zoo=zoo.folder, heads=("bottle-128",)))
    assert "early/head-1" in by_variant(measured(zoo=zoo.folder, heads=("bottle-128",)))


RATE = (100e3, 10e6)
RTT_S = (0.01, 0.02)


def chain() -> Network:
    nodes = (
        Node("device", "device", 1 << 30, "phone"),
        Node("edge", "edge", 1 << 30, "x86-server"),
        Node("cloud", "cloud", 0, "a100", repository=True),
    )
    links = (Link("device", "edge", RTT_S[0], RATE[0]), Link("edge", "cloud", RTT_S[1], RATE[1]))
    return Network(nodes, links, "chain")


def cost_of(catalog: Catalog, name: str, node: str) -> float:
    """Expected latency of the model `name` on `node`, as the compiled problem has it."""
    compiled = compile_problem(chain(), catalog, RequestTypes.grid(("device",), ("classify",)), LATENCY)
    options = compiled.option_item
    for option, item in enumerate(options):
        if (
            compiled.node_names[compiled.item_node[item]] == node
            and compiled.model_variants[compiled.item_model[item]] == name
        ):
            return float(compiled.option_vector[option, 0])
    raise AssertionError(f"{name} on {node} is no option: the repository is cheaper")


def dear_cloud(catalog: Catalog) -> Catalog:
    """So that every option is worth having: the repository can run nothing but a slow whole network."""
    models = tuple(
        replace(m, profiles={p: f for p, f in m.profiles.items() if p != "a100"}) for m in catalog.models
    )
    slow = replace(catalog.models[0].profiles["a100"], latency_s=1e3)
    last = replace(models[0], name="slow", variant="slow", profiles={"a100": slow}, quality=0.0)
    return Catalog(catalog.tasks, (*models, last), catalog.name)


def path_s(first: int, last: int, size_bytes: float) -> float:
    return sum(RTT_S[i] + size_bytes / RATE[i] for i in range(first, last))


def test_costs_on_a_path_are_what_adding_up_by_hand_gives(zoo: Zoo) -> None:
    catalog = dear_cloud(measured(zoo=zoo.folder, response_bytes=8))
    core, phone, cloud = PROCESSORS["x86-core"], PROCESSORS["phone"], PROCESSORS["a100"]

    def encode_s(name: str, which: int = 0) -> float:
        return modelled_codec_s(zoo.variant(name).crossings[which].encode, phone, core)

    def decode_s(name: str, which: int = 0) -> float:
        return zoo.variant(name).crossings[which].decode.mean_s

    whole = zoo.variant("airbench").segments[0].latency.mean_s
    assert cost_of(catalog, "airbench", "edge") == pytest.approx(whole + path_s(0, 1, INPUT_BYTES + 8))
    assert cost_of(catalog, "remote-jpeg-75", "edge") == pytest.approx(
        encode_s("remote-jpeg-75") + decode_s("remote-jpeg-75") + whole + path_s(0, 1, 302 + 8)
    )
    head, tail = zoo.variant("bottle-128").segments
    assert cost_of(catalog, "bottle-128/tail", "edge") == pytest.approx(
        modelled_latency_s(head, phone)
        + encode_s("bottle-128")
        + path_s(0, 1, 130 + 8)
        + decode_s("bottle-128")
        + tail.latency.mean_s
    )
    # the picture goes up raw to the head, 130 bytes from there
    finish = modelled_latency_s(tail, cloud) + modelled_codec_s(
        zoo.variant("bottle-128").crossings[0].decode, cloud, core
    )
    assert cost_of(catalog, "bottle-128/head", "edge") == pytest.approx(
        path_s(0, 1, INPUT_BYTES + 8)
        + head.latency.mean_s
        + zoo.variant("bottle-128").crossings[0].encode.mean_s
        + path_s(1, 2, 130 + 8)
        + finish
    )
    # on the device itself nothing goes up before the head
    assert cost_of(catalog, "bottle-128/head", "device") == pytest.approx(
        modelled_latency_s(head, phone) + encode_s("bottle-128") + path_s(0, 2, 130 + 8) + finish
    )


def test_exits_count_by_their_share(zoo: Zoo) -> None:
    catalog = dear_cloud(measured(zoo=zoo.folder, response_bytes=8))
    core, phone, cloud = PROCESSORS["x86-core"], PROCESSORS["phone"], PROCESSORS["a100"]
    told = zoo.variant("early")
    head, middle, tail = told.segments
    here = [modelled_codec_s(c.encode, phone, core) for c in told.crossings]
    # all of it on the edge: half stop after the head, half of the rest after the middle
    assert cost_of(catalog, "early", "edge") == pytest.approx(
        head.latency.mean_s
        + 0.5 * middle.latency.mean_s
        + 0.25 * tail.latency.mean_s
        + path_s(0, 1, INPUT_BYTES + 8)
    )
    # head on the device, the rest on the edge: half of the requests never leave
    rest = (
        told.crossings[0].decode.mean_s
        + middle.latency.mean_s
        + 0.5 * tail.latency.mean_s
        + path_s(0, 1, 2050 + 8)
    )
    assert cost_of(catalog, "early/tail-2", "edge") == pytest.approx(
        modelled_latency_s(head, phone) + 0.5 * here[0] + 0.5 * rest
    )
    # head on the device, middle on the edge, tail in the cloud
    finish = (
        modelled_latency_s(tail, cloud)
        + modelled_codec_s(told.crossings[1].decode, cloud, core)
        + path_s(1, 2, 1026 + 8)
    )
    placed = told.crossings[0].decode.mean_s + middle.latency.mean_s + 0.5 * told.crossings[1].encode.mean_s
    assert cost_of(catalog, "early/middle-2", "edge") == pytest.approx(
        modelled_latency_s(head, phone)
        + 0.5 * here[0]
        + 0.5 * (placed + path_s(0, 1, 2050 + 8) + 0.5 * finish)
    )


def test_several_tasks_and_replicas(zoo: Zoo) -> None:
    one = measured(zoo=zoo.folder)
    assert [t.name for t in one.tasks] == ["classify"]
    assert one.tasks[0].request_bytes == INPUT_BYTES
    several = measured(3, 2, zoo=zoo.folder)
    assert len(several.models) == 6 * len(one.models)
    assert "assumption" in " ".join(several.notes)
    assert "assumption" not in " ".join(one.notes)
    assert "an invented processor" in " ".join(one.notes)


def test_a_variant_that_an_early_part_answers_wholly_has_no_tail(tmp_path: Path) -> None:
    parts = (segment("head", 1000, 1000), segment("tail", 2000, 2000))
    whole = variant(
        "all", "branchynet", parts, (crossing("8bit", 10),), exits=(Exit(0, "entropy", 9, 1.0, 0.94),)
    )
    write_zoo(Zoo(tmp_path, "classify", "none", "none", INPUT_BYTES, ("a", "b"), (whole,)))
    models = by_variant(measured(zoo=tmp_path))
    assert set(models) == {"all", "all/head"}
    after = models["all/head"].after
    assert after is not None
    assert after.share == 0


def test_variants_are_chosen_by_pattern_each_once(zoo: Zoo) -> None:
    def chosen(*patterns: str) -> list[str]:
        found = [m.variant.split("/")[0] for m in measured(zoo=zoo.folder, variants=patterns).models]
        return list(dict.fromkeys(found))

    everything = chosen()
    named = [n for n in everything if n.startswith("re")]
    assert 0 < len(named) < len(everything)
    assert chosen("re*") == named
    assert chosen("re*", named[-1]) == named
    assert set(chosen("*")) == set(everything)
    with pytest.raises(UnknownNameError):
        chosen("zz*")


def test_names_that_are_not_there_are_told(zoo: Zoo, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'resnet8'"):
        measured(zoo=zoo.folder, variants=("resnet",))
    with pytest.raises(UnknownNameError, match="processor class"):
        measured(zoo=zoo.folder, processors=("cortex-m5",))
    with pytest.raises(UnknownNameError):
        measured(zoo=zoo.folder, heads=("bottle",))
    with pytest.raises(InputError, match="leaves out"):
        measured(zoo=zoo.folder, variants=("resnet8",), heads=("bottle-128",))
    with pytest.raises(InputError, match="no zoo lies here"):
        measured(zoo=tmp_path / "nowhere")
    with pytest.raises(InputError, match="at least 1"):
        measured(0, zoo=zoo.folder)


def scenario_with(zoo: str, folder: Path) -> Path:
    """The metro scenario with `zoo` in the place of the usual one."""
    text = SCENARIO.read_text()
    assert text.count("family: measured") == 1
    (folder / "split-metro.json").write_bytes(SCENARIO.with_suffix(".json").read_bytes())
    file = folder / "split-metro.yaml"
    file.write_text(text.replace("family: measured", f"family: measured\n  zoo: {zoo}  "))
    return file


def test_the_metro_scenario_takes_a_zoo_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my-zoo").mkdir()
    made_zoo(tmp_path / "my-zoo")
    file = scenario_with("my-zoo", tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # relative to the scenario, not to where we stand
    built = build(load_scenario(file))
    assert len(built.catalog.tasks) == 12
    assert len(built.requests) == 12 * 24
    assert {n.processor for n in built.network.nodes} <= set(built.catalog.processors)
    problem = compile_problem(built.network, built.catalog, built.requests, built.weights, built.slot_s)
    # every device has something to gain, and what is placed matters to it
    options = np.diff(problem.option_ptr)
    assert (options > 0).all()
    assert any("modelled" in s for s in built.sources)
    assert any("measured" in s for s in built.sources)


def test_rates_and_energies_of_the_metro_network_are_the_declared_ones() -> None:
    from placid.catalog.radios import RADIOS
    from placid.network import read_graph

    network = read_graph(SCENARIO.with_suffix(".json"))
    kinds = {"lora": "lora-sf7", "ble": "ble", "camera": "wifi", "phone": "lte", "gateway": "ethernet-100"}
    for link in network.links:
        if (kind := kinds.get(link.a.split("-")[0])) is not None:
            assert link.bandwidth_bytes_per_s == pytest.approx(RADIOS[kind].bytes_per_s, rel=1e-3)
            assert link.energy_j_per_byte == pytest.approx(RADIOS[kind].energy_j_per_byte, rel=0.01)
    assert {n.processor for n in network.nodes} <= set(PROCESSORS)


@pytest.mark.skipif(
    not (shipped_zoo() / "manifest.json").exists(),
    reason="no zoo comes with this checkout yet: build one with `placid catalog build`",
)
def test_the_metro_scenario_builds_on_the_shipped_zoo() -> None:
    built = build(load_scenario(SCENARIO))
    assert {m.variant.split("/")[0] for m in built.catalog.models} <= {v.name for v in read_zoo().variants}
    compile_problem(built.network, built.catalog, built.requests, built.weights, built.slot_s)


def test_a_scenario_names_a_zoo_that_comes_with_placid(tmp_path: Path) -> None:
    file = scenario_with("cifar10-long", tmp_path)
    built = build(load_scenario(file))
    assert built.catalog.zoo == shipped_zoo("cifar10-long")
    compile_problem(built.network, built.catalog, built.requests, built.weights, built.slot_s)


def test_a_folder_goes_before_the_name_of_a_zoo(tmp_path: Path) -> None:
    assert zoo_folder("cifar10-long", tmp_path) == shipped_zoo("cifar10-long")
    assert shipped_name(shipped_zoo("cifar10-long")) == "cifar10-long"
    (tmp_path / "cifar10-long").mkdir()
    assert zoo_folder("cifar10-long", tmp_path) == tmp_path / "cifar10-long"
    assert shipped_name(tmp_path / "cifar10-long") is None
    assert zoo_folder("mine", tmp_path) == tmp_path / "mine"
    with pytest.raises(UnknownNameError, match="did you mean 'cifar10-long'"):
        shipped_zoo("cifar10-lang")
