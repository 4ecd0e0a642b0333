"""A cascade of exits over many inputs: which exit answers each, how often that is right, what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from placid.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from placid.splitting.exits.branched import Branched

__all__ = ["ExitCosts", "Outcome", "answering", "costs_of", "outcome_of"]


@dataclass(frozen=True)
class ExitCosts:
    """Multiply-adds of one input: of the network between exits, and of the heads.

    Attributes:
        parts: one for each exit; together they are the network without exits.
        heads: one fewer. A head runs for every input that comes by, unless its exit is not in use (threshold infinite):
            nobody would deploy it.
    """

    parts: tuple[int, ...]
    heads: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.parts or len(self.heads) != len(self.parts) - 1 or min((*self.parts, *self.heads)) < 0:
            raise InputError(
                f"costs of exits need one head fewer than parts, none negative, got {self.parts} and {self.heads}"
            )

    @property
    def full(self) -> int:
        """Of the network without exits."""
        return sum(self.parts)

    def segments(self, used: Sequence[bool] | np.ndarray | None = None) -> tuple[int, ...]:
        """Of each segment with its head, if `used`; all are by default."""
        kept = [True] * len(self.heads) if used is None else [bool(u) for u in used]
        heads = [h if k else 0 for h, k in zip(self.heads, kept, strict=True)] + [0]
        return tuple(p + h for p, h in zip(self.parts, heads, strict=True))

    def reaching(self, used: Sequence[bool] | np.ndarray | None = None) -> np.ndarray:
        """float64 [exits]: of an input that is answered at each exit, all before included."""
        return np.cumsum(self.segments(used)).astype(np.float64)


@dataclass(frozen=True)
class Outcome:
    """What a cascade did over some images.

    Attributes:
        accuracy: of the answers given.
        full_accuracy: of the last exit on all of them.
        shares: of the images, answered at each exit.
        accuracies: at each exit, of those answered there; NaN where there are none.
        multiply_adds: mean, heads included.
        full_multiply_adds: of the network without exits.
        harmed: share of the images that the last exit would have answered rightly and the exit that did answered wrongly.
    """

    accuracy: float
    full_accuracy: float
    shares: tuple[float, ...]
    accuracies: tuple[float, ...]
    multiply_adds: float
    full_multiply_adds: int
    harmed: float

    @property
    def lost(self) -> float:
        """Accuracy that the exits cost; negative if they gain."""
        return self.full_accuracy - self.accuracy

    @property
    def speedup(self) -> float:
        """How many times fewer multiply-adds than the network without exits."""
        return self.full_multiply_adds / self.multiply_adds


def answering(scores: np.ndarray, thresholds: Sequence[float] | np.ndarray) -> np.ndarray:
    """int64 [n]: the first exit whose score is at least its threshold, else the last.

    Args:
        scores: [exits - 1, n], or [exits, n] of which the last row is not looked at.
        thresholds: one for each exit but the last; infinite for an exit that is not used.
    """
    limits = np.asarray(thresholds, np.float64)
    if limits.ndim != 1 or scores.ndim != 2 or not len(limits) <= len(scores) <= len(limits) + 1:
        raise InputError(
            f"{scores.shape[0]} rows of scores do not fit {limits.size} thresholds: one for each exit but the last"
        )
    leaves = np.concatenate([scores[: len(limits)] >= limits[:, None], np.ones((1, scores.shape[1]), bool)])
    return np.asarray(leaves.argmax(0))


def outcome_of(
    logits: np.ndarray,
    labels: np.ndarray,
    scores: np.ndarray,
    thresholds: Sequence[float] | np.ndarray,
    costs: ExitCosts,
) -> Outcome:
    """What the cascade does.

    Args:
        logits: [exits, n, classes].
        labels: [n].
        scores, thresholds: see `answering`.
    """
    exits, n = logits.shape[:2]
    if len(labels) != n or not n:
        raise InputError(f"{n} answers of each exit but {len(labels)} labels")
    if exits != len(costs.parts):
        raise InputError(f"{exits} exits but the costs of {len(costs.parts)}")
    at = answering(scores, thresholds)
    right = logits.argmax(2) == labels
    answered = right[at, np.arange(n)]
    counts = np.bincount(at, minlength=exits)
    hits = np.bincount(at, weights=answered, minlength=exits)
    with np.errstate(invalid="ignore"):
        accuracies = hits / counts
    reaching = costs.reaching(np.asarray(thresholds, np.float64) != np.inf)
    return Outcome(
        accuracy=float(answered.mean()),
        full_accuracy=float(right[-1].mean()),
        shares=tuple((counts / n).tolist()),
        accuracies=tuple(accuracies.tolist()),
        multiply_adds=float(counts @ reaching / n),
        full_multiply_adds=costs.full,
        harmed=float((right[-1] & ~answered).mean()),
    )


def costs_of(network: Branched, example: Tensor) -> ExitCosts:
    """Multiply-adds of one input, by running `example` images [batch, …] once.

    Convolutions and matrix products are counted, as `measuring.footprint` does of exported files.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    was = network.training
    network.eval()
    parts, heads = [], []
    crossing = example[:1]

    def counted(module: torch.nn.Module, given: Tensor) -> tuple[Tensor, int]:
        with FlopCounterMode(display=False) as counter:
            out: Tensor = module(given)
        return out, counter.get_total_flops() // 2

    with torch.no_grad():
        for i, part in enumerate(network.parts()):
            crossing, operations = counted(part, crossing)
            parts.append(operations)
            if i < len(network.after):
                heads.append(counted(network.heads[network.after[i]], crossing)[1])
    network.train(was)
    return ExitCosts(tuple(parts), tuple(heads))
