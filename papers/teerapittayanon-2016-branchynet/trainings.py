"""What is trained for the study, and the answers of every exit that are kept of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from placid.splitting.data import Images, LabelledImages
from placid.splitting.exits.branched import Branched, logits_of_exits
from placid.splitting.exits.learners import HeadsOnly, JointExits
from placid.splitting.nets import network_named
from placid.splitting.nets.alexnet import alexnet_exits
from placid.splitting.nets.lenet import lenet_exits
from placid.splitting.training import Classifier, Recipe, fit

__all__ = ["STUDIES", "Answers", "Study", "exits_of", "quickly", "train"]


@dataclass(frozen=True)
class Study:
    """A network of the paper on its data set.

    Attributes:
        settings: of the network, and of its exits.
        baseline: how the network without exits is trained.
        further: how it goes on, with exits and (for comparison, as long) without.
        heads: how heads alone are trained on the baseline.
        seeds: trainings that differ by nothing else.
    """

    name: str
    dataset: str
    settings: dict[str, Any]
    exits: Callable[..., dict[str, torch.nn.Module]]
    baseline: Recipe
    further: Recipe
    heads: Recipe
    seeds: int


_LENET = Recipe(6, batch=128, optimiser="adam", peak_rate=3e-3, weight_decay=0.0, crop=1)
_ALEXNET = Recipe(
    16,
    batch=128,
    optimiser="adam",
    peak_rate=3e-3,
    weight_decay=0.0,
    crop=2,
    flip=True,
)

STUDIES = {
    s.name: s
    for s in (
        Study(
            "lenet",
            "mnist",
            {},
            lenet_exits,
            _LENET,
            _LENET,
            replace(_LENET, epochs=3),
            seeds=3,
        ),
        Study(
            "alexnet",
            "cifar10",
            {"batch_norm": True},
            alexnet_exits,
            _ALEXNET,
            replace(_ALEXNET, epochs=12, peak_rate=2e-3),
            replace(_ALEXNET, epochs=6),
            seeds=3,
        ),
    )
}


def quickly(study: Study) -> Study:
    """One seed, one epoch each: does it run?"""
    return replace(
        study,
        seeds=1,
        baseline=replace(study.baseline, epochs=1),
        further=replace(study.further, epochs=1),
        heads=replace(study.heads, epochs=1),
    )


@dataclass(frozen=True)
class Answers:
    """Logits float32 [exits, n, classes] of one trained network on the calibration and on the test images."""

    calibration: np.ndarray
    test: np.ndarray


def exits_of(study: Study, seed: int) -> dict[str, torch.nn.Module]:
    """Fresh heads as the paper has them."""
    with torch.random.fork_rng():
        torch.manual_seed(1000 + seed)
        return study.exits(**study.settings)


def train(
    study: Study, seed: int, data: LabelledImages, folder: Path, say: Callable[[str], None]
) -> dict[str, tuple[Branched, Answers]]:
    """By way of training: the network and its answers. Resumes; what is done already takes seconds."""
    network = network_named(study.name, study.settings, seed)
    _fit(Classifier(network), study.baseline, seed, data.train, folder, "baseline", say)
    longer = copy.deepcopy(network)
    _fit(Classifier(longer), study.further, seed, data.train, folder, "longer", say)
    joint = Branched(copy.deepcopy(network), exits_of(study, seed))
    _fit(JointExits(joint), study.further, seed, data.train, folder, "joint", say)
    alone = Branched(copy.deepcopy(network), exits_of(study, seed))
    _fit(HeadsOnly(alone), study.heads, seed, data.train, folder, "heads", say)
    found = {
        "baseline": Branched(network, {}),
        "longer": Branched(longer, {}),
        "joint": joint,
        "heads": alone,
    }
    return {
        way: (net, _answers(net, data, folder / way / f"answers-{_made(study)}.npz"))
        for way, net in found.items()
    }


def _made(study: Study) -> str:
    return f"{study.baseline.epochs}-{study.further.epochs}-{study.heads.epochs}"


def _fit(
    learner: torch.nn.Module,
    recipe: Recipe,
    seed: int,
    images: Images,
    folder: Path,
    way: str,
    say: Callable[[str], None],
) -> None:
    def report(epoch: int, of: int, loss: float, seconds: float) -> None:
        say(f"{folder.parent.name}, seed {seed}, {way}: epoch {epoch}/{of}, loss {loss:.4f}, {seconds:.0f} s")

    fit(learner, images, replace(recipe, seed=seed), folder / way, report=report)


def _answers(network: Branched, data: LabelledImages, file: Path) -> Answers:
    try:
        with np.load(file) as kept:
            return Answers(kept["calibration"], kept["test"])
    except FileNotFoundError:
        pass
    found = Answers(logits_of_exits(network, data.calibration), logits_of_exits(network, data.test))
    scratch = file.with_suffix(".tmp.npz")
    np.savez(scratch, calibration=found.calibration, test=found.test)
    scratch.replace(file)
    return found
