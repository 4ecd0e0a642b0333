"""What every split has to beat: the picture, raw or compressed, sent to the whole network."""

from __future__ import annotations

from collections.abc import Sequence

from placid.reports.splits.costs import Cost
from placid.reports.splits.families import PICTURE, RAW
from placid.reports.splits.seedwise import difference

__all__ = ["beaten_by", "best_within", "pictures", "smallest_no_worse"]

#: accuracies are counts of images over their number, so that sums of theirs differ by rounding alone
_ROUNDING = 1e-9


def pictures(ways: Sequence[Cost], kind: str = "") -> list[Cost]:
    """Ways that send a picture; `kind` ("jpeg", "webp", "png", "raw") leaves the others out."""
    return [
        w for w in ways
        if w.family in (RAW, PICTURE) and (not kind or w.variant.technique == f"remote-{kind}")
    ]  # fmt: skip


def best_within(ways: Sequence[Cost], bytes_mean: float) -> Cost | None:
    """The most accurate of those that send at most `bytes_mean` for an input; None if all send more."""
    few = [w for w in ways if w.bytes_mean <= bytes_mean + _ROUNDING]
    return max(few, key=lambda w: (w.accuracy, -w.bytes_mean), default=None)


def smallest_no_worse(ways: Sequence[Cost], than: Cost, lost: float = 0.0) -> Cost | None:
    """Of `ways` the one that sends least among those at most `lost` less accurate than `than`; None if there is none.

    Accuracies are compared seed by seed.
    """
    good = [w for w in ways if difference(w.variant, than.variant).mean >= -lost - _ROUNDING]
    return min(good, key=lambda w: (w.bytes_mean, -w.accuracy), default=None)


def beaten_by(way: Cost, rivals: Sequence[Cost]) -> Cost | None:
    """A rival that sends no more than `way` and answers no worse (seed by seed), the most accurate; None if none does."""
    few = [w for w in rivals if w.bytes_mean <= way.bytes_mean + _ROUNDING]
    good = [w for w in few if difference(w.variant, way.variant).mean >= -_ROUNDING]
    return max(good, key=lambda w: (w.accuracy, -w.bytes_mean), default=None)
