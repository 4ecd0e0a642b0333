from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placid.errors import InputError, PlacidError
from placid.network import (
    CHANGES,
    Change,
    Cut,
    Fail,
    Join,
    Link,
    Memory,
    Network,
    Node,
    Recover,
    Restore,
    RoundTrip,
    changes_told,
    route,
    timeline,
)


def ring() -> Network:
    """cloud - a - b - cloud: two ways up from each node."""
    nodes = (Node("cloud", repository=True), Node("a", memory_bytes=10), Node("b", memory_bytes=10))
    return Network(nodes, (Link("cloud", "a", 1.0), Link("a", "b", 1.0), Link("b", "cloud", 5.0)), "ring")


def path(network: Network, name: str) -> list[str]:
    return [network.nodes[v].name for v in route(network).path(network.index[name])]


def test_no_changes_is_one_stretch() -> None:
    assert timeline(ring(), []) == [(0, ring())]


def test_a_node_fails_and_recovers() -> None:
    (_, before), (at, down), (back, after) = timeline(ring(), [Recover(9, "a"), Fail(4, "a")])
    assert (at, back) == (4, 9)
    assert path(before, "b") == ["b", "a", "cloud"]
    assert path(down, "b") == ["b", "cloud"]
    assert path(down, "a") == []
    assert after == before


def test_a_node_that_joins_is_down_before() -> None:
    (_, before), (_, after) = timeline(ring(), [Join(3, "b")])
    assert not before.node("b").up
    assert after == ring()


def test_links_are_cut_slowed_and_restored_in_their_place() -> None:
    stretches = timeline(ring(), [Cut(1, "b", "a"), Restore(2, "a", "b"), RoundTrip(3, "a", "b", 9.0)])
    assert [path(network, "b") for _, network in stretches] == [
        ["b", "a", "cloud"],
        ["b", "cloud"],
        ["b", "a", "cloud"],
        ["b", "cloud"],
    ]
    assert stretches[2][1] == ring()


def test_memory_shrinks_and_changes_of_one_slot_share_a_stretch() -> None:
    stretches = timeline(ring(), [Memory(5, "a", 3), Memory(5, "b", 4), Memory(0, "a", 8)])
    assert [first for first, _ in stretches] == [0, 5]
    assert stretches[0][1].node("a").memory_bytes == 8
    assert [n.memory_bytes for n in stretches[1][1].nodes] == [0, 3, 4]


