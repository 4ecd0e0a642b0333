"""Limits as people write them, "p95 latency < 80 ms and accuracy >= 0.9", to the most that a component may come to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import ceil, floor, log10

from placid.errors import InputError, UnknownNameError
from placid.objectives.quantiles import quantile_share
from placid.problem.arrays import COMPONENTS
from placid.units import format_quantity, parse_quantity

__all__ = ["NAMES", "limits_of", "objective_of", "stated_limit", "stated_value"]

#: the names of objectives in scenarios and on the command line
NAMES = dict(zip(("latency", "error", "energy", "traffic"), COMPONENTS, strict=True))
_DIMENSION = {"latency_s": "time", "energy_j": "energy", "traffic_byte_hops": "size"}
_LIMIT = re.compile(r"\s*(?P<name>[^<>=≤≥]+?)\s*(?P<sign><=|>=|<|>|≤|≥)\s*(?P<value>[^<>=≤≥]+?)\s*")
_QUANTILE = re.compile(r"(?:latency[ _-]*)?p(\d+(?:\.\d+)?)(?:[ _-]*latency)?(?:_s)?")


def objective_of(name: str) -> str:
    """The component, or the quantile of latency, that a person means: ``energy`` is energy_j, ``p95`` latency_p95_s.

    Example:
        >>> objective_of("energy"), objective_of("p95 latency"), objective_of("latency_p99_s")
        ('energy_j', 'latency_p95_s', 'latency_p99_s')

    Raises:
        InputError: the name is unknown.
    """
    plain = name.strip().lower()
    quantile = _QUANTILE.fullmatch(plain)
    if quantile:
        found = f"latency_p{quantile[1]}_s"
        quantile_share(found)
        return found
    if plain in NAMES.values():
        return plain
    if plain not in NAMES:
        raise UnknownNameError("objective", plain, (*NAMES, "accuracy", "p95"))
    return NAMES[plain]


def limits_of(texts: Iterable[str]) -> dict[str, float]:
    """From texts such as ``p95 latency < 80 ms``, several of them joined by "and", to component -> the most, in SI.

    Accuracy is 1 less the error, so ``accuracy >= 0.9`` is an error of at most 0.1. "Less than" and "at most" are the same:
    no solver can tell them apart. Of two limits on one thing the tighter holds.

    Example:
        >>> limits_of(["p95 latency < 80 ms and accuracy >= 75 %", "energy <= 2 J"])
        {'latency_p95_s': 0.08, 'error': 0.25, 'energy_j': 2.0}

    Raises:
        InputError: what is not understood, and how to write it.
    """
    found: dict[str, float] = {}
    for text in texts:
        for part in re.split(r"\s+and\s+|,", text):
            name, most = _limit(part)
            found[name] = min(found.get(name, most), most)
    return found


def _limit(text: str) -> tuple[str, float]:
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise InputError(
            f"'{text.strip()}' is no limit: write a name, < or >=, and a quantity, as in 'p95 latency < 80 ms' "
            "or 'accuracy >= 0.9'"
        )
    name, below, value = match["name"].lower(), match["sign"] in ("<", "<=", "≤"), match["value"]
    if name == "accuracy":
        if below:
            raise InputError(f"'{text.strip()}': more accuracy is better, so it is limited from below (>=)")
        return "error", 1.0 - _share(value, text)
    component = objective_of(name)
    if not below:
        raise InputError(f"'{text.strip()}': less {name} is better, so it is limited from above (<)")
    if component == "error":
        return component, _share(value, text)
    dimension = "time" if quantile_share(component) else _DIMENSION[component]
    if component == "traffic_byte_hops":
        value = re.sub(r"\s*[·*-]?\s*hops?$", "", value)
    most = parse_quantity(value, dimension)
    if most < 0:
        raise InputError(f"'{text.strip()}': nothing is below 0")
    return component, most


def _share(value: str, text: str) -> float:
    share = parse_quantity(value, "share")
    if not 0 <= share <= 1:
        raise InputError(f"'{text.strip()}': a share lies between 0 and 1 (or 0 % and 100 %)")
    return share


def stated_limit(name: str, most: float) -> str:
    """A limit in words.

    Example:
        >>> stated_limit("latency_p95_s", 0.08), stated_limit("error", 0.1)
        ('p95 latency at most 80 ms', 'error at most 0.1 (accuracy at least 0.9)')
    """
    also = f" (accuracy at least {float(f'{1 - most:.12g}'):g})" if name == "error" else ""
    return f"{_words(name)} at most {_with_unit(name, most)}{also}"


def stated_value(name: str, value: float) -> str:
    """What something comes to, in words; rounded up in the fourth digit, so that it is still a limit that can be kept.

    Example:
        >>> stated_value("energy_j", 1.63724), stated_value("latency_p95_s", 0.08)
        ('energy to 1.638 J', 'p95 latency to 80 ms')
    """
    if value > 0:
        step = 10.0 ** (floor(log10(value)) - 3)
        value = ceil(value / step * (1 - 1e-6)) * step
    return f"{_words(name)} to {_with_unit(name, value, digits=4)}"


def _words(name: str) -> str:
    if quantile_share(name):
        return f"{name.split('_')[1]} latency"
    return next((short for short, full in NAMES.items() if full == name), name.replace("_", " "))


def _with_unit(name: str, value: float, digits: int = 6) -> str:
    dimension = (
        "time" if quantile_share(name) else _DIMENSION.get(name, "size" if name == "load_bytes" else "")
    )
    if not dimension:
        return f"{value:.{digits}g}"
    unit = (
        format_quantity(value, dimension).split(" ")[1]
        if value
        else {"time": "s", "energy": "J"}.get(dimension, "B")
    )
    size = {
        "µs": 1e-6,
        "ms": 1e-3,
        "µJ": 1e-6,
        "mJ": 1e-3,
        "kJ": 1e3,
        "MJ": 1e6,
        "kB": 1e3,
        "MB": 1e6,
        "GB": 1e9,
        "TB": 1e12,
    }
    hop = "·hop" if name == "traffic_byte_hops" else ""
    return f"{value / size.get(unit, 1.0):.{digits}g} {unit}{hop}"
