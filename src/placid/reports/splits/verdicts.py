"""What wins where, in words that the numbers decide. Where a plain picture or the device alone wins, that is said too."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from placid.reports.splits.amounts import amount, bit_rate, joule, points, times
from placid.reports.splits.costs import Cost
from placid.reports.splits.families import FAMILIES, PICTURE, RAW, Family
from placid.reports.splits.story import Comparison
from placid.reports.splits.winners import WinnerMap
from placid.reports.wording import quantity

__all__ = ["findings", "headline"]

_UNSPLIT = ("on the device alone", RAW.name, PICTURE.name)


def headline(told: Comparison) -> str:
    """The page's first sentences: the fewest bytes at about the whole network's accuracy, and what they cost."""
    sending = [w for w in told.reaching(told.loss) if w.bytes_mean > 0]
    said = f"At most {points(told.loss)} below the {_reference(told)}, "
    split = min(
        (w for w in sending if w.family.name not in _UNSPLIT), key=lambda w: w.bytes_mean, default=None
    )
    picture = min(
        (w for w in sending if w.family in (RAW, PICTURE)), key=lambda w: w.bytes_mean, default=None
    )
    if split is None and picture is None:
        return said + "no variant that sends anything is left: the device has to answer alone."
    if split is None:
        assert picture is not None
        return said + (
            f"no split is left: the fewest bytes are those of a whole picture, {picture.name} with "
            f"{quantity(picture.bytes_mean, 'size')} an input ({_accuracy(picture)})."
        )
    if picture is None:
        return said + (
            f"{split.name} sends the fewest bytes, {quantity(split.bytes_mean, 'size')} an input ({_accuracy(split)}); no "
            "picture, raw or compressed, is in the zoo at that accuracy."
        )
    first, second = (split, picture) if split.bytes_mean <= picture.bytes_mean else (picture, split)
    said += (
        f"{first.name} sends the fewest bytes: {quantity(first.bytes_mean, 'size')} an input ({_accuracy(first)}), where "
        f"{_of_kind(second)} {second.name}, needs {quantity(second.bytes_mean, 'size')}, "
        f"{times(second.bytes_mean / first.bytes_mean)} times as many."
    )
    if split is first:
        less = split.device_operations / max(picture.device_operations, 1.0)
        said += (
            f" For that its device computes {amount(split.device_operations)} operations an input, "
            + (f"{times(less)} times as many as" if less > 1 else "no more than")
            + f" the {amount(picture.device_operations)} that {picture.name} takes there."
        )
    else:
        said += " Splitting saves no bytes here."
    return said


def findings(told: Comparison) -> dict[str, list[str]]:
    """Title -> sentences about the maps at `told.loss`: who wins where, the most of a map first; who wins nowhere, and why.

    All of it is modelled. A title without sentences is left out.
    """
    found = {
        "First to answer": _places(
            told, told.latency[told.loss], lambda v: quantity(v, "time"), bit_rate, lambda v: f"{amount(v)} multiply-adds/s"
        ),
        "Least energy": _places(
            told, told.energy[told.loss], joule, lambda v: f"{joule(v)} a byte", lambda v: f"{joule(v)} a multiply-add"
        ),
    }  # fmt: skip
    lost = []
    here = _families(told, [told.latency[told.loss], told.energy[told.loss]])
    for family in FAMILIES:
        members = [w for w in told.ways if w.family == family]
        if not members or family in here:
            continue
        elsewhere = [
            other for other in told.latency if family in _families(told, [told.latency[other], told.energy[other]])
        ]  # fmt: skip
        if elsewhere:
            lost.append(
                f"{_title(family)}: only where another loss is allowed, at most {_either(elsewhere)}."
            )
        else:
            lost.append(_loser(told, family, members))
    return {title: sentences for title, sentences in (found | {"Wins nowhere": lost}).items() if sentences}


def _families(told: Comparison, maps: Iterable[WinnerMap]) -> set[Family]:
    """The families that win anywhere on any of `maps`."""
    return {told.ways[k].family for m in maps for k in np.unique(m.winner) if k >= 0}


def _title(family: Family) -> str:
    return family.name[0].upper() + family.name[1:]


def _places(
    told: Comparison,
    found: WinnerMap,
    said: Callable[[float], str],
    x_said: Callable[[float], str],
    y_said: Callable[[float], str],
) -> list[str]:
    """A sentence for each family that wins on a map: how much of it, between what, and where most clearly."""
    sentences = []
    index = {f.name: k for k, f in enumerate(FAMILIES)}
    kinds = np.array([index[w.family.name] for w in told.ways])
    of = np.where(found.winner >= 0, kinds[found.winner], -1)
    for k in sorted(set(of[of >= 0].tolist()), key=lambda k: -int((of == k).sum())):
        own = of == k
        rows, columns = np.nonzero(own)
        share = own.mean()
        x_low, x_high = (found.x[c] for c in np.quantile(columns, (0.02, 0.98), method="nearest"))
        y_low, y_high = (found.y[r] for r in np.quantile(rows, (0.02, 0.98), method="nearest"))
        clearest = np.unravel_index(
            np.argmax(np.where(own & np.isfinite(found.margin), found.margin, -1.0)), own.shape
        )
        way, rival = told.ways[found.winner[clearest]], int(found.rival[clearest])
        links = _between("link", x_said, x_low, x_high, found.x)
        devices = _between("device", y_said, y_low, y_high, found.y)
        sentence = f"{_title(FAMILIES[k])}, on {_percent(share)} of the map: over {links}, on {devices}"
        if rival >= 0:
            cost = float(found.cost[found.winner[clearest]][clearest])
            dearer = cost * float(found.margin[clearest])
            where = f"{x_said(float(found.x[clearest[1]]))} and {y_said(float(found.y[clearest[0]]))}"
            sentence += (
                f"; most clearly at {where}: {way.name} {said(cost)}, {told.ways[rival].name} {said(dearer)}"
            )
        sentences.append(sentence + ".")
    return sentences


def _loser(told: Comparison, family: Family, members: list[Cost]) -> str:
    """Why a family wins on no map at any of the required accuracies."""
    lost = dict(zip((w.name for w in told.ways), told.lost, strict=True))
    good = [w for w in members if lost[w.name] <= max(told.latency) + 1e-9]
    if not good:
        best = min(members, key=lambda w: lost[w.name])
        return (
            f"{_title(family)}: its best, {best.name}, answers {_accuracy(best)}, "
            f"{100 * lost[best.name]:.1f} points below the "
            f"{_reference(told)}: less than any required accuracy."
        )
    said = f"{_title(family)}: at no required accuracy. "
    raw = [w for w in told.ways if w.family == RAW]
    least = min(good, key=lambda w: (w.bytes_mean, w.device_operations))
    if raw and least.bytes_mean > raw[0].bytes_mean:
        more = times(least.bytes_mean / raw[0].bytes_mean)
        return (
            said
            + f"Even {least.name} sends {quantity(least.bytes_mean, 'size')} an input, {more} times the raw picture."
        )
    better = [
        w for w in told.ways
        if w.family != family and lost[w.name] <= lost[least.name] and w.bytes_mean <= least.bytes_mean
        and w.device_operations <= least.device_operations
    ]  # fmt: skip
    costs = f"sends {quantity(least.bytes_mean, 'size')} and computes {amount(least.device_operations)} operations"
    if better:
        return said + f"{least.name} {costs}; {better[0].name} does no more of either, and answers no worse."
    return (
        said
        + f"{least.name} {costs}; something else that is accurate enough costs less everywhere on the maps."
    )


def _reference(told: Comparison) -> str:
    if told.whole is None:
        return f"best variant ({100 * told.reference:.2f} %)"
    return f"whole network ({100 * told.reference:.2f} %)"


def _accuracy(way: Cost) -> str:
    half = 100 * (way.accuracy_high - way.accuracy_low) / 2
    return f"{100 * way.accuracy:.2f} ± {half:.2f} %"


def _of_kind(way: Cost) -> str:
    return "the smallest picture that serves," if way.family in (RAW, PICTURE) else "the smallest split,"


def _between(noun: str, said: Callable[[float], str], low: float, high: float, grid: np.ndarray) -> str:
    """A range; an end that is the map's is left open."""
    near = (grid[-1] / grid[0]) ** 0.04
    lowest, highest = low <= grid[0] * near, high >= grid[-1] / near
    if lowest and highest:
        return f"any {noun}"
    if lowest:
        return f"{noun}s of at most {said(high)}"
    if highest:
        return f"{noun}s of at least {said(low)}"
    return f"{noun}s of {said(low)} to {said(high)}"


def _either(losses: list[float]) -> str:
    *others, last = losses
    return (", ".join(f"{100 * o:g}" for o in others) + " or " if others else "") + points(last)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
