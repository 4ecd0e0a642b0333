"""How sure an exit is of its answer: a number for every input, the greater the surer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import expit, log_softmax

from placid.errors import InputError, UnknownNameError

__all__ = ["RULES", "Score", "confidence", "entropy", "margin", "sureness_features"]

#: what an exit can be asked
RULES = ("entropy", "confidence", "margin", "learned")


def entropy(logits: np.ndarray) -> np.ndarray:
    """1 - H / log C of the softmax of `logits` [..., classes]: 1 when one class has everything, 0 when all have the same.

    BranchyNet leaves when H < T, in nats: that is a score of at least 1 - T / log C.
    """
    logs = log_softmax(logits.astype(np.float64), axis=-1)
    nats = -(np.exp(logs) * logs).sum(-1)
    return np.asarray(1 - nats / np.log(logits.shape[-1]))


def confidence(logits: np.ndarray) -> np.ndarray:
    """The largest softmax of `logits` [..., classes]."""
    wide = logits.astype(np.float64)
    # of the largest logit the numerator is exp(0); a node computes this for every request
    wide -= wide.max(-1, keepdims=True)
    return np.asarray(1.0 / np.exp(wide, out=wide).sum(-1))


def margin(logits: np.ndarray) -> np.ndarray:
    """The largest softmax of `logits` [..., classes] against the second alone: p1 / (p1 + p2), between 1/2 and 1.

    It asks whether the answer is the right one of the two most likely; what the other classes have together, which
    confidence counts too, says little about that.
    """
    two = np.partition(logits.astype(np.float64), -2, axis=-1)[..., -2:]
    return np.asarray(expit(two[..., 1] - two[..., 0]))


_PLAIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "entropy": entropy,
    "confidence": confidence,
    "margin": margin,
}


@dataclass(frozen=True)
class Score:
    """A rule with what was fitted for one exit; call it on logits [n, classes] for scores float64 [n] in [0, 1].

    Attributes:
        rule: one of `RULES`.
        temperature: by which logits are divided first.
        weights: of the learned rule's features (`sureness_features`), an intercept first; empty for other rules.
        centre, spread: of those features where they were fitted.
    """

    rule: str
    temperature: float = 1.0
    weights: tuple[float, ...] = ()
    centre: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise UnknownNameError("exit rule", self.rule, RULES)
        if not self.temperature > 0:
            raise InputError(f"a temperature is above 0, got {self.temperature}", where="exit score")
        if (self.rule == "learned") != bool(self.weights):
            raise InputError("the learned rule, and no other, has weights: use fit_score", where="exit score")

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        if self.rule != "learned":
            return _PLAIN[self.rule](logits / self.temperature)
        features = (sureness_features(logits) - np.array(self.centre)) / np.array(self.spread)
        return np.asarray(expit(self.weights[0] + features @ np.array(self.weights[1:])))

    def as_dict(self) -> dict[str, Any]:
        """For manifests: ``Score(**it)`` is the same again."""
        return asdict(self)


def sureness_features(logits: np.ndarray) -> np.ndarray:
    """float64 [n, 7 + 2 classes]: what is known of an answer without the label."""
    wide = logits.astype(np.float64)
    logs = log_softmax(wide, axis=1)
    ordered = -np.sort(-logs, axis=1)
    most = np.exp(ordered[:, 0])
    third = ordered[:, min(2, logits.shape[1] - 1)]
    doubt = np.log1p(-np.minimum(most, 1 - 1e-12))  # log of what the other classes have together
    spread_out = entropy(wide)
    numbers = np.column_stack(
        [
            *(doubt, doubt**2 / 10, ordered[:, 0] - ordered[:, 1], ordered[:, 0] - third),
            *(spread_out, most, np.ptp(wide, axis=1)),
        ]
    )
    answered = np.zeros_like(wide)
    answered[np.arange(len(wide)), logits.argmax(1)] = 1
    return np.column_stack([numbers, answered, answered * doubt[:, None]])  # doubt means more in some classes
