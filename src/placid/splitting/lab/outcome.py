"""What one way of answering really does on a set of images: every answer, every byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from placid.errors import RunError
from placid.inference.inputs import network_input
from placid.splitting.exits import answering
from placid.splitting.exits.make import scored

if TYPE_CHECKING:
    from torch import nn

    from placid.inference.pictures import PictureCodec
    from placid.inference.wire import Wire
    from placid.splitting.data import Images
    from placid.splitting.exits import Score

__all__ = ["Leaving", "Outcome", "Run", "Way", "outcome_on", "torch_run"]

#: what a segment takes, [batch, …], to its outputs: what crosses if it is not the last, logits if it has an exit
Run = Callable[[np.ndarray], list[np.ndarray]]
_BATCH = 250


@dataclass(frozen=True)
class Way:
    """One way of answering, as it runs.

    Attributes:
        parts: the first takes float32 [batch, channels, height, width] in [0, 1].
        wires: what makes bytes of what crosses from one part to the next.
        picture: what makes bytes of the image, if the first part is not where the image is.
    """

    parts: tuple[Run, ...]
    wires: tuple[Wire, ...] = ()
    picture: PictureCodec | None = None


@dataclass(frozen=True)
class Leaving:
    """Which inputs are answered before the end; one score and one threshold for each exit but the last."""

    scores: tuple[Score, ...] = ()
    thresholds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """Attributes:
    logits: float32 [exits, n, classes]: of every exit, for every image, the last being the end of the network.
    sent_bytes: int64 [crossings, n]: what crosses if the image gets so far, header included.
    """

    logits: np.ndarray
    sent_bytes: np.ndarray

    def right(self, labels: np.ndarray, leaving: Leaving) -> np.ndarray:
        """bool [n]: whether the answer given is the label."""
        at = answering(scored(leaving.scores, self.logits), leaving.thresholds)
        found: np.ndarray = self.logits.argmax(2)[at, np.arange(len(labels))] == labels
        return found


def torch_run(module: nn.Module) -> Run:
    """A module that gives a tensor, or several, as a part of a `Way`."""
    module.eval()

    def run(given: np.ndarray) -> list[np.ndarray]:
        with torch.no_grad():
            out = module(torch.from_numpy(given))
        return [t.numpy() for t in (out if isinstance(out, tuple | list) else (out,))]

    return run


def outcome_on(way: Way, data: Images) -> Outcome:
    """Run every part on every image, so that thresholds can be tried; what crosses is made bytes and read again.

    Raises:
        RunError: bytes do not come back as the symbols they were made of: a broken codec, never a lossy one.
    """
    logits: list[list[np.ndarray]] = []
    sent: list[list[int]] = [[] for _ in range(len(way.wires) + (way.picture is not None))]
    for first in range(0, len(data), _BATCH):
        images = data.images[first : first + _BATCH]
        if way.picture is not None:
            coded = [way.picture.encode(image) for image in images]
            sent[0] += [len(c) for c in coded]
            images = np.stack([way.picture.decode(c) for c in coded]).reshape(images.shape)
        given, row = network_input(images), []
        crossings = sent[len(sent) - len(way.wires) :]
        for part, wire, counts in zip(way.parts[:-1], way.wires, crossings, strict=True):
            crossing, *early = part(given)
            row += early
            coded = [wire.encode(c) for c in crossing]
            counts.extend(len(c) for c in coded)
            arrived = np.stack([wire.decode(c) for c in coded])
            if wire.exact and not np.array_equal(arrived, crossing.astype(arrived.dtype)):
                raise RunError(f"what was coded as {wire.kind} did not come back as it was")
            given = arrived.astype(crossing.dtype, copy=False)
        logits.append([*row, *way.parts[-1](given)])
    return Outcome(
        np.stack([np.concatenate(of_exit) for of_exit in zip(*logits, strict=True)]),
        np.array(sent, np.int64).reshape(len(sent), len(data)),
    )
