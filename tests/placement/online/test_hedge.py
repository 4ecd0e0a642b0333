"""AdaHedge keeps what it promises, whatever the gains, and follows without moving more than its weights do."""

from __future__ import annotations

import numpy as np
import pytest

from placid.placement.online.hedge import Hedge


def sequences(rng: np.random.Generator, rounds: int, count: int) -> dict[str, np.ndarray]:
    alternate = np.zeros((rounds, count))
    alternate[np.arange(rounds), np.arange(rounds) % count] = 1.0
    ahead = rng.random((rounds, count))
    ahead[:, 0] += 0.3
    late = rng.random((rounds, count))
    late[rounds // 2 :, 1] += 2.0
    return {
        "random": rng.normal(size=(rounds, count)),
        "taking turns": alternate,
        "one is ahead": ahead,
        "one wakes up": late,
        "all alike": np.ones((rounds, count)),
        "ranges explode": rng.random((rounds, count)) * 10.0 ** rng.integers(-3, 6, (rounds, 1)),
    }


@pytest.mark.parametrize("seed", range(20))
def test_what_following_loses_is_within_the_bound_at_all_times(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 6))
    for name, gains in sequences(rng, 300, count).items():
        hedge, expected, total = Hedge.start(count), 0.0, np.zeros(count)
        for gain in gains:
            assert hedge.weight.sum() == pytest.approx(1)
            expected += float(hedge.weight @ gain)
            total += gain
            hedge = hedge.learn(gain)
            assert total.max() - expected <= hedge.bound + 1e-9 * (1 + np.abs(gains).max() * 300), name


def test_the_bound_grows_like_the_root_of_the_rounds() -> None:
    rng = np.random.default_rng(0)
    for gains in (rng.random((6400, 3)), sequences(rng, 6400, 3)["taking turns"]):
        bounds, hedge = {}, Hedge.start(3)
        for t, gain in enumerate(gains, 1):
            hedge = hedge.learn(gain)
            bounds[t] = hedge.bound
        assert bounds[6400] < 2.5 * bounds[1600], "four times the rounds, twice the bound"
        assert bounds[6400] < 3 * np.sqrt(6400 * np.log(3))


def test_neither_scale_nor_level_of_gains_matters() -> None:
    gains = np.random.default_rng(1).random((50, 4))
    one = two = Hedge.start(4)
    for gain in gains:
        one, two = one.learn(gain), two.learn(1e6 * gain - 5)
        np.testing.assert_allclose(one.weight, two.weight, rtol=1e-5, atol=1e-12)


def test_following_keeps_the_weights_and_changes_as_seldom_as_they_allow() -> None:
    rng = np.random.default_rng(2)
    before, after = np.array([0.6, 0.3, 0.1]), np.array([0.4, 0.3, 0.3])
    hedge = Hedge(np.zeros(3), 1.0, after)
    rounds, changed, counts = 40_000, 0, np.zeros(3)
    for _ in range(rounds):
        was = int(rng.choice(3, p=before))
        now = hedge.follow(was, before, rng)
        changed += now != was
        counts[now] += 1
    np.testing.assert_allclose(counts / rounds, after, atol=0.01)
    assert changed / rounds == pytest.approx(
        0.2, abs=0.01
    )  # the distance of the weights: no coupling changes less
