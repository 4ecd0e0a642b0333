"""One network adapted to one node in one way: what comes out, what has to be shipped, what it took."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from placid.errors import InputError, RunError
from placid.randomness import stream
from placid.splitting.adaptation.energy import count_operations
from placid.splitting.adaptation.methods import Method
from placid.splitting.adaptation.mixes import Node
from placid.splitting.adaptation.pieces import Seen, first_changed, rest_of
from placid.splitting.adaptation.statistics import estimate_again
from placid.splitting.adaptation.update import apply_update, update_bytes
from placid.splitting.training.recipe import Recipe
from placid.splitting.training.strided import pointwise_without_strides

__all__ = ["Adaptation", "Effort", "NodeSeen", "adapt"]


@dataclass(frozen=True)
class Effort:
    """How long and how an adaptation trains; the same for all nodes and ways, so that they can be compared.

    Attributes:
        pictures: labelled pictures passed through in all; epochs follow from it within the two bounds.
        batch: labelled pictures a step.
        flip: mirror half of them, drawn anew in each epoch.
        smoothing: of the wanted answer, as the network was trained (`training.Classifier`).
        rank: of adapters.
        prior: pictures that the statistics held count for (`statistics.estimate_again`).
        tail_after: child behind which the tail begins; None for `methods.tail_start`.
    """

    pictures: int = 4000
    fewest_epochs: int = 4
    most_epochs: int = 20
    batch: int = 50
    flip: bool = True
    smoothing: float = 0.0
    rank: int = 4
    prior: int = 200
    tail_after: str | None = None

    def __post_init__(self) -> None:
        for name in ("pictures", "fewest_epochs", "batch", "rank"):
            if getattr(self, name) < 1:
                raise InputError(f"'{name}' is at least 1, got {getattr(self, name)}", where="effort")
        if self.most_epochs < self.fewest_epochs or self.prior < 0:
            raise InputError(
                "'most_epochs' is at least 'fewest_epochs', and 'prior' at least 0", where="effort"
            )

    def epochs(self, labels: int) -> int:
        """Passes over `labels` labelled pictures."""
        return min(self.most_epochs, max(self.fewest_epochs, round(self.pictures / labels)))


class NodeSeen:
    """A node's pictures as `network` sees them; each is passed through what does not change once.

    Args:
        network: what the node holds, in evaluation mode.
    """

    def __init__(self, network: nn.Module, node: Node) -> None:
        self.node = node
        self.unlabelled = Seen(network, node.calibration.images)
        self.labelled = Seen(network, node.labelled.images)
        self.mirrored = Seen(network, node.labelled.images[:, :, ::-1])


@dataclass(frozen=True)
class Adaptation:
    """What an adaptation came to.

    Attributes:
        network: what the node answers with: what it held, with `update` read into it.
        first: the first of its pieces that differs (`pieces`).
        update: the bytes of the update (`update.update_bytes`).
        multiply_adds: of all passes that were made, forwards and backwards.
        pictures: of the node, that were used: labelled ones and, for statistics, unlabelled ones.
        epochs: over the labelled ones; 0 if nothing learned from labels.
        seconds: measured here; evaluation not included.
    """

    network: nn.Module
    first: int
    update: bytes
    multiply_adds: int
    pictures: int
    epochs: int
    seconds: float


def adapt(
    network: nn.Module,
    method: Method,
    seen: NodeSeen,
    labels: int,
    rate: float,
    effort: Effort,
    seed: int,
) -> Adaptation:
    """Adapt a copy of `network` to the node of `seen`, on its unlabelled pictures and its first `labels` labelled ones.

    Takes a pass of the pictures through the pieces that do not change (mirrored ones too), and for each epoch one
    forwards and backwards through the rest. Statistics of batch normalisation are those of the network, or estimated
    again once, and never of a batch.

    Args:
        method: one that keeps what the node holds.
        rate: the highest of Adam, which falls to zero along a cosine; 0 if nothing is trained.

    Raises:
        InputError: the network has not what the method changes, or the node not so many labelled pictures.
        RunError: the loss is not finite any more.
    """
    if labels > len(seen.labelled) or labels < method.fewest:
        raise InputError(
            f"takes {method.fewest} to {len(seen.labelled)} labelled pictures here, got {labels}",
            where=f"way to adapt '{method.name}'",
        )
    began = time.perf_counter()
    own = copy.deepcopy(network)
    marked = method.mark(own, effort.rank, effort.tail_after, seed)
    own.eval().requires_grad_(False)
    first = first_changed(own, marked.trained | marked.restated)
    rest = rest_of(own, first)
    spent = used = epochs = 0
    if marked.restated:
        features = seen.unlabelled.features(first)
        estimate_again(
            rest, features, prior=effort.prior, only=[own.get_submodule(n) for n in sorted(marked.restated)]
        )
        spent += len(features) * count_operations(own, seen.unlabelled.features(0)[:1]).forward
        used += len(features)
    if marked.trained and labels:
        given = [seen.labelled.features(first)[:labels]]
        if effort.flip:
            given.append(seen.mirrored.features(first)[:labels])
        whole, behind = (
            count_operations(own, seen.labelled.features(0)[:1]),
            count_operations(rest, given[0][:1]),
        )
        spent += len(given) * labels * (whole.forward - behind.forward)
        parameters = dict(own.named_parameters())
        trained = [parameters[name].requires_grad_(True) for name in sorted(marked.trained)]
        epochs = effort.epochs(labels)
        step = count_operations(rest, given[0][:1])
        recipe = Recipe(
            epochs, effort.batch, "adam", rate, weight_decay=0.0, warmup=0.1, flip=effort.flip, seed=seed
        )
        with pointwise_without_strides(rest):
            _learn(
                rest,
                trained,
                given,
                torch.from_numpy(seen.node.labelled.labels[:labels].astype(np.int64)),
                recipe,
                effort.smoothing,
                f"{seen.node.spec.name}, {method.name}, {labels} labels",
            )
        spent += epochs * labels * (step.forward + step.backward)
        used += labels
    update = update_bytes(network, own)
    made = apply_update(network, update).eval()
    return Adaptation(made, first, update, spent, used, epochs, time.perf_counter() - began)


def _learn(
    part: nn.Module,
    trained: Sequence[Tensor],
    given: list[Tensor],
    labels: Tensor,
    recipe: Recipe,
    smoothing: float,
    where: str,
) -> None:
    """Train `part`, in evaluation mode, on features: plain ones and, if there is a second, mirrored ones."""
    optimiser = torch.optim.Adam(trained, lr=recipe.peak_rate)
    # batches of nearly the same size, so that every labelled picture counts alike
    per_epoch = -(-len(labels) // recipe.batch)
    for epoch in range(recipe.epochs):
        rng = stream(recipe.seed, "adaptation", epoch)
        order = rng.permutation(len(labels))
        mirrored = rng.random(len(labels)) < 0.5 * (len(given) > 1)
        for i, chosen in enumerate(np.array_split(order, per_epoch)):
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate(epoch * per_epoch + i, recipe.epochs * per_epoch)
            batch = given[0][chosen]
            if (turned := mirrored[chosen]).any():
                batch[torch.from_numpy(turned)] = given[1][chosen[turned]]
            optimiser.zero_grad(set_to_none=True)
            loss = F.cross_entropy(part(batch), labels[chosen], label_smoothing=smoothing)
            if not torch.isfinite(loss):
                raise RunError(
                    f"{where}: the loss became {float(loss.detach())}; lower the rate ({recipe.peak_rate:g})"
                )
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    part.requires_grad_(False)
