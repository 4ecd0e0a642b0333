"""What a benchmark answers: rows of ours, the rival's, and the bar that ours has to clear."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Row"]


@dataclass(frozen=True)
class Row:
    """One measured comparison.

    Attributes:
        what: the work.
        ours, rival: as measured, with unit.
        rival_name: who; "" if there is none.
        ratio: how many times better ours is; None without a rival.
        bar: what was asked of us, in words; "" if nothing was.
        met: whether ours clears the bar; None without one.
    """

    what: str
    ours: str
    rival: str = ""
    rival_name: str = ""
    ratio: float | None = None
    bar: str = ""
    met: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
