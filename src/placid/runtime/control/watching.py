"""A live network at a glance: rates, answers and memory of every node, from what nodes tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Glance", "glances"]


@dataclass(frozen=True)
class Glance:
    """One node between two looks.

    Attributes:
        per_s: requests that entered, were answered, and were refused here, a second.
        up_bytes_per_s: payload on its link to the next node.
        held: how many items; `used_bytes` of `budget_bytes`.
    """

    name: str
    tier: str
    alive: bool
    entered_per_s: float = 0.0
    answered_per_s: float = 0.0
    refused_per_s: float = 0.0
    up_bytes_per_s: float = 0.0
    in_flight: int = 0
    held: int = 0
    used_bytes: int = 0
    budget_bytes: int = 0


def glances(
    nodes: Sequence[Mapping[str, Any]],
    before: Mapping[str, Mapping[str, Any]],
    now: Mapping[str, Mapping[str, Any]],
    seconds: float,
) -> list[Glance]:
    """Of all `nodes` (name, tier), from what they told `seconds` apart; a node that told nothing is not alive."""
    found = []
    for node in nodes:
        name, tier = str(node["name"]), str(node["tier"])
        told = now.get(name)
        if told is None:
            found.append(Glance(name, tier, False))
            continue
        old = before.get(name, told)

        def rate(*path: str, told: Mapping[str, Any] = told, old: Mapping[str, Any] = old) -> float:
            more = _count(told, path) - _count(old, path)
            return max(0.0, more) / seconds if seconds > 0 else 0.0  # a process that is new counts from 0

        found.append(
            Glance(
                name,
                tier,
                True,
                rate("tally", "entered"),
                rate("tally", "answered"),
                rate("tally", "refused"),
                rate("link", "up", "bytes_sent"),
                int(told["in_flight"]),
                len(told["held"]),
                int(told["used_bytes"]),
                int(told["budget_bytes"]),
            )
        )
    return found


def _count(told: Mapping[str, Any], path: Sequence[str]) -> float:
    value: Any = told
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        return float(sum(value.values()))
    return 0.0 if value is None else float(value)
