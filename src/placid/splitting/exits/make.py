"""From a trained network to one with exits in use: heads trained, scores fitted, thresholds chosen, what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from placid.catalog.variants import Exit
from placid.errors import InputError, UnknownNameError
from placid.inference.scores import Score
from placid.randomness import stream
from placid.splitting.exits.branched import Branched, logits_of_exits
from placid.splitting.exits.cascade import ExitCosts, Outcome, costs_of, outcome_of
from placid.splitting.exits.control import control_risk, path_through
from placid.splitting.exits.fitting import fit_score
from placid.splitting.exits.heads import heads_for
from placid.splitting.exits.learners import HeadsOnly, JointExits, serving_weights
from placid.splitting.exits.thresholds import frontier, greatest_accuracy, least_operations
from placid.splitting.training.batches import as_input
from placid.splitting.training.fit import fit
from placid.splitting.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

    from placid.splitting.data import Images

__all__ = ["TARGETS", "ExitSettings", "WithExits", "add_exits", "fit_by_serving_rates", "put_to_use"]

#: what thresholds are chosen for
TARGETS = ("lose", "budget", "risk")


@dataclass(frozen=True)
class ExitSettings:
    """How exits are made and used.

    Attributes:
        head: a kind in `heads.HEADS`; `head_settings` are its own.
        recipe: of the training of the heads.
        distilled: share of their loss that imitates the network's own end.
        rule: of leaving: "entropy", "confidence", "margin" or "learned".
        target: "lose": least operations, at most `level` of accuracy lost on the calibration images. "budget": highest
            accuracy with at most `level` of the network's operations. "risk": at most `level` of new images
            answered worse than by the whole network, promised (`control.control_risk`).
    """

    head: str = "convolved"
    head_settings: Mapping[str, int] = field(default_factory=dict)
    recipe: Recipe = field(
        default_factory=lambda: Recipe(
            6, optimiser="adam", peak_rate=3e-3, weight_decay=0.0, crop=4, flip=True
        )
    )
    distilled: float = 0.5
    rule: str = "learned"
    target: str = "lose"
    level: float = 0.002

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise UnknownNameError("target of exits", self.target, TARGETS)


@dataclass(frozen=True)
class WithExits:
    """A network with its exits in use.

    Attributes:
        network: `Branched`; ``network.segments()`` are what a chain runs.
        scores: of each exit but the last: logits [n, classes] to how sure it is.
        thresholds: likewise; an exit of an infinite one is not worth its head: `in_use` leaves it out.
    """

    network: Branched
    scores: tuple[Score, ...]
    thresholds: tuple[float, ...]
    costs: ExitCosts

    def scored(self, logits: np.ndarray) -> np.ndarray:
        """float64 [exits - 1, n] of logits [exits, n, classes]."""
        return scored(self.scores, logits)

    def outcome(self, images: Images) -> Outcome:
        """What it does on `images`; takes a pass over them."""
        logits = logits_of_exits(self.network, images)
        return outcome_of(logits, images.labels, self.scored(logits), self.thresholds, self.costs)

    def exits(self, images: Images) -> tuple[Exit, ...]:
        """For the manifest: of `in_use`, since an exit that is not used is no part of the variant."""
        kept = self.in_use()
        found = kept.outcome(images)
        return tuple(
            # an exit that answered none of the images is right on none of them
            Exit(i, score.rule, threshold, share, 0.0 if math.isnan(accuracy) else accuracy)
            for i, (score, threshold, share, accuracy) in enumerate(
                zip(kept.scores, kept.thresholds, found.shares, found.accuracies, strict=False)
            )
        )

    def in_use(self) -> WithExits:
        """The same without the exits that answer nothing: their heads cost no operations, and segments around them join."""
        used = [i for i, t in enumerate(self.thresholds) if t != np.inf]
        heads = {self.network.after[i]: self.network.heads[self.network.after[i]] for i in used}
        ends = [*used, len(self.costs.heads)]
        starts = [0, *(i + 1 for i in used)]
        return WithExits(
            Branched(self.network.network, heads),
            tuple(self.scores[i] for i in used),
            tuple(self.thresholds[i] for i in used),
            ExitCosts(
                tuple(sum(self.costs.parts[a : b + 1]) for a, b in zip(starts, ends, strict=True)),
                tuple(self.costs.heads[i] for i in used),
            ),
        )


def scored(scores: Sequence[Score], logits: np.ndarray) -> np.ndarray:
    """float64 [exits - 1, n]: each exit's own score of its own logits [exits, n, classes]."""
    if not scores:
        return np.zeros((0, logits.shape[1]))
    return np.stack([score(own) for score, own in zip(scores, logits, strict=False)])


