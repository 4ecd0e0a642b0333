"""Quantities as people write them ("40 ms", "16 GiB", "20 Mbit/s") to SI numbers, and back for reading.

Inside placid every number is SI: seconds, bytes, bytes per second, joules, watts, metres, requests per second.
"""

from __future__ import annotations

import math
import re

from placid.errors import InputError

__all__ = ["DIMENSIONS", "format_quantity", "parse_quantity"]

_TIME = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = (
    {"B": 1.0}
    | {
        f"{p}{b}B": float(m**i)
        for b, m in (("", 1000), ("i", 1024))
        for i, p in enumerate(("k", "M", "G", "T", "P"), start=1)
    }
    | {"KB": 1e3, "KiB": 1024.0}
)
_BITS = {"bit": 1 / 8, "kbit": 1e3 / 8, "Mbit": 1e6 / 8, "Gbit": 1e9 / 8, "Tbit": 1e12 / 8}
_ENERGY = {"nJ": 1e-9, "uJ": 1e-6, "µJ": 1e-6, "mJ": 1e-3, "J": 1.0, "kJ": 1e3, "Wh": 3600.0, "kWh": 3.6e6}

#: dimension -> unit -> factor to SI
DIMENSIONS: dict[str, dict[str, float]] = {
    "time": _TIME,
    "size": _BYTES,
    "data rate": {f"{u}/s": f for u, f in {**_BYTES, **_BITS}.items()}
    | {"bps": 1 / 8, "kbps": 1e3 / 8, "Mbps": 1e6 / 8, "Gbps": 1e9 / 8},
    "energy": _ENERGY,
    "energy per byte": {f"{u}/B": f for u, f in _ENERGY.items()}
    | {f"{u}/bit": 8 * f for u, f in _ENERGY.items()},
    "power": {"uW": 1e-6, "mW": 1e-3, "W": 1.0, "kW": 1e3},
    "distance": {"m": 1.0, "km": 1e3, "mi": 1609.344},
    "request rate": {"/s": 1.0, "req/s": 1.0, "/min": 1 / 60, "/h": 1 / 3600},
    "share": {"%": 0.01},
}
#: dimensions in which a bare number has one obvious meaning
_BARE = {"share", "request rate"}
_QUANTITY = re.compile(r"^\s*([+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*$")


def parse_quantity(text: str | float, dimension: str) -> float:
    """The SI value of `text`, a quantity of `dimension` (a key of `DIMENSIONS`).

    Raises:
        InputError: the number or the unit is missing or unknown; the message names the units that fit.

    Example:
        >>> parse_quantity("40 ms", "time"), parse_quantity("20 Mbit/s", "data rate")
        (0.04, 2500000.0)
    """
    units = DIMENSIONS[dimension]
    example = (
        f"40 {next(u for u in ('ms', 'GiB', 'Mbit/s', 'mJ', 'nJ/B', 'W', 'km', '/s', '%') if u in units)}"
    )
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise InputError(f"expected a {dimension} such as '{example}', got {text!r}")
    if isinstance(text, int | float):
        value = float(text)
        if dimension in _BARE or value == 0:
            if not math.isfinite(value):
                raise InputError(f"a {dimension} must be finite, got {text!r}")
            return value
        raise InputError(
            f"a {dimension} needs a unit ({', '.join(units)}): write for example '{text:g} {example.split()[1]}'"
        )
    match = _QUANTITY.match(text)
    if match is None:
        raise InputError(f"'{text}' is not a {dimension}: write a number and a unit, such as '{example}'")
    number, unit = float(match[1].replace("_", "")), match[2]
    if not math.isfinite(number):
        raise InputError(f"a {dimension} must be finite, got '{text}'")
    if unit is None:
        if dimension in _BARE or number == 0:
            return number
        raise InputError(
            f"'{text}' has no unit: a {dimension} needs one of {', '.join(units)}, such as '{example}'"
        )
    if unit not in units:
        same = [u for u in units if u.lower() == unit.lower()]
        hint = f"; did you mean '{same[0]}'?" if same else ""
        raise InputError(f"'{unit}' is not a unit of {dimension}{hint} (known: {', '.join(units)})")
    return number * units[unit]


_READ = {
    "time": (("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)),
    "size": (("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12)),
    "energy": (("µJ", 1e-6), ("mJ", 1e-3), ("J", 1.0), ("kJ", 1e3), ("MJ", 1e6)),
}


def format_quantity(value: float, dimension: str) -> str:
    """`value` (SI) with the unit that reads best.

    Example:
        >>> format_quantity(0.04, "time"), format_quantity(245_000_000, "size")
        ('40 ms', '245 MB')
    """
    unit, factor = next((p for p in reversed(_READ[dimension]) if abs(value) >= p[1]), _READ[dimension][0])
    return f"{value / factor:.3g} {unit}"
