"""What the settings of a workload must be; a wrong one is told with the workload and the field."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.workload.requests import RequestTypes

__all__ = [
    "check_choice",
    "check_count",
    "check_number",
    "check_positive",
    "check_requests",
    "field_of",
    "per_ingress",
]


def field_of(workload: str, field: str) -> str:
    """Where a setting stands, for messages."""
    return f"workload '{workload}', field '{field}'"


def check_requests(workload: str, requests: RequestTypes) -> None:
    """Raises InputError if there is no request type at all."""
    if not isinstance(requests, RequestTypes):
        raise InputError(f"expected RequestTypes, got {requests!r}", where=field_of(workload, "requests"))
    if len(requests) == 0:
        raise InputError("there is no request type: name at least one ingress node and one task",
                         where=field_of(workload, "requests"))  # fmt: skip


def check_number(workload: str, field: str, value: object, low: float, high: float = math.inf) -> None:
    """Raises InputError unless `value` is a finite number in [low, high]."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not low <= float(value) <= high:
        span = f"of at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
        raise InputError(f"expected a number {span}, got {value!r}", where=field_of(workload, field))
    if not math.isfinite(value):
        raise InputError(f"expected a finite number, got {value!r}", where=field_of(workload, field))


def check_positive(workload: str, field: str, value: object) -> None:
    """Raises InputError unless `value` is a finite number above 0."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not 0 < float(value) < math.inf:
        raise InputError(f"expected a finite number above 0, got {value!r}", where=field_of(workload, field))


def check_count(workload: str, field: str, value: object, low: int, high: int | None = None) -> None:
    """Raises InputError unless `value` is a whole number in [low, high]."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise InputError(f"expected a whole number, got {value!r}", where=field_of(workload, field))
    if int(value) < low or (high is not None and int(value) > high):
        span = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise InputError(f"expected a whole number {span}, got {value!r}", where=field_of(workload, field))


def check_choice(workload: str, field: str, value: object, known: Iterable[str]) -> None:
    """Raises UnknownNameError unless `value` is one of `known`."""
    names = tuple(known)
    if value not in names:
        raise UnknownNameError("choice", str(value), names, where=field_of(workload, field))


def per_ingress(
    workload: str,
    field: str,
    given: Mapping[str, float] | Iterable[float],
    requests: RequestTypes,
    low: float = -math.inf,
) -> tuple[float, ...]:
    """One finite number of at least `low` per ingress node, in the order of ``requests.nodes``.

    Args:
        given: node name -> number, or the numbers themselves in the order of ``requests.nodes``.

    Raises:
        InputError: a node is unknown or has no number, the length is wrong, a number is out of range.
    """
    where = field_of(workload, field)
    if isinstance(given, Mapping):
        for node in given:
            if node not in requests.nodes:
                raise UnknownNameError("ingress node", str(node), requests.nodes, where=where)
        for node in requests.nodes:
            if node not in given:
                raise InputError(f"has no number for ingress node '{node}'", where=where)
        values = [given[node] for node in requests.nodes]
    elif isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"expected one number per ingress node, got {given!r}", where=where)
    else:
        values = list(given)
    if len(values) != len(requests.nodes):
        raise InputError(
            f"expected {len(requests.nodes)} numbers, one per ingress node, got {len(values)}", where=where
        )
    for node, value in zip(requests.nodes, values, strict=True):
        check_number(workload, f"{field}[{node}]", value, low)
    return tuple(float(value) for value in values)
