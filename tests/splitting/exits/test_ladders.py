"""Fitted ladders: a network that says how sure it is too loudly, and exits above that know more."""

from __future__ import annotations

import numpy as np
import pytest

from placid.errors import InputError
from placid.inference.offloading import expected_above
from placid.splitting.exits.ladders import fit_ladder


def logits(rng: np.random.Generator, labels: np.ndarray, strength: float, loud: float) -> np.ndarray:
    """Of an exit whose softmax at temperature `loud` is the true posterior."""
    seen = rng.normal(size=(len(labels), 10)) + strength * np.eye(10)[labels]
    return loud * strength * seen


def test_a_ladder_finds_temperatures_and_what_lies_above() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, 6000)
    weak, middle, strong = (logits(rng, labels, s, 3.0) for s in (1.5, 2.5, 4.0))
    ladder = fit_ladder("made up", [weak, middle, strong], labels)
    assert ladder.temperatures == pytest.approx((3.0, 3.0, 3.0), rel=0.1)
    end = (strong.argmax(1) == labels).mean()
    # evidence is independent: whoever is unsure below still gets nearly all of what the end knows
    args = (ladder.knots[0], ladder.penalties, np.array(ladder.above[0]))
    assert expected_above(*args, 0.5, 0.0) == pytest.approx(end, abs=0.03)
    # where going on costs a whole unit nobody does
    assert expected_above(*args, 0.5, 1.0) == pytest.approx((middle.argmax(1) == labels).mean(), abs=0.03)
    assert expected_above(*args, 0.5, 0.05) <= expected_above(*args, 0.5, 0.0)


def test_too_little_is_refused() -> None:
    with pytest.raises(InputError, match="an exit, the end"):
        fit_ladder("x", [np.zeros((500, 10))], np.zeros(500, int))
