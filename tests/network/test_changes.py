from __future__ import annotations

import pytest

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
        ([Fail(-1, "a")], "slots begin at 0"),
    ],
)
def test_what_cannot_be_is_told_with_its_slot(changes: list[Change], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        timeline(ring(), changes)
    assert isinstance(caught.value, PlacidError)


def test_table_holds_every_change() -> None:
    assert set(CHANGES.values()) == set(Change.__subclasses__())
