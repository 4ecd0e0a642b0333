"""The rule by hand: what is expected above, what going up costs, what is forgotten, when a node asks again."""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf

import pytest

from placid.catalog.variants import shipped_zoo
from placid.errors import InputError, UnknownNameError
from placid.inference.ladder import Ladder, ladder_of
from placid.inference.offloading import (
    HERE,
    LEAST,
    PER_BYTE,
    UNHEARD,
    expected_above,
    goes_up,
    learn,
    price_s,
)

KNOTS, PENALTIES = (0.2, 0.6, 1.0), (0.0, 0.1, 0.5)
TABLE = ((0.7, 0.6, 0.5), (0.8, 0.7, 0.6), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("confidence", "penalty", "due"),
    [(0.2, 0.0, 0.7), (0.1, 0.0, 0.7), (0.4, 0.0, 0.75), (0.4, 0.05, 0.7), (0.8, 0.3, 0.825), (1.0, 0.2, 1.0),
     (0.6, 9, 0.6)],
)  # fmt: skip
def test_expected_above_is_linear_between_knots(confidence: float, penalty: float, due: float) -> None:
    assert expected_above(KNOTS, PENALTIES, TABLE, confidence, penalty) == pytest.approx(due)


def test_what_was_heard_is_forgotten_exponentially() -> None:
    seen = list(UNHEARD)
    learn(seen, 10.0, 2.0, 1e-6, 0.1, 0.0, 0.2)
    assert seen[PER_BYTE] == 1e-6  # the first counts fully
    learn(seen, 11.0, 2.0, 3e-6, 0.3, 0.0, 0.4)
    share = 1 - exp(-0.5)
    assert seen[PER_BYTE] == pytest.approx(1e-6 + share * 2e-6)
    assert seen[HERE] == pytest.approx(0.1 + share * 0.2)
    assert seen[LEAST] == 0.2
    assert price_s(seen, 0.01, 1000) == pytest.approx(0.01 + 1000 * seen[PER_BYTE] + seen[HERE])


def test_it_forwards_if_it_pays_and_asks_again_after_a_while() -> None:
    seen = list(UNHEARD)
    seen[1], seen[LEAST] = 10.0, 0.02  # asked at 10, once 20 ms were enough
    assert goes_up(seen, 10.1, 0.5, 0.2, 0.09, 1.0)
    assert not goes_up(seen, 10.1, 0.5, 0.2, 0.11, 1.0)
    assert goes_up(seen, 11.1, 0.5, 0.2, 0.11, 1.0)  # a probe
    assert not goes_up(seen, 11.1, 0.5, 0.03, 0.11, 1.0)  # that would not pay at the best of times
    assert not goes_up(seen, 11.1, 0.5, 0.2, 0.11, inf)


def test_the_shipped_ladders() -> None:
    ladder = ladder_of(shipped_zoo(), "exits-stage1-stage2-heads-only")
    assert Ladder.from_dict(ladder.as_dict()) == ladder
    for table in ladder.above:
        assert all(a <= b for low, high in pairwise(table) for a, b in zip(low, high, strict=True))
        assert all(a >= b for row in table for a, b in pairwise(row))
    with pytest.raises(UnknownNameError, match="teacher"):
        ladder_of(shipped_zoo(), "teacher")


def test_a_ladder_that_is_none_is_refused() -> None:
    told = ladder_of(shipped_zoo(), "exits-stage1-stage2-joint").as_dict()
    with pytest.raises(InputError, match="a row a knot"):
        Ladder.from_dict({**told, "above": [table[:-1] for table in told["above"]]})
    with pytest.raises(InputError, match="no ladder"):
        Ladder.from_dict({"variant": "x"})
