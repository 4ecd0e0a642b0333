"""What each policy looks like, the same in every chart.

Colours after Okabe and Ito (Color Universal Design, 2008), told apart with any common colour vision. Their yellow is left
out: it cannot be read on white. Policies that learn have colours and circles; what never moves is grey or black.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["TIER_RAMP", "UNSERVED", "VARIANT_RAMP", "PolicyStyle", "policy_styles", "ramp"]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (6, 3), (2, 2), (9, 3, 2, 3))
_GREYS = {"static": ("#7a7a7a", "#a3a3a3", "#5a5a5a"), "hindsight": ("#000000", "#3d3d3d", "#666666")}
_SHAPES = {
    "online": ("circle", "triangle-up", "cross", "triangle-down"),
    "static": ("square",),
    "hindsight": ("diamond",),
}

#: from near the user to far away: light to dark, one hue
TIER_RAMP = ("#deebf7", "#9ecae1", "#4292c6", "#08519c", "#08306b")
#: requests that nobody answered
UNSERVED = "#D55E00"
#: from small to large models: viridis, without its palest end
VARIANT_RAMP = ("#d8e219", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154")


@dataclass(frozen=True)
class PolicyStyle:
    """How one policy is drawn."""

    kind: str
    colour: str
    dash: tuple[int, ...]
    shape: str


def policy_styles(kinds: Mapping[str, str]) -> dict[str, PolicyStyle]:
    """A style for each policy of `kinds` (policy -> kind): distinct ones for up to 24 online and 12 of each other kind."""
    seen = {"online": 0, "static": 0, "hindsight": 0}
    styles = {}
    for policy, kind in kinds.items():
        k = seen[kind]
        seen[kind] += 1
        colours = _GREYS.get(kind, _COLOURS)
        turn = k // len(colours)
        dash = _DASHES[turn % 4] if kind == "online" else _DASHES[(k + (kind == "static") * 2) % 4]
        shapes = _SHAPES[kind]
        styles[policy] = PolicyStyle(kind, colours[k % len(colours)], dash, shapes[turn % len(shapes)])
    return styles


def ramp(colours: tuple[str, ...], n: int) -> list[str]:
    """`n` colours spread evenly over a ramp, by straight lines between its stops."""
    if n == 1:
        return [colours[len(colours) // 2]]
    stops = [tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in colours]
    picked = []
    for k in range(n):
        at = k * (len(stops) - 1) / (n - 1)
        low = min(int(at), len(stops) - 2)
        part = at - low
        mixed = (round(a + part * (b - a)) for a, b in zip(stops[low], stops[low + 1], strict=True))
        picked.append("#" + "".join(f"{m:02x}" for m in mixed))
    return picked
