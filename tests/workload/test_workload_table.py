"""What holds of every workload that the table names."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
import time
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import placid.workload
from placid.errors import InputError
from placid.workload import (
    WORKLOADS,
    Diurnal,
    Evader,
    FlashCrowds,
    Poisson,
    Replay,
    RequestTypes,
    RoundRobin,
    SlidingPopularity,
    Trace,
    TrafficMatrices,
    Workload,
)


def types_of(ingress: int, tasks: int) -> RequestTypes:
    return RequestTypes.grid([f"v{i}" for i in range(ingress)], [f"t{j}" for j in range(tasks)])


def build(name: str, requests: RequestTypes, rate: float) -> Workload:
    """One workload of every kind, none at its defaults."""
    count = len(requests)
    poisson = Poisson(requests, rate, exponent=0.7, slot_s=10.0, ranks="per ingress", ranks_seed=3)
    sent = np.arange(1.0, 1 + len(requests.nodes) ** 2).reshape(len(requests.nodes), -1)
    made = {
        "poisson": lambda: poisson,
        "sliding": lambda: SlidingPopularity(requests, rate, shift=2, every_slots=3),
        "diurnal": lambda: Diurnal(poisson, amplitude=0.9, day_s=300.0, slot_s=10.0, peak_s=70.0),
        "flash-crowds": lambda: FlashCrowds(
            poisson, crowds_per_s=0.05, decay_s=40.0, slot_s=10.0, place="everywhere"
        ),
        "traffic-matrices": lambda: TrafficMatrices(
            requests, np.stack([sent, sent.T]), rate, nodes=requests.nodes
        ),
        "trace": lambda: Trace.from_events(
            requests, np.arange(20), np.arange(20) % count, np.arange(20), repeat=True, known_ahead=True
        ),
        "replay": lambda: Replay(
            requests, np.arange(5 * count).reshape(5, count), repeat=True, known_ahead=True
        ),
        "evader": lambda: Evader(requests, rate, width=count),
        "round-robin": lambda: RoundRobin(requests, rate, block_slots=2, turn="type"),
    }
    return made[name]()


def concrete_subclasses() -> set[type]:
    """Every concrete workload that any module of the room defines."""
    found: set[type] = set()
    for module in pkgutil.iter_modules(placid.workload.__path__):
        loaded = importlib.import_module(f"placid.workload.{module.name}")
        for cls in vars(loaded).values():
            if inspect.isclass(cls) and issubclass(cls, Workload) and not inspect.isabstract(cls):
                found.add(cls)
    return {cls for cls in found if cls.__module__.startswith("placid.workload")}


def test_table_names_every_concrete_workload() -> None:
    assert {cls.__name__ for cls in concrete_subclasses()} == {cls.__name__ for cls in WORKLOADS.values()}
    assert all(name == cls.name for name, cls in WORKLOADS.items())


def test_every_public_class_is_exported() -> None:
    assert all(cls.__name__ in placid.workload.__all__ for cls in WORKLOADS.values())


@pytest.mark.parametrize("name", WORKLOADS)
def test_is_a_frozen_dataclass_that_holds_its_requests(name: str) -> None:
    requests = types_of(2, 3)
    workload = build(name, requests, 4.0)
    assert isinstance(workload, WORKLOADS[name])
    assert is_dataclass(workload)
    assert workload.requests is requests
    with pytest.raises(AttributeError):
        setattr(workload, fields(workload)[0].name, None)


@pytest.mark.parametrize("name", WORKLOADS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_demand_is_whole_non_negative_and_of_the_slot_alone(name: str, data: st.DataObject) -> None:
    requests = types_of(data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5)))
    workload = build(name, requests, data.draw(st.floats(0, 50)))
    seed = data.draw(st.integers(0, 2**32))
    slots = data.draw(st.lists(st.integers(0, 2000), min_size=1, max_size=4))
    rng = np.random.default_rng(seed)
    held = rng.random(len(requests)).round(1)
    first = [workload.demand(slot, seed, held) for slot in slots]
    # once more, in another order and from a fresh object
    again = build(name, requests, getattr(workload, "rate_per_s", 1.0)) if name == "round-robin" else workload
    second = [again.demand(slot, seed, held) for slot in reversed(slots)][::-1]
    for slot, demand, repeated in zip(slots, first, second, strict=True):
        assert demand.dtype == np.int64
        assert demand.shape == (len(requests),)
        assert (demand >= 0).all()
        np.testing.assert_array_equal(demand, repeated)
        expected = workload.expected(slot)
        if expected is not None:
            assert expected.dtype == np.float64
            assert expected.shape == (len(requests),)
            assert (expected >= 0).all()
            assert (demand[expected == 0] == 0).all()


@pytest.mark.parametrize("name", WORKLOADS)
def test_what_is_handed_out_cannot_spoil_the_workload(name: str) -> None:
    workload = build(name, types_of(2, 3), 4.0)
    before = workload.demand(1, 5)
    workload.demand(1, 5)[:] = 99
    np.testing.assert_array_equal(workload.demand(1, 5), before)


@pytest.mark.parametrize(
    "name", ["poisson", "sliding", "diurnal", "flash-crowds", "traffic-matrices", "evader"]
)
def test_seeds_and_slots_differ(name: str) -> None:
    workload = build(name, types_of(3, 10), 20.0)
    if name == "evader":
        workload = Evader(types_of(3, 10), 20.0, width=2)
    assert (workload.demand(0, 1) != workload.demand(0, 2)).any()
    assert (workload.demand(7, 1) != workload.demand(8, 1)).any()


def test_only_the_evader_adapts_to_the_placement() -> None:
    assert [name for name, cls in WORKLOADS.items() if cls.adaptive] == ["evader"]


def test_request_types_know_their_nodes_and_tasks() -> None:
    requests = RequestTypes(("b", "a", "b"), ("x", "x", "y"))
    assert requests.nodes == ("b", "a")
    assert requests.tasks == ("x", "y")
    assert requests.node_of.tolist() == [0, 1, 0]
    assert requests.task_of.tolist() == [0, 0, 1]
    assert requests.index["b", "y"] == 2
    with pytest.raises(InputError, match="2 ingress names and 1 task names"):
        RequestTypes(("a", "b"), ("x",))


def test_the_room_loads_neither_polars_nor_numba() -> None:
    code = "import sys, placid.workload; print([m for m in ('polars', 'numba', 'torch', 'ray') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in WORKLOADS if n not in ("trace", "replay")])
def test_a_slot_of_a_million_types_takes_less_than_a_tenth_of_a_second(name: str) -> None:
    workload = build(name, types_of(1000, 1000), 1e4)
    held = np.random.default_rng(0).random(10**6).round(1)
    workload.demand(300, 0, held)
    took = []
    for slot in range(301, 308):
        start = time.perf_counter()
        workload.demand(slot, 0, held)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.1
