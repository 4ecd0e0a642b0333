"""Numbers as people read them: one unit, as many digits as the interval deserves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median

__all__ = ["column_decimals", "count", "percent", "pick_unit", "quantity", "with_interval"]

_UNITS = {
    "time": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "size": ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    "energy": ((1e3, "kJ"), (1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ")),
    "plain": ((1.0, ""),),
}


def pick_unit(value: float, dimension: str) -> tuple[float, str]:
    """The largest unit of `dimension` that leaves at least one digit before the point: (its size in SI, its name)."""
    units = _UNITS[dimension]
    fallback = units[-1] if value else next(u for u in units if u[0] == 1.0)
    return next(((size, unit) for size, unit in units if abs(value) >= size), fallback)


def with_interval(
    mean: float | None, low: float | None, high: float | None, scale: float = 1.0, decimals: int | None = None
) -> str:
    """Mean ± half the interval, both over `scale`, with the digits that the half width deserves (three if there is none).

    Args:
        decimals: digits after the point, where a whole column is to have the same.

    Example:
        >>> with_interval(0.031234, 0.031034, 0.031434, 1e-3), with_interval(0.5, None, None)
        ('31.23 ± 0.20', '0.500')
        >>> with_interval(None, None, None)
        '–'
    """
    if mean is None or not math.isfinite(mean):
        return "–"
    value, half = _clean(mean / scale), _half(low, high, scale)
    if decimals is None:
        decimals = column_decimals([value], [half])
    shown = f"{value:.{decimals}f}"
    if not float(shown):
        shown = shown.removeprefix("-")
    if half is None:
        return shown
    stated = f"{half:.{decimals}f}"
    # an interval that is there but cannot be seen with so many digits
    return (
        f"{shown} ± <{10.0**-decimals:.{decimals}f}"
        if half > 0 and not float(stated)
        else f"{shown} ± {stated}"
    )


def column_decimals(values: Iterable[float], halves: Iterable[float | None]) -> int:
    """Digits after the point for a column: what its typical half width deserves, three digits of the largest if it has none.

    One digit of the half width, two if the first is 1 or 2; never more than four digits of the largest value.
    """
    largest = max((abs(v) for v in values), default=0.0)
    wide = [h for h in halves if h is not None and h > 0]
    if not wide:
        return _decimals(largest, 3)
    half = median(wide)
    leading = half / 10.0 ** math.floor(math.log10(half))
    return max(0, min(_decimals(half, 2 if leading < 2.95 else 1), _decimals(max(largest, half), 4)))


def _half(low: float | None, high: float | None, scale: float) -> float | None:
    if low is None or high is None or not math.isfinite(high - low):
        return None
    return _clean((high - low) / 2 / scale)


def _clean(value: float) -> float:
    """What rounding errors leave of a zero is a zero."""
    return 0.0 if abs(value) < 1e-12 else value


def quantity(value: float | None, dimension: str) -> str:
    """`value` (SI) with the unit that reads best."""
    if value is None or not math.isfinite(value):
        return "–"
    size, unit = pick_unit(value, dimension)
    return f"{value / size:.3g} {unit}".rstrip() if value else f"0 {unit}".rstrip()


def percent(value: float | None, digits: int = 3) -> str:
    """A share as per cent with `digits` digits in all.

    Example:
        >>> percent(0.94321), percent(0.0042), percent(None)
        ('94.3 %', '0.42 %', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{100 * value:.{min(2, _decimals(abs(100 * value), digits))}f} %"


def count(number: int, noun: str) -> str:
    """A number of things.

    Example:
        >>> count(1, "seed"), count(10, "seed")
        ('1 seed', '10 seeds')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _decimals(value: float, digits: int) -> int:
    """Digits after the point that show `value` with `digits` digits in all."""
    if value <= 0 or not math.isfinite(value):
        return digits - 1
    return min(12, max(0, digits - 1 - math.floor(math.log10(value))))
