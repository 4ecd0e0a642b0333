"""Which way a request takes: by the shares that the serving rule gave them, as evenly as whole requests can."""

from __future__ import annotations

from collections.abc import Sequence

from placid.runtime.spec import Way

__all__ = ["Turns"]


class Turns:
    """Ways in turn, each as often as its share: after n requests none is more than one off.

    Smooth weighted round robin. With one way that has all the share it always comes, as the serving rule has it while
    nothing is full.

    Raises:
        ValueError: there is no way.
    """

    def __init__(self, ways: Sequence[Way]) -> None:
        if not ways:
            raise ValueError("there must be a way, if only to the repository")
        total = sum(w.share for w in ways)
        # nothing is known of how many come: the cheapest
        self._shares = [w.share / total for w in ways] if total > 0 else [1.0] + [0.0] * (len(ways) - 1)
        self._credit = [0.0] * len(ways)
        self.ways = tuple(ways)

    def next(self) -> Way:
        """The way of the next request."""
        if len(self.ways) == 1:
            return self.ways[0]
        best = 0
        for i, share in enumerate(self._shares):
            self._credit[i] += share
            if self._credit[i] > self._credit[best] + 1e-12:
                best = i
        self._credit[best] -= 1.0
        return self.ways[best]
