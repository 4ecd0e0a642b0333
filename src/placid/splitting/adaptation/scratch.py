"""The rival of every adaptation: the same network trained on the node's own labelled pictures alone, from random weights."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from placid.splitting.adaptation.adapt import Adaptation, Effort, NodeSeen
from placid.splitting.adaptation.energy import count_operations
from placid.splitting.adaptation.pieces import Seen
from placid.splitting.adaptation.statistics import estimate_again, normalisations
from placid.splitting.adaptation.update import apply_update, update_bytes
from placid.splitting.nets import network_named
from placid.splitting.nets.airbench import start_from
from placid.splitting.training.classifier import Classifier
from placid.splitting.training.fit import fit
from placid.splitting.training.recipe import Recipe

if TYPE_CHECKING:
    from placid.splitting.lab.spec import Lab

__all__ = ["from_scratch"]

#: random weights need more passes than trained ones
_TIMES_AS_LONG = 2


def from_scratch(
    lab: Lab, network: nn.Module, seen: NodeSeen, labels: int, effort: Effort, seed: int
) -> Adaptation:
    """Train the lab's network as the lab does, on the first `labels` labelled pictures of the node.

    Takes `_TIMES_AS_LONG` the epochs of an adaptation, with the lab's optimiser and rate. Its normalisation takes statistics
    of batches while it learns; in the end they are estimated once on the node's unlabelled pictures.

    Args:
        network: what the node holds, which is replaced.

    Raises:
        RunError: the loss is not finite any more.
    """
    began = time.perf_counter()
    spec, labelled = lab.teacher, seen.node.first(labels)
    own = network_named(spec.name, spec.settings, seed)
    plain = Seen(own, labelled.images).features(0).contiguous()
    if isinstance(own, nn.Sequential):
        start_from(own, plain)
    recipe = Recipe(
        _TIMES_AS_LONG * effort.epochs(labels),
        min(effort.batch, labels),
        spec.optimiser,
        spec.peak_rate,
        warmup=0.0 if spec.optimiser == "muon" else 0.2,
        crop=lab.crop,
        flip=lab.flip,
        seed=seed,
    )
    step = count_operations(own, plain[:1])
    passed = recipe.epochs * (labels // recipe.batch) * recipe.batch
    spent, used = passed * (step.forward + step.backward), labels
    with tempfile.TemporaryDirectory() as folder:
        fit(Classifier(own, spec.smoothing), labelled, recipe, Path(folder))
    if normalisations(own):
        pictures = seen.unlabelled.features(0)
        estimate_again(own, pictures, prior=0)
        spent += len(pictures) * step.forward
        used += len(pictures)
    update = update_bytes(network, own)
    made = apply_update(network, update).eval()
    return Adaptation(made, 0, update, spent, used, recipe.epochs, time.perf_counter() - began)