def add_exits(
    network: nn.Sequential,
    after: Sequence[str],
    train: Images,
    calibration: Images,
    settings: ExitSettings,
    folder: Path,
    *,
    report: Callable[[int, int, float, float], None] | None = None,
) -> WithExits:
    """Give a trained network exits after its children `after`, and put them to use; the network itself is not changed.

    Takes the training of the heads (of a pass through the network forwards only, and through the heads), resuming from
    `folder`, and a few seconds for thresholds. The network's weights come back frozen (``requires_grad`` False).

    Args:
        train: what heads learn from.
        calibration: what scores and thresholds are chosen on; no test images.

    Raises:
        InputError: a name or a setting is wrong.
        RunError: see `training.fit`.
    """
    example = as_input(train.images[:2])
    classes = network.eval()(example).shape[1]
    heads = heads_for(
        *(network, after, example, classes),
        kind=settings.head,
        seed=settings.recipe.seed,
        settings=settings.head_settings,
    )
    branched = Branched(network, heads)
    fit(HeadsOnly(branched, settings.distilled), train, settings.recipe, folder, report=report)
    return put_to_use(branched, calibration, settings)


def put_to_use(network: Branched, calibration: Images, settings: ExitSettings) -> WithExits:
    """Scores and thresholds for exits that are trained already, by `rule`, `target` and `level` of the settings.

    For "risk" a random half of the calibration images fits the scores and proposes thresholds, the other half decides, as
    the promise needs; otherwise all of them do both.
    """
    costs = costs_of(network, as_input(calibration.images[:1]))
    logits = logits_of_exits(network, calibration)
    labels = calibration.labels.astype(np.int64)
    n = len(labels)
    if n < 20:
        raise InputError(f"thresholds need more calibration images than {n}", where="exits")
    halves = np.array_split(stream(0, "exits", "halves").permutation(n), 2)
    fitting = halves[0] if settings.target == "risk" else np.arange(n)
    scores = tuple(fit_score(settings.rule, own[fitting], labels[fitting]) for own in logits[:-1])
    values, right = scored(scores, logits), logits.argmax(2) == labels
    thresholds: tuple[float, ...]
    if settings.target == "lose":
        thresholds = least_operations(values, right, costs, lose=settings.level).thresholds
    elif settings.target == "budget":
        thresholds = greatest_accuracy(
            values, right, costs, multiply_adds=settings.level * costs.full
        ).thresholds
    else:
        proposed = path_through(frontier(values[:, fitting], right[:, fitting], costs))
        held = halves[1]
        thresholds = control_risk(values[:, held], right[:, held], proposed, alpha=settings.level).thresholds
    return WithExits(network, scores, thresholds, costs)


def fit_by_serving_rates(
    network: Branched,
    train: Images,
    calibration: Images,
    settings: ExitSettings,
    folder: Path,
    *,
    rounds: int = 2,
    report: Callable[[int, int, float, float], None] | None = None,
) -> WithExits:
    """Train exits and network together, each exit weighted by the share it serves, in rounds (`learners.serving_weights`).

    The first round has equal weights; before each further one thresholds are chosen on the calibration images and the
    shares they give become the weights. `settings.recipe` is of all rounds together.

    Args:
        rounds: at most the recipe's epochs.
    """
    if not 1 <= rounds <= settings.recipe.epochs:
        raise InputError(
            f"rounds lie between 1 and the {settings.recipe.epochs} epochs, got {rounds}", where="exits"
        )
    weights: tuple[float, ...] = (1.0,) * len(network)
    network.requires_grad_(True)
    for number, epochs in enumerate(np.diff(np.linspace(0, settings.recipe.epochs, rounds + 1).round()), 1):
        # another seed for each round, or all would see the images in the same order
        recipe = replace(settings.recipe, epochs=int(epochs), seed=settings.recipe.seed * 1000 + number)
        fit(JointExits(network, weights), train, recipe, folder / f"round{number}", report=report)
        used = put_to_use(network, calibration, settings)
        weights = serving_weights(used.outcome(calibration).shares)
    return used
