"""Turns: as even as whole requests can be."""

from __future__ import annotations

from collections import Counter

import pytest

from placid.runtime.node.choosing import Turns
from placid.runtime.spec import Way


def test_every_prefix_is_as_the_shares_say() -> None:
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    turns = Turns([Way(v, (), s) for v, s in shares.items()])
    seen: Counter[str] = Counter()
    for n in range(1, 201):
        seen[turns.next().variant] += 1
        assert all(abs(seen[v] - n * s) < 1 for v, s in shares.items())


def test_without_shares_the_cheapest_comes() -> None:
    turns = Turns([Way("a", (), 0.0), Way("b", (), 0.0)])
    assert [turns.next().variant for _ in range(3)] == ["a"] * 3


def test_there_must_be_a_way() -> None:
    with pytest.raises(ValueError, match="there must be a way"):
        Turns([])
