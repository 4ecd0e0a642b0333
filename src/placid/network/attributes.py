"""What the attributes of a node or link in somebody's graph mean: numbers, quantities, yes or no, positions, names.

Each reader takes `where`, the place that an error names (file, node or link, attribute).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import isfinite
from typing import Any, TypeVar

from placid.errors import InputError
from placid.units import parse_quantity

__all__ = ["flag", "number", "point", "quantity", "unique_names", "unlimited", "whole"]

Key = TypeVar("Key", bound=Hashable)
_YES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def number(value: Any, where: str, *, least: float | None = None) -> float:
    """A finite number, perhaps written as text.

    Raises:
        InputError: it is none, or below `least`.
    """
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"expected a number, got {value!r}", where=where) from None
    if isinstance(value, bool) or not isfinite(found):
        raise InputError(f"expected a finite number, got {value!r}", where=where)
    if least is not None and found < least:
        raise InputError(f"must be at least {least:g}, got {value!r}", where=where)
    return found


def unlimited(value: Any, where: str) -> float:
    """A number, perhaps written as text, or infinity (``inf``) for no limit.

    Raises:
        InputError: it is neither.
    """
    return float("inf") if str(value).lower() in ("inf", "infinity") else number(value, where)


def whole(value: Any, where: str) -> int:
    """A whole number of at least 0, to the last digit however large.

    Raises:
        InputError: it is none.
    """
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    found = value if type(value) is int else number(value, where)
    if found < 0 or found != int(found):
        raise InputError(f"expected a whole number of at least 0, got {value!r}", where=where)
    return int(found)


def flag(value: Any, where: str) -> bool:
    """Yes or no: true, false, yes, no, 1, 0.

    Raises:
        InputError: it is neither.
    """
    found = _YES.get(str(value).strip().lower())
    if found is None:
        raise InputError(f"expected true or false, got {value!r}", where=where)
    return found


def quantity(value: Any, dimension: str, where: str) -> float:
    """A quantity with its unit, see `placid.units`, of at least 0.

    Raises:
        InputError: it is none.
    """
    try:
        found = parse_quantity(value, dimension)
    except InputError as error:
        raise InputError(error.message, where=where) from None
    return number(found, where, least=0)


def point(value: Any, where: str) -> tuple[float, float]:
    """Two numbers.

    Raises:
        InputError: they are none.
    """
    if isinstance(value, str | Mapping) or not hasattr(value, "__len__") or len(value) != 2:
        raise InputError(f"expected two numbers, got {value!r}", where=where)
    x, y = value
    return number(x, where), number(y, where)


def unique_names(labels: Mapping[Key, str]) -> dict[Key, str]:
    """Every key's label, made unique: of several that share one, all but the first get their key appended."""
    taken = set(labels.values())
    seen: set[str] = set()
    names: dict[Key, str] = {}
    for key, label in labels.items():
        name = label
        while name in seen or (name != label and name in taken):
            name = f"{name}-{key}"
        seen.add(name)
        names[key] = name
    return names
