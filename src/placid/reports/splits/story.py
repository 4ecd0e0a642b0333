"""A zoo, ready to be compared: its ways with their costs, what they are held against, and who wins where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from placid.catalog.variants import Variant, Zoo
from placid.errors import InputError
from placid.reports.splits.costs import Cost, costs, whole_network
from placid.reports.splits.pareto import efficient_ways
from placid.reports.splits.seedwise import accuracies_by_seed, difference
from placid.reports.splits.winners import LOSSES, Setting, WinnerMap, energy_winners, latency_winners

__all__ = ["FIRST_LOSS", "Comparison", "compare_splits"]

#: the required accuracy that sentences are about unless another is asked for: one point lost
FIRST_LOSS = 0.01


@dataclass(frozen=True)
class Comparison:
    """Attributes:
    whole: the variant with the whole network on the raw picture; None if the zoo has none.
    reference: accuracy of `whole`, else the highest there is.
    lost: what each way loses against `whole`, a share: over the seeds that both have, as the whole network's own accuracy
        differs from seed to seed; against `reference` where they have none in common.
    efficient: of each way, whether no other beats it on bytes, operations and accuracy at once.
    loss: what may be lost where one required accuracy has to be picked: the sentences' own, and the maps' first.
    latency, energy: what may be lost, rising -> the map of winners.
    """

    zoo: Zoo
    ways: tuple[Cost, ...]
    whole: Variant | None
    reference: float
    lost: tuple[float, ...]
    efficient: tuple[bool, ...]
    setting: Setting
    loss: float
    latency: Mapping[float, WinnerMap]
    energy: Mapping[float, WinnerMap]

    @property
    def about(self) -> str:
        """Task and images, in few words."""
        zoo = self.zoo
        return zoo.task if zoo.dataset in zoo.task else f"{zoo.task} on {zoo.dataset}"

    def reaching(self, loss: float) -> list[Cost]:
        """The ways that lose at most `loss` of the reference accuracy."""
        return [w for w, lost in zip(self.ways, self.lost, strict=True) if lost <= loss + 1e-9]


def compare_splits(zoo: Zoo, setting: Setting | None = None, *, loss: float = FIRST_LOSS) -> Comparison:
    """Work out all that the page and the tables show: under a second for 40 variants.

    Args:
        setting: what modelled times take for granted; left out: `Setting()`.
        loss: share of accuracy that may be lost, as `Comparison.loss`; it joins `LOSSES` if it is none of them.

    Raises:
        InputError: the zoo has no variant, or `loss` is no share from 0 to below 1.
    """
    if not 0 <= loss < 1:
        raise InputError(f"what may be lost is a share of accuracy from 0 to below 1, got {loss:g}")
    setting = setting or Setting()
    ways = costs(zoo)
    if not ways:
        raise InputError("the zoo has no variant to compare", where=str(zoo.folder))
    whole = whole_network(zoo)
    reference = whole.accuracy if whole else max(w.accuracy for w in ways)
    lost = tuple(_lost(w, whole, reference) for w in ways)
    standing = [reference - x for x in lost]
    losses = sorted({*LOSSES, loss})
    return Comparison(
        zoo=zoo,
        ways=tuple(ways),
        whole=whole,
        reference=reference,
        lost=lost,
        efficient=tuple(efficient_ways(ways)),
        setting=setting,
        loss=loss,
        latency={
            x: latency_winners(ways, reference - x, setting=setting, accuracies=standing) for x in losses
        },
        energy={x: energy_winners(ways, reference - x, setting=setting, accuracies=standing) for x in losses},
    )


def _lost(way: Cost, whole: Variant | None, reference: float) -> float:
    if whole is not None and accuracies_by_seed(way.variant).keys() & accuracies_by_seed(whole).keys():
        return -difference(way.variant, whole).mean
    return reference - way.accuracy
