"""Which techniques are of one kind, and how a kind is drawn: the same colour and mark in every chart, map and table.

Colours after Okabe and Ito (Color Universal Design, 2008), as for policies; marks tell families apart without colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from placid.catalog.variants import Variant

__all__ = ["FAMILIES", "Family", "family_of"]


@dataclass(frozen=True)
class Family:
    """Techniques of one kind.

    Attributes:
        name: in a table or a legend.
        colour: of marks and of regions.
        shape: of marks, by the name that Vega gives it.
        ink: of a text that stands on `colour`.
    """

    name: str
    colour: str
    shape: str
    ink: str = "#ffffff"


LOCAL = Family("on the device alone", "#4d4d4d", "square")
RAW = Family("raw picture", "#a8adb2", "diamond", "#111111")
PICTURE = Family("compressed picture", "#E69F00", "diamond", "#111111")
SPLIT = Family("split as it is", "#CC79A7", "triangle-up", "#111111")
BOTTLENECK = Family("trained bottleneck", "#0072B2", "circle")
ENTROPIC = Family("learned entropy code", "#009E73", "circle")
EXITS = Family("early exits", "#D55E00", "triangle-down")
OTHER = Family("other technique", "#56B4E9", "cross", "#111111")

#: in the order of legends: rivals that need no splitting first
FAMILIES = (LOCAL, RAW, PICTURE, SPLIT, BOTTLENECK, ENTROPIC, EXITS, OTHER)

_FAMILY_OF = {
    "local": LOCAL,
    "remote-raw": RAW,
    "split": SPLIT,
    "split-float": SPLIT,
    "bottleneck": BOTTLENECK,
    "bottlefit": BOTTLENECK,
    "bottlefit-free": BOTTLENECK,
    "plain": BOTTLENECK,
    "rebel": BOTTLENECK,
    "entropic": ENTROPIC,
    "entropic-free": ENTROPIC,
    "exits": EXITS,
    "branchynet": EXITS,
    "ddnn": EXITS,
}


def family_of(variant: Variant) -> Family:
    """The family of a variant: early exits if it has any in use, else that of its technique."""
    if variant.exits:
        return EXITS
    technique = variant.technique
    if technique in _FAMILY_OF:
        return _FAMILY_OF[technique]
    return PICTURE if technique.startswith("remote-") else OTHER
