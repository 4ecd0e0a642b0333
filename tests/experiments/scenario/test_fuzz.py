"""Whatever is written, a person sees an InputError with a message, never a traceback."""

# ruff: noqa: E501

from __future__ import annotations

import copy
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placid.errors import InputError
from placid.experiments.scenario import build, load_scenario

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TIERED = """\
name: fuzz
slots: 20
slot: 1 min
seeds: [1, 2]
network:
  tiered:
    base_stations: 3
    memory: {base-station: 1 GiB}
    processor: rtx2070
  ingress: all
  overrides: {bs-1: {memory: 2 GiB}}
catalog: {family: yolov4, tasks: 2, replicas: 1, variants: [yolov4-416, yolov4-512], processors: [rtx2070]}
workload:
  process: diurnal
  peak: {bs-0: 3 h, bs-1: 4 h, bs-2: 5 h, co: 1 h, region: 1 h, dc: 1 h}
  base: {process: poisson, rate: 20 /s, exponent: 1.0, ranks: per ingress}
changes:
  - {slot: 3, fail: bs-0}
  - {slot: 5, recover: bs-0}
  - {slot: 6, memory: bs-1, to: 1 MB}
  - {slot: 7, round-trip: [bs-1, co], to: 3 ms}
objective: {latency: 1, error: 0.1, energy: 0, traffic: 1e-9}
policies: [infida-adaptive, {policy: infida, refresh: 5, stretch: 1.5, label: mine}, olag, lru]
hindsight: {solvers: [{solver: greedy, bound_steps: 3}], windows: 2, time_limit: 5 s}
"""
TOPOLOGY = """\
slots: 20
network:
  topology: sndlib/abilene
  tiers: degree
  memory: {metro: 1 GiB, edge: 500 MB}
  processor: {metro: gpu, edge: cpu}
  bandwidth: 1 Gbit/s
  repositories: [DNVRng]
  cloud: {rtt: 40 ms, gateways: [IPLSng, KSCYng], processor: gpu}
  ingress: [edge, CHINng]
catalog: {family: parametric, tasks: 2, variants: 3, size_max: 100 MB, gflops_per_s: {cpu: 10, gpu: 100}, power: {cpu: 30 W}}
workload: {process: traffic-matrices, rate: 20 /s, every_slots: 2}
objective: {latency: 1}
"""
BASES = (TIERED, TOPOLOGY)

#: never numbers that ask for a network or catalog of honest but enormous size
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.sampled_from([10**12, -(10**12), 10**17]),
    st.floats(-10, 50),
    st.sampled_from([float("inf"), float("-inf"), 1e-320, 1e300, -0.0]),
    st.sampled_from(
        ["", " ", "40 ms", "1 GiB", "-1 s", "1e400 s", "1e308 GiB", "3 /s", "all", "traffic", "infida", "a:b", "a.b:C", "os:path",
         ":", "json:JSONDecoder", "bs-0", "co", "sndlib/geant", "one", "hops", "rtx2070", "gpu", "../..", "\x00", "/", "é", "*", "1_0"]
    ),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from([1, "bs-0", "x", None, [], {}]), max_size=3),
    st.dictionaries(st.sampled_from(["slot", "fail", "policy", "process", "bs-0", "x"]), st.sampled_from([1, "bs-0", None, []]), max_size=3),
)  # fmt: skip


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in `data`."""
    entries = (
        list(data.items())
        if isinstance(data, dict)
        else list(enumerate(data))
        if isinstance(data, list)
        else []
    )
    return [(data, k) for k, _ in entries] + [p for _, v in entries for p in places(v)]


def see(source: Any) -> None:
    """Load and build; any error but an InputError with a message in one piece fails the test."""
    try:
        build(load_scenario(source))
    except InputError as error:
        text = str(error)
        assert text
        assert "Traceback" not in text
        assert "pydantic" not in text


@FUZZ
@given(st.data())
def test_changed_values(data: st.DataObject) -> None:
    found = copy.deepcopy(yaml.safe_load(data.draw(st.sampled_from(BASES))))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(found)))
        how = data.draw(st.sampled_from(["value", "value", "value", "delete", "rename", "copy"]))
        if isinstance(container, dict) and how == "delete":
            del container[key]
        elif isinstance(container, dict) and how == "rename":
            name = data.draw(st.text(max_size=6) | st.sampled_from([*container]))
            container[name] = container.pop(key)
        elif how == "copy":
            other, k = data.draw(st.sampled_from(places(found)))
            container[key] = copy.deepcopy(other[k])
        else:
            container[key] = data.draw(VALUES)
        if not places(found):
            break
    see(found)


@FUZZ
@given(st.data())
def test_changed_text(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(BASES))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(text) - 1)))
        length = data.draw(st.integers(0, 6))
        # digits are only taken away, so that no count becomes enormous
        new = data.draw(st.text(st.characters(blacklist_characters="0123456789"), max_size=5)
                        | st.sampled_from(["\n", "\n  ", ": ", "- ", "{", "}", "[", "]", "&a ", "*a", "\t", "#", "'", '"', "!!x ", "---\n"]))  # fmt: skip
        text = text[:at] + new + text[at + length :]
    see(text + "\n")


@FUZZ
@given(st.dictionaries(st.sampled_from(["slots", "network", "catalog", "workload", "objective", "policies", "changes", "seeds",
                                        "hindsight", "name", "slot", "x"]), VALUES))  # fmt: skip
def test_anything_at_all(data: dict[str, Any]) -> None:
    see(data)


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory: Any, raw: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "bytes.yaml"
    file.write_bytes(raw)
    see(file)


def test_the_bases_are_valid() -> None:
    for text in BASES:
        build(load_scenario(text))
