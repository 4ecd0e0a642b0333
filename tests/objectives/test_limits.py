"""Limits as people write them."""

from __future__ import annotations

import pytest

from placid.errors import InputError
from placid.objectives.limits import limits_of, objective_of, stated_limit, stated_value


@pytest.mark.parametrize(
    ("texts", "meant"),
    [
        (["p95 latency < 80 ms and accuracy >= 0.9"], {"latency_p95_s": 0.08, "error": 0.1}),
        (["latency <= 0.02 s", "energy < 2 J"], {"latency_s": 0.02, "energy_j": 2.0}),
        (["latency p99 ≤ 1 s, error < 20 %"], {"latency_p99_s": 1.0, "error": 0.2}),
        (["accuracy > 70 %", "error < 0.1"], {"error": 0.1}),
        (["traffic < 3 MB"], {"traffic_byte_hops": 3e6}),
        (["traffic < 3 MB·hop"], {"traffic_byte_hops": 3e6}),
        (["latency_p99.9_s < 5 ms"], {"latency_p99.9_s": 0.005}),
        ([], {}),
    ],
)
def test_what_is_meant(texts: list[str], meant: dict[str, float]) -> None:
    found = limits_of(texts)
    assert found == pytest.approx(meant)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latency 80 ms", "is no limit: write a name"),
        ("latency < 80", "has no unit"),
        ("speed < 80 ms", "unknown objective 'speed'"),
        ("accuracy < 0.9", "from below"),
        ("energy > 2 J", "from above"),
        ("accuracy >= 1.2", "between 0 and 1"),
        ("p0 < 1 s", "above p0"),
        ("p101 < 1 s", "at most at p100"),
        ("energy < -2 J", "below 0"),
    ],
)
def test_what_is_not_understood_is_told(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        limits_of([text])


def test_words_lead_back() -> None:
    for name, most in (("latency_p95_s", 0.08), ("latency_s", 0.0123), ("error", 0.1), ("energy_j", 2.5)):
        words = stated_limit(name, most).split(" (")[0].replace(" at most ", " < ")
        assert limits_of([words]) == pytest.approx({name: most})
    assert objective_of(" Energy ") == "energy_j"
    # what can be had is never told smaller than it is
    assert stated_value("error", 0.31501) == "error to 0.3151"
    assert stated_value("load_bytes", 0.0) == "load bytes to 0 B"
