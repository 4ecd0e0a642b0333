"""Systems compiled from problems: options cost what the problem says, and are taken as the serving rule would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from placid.catalog import AtIngress, AtRepository, Catalog, Handover, Model, Part, Plan, Profile, Task
from placid.errors import InputError
from placid.network.graph import Link, Network, Node
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.problem.serving import serve
from placid.simulation.events import (
    Arrivals,
    CompiledSystem,
    Fate,
    Queueing,
    System,
    beside_slots,
    by_station,
    compile_system,
    play,
    poisson_arrivals,
)
from placid.testing import instances
from placid.workload import RequestTypes

#: sensor - edge - cloud; 10 ms and 1 MB/s, then 40 ms and 2 MB/s
NETWORK = Network(
    (
        Node("sensor", "device", 10_000, "mcu"),
        Node("edge", "edge", 10_000, "gateway"),
        Node("cloud", "cloud", processor="gpu", repository=True),
    ),
    (Link("sensor", "edge", 0.010, 1e6), Link("cloud", "edge", 0.040, 2e6)),
    "chain",
)
TASK = Task("look", request_bytes=3000, response_bytes=100)


def profiles(**latency_s: float) -> dict[str, Profile]:
    return {name: Profile(s, 1 / s) for name, s in latency_s.items()}


WHOLE = Model("whole", "look", 5000, 0.9, profiles(gateway=0.02, gpu=0.001))
#: exits everywhere: a quarter where requests enter, then at the head, then at the middle
HEAD = Part("head", "look", 900, profiles(mcu=0.005, gateway=0.004, gpu=0.0004))
MIDDLE = Part("middle", "look", 800, profiles(gateway=0.006, gpu=0.0006))
TAIL = Part("tail", "look", 1500, profiles(gateway=0.010, gpu=0.001))
CODEC = (profiles(mcu=0.003, gateway=0.0003), profiles(gateway=0.0002, gpu=0.00002))
THREE = Plan(
    "three",
    "look",
    ("head", "middle", "tail"),
    (Handover(700, *CODEC), Handover(130, *CODEC)),
    (1, 0.6, 0.3),
    0.89,
    before=AtIngress(profiles(mcu=0.001), sent_bytes=2000, answered=0.25),
)
PINNED = Model(
    "pinned",
    "look",
    1000,
    0.88,
    profiles(gateway=0.004),
    after=AtRepository(profiles(gpu=0.0008), sent_bytes=130, share=0.6),
)
CATALOG = Catalog((TASK,), (WHOLE, PINNED), parts=(HEAD, MIDDLE, TAIL), plans=(THREE,))


def chain(catalog: Catalog = CATALOG) -> Problem:
    requests = RequestTypes(("sensor",), ("look",))
    return compile_problem(NETWORK, catalog, requests, np.array([1.0, 0, 0, 0]), 1.0)


def holding(problem: Problem, *names: str) -> np.ndarray:
    return np.array([problem.item_name(e) in names for e in range(problem.item_count)])


def expected_latency_s(system: System, first: int) -> float:
    """What a request takes that never waits; loops are not followed."""
    if first < 0:
        return 0.0
    step = system.steps[first]
    own = step["delay_s"] + step["work_s"]
    if step["station"] >= 0:
        own += system.stations[step["station"]]["fixed_s"]
    leave = float(step["leave"])
    later = 0.0
    for share, after in ((leave, int(step["out"])), (1 - leave, int(step["on"]))):
        later += share * expected_latency_s(system, after) if share > 0 else 0.0
    return float(own) + later


def costs_agree(problem: Problem, compiled: CompiledSystem) -> int:
    """Every option's expected latency is the problem's; how many options there are."""
    system = compiled.system
    for r in range(problem.type_count):
        for o in range(int(system.option_ptr[r]), int(system.option_ptr[r + 1])):
            label = int(system.options["label"][o])
            wanted = problem.option_vector[label, 0] if label >= 0 else problem.repository_vector[r, 0]
            found = expected_latency_s(system, int(system.options["first"][o]))
            assert found == pytest.approx(float(wanted), rel=1e-5)
    return len(system.options)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Network, Catalog]]:
    """What `random_problem` makes its problems of, as it makes them."""
    found: list[tuple[Network, Catalog]] = []

    def noted(network: Network, catalog: Catalog, *rest: Any) -> Problem:
        found.append((network, catalog))
        return compile_problem(network, catalog, *rest)

    monkeypatch.setattr(instances, "compile_problem", noted)
    return found


@pytest.mark.parametrize("settings", [{}, {"queued_links": True}, {"per": "node", "servers": 2}])
def test_every_option_takes_as_long_as_the_problem_says(
    settings: dict[str, Any], made: list[tuple[Network, Catalog]]
) -> None:
    options = chains = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        problem = instances.random_problem(rng, plans=seed % 3, tight=False)
        network, catalog = made[-1]
        everything = problem.placeable
        options += costs_agree(
            problem, compile_system(problem, network, catalog, everything, Queueing(**settings))
        )
        chains += int((np.diff(problem.needs.ptr) > 1).sum())
    assert options > 1000
    assert chains > 100


def test_with_room_everywhere_requests_are_answered_as_the_serving_rule_says(
    made: list[tuple[Network, Catalog]],
) -> None:
    below = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        problem = instances.random_problem(rng, plans=seed % 3, tight=False)
        placed = (rng.random(problem.item_count) < 0.3) & problem.placeable
        system = compile_system(problem, *made[-1], placed).system
        kinds = np.arange(problem.type_count)
        played = play(system, Arrivals(1e6 * kinds, kinds), seed)
        flow = serve(problem, placed, np.ones(problem.type_count), flows=True).flow
        for r in kinds:
            label = int(system.options["label"][played.option[r]])
            mine = np.flatnonzero((problem.option_type == r) & (flow > 0))
            assert mine.tolist() == ([label] if label >= 0 else [])
            below += label >= 0
    assert below > 100


def test_the_chain_with_heads_tails_and_exits_costs_what_the_problem_says() -> None:
    problem = chain()
    everything = np.ones(problem.item_count, bool)
    for queueing in (Queueing(), Queueing(queued_links=True, batch=4, servers=1, batch_fixed=0.7)):
        compiled = compile_system(problem, NETWORK, CATALOG, everything, queueing)
        assert costs_agree(problem, compiled) == problem.option_count + 1


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("edge/whole",),
        ("edge/pinned",),
        ("sensor/head", "edge/middle", "edge/tail"),
        ("edge/head", "edge/middle"),
    ],
    ids=lambda names: "+".join(names) or "cloud",
)
@pytest.mark.parametrize("queued_links", [False, True])
def test_at_low_load_requests_take_as_long_as_their_option(
    names: tuple[str, ...], queued_links: bool
) -> None:
    problem = chain()
    placed = holding(problem, *names)
    assert placed.sum() == len(names)
    compiled = compile_system(problem, NETWORK, CATALOG, placed, Queueing(queued_links=queued_links))
    # nothing is held more than one hundredth of the time
    arrivals = poisson_arrivals(np.array([0.4]), 500_000.0, 1)
    played = play(compiled.system, arrivals, 2)
    assert (by_station(played)["utilisation"].fill_null(0.0) < 0.01).all()
    first = int(compiled.system.options["label"][0])
    wanted = problem.option_vector[first, 0] if first >= 0 else problem.repository_vector[0, 0]
    taken = played.option == 0
    assert taken.mean() > 0.98
    noise = 5 * played.latency_s[taken].std() / np.sqrt(taken.sum())
    # a request in a hundred may meet another
    assert played.latency_s[taken].mean() == pytest.approx(float(wanted), abs=noise + 0.01 * wanted)
    table = beside_slots(problem, placed, compiled, played, 500_000.0)
    row = table.row(-1, named=True)
    assert row["requests"] == len(arrivals)
    assert row["slot_s"] == pytest.approx(float(wanted), rel=1e-5)
    assert abs(row["waiting_s"]) < noise + 0.02 * row["slot_s"]


def test_under_load_the_difference_to_the_slots_is_told() -> None:
    problem = chain()
    placed = holding(problem, "edge/whole")
    compiled = compile_system(problem, NETWORK, CATALOG, placed, Queueing(limit=None))
    rate = 0.8 * 50.0
    played = play(compiled.system, poisson_arrivals(np.array([rate]), 20_000.0, 3), 4)
    row = beside_slots(problem, placed, compiled, played, 20_000.0, after_s=100.0).row(0, named=True)
    # the model that counts knows no queue; M/D/1 has one
    assert row["type"] == "sensor/look"
    assert row["slot_s"] == pytest.approx(0.010 + 0.02 + 3100 / 1e6, rel=1e-5)
    assert row["waiting_s"] == pytest.approx(0.8 * 0.02 / (2 * 0.2), rel=0.05)
    assert row["low_s"] < row["event_s"] < row["high_s"]


def test_requests_go_on_to_the_next_option_when_the_queue_is_long() -> None:
    problem = chain(Catalog((TASK,), (WHOLE,)))
    placed = holding(problem, "edge/whole")
    catalog = Catalog((TASK,), (WHOLE,))
    loads = []
    for limit in (0, 2, None):
        compiled = compile_system(problem, NETWORK, catalog, placed, Queueing(limit=limit))
        played = play(compiled.system, poisson_arrivals(np.array([100.0]), 200.0, 5), 6)
        assert (played.fate == Fate.ANSWERED).all()
        loads.append((played.option == 0).mean())
        assert set(np.unique(played.place)) <= {1, 2}
        assert (played.place == 1).mean() == loads[-1]
    # twice what the copy can answer: with room to wait it answers half of them, at most
    assert loads[0] < loads[1] < 0.56 < loads[2] == 1.0


def test_capacity_is_kept_where_it_is_not_one_over_latency() -> None:
    for capacity, servers in ((25.0, 1), (50.0, 1), (125.0, 3)):
        model = Model("m", "look", 10, 0.9, {"gateway": Profile(0.02, capacity), "gpu": Profile(0.5, 2.0)})
        catalog = Catalog((TASK,), (model,))
        problem = chain(catalog)
        compiled = compile_system(problem, NETWORK, catalog, holding(problem, "edge/m"), Queueing(limit=None))
        assert compiled.system.stations["servers"][0] == servers
        # all at once: the queue empties at the capacity
        played = play(compiled.system, Arrivals(np.zeros(1000), np.zeros(1000, int)), 0)
        assert played.departure_s.max() == pytest.approx(1000 / capacity, rel=0.02)
        assert played.latency_s.min() == pytest.approx(0.010 + 0.02 + 3100 / 1e6)


def test_bytes_cross_the_links_that_they_should() -> None:
    problem = chain()
    placed = holding(problem, "edge/pinned")
    arrivals = poisson_arrivals(np.array([2.0]), 10_000.0, 7)
    for queued in (False, True):
        compiled = compile_system(
            problem, NETWORK, CATALOG, placed, Queueing(queued_links=queued, limit=None)
        )
        played = play(compiled.system, arrivals, 8)
        sent = dict(compiled.by_link(played).select("link", "bytes").iter_rows())
        count = len(arrivals)
        went_on = round((sent["edge->cloud"]) / 130)
        assert went_on == pytest.approx(0.6 * count, rel=0.03)
        assert sent == {
            "sensor->edge": 3000 * count,
            "edge->sensor": 100 * count,
            "cloud->edge": 100 * went_on,
            "edge->cloud": 130 * went_on,
        }


def test_a_queued_link_sends_one_after_another_each_way_by_itself() -> None:
    problem = chain(Catalog((TASK,), (WHOLE,)))
    compiled = compile_system(
        problem, NETWORK, Catalog((TASK,), (WHOLE,)), holding(problem), Queueing(queued_links=True)
    )
    names = compiled.system.station_names
    assert set(names) == {"sensor->edge", "edge->cloud", "cloud->edge", "edge->sensor", "cloud"}
    # two at once: the second leaves the first link 3 ms later; the second link is faster, so nothing else holds it up
    played = play(compiled.system, Arrivals(np.zeros(2), np.zeros(2, int)), 0)
    alone = 0.05 + 0.001 + 3100 / 1e6 + 3100 / 2e6
    np.testing.assert_allclose(played.latency_s, [alone, alone + 0.003], rtol=1e-9)
    assert played.waited_s[names.index("sensor->edge")] == pytest.approx(0.003)


def test_a_batch_at_a_copy_takes_a_plus_b_n() -> None:
    catalog = Catalog((TASK,), (WHOLE,))
    problem = chain(catalog)
    queueing = Queueing(servers=1, batch=3, batch_wait_s=0.5, batch_fixed=0.4, limit=None)
    compiled = compile_system(problem, NETWORK, catalog, holding(problem, "edge/whole"), queueing)
    played = play(compiled.system, Arrivals(np.zeros(4), np.zeros(4, int)), 0)
    way = 0.010 + 3100 / 1e6
    np.testing.assert_allclose(
        played.latency_s, [way + 0.02 * (0.4 + 0.6 * 3)] * 3 + [way + 0.5 + 0.02], rtol=1e-9
    )


def test_types_that_no_repository_reaches_are_refused() -> None:
    cut = Network(NETWORK.nodes, NETWORK.links[:1], "cut")
    catalog = Catalog((TASK,), (WHOLE,))
    problem = compile_problem(
        cut, catalog, RequestTypes(("sensor",), ("look",)), np.array([1.0, 0, 0, 0]), 1.0
    )
    compiled = compile_system(problem, cut, catalog, np.zeros(problem.item_count, bool))
    played = play(compiled.system, Arrivals(np.arange(3.0), np.zeros(3, int)), 0)
    assert (played.fate == Fate.REFUSED).all()


def test_what_does_not_belong_together_is_noticed() -> None:
    problem, placed = chain(), holding(chain(), "edge/whole")
    slower = Model("whole", "look", 5000, 0.9, profiles(gateway=0.03, gpu=0.001))
    other = Catalog((TASK,), (slower, PINNED), parts=(HEAD, MIDDLE, TAIL), plans=(THREE,))
    with pytest.raises(InputError, match="accounts for what edge/whole costs"):
        compile_system(problem, NETWORK, other, placed)
    with pytest.raises(InputError, match="belong together"):
        compile_system(problem, NETWORK, Catalog((TASK,), (WHOLE,)), placed)
    for settings in (
        {"per": "link"},
        {"per": "node"},
        {"batch": 2},
        {"batch_fixed": 0.5},
        {"servers": 1, "batch_fixed": 2.0},
    ):
        with pytest.raises(InputError):
            Queueing(**settings)  # type: ignore[arg-type]