def test_nodes_keep_their_order() -> None:
    changes = [Fail(1, "a"), Cut(2, "cloud", "b"), Recover(3, "a"), Memory(4, "b", 0)]
    assert {tuple(n.name for n in network.nodes) for _, network in timeline(ring(), changes)} == {
        ("cloud", "a", "b")
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([Fail(2, "c")], "change 'fail' at slot 2: unknown node 'c'"),
        ([Fail(2, "a"), Fail(3, "a")], "'a' is down already"),
        ([Recover(2, "a")], "'a' is up, so it cannot recover"),
        ([Join(2, "a"), Join(3, "a")], "'a' joins twice"),
        ([Memory(2, "a", -1)], "must not be negative"),
        ([Memory(2, "cloud", 5)], "is a repository"),
        ([Cut(2, "a", "a")], "no link a-a; 'a' is linked to b, cloud"),
        ([Cut(2, "a", "b"), Cut(3, "b", "a")], "is cut already"),
        ([Restore(2, "a", "b")], "is not cut"),
        ([Cut(1, "a", "b"), RoundTrip(2, "a", "b", 1.0)], "is cut"),
        ([RoundTrip(2, "a", "b", float("nan"))], "a number of at least 0"),
        ([Fail(-1, "a")], "whole numbers and begin at 0, got -1"),
        ([Fail(1.5, "a")], "whole numbers and begin at 0, got 1.5"),  # type: ignore[arg-type]
        ([Join(5, "a"), Recover(3, "a")], "change 'recover' at slot 3: 'a' joins only at slot 5"),
        ([Fail(3, "a"), Join(5, "a")], "change 'fail' at slot 3: 'a' joins only at slot 5"),
        ([Cut(2, "a", "z")], "change 'cut' at slot 2: unknown node 'z'"),
        ([Join(2, "z")], "change 'join' at slot 2: unknown node 'z'"),
    ],
)
def test_what_cannot_be_is_told_with_its_slot(changes: list[Change], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        timeline(ring(), changes)
    assert isinstance(caught.value, PlacidError)


def test_a_node_that_joined_may_fail() -> None:
    stretches = timeline(ring(), [Fail(7, "a"), Memory(2, "a", 3), Join(5, "a"), Recover(9, "a")])
    assert [(first, network.node("a").up) for first, network in stretches] == [
        (0, False),
        (2, False),
        (5, True),
        (7, False),
        (9, True),
    ]
    assert stretches[-1][1].node("a").memory_bytes == 3


def test_who_joins_at_slot_0_was_always_there() -> None:
    assert timeline(ring(), [Join(0, "a")]) == [(0, ring())]


def test_a_restored_link_has_its_first_round_trip() -> None:
    *_, (_, last) = timeline(ring(), [RoundTrip(1, "a", "b", 9.0), Cut(2, "a", "b"), Restore(3, "a", "b")])
    assert last == ring()


@given(st.data())
def test_whatever_happened_nodes_keep_their_places_and_the_past_its_network(data: st.DataObject) -> None:
    """Any list of changes is either refused, or a plain model of what is up and linked agrees slot by slot."""
    slots = st.integers(0, 6)
    names = st.sampled_from(["cloud", "a", "b"])
    ends = st.sampled_from([("cloud", "a"), ("b", "a"), ("b", "cloud")])
    change = st.one_of(
        st.builds(Fail, slots, names),
        st.builds(Recover, slots, names),
        ends.flatmap(lambda e: st.builds(Cut, slots, st.just(e[0]), st.just(e[1]))),
        ends.flatmap(lambda e: st.builds(Restore, slots, st.just(e[0]), st.just(e[1]))),
    )
    changes = data.draw(st.lists(change, max_size=6))
    up, cut, refused = {"cloud", "a", "b"}, set[frozenset[str]](), False
    states = {}
    for one in sorted(changes, key=lambda c: c.slot):
        match one:
            case Fail(node=node):
                refused |= node not in up
                up = up - {node}
            case Recover(node=node):
                refused |= node in up
                up = up | {node}
            case Cut(a=a, b=b):
                refused |= frozenset((a, b)) in cut
                cut = cut | {frozenset((a, b))}
            case Restore(a=a, b=b):
                refused |= frozenset((a, b)) not in cut
                cut = cut - {frozenset((a, b))}
        states[one.slot] = (up, cut)
    if refused:
        with pytest.raises(InputError, match=r"at slot \d"):
            timeline(ring(), changes)
        return
    stretches = dict(timeline(ring(), changes))
    assert list(stretches) == sorted({0, *states})
    for slot, (alive, gone) in states.items():
        network = stretches[slot]
        assert [n.name for n in network.nodes] == ["cloud", "a", "b"]
        assert {n.name for n in network.nodes if n.up} == alive
        assert network.links == tuple(e for e in ring().links if frozenset((e.a, e.b)) not in gone)


def test_table_holds_every_change() -> None:
    assert set(CHANGES.values()) == set(Change.__subclasses__())


def test_changes_are_told_in_words() -> None:
    changes = [
        Fail(1, "a"),
        Memory(1, "b", 4),
        Recover(2, "a"),
        Cut(3, "a", "b"),
        RoundTrip(4, "cloud", "a", 3.0),
        Restore(5, "b", "a"),
        Memory(6, "b", 40),
        RoundTrip(7, "cloud", "a", 0.5),
    ]
    assert changes_told(timeline(ring(), changes)) == [
        (1, "a fails, memory of b shrinks"),
        (2, "a is back"),
        (3, "a–b is cut"),
        (4, "cloud–a gets slower"),
        (5, "a–b is there again"),
        (6, "memory of b grows"),
        (7, "cloud–a gets quicker"),
    ]
