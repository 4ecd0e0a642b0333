"""What a node saw: counted from the start, told to the controller and to whoever measures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Tally"]


@dataclass
class Tally:
    """Counts since the process began; whoever wants those of a slot takes differences.

    Attributes:
        entered: requests that entered here, by task.
        answered: requests that were answered here, by variant and exit (``variant#exit``).
        refused: by reason.
        reached: requests that reached each item.
        passed_on: by reason: requests that an item could not take, whose rest the repository ran.
        done: requests that entered here and were answered; `done_s` their time in the network, `sure` how sure the answers
            were, both summed.
        took_s: seconds that loading took, `loads` how many files, `bytes_loaded` as budgets count.
    """

    entered: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    passed_on: Counter[str] = field(default_factory=Counter)
    done: int = 0
    done_s: float = 0.0
    sure: float = 0.0
    loads: int = 0
    bytes_loaded: int = 0
    took_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()
        }
