"""Declared classes are plausible and in order, the roofline is that of the docstring, a fit finds what made the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from placid.catalog.calibration import calibrate
from placid.catalog.processors import (
    ARITHMETICS,
    PROCESSORS,
    Processor,
    modelled_codec_s,
    modelled_energy_j,
    modelled_latency_s,
    processor_class,
)
from placid.catalog.radios import RADIOS, Radio, radio_class
from placid.catalog.variants import Segment, Timing, Variant, Zoo
from placid.errors import InputError, UnknownNameError

PLAIN = Processor("plain", "made for the test", 1e9, 4e9, 1e8, 0.5, 1e-3, 1000, 2.0, 0.1, memory_bytes=1000)


def timing(mean_s: float) -> Timing:
    return Timing(mean_s, mean_s, mean_s, 0.0, 200)


def segment(multiply_adds: int, moved_bytes: int, took_s: float = 1.0, name: str = "s") -> Segment:
    return Segment(name, f"{name}.onnx", name, 1000, multiply_adds, moved_bytes, 100, timing(took_s))


def test_the_roofline_takes_the_slower_of_arithmetic_and_memory() -> None:
    assert modelled_latency_s(segment(10**6, 10), PLAIN) == pytest.approx(1e-3 + 1e6 / 0.5e9)
    assert modelled_latency_s(segment(10, 10**6), PLAIN) == pytest.approx(1e-3 + 1e6 / 1e8)
    assert modelled_latency_s(replace(segment(10**6, 10), arithmetic="int8"), PLAIN) == pytest.approx(
        1e-3 + 1e6 / 2e9
    )
    assert modelled_energy_j(segment(10**6, 10), PLAIN) == pytest.approx(2.0 * (1e-3 + 1e6 / 0.5e9))
    nothing = Segment("picture", "", "", 0, 0, 0, 0, timing(0.0))
    assert modelled_latency_s(nothing, PLAIN) == 0
    with pytest.raises(UnknownNameError, match="int8"):
        modelled_latency_s(replace(segment(1, 1), arithmetic="int4"), PLAIN)


def test_codecs_run_as_fast_as_ordinary_code() -> None:
    core, device = PROCESSORS["x86-core"], PROCESSORS["cortex-m7"]
    assert modelled_codec_s(timing(1e-4), core, core) == 1e-4
    assert modelled_codec_s(timing(1e-4), device, core) == pytest.approx(1e-4 * 25_000 / 1082)


def test_networks_fit_flash_and_memory_apart_or_memory_together() -> None:
    assert PLAIN.holds(600, 400)
    assert not PLAIN.holds(601, 400)
    flash = replace(PLAIN, flash_bytes=5000)
    assert flash.holds(5000, 1000)
    assert not flash.holds(5001, 1)
    assert not flash.holds(1, 1001)


def test_the_declared_classes_are_in_the_order_that_everybody_expects() -> None:
    work = segment(12_500_000, 900_000)  # a ResNet-8
    took = {name: modelled_latency_s(work, p) for name, p in PROCESSORS.items()}
    order = ["cortex-m4", "cortex-m7", "raspberry-pi-4", "phone", "x86-core"]
    assert sorted(order, key=lambda name: -took[name]) == order
    # a GPU answers a large network sooner, a small one not: launching takes what it takes
    large = segment(4_000_000_000, 100_000_000)
    assert (
        modelled_latency_s(large, PROCESSORS["a100"]) < modelled_latency_s(large, PROCESSORS["x86-core"]) / 20
    )
    small = segment(100_000, 10_000)
    assert modelled_latency_s(small, PROCESSORS["a100"]) > modelled_latency_s(small, PROCESSORS["x86-core"])
    # CMSIS-NN reports 99.1 ms for 12.35 million multiply-adds of 8 bits on the Cortex-M7
    eight_bit = replace(segment(12_350_000, 300_000), arithmetic="int8")
    published = modelled_latency_s(eight_bit, PROCESSORS["cortex-m7"])
    assert published == pytest.approx(99.1e-3, rel=0.05)
    for name, p in PROCESSORS.items():
        assert p.name == name
        assert p.int8_per_s >= p.float32_per_s
        assert p.cores_of in ("", *PROCESSORS)
        assert p.multiply_adds_per_s(ARITHMETICS[1]) >= p.multiply_adds_per_s()
    server, core = PROCESSORS["x86-server"], PROCESSORS["x86-core"]
    assert (server.multiply_adds_per_s(), server.bytes_per_s) == (
        core.multiply_adds_per_s(),
        core.bytes_per_s,
    )


@pytest.mark.parametrize(
    "wrong", [{"share": 0.0}, {"share": 1.1}, {"bytes_per_s": 0.0}, {"busy_w": -1.0}, {"side_by_side": 0}]
)
def test_a_class_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="processor class 'plain'"):
        replace(PLAIN, **wrong)  # type: ignore[arg-type]


def test_names_are_looked_up() -> None:
    assert processor_class("t4") is PROCESSORS["t4"]
    assert radio_class("ble") is RADIOS["ble"]
    with pytest.raises(UnknownNameError, match="did you mean 'cortex-m7'"):
        processor_class("cortex-m8")
    with pytest.raises(UnknownNameError, match="did you mean 'wifi'"):
        radio_class("wfi")


def test_links_take_what_their_rates_and_powers_say() -> None:
    lora = RADIOS["lora-sf7"]
    # 3072 bytes are 14 messages, each with its round trip
    assert lora.messages(3072) == 14
    assert lora.transfer_s(3072) == pytest.approx(14 * 0.1 + 3072 * 8 / 5470)
    assert lora.transfer_j(128) == pytest.approx(0.145 * 128 * 8 / 5470)
    assert RADIOS["wifi"].messages(1e6) == 1
    assert lora.messages(0) == 0
    assert lora.transfer_s(0) == 0
    # the LTE model at its rate draws 3.76 W while it sends
    lte = RADIOS["lte"]
    assert lte.sent_j_per_byte * lte.bytes_per_s == pytest.approx(0.43839 * 5.64 + 1.28804)
    rates = [r.bytes_per_s for r in RADIOS.values()]
    assert rates[0] * 8 < 5e3
    assert rates[-1] * 8 == 1e9
    assert all(name == r.name for name, r in RADIOS.items())
    # a byte costs less on faster links, but for LTE, which pays for distance
    costs = [r.energy_j_per_byte for r in RADIOS.values() if r.name not in ("lte", "wifi")]
    assert costs == sorted(costs, reverse=True)
    for wrong in ({"bytes_per_s": 0.0}, {"rtt_s": -1.0}):
        with pytest.raises(InputError, match="radio 'x'"):
            replace(Radio("x", "", 1.0, 0.0, 0.0, 0.0), **wrong)  # type: ignore[arg-type]


def zoo_on(processor: Processor, folder: Path, noise: float = 0.0, count: int = 24) -> Zoo:
    """A zoo whose latencies `processor` makes by its own roofline, times a factor drawn from a seed."""
    rng = np.random.default_rng(7)
    variants = []
    for i in range(count):
        multiply_adds = int(10 ** rng.uniform(5, 8))
        moved_bytes = int(10 ** rng.uniform(4, 7))
        s = segment(multiply_adds, moved_bytes, name=f"s{i}")
        took = modelled_latency_s(s, processor) * np.exp(noise * rng.standard_normal())
        s = replace(s, latency=timing(float(took)))
        variants.append(Variant(f"v{i}", "local", "n", "", (s,), (), (), 0.5, 0.4, 0.6, (0.5,)))
    return Zoo(folder, "look", "none", "some processor", 10, ("a", "b"), tuple(variants))


def test_a_fit_finds_the_roofline_that_made_the_latencies(tmp_path: Path) -> None:
    core = PROCESSORS["x86-core"]
    true = replace(core, overhead_s=80e-6, share=0.25, bytes_per_s=4e9)
    found = calibrate(zoo_on(true, tmp_path), core)
    np.testing.assert_allclose(found.fitted_ratio, 1.0, rtol=0.01)
    np.testing.assert_allclose(found.held_out_ratio, 1.0, rtol=0.05)
    assert found.fitted.overhead_s == pytest.approx(80e-6, rel=0.02)
    assert found.fitted.multiply_adds_per_s() == pytest.approx(0.25 * 48e9, rel=0.02)
    assert found.fitted.bytes_per_s == pytest.approx(4e9, rel=0.02)
    # as declared it is too quick, and that shows
    assert np.median(found.declared_ratio) < 0.8
    assert "fitted to the others: median ratio modelled / measured 1.00" in str(found)


def test_noise_shows_in_the_spread_and_more_so_on_what_was_held_out(tmp_path: Path) -> None:
    found = calibrate(zoo_on(PROCESSORS["x86-core"], tmp_path, noise=0.3), PROCESSORS["x86-core"])
    spread = float(np.log(found.fitted_ratio).std())
    assert 0.15 < spread < 0.45
    assert float(np.log(found.held_out_ratio).std()) > spread
    assert len(found.segments) == len(found.measured_s) == 24


def test_files_that_variants_share_count_once_and_too_few_are_refused(tmp_path: Path) -> None:
    zoo = zoo_on(PROCESSORS["x86-core"], tmp_path, count=5)
    twice = replace(zoo, variants=(*zoo.variants, replace(zoo.variants[0], name="again")))
    assert len(calibrate(twice, PROCESSORS["x86-core"]).segments) == 5
    few = replace(zoo, variants=zoo.variants[:3])
    with pytest.raises(InputError, match="too few"):
        calibrate(few, PROCESSORS["x86-core"])
    first = zoo.variants[0]
    eight_bit = replace(
        first, name="int8", segments=tuple(replace(s, arithmetic="int8", sha256="") for s in first.segments)
    )
    with pytest.raises(InputError, match="3 measured segments"):
        calibrate(replace(few, variants=(*few.variants, eight_bit)), PROCESSORS["x86-core"])
