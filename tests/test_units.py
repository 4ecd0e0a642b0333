"""Units: what people write, read exactly, and refused with a reason."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placid.errors import InputError
from placid.units import DIMENSIONS, format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("40 ms", "time", 0.04),
        ("1 min", "time", 60.0),
        ("16 GiB", "size", 16 * 2**30),
        ("245 MB", "size", 245e6),
        ("20 Mbit/s", "data rate", 2.5e6),
        ("1 GB/s", "data rate", 1e9),
        ("50 nJ/bit", "energy per byte", 4e-7),
        ("7_500 /s", "request rate", 7500.0),
        (12, "request rate", 12.0),
        ("95 %", "share", 0.95),
        (0, "time", 0.0),
        ("1e3 km", "distance", 1e6),
    ],
)
def test_reads(text: str | float, dimension: str, value: float) -> None:
    assert parse_quantity(text, dimension) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "dimension", "says"),
    [
        ("40", "time", "no unit"),
        (40, "time", "needs a unit"),
        ("40 Ms", "time", "did you mean 'ms'"),
        ("40 parsec", "distance", "not a unit of distance"),
        ("fast", "data rate", "not a data rate"),
        (True, "time", "expected a time"),
        (float("nan"), "share", "finite"),
        ("1e999 s", "time", "finite"),
    ],
)
def test_refuses_with_a_reason(text: str | float, dimension: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_quantity(text, dimension)


@given(st.text(max_size=12), st.sampled_from(sorted(DIMENSIONS)))
def test_never_anything_but_a_number_or_an_input_error(text: str, dimension: str) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(parse_quantity(text, dimension), float)


def test_formats_for_reading() -> None:
    assert format_quantity(0.04, "time") == "40 ms"
    assert format_quantity(245e6, "size") == "245 MB"
    assert format_quantity(0.0, "energy") == "0 µJ"
