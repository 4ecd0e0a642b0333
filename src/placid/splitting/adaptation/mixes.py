"""A node's own world: which classes it meets how often, through what corruption, and how few pictures are labelled."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from placid.errors import InputError
from placid.randomness import stream
from placid.splitting.adaptation.corruptions import corrupt
from placid.splitting.data import Images, LabelledImages

__all__ = ["Node", "NodeSpec", "draw_mix", "draw_node", "original_test"]

#: share of a node's pictures that are of its dominant classes
_DOMINANT_SHARE = 0.8


@dataclass(frozen=True)
class NodeSpec:
    """What a node's pictures are like.

    Attributes:
        name: also what all its draws hang on.
        mix: "even"; "dirichlet:C", shares drawn with concentration C (small: few classes); or "dominant:K", K classes drawn
            that make up 80 % between them.
        corruption: a key of `CORRUPTIONS`.
        severity: 0 (none) to 5.
    """

    name: str
    mix: str = "dominant:3"
    corruption: str = "noise"
    severity: int = 3


@dataclass(frozen=True)
class Node:
    """A node with what it has seen.

    Attributes:
        mix: float [classes]: share of each class.
        labelled: pictures of the training split in a fixed order: `labels` many of them are its first so many.
        calibration: of the calibration split: what it meets without labels; on nodes set apart for choices, with them.
        test: of the test split.
    """

    spec: NodeSpec
    mix: np.ndarray
    labelled: Images
    calibration: Images
    test: Images

    def first(self, labels: int) -> Images:
        """Its first `labels` labelled pictures: more labels always include the fewer."""
        return Images(self.labelled.images[:labels], self.labelled.labels[:labels])


def draw_mix(mix: str, classes: int, rng: np.random.Generator) -> np.ndarray:
    """float [classes]: shares as `NodeSpec.mix` describes them.

    Raises:
        InputError: it is not written like that, or names more classes than there are.
    """
    if mix == "even":
        return np.full(classes, 1 / classes)
    kind, _, number = mix.partition(":")
    if kind == "dirichlet" and re.fullmatch(r"\d+(\.\d+)?", number) and float(number) > 0:
        return rng.dirichlet(np.full(classes, float(number)))
    if kind == "dominant" and number.isdecimal() and 1 <= int(number) < classes:
        shares = np.full(classes, (1 - _DOMINANT_SHARE) / (classes - int(number)))
        shares[rng.choice(classes, int(number), replace=False)] = _DOMINANT_SHARE / int(number)
        return shares
    raise InputError(
        f"a mix of classes is 'even', 'dirichlet:0.5' (any positive concentration) or 'dominant:3' (1 to {classes - 1} "
        f"classes), got '{mix}'"
    )


def draw_node(
    data: LabelledImages,
    spec: NodeSpec,
    seed: int,
    *,
    labelled: int = 1000,
    calibration: int = 100,
    test: int = 1000,
) -> Node:
    """The node that `spec` describes, drawn under `seed`; no picture occurs twice.

    Args:
        labelled, calibration, test: pictures of each; each comes from its own split of `data`.

    Raises:
        InputError: a split has too few pictures of a class that the node meets often; or see `draw_mix`, `corrupt`.
    """
    classes = len(data.dataset.classes)
    mix = draw_mix(spec.mix, classes, stream(seed, "node", spec.name, "mix"))
    drawn = [
        _drawn(split, count, mix, spec, stream(seed, "node", spec.name, part), part)
        for part, split, count in (
            ("labelled", data.train, labelled),
            ("calibration", data.calibration, calibration),
            ("test", data.test, test),
        )
    ]
    return Node(spec, mix, *drawn)


def original_test(data: LabelledImages, count: int = 1000) -> Images:
    """`count` clean test pictures, as many of each class: on these forgetting shows. Always the same ones."""
    classes = len(data.dataset.classes)
    rng = stream(0, "original test", data.dataset.name)
    even = np.arange(count) % classes
    return _of_classes(data.test, even, rng, "original test")


def _drawn(
    split: Images, count: int, mix: np.ndarray, spec: NodeSpec, rng: np.random.Generator, part: str
) -> Images:
    wanted = rng.choice(len(mix), count, p=mix)
    clean = _of_classes(split, wanted, rng, f"node '{spec.name}', {part}")
    return Images(corrupt(clean.images, spec.corruption, spec.severity, rng), clean.labels)


def _of_classes(split: Images, wanted: np.ndarray, rng: np.random.Generator, where: str) -> Images:
    """A picture of each class of `wanted`, in this order, none twice."""
    chosen = np.zeros(len(wanted), np.int64)
    for label in np.unique(wanted):
        have, due = np.flatnonzero(split.labels == label), np.flatnonzero(wanted == label)
        if len(due) > len(have):
            raise InputError(
                f"needs {len(due)} pictures of class {label}, the split has {len(have)}; ask for fewer, or a more even mix",
                where=where,
            )
        chosen[due] = rng.permutation(have)[: len(due)]
    return Images(split.images[chosen], split.labels[chosen])
