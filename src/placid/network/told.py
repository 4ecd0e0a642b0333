"""What changes from one network to the next, in words: for tables, plots and logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from placid.network.graph import Network

__all__ = ["changes_told"]


def changes_told(timeline: Sequence[tuple[int, Network]]) -> list[tuple[int, str]]:
    """(slot, what happens), in order, from the stretches that `placid.network.timeline` makes.

    Example:
        >>> from placid.network import Fail, tiered, timeline
        >>> changes_told(timeline(tiered(1), [Fail(5, "bs")]))
        [(5, 'bs fails')]
    """
    return [(slot, ", ".join(_differences(old, new))) for (_, old), (slot, new) in pairwise(timeline)]


def _differences(old: Network, new: Network) -> Iterator[str]:
    for before, after in zip(old.nodes, new.nodes, strict=True):
        if before.up != after.up:
            yield f"{after.name} {'is back' if after.up else 'fails'}"
        if before.memory_bytes != after.memory_bytes:
            how = "shrinks" if after.memory_bytes < before.memory_bytes else "grows"
            yield f"memory of {after.name} {how}"
    links = {frozenset((e.a, e.b)): e for e in old.links}
    now = {frozenset((e.a, e.b)): e for e in new.links}
    for ends, link in links.items():
        if ends not in now:
            yield f"{link.a}–{link.b} is cut"
        elif now[ends].rtt_s != link.rtt_s:
            yield f"{link.a}–{link.b} gets {'slower' if now[ends].rtt_s > link.rtt_s else 'quicker'}"
    for ends, link in now.items():
        if ends not in links:
            yield f"{link.a}–{link.b} is there again"
