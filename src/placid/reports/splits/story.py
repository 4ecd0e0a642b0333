"""A zoo, ready to be compared: its ways with their costs, what they are held against, and who wins where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from placid.catalog.variants import Variant, Zoo
from placid.errors import InputError
from placid.reports.splits.costs import Cost, costs, whole_network
from placid.reports.splits.pareto import efficient_ways
from placid.reports.splits.winners import LOSSES, Setting, WinnerMap, energy_winners, latency_winners

__all__ = ["Comparison", "compare_splits"]


@dataclass(frozen=True)
class Comparison:
    """Attributes:
    whole: the variant with the whole network on the raw picture; None if the zoo has none.
    reference: accuracy that losses count from: of `whole`, else the highest there is.
    efficient: of each way, whether no other beats it on bytes, operations and accuracy at once.
    latency, energy: what may be lost -> the map of winners.
    """

    zoo: Zoo
    ways: tuple[Cost, ...]
    whole: Variant | None
    reference: float
    efficient: tuple[bool, ...]
    setting: Setting
    latency: Mapping[float, WinnerMap]
    energy: Mapping[float, WinnerMap]

    def reaching(self, loss: float) -> list[Cost]:
        """The ways that lose at most `loss` of the reference accuracy."""
        return [w for w in self.ways if w.accuracy >= self.reference - loss - 1e-9]


def compare_splits(zoo: Zoo, setting: Setting | None = None) -> Comparison:
    """Work out all that the page and the tables show.

    Raises:
        InputError: the zoo has no variant.
    """
    setting = setting or Setting()
    ways = costs(zoo)
    if not ways:
        raise InputError("the zoo has no variant to compare", where=str(zoo.folder))
    whole = whole_network(zoo)
    reference = whole.accuracy if whole else max(w.accuracy for w in ways)
    return Comparison(
        zoo=zoo,
        ways=tuple(ways),
        whole=whole,
        reference=reference,
        efficient=tuple(efficient_ways(ways)),
        setting=setting,
        latency={loss: latency_winners(ways, reference - loss, setting=setting) for loss in LOSSES},
        energy={loss: energy_winners(ways, reference - loss, setting=setting) for loss in LOSSES},
    )
