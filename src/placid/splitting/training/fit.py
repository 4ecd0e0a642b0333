"""The training loop: every training of the lab goes through it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from placid.errors import RunError
from placid.splitting.training import checkpoint
from placid.splitting.training.batches import Batches
from placid.splitting.training.device import device_named, placed
from placid.splitting.training.muon import Muon
from placid.splitting.training.step import Step
from placid.splitting.training.strided import pointwise_without_strides

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import nn

    from placid.splitting.data import Images
    from placid.splitting.training.recipe import Recipe

__all__ = ["EpochReport", "fit", "seconds_of"]


#: steps between looks at the loss: a GPU would be kept waiting by each
_LOOKS = 50

#: called after each epoch with: epochs done, epochs in all, mean loss of the epoch, seconds it took
EpochReport = Callable[[int, int, float, float], None]


def fit(
    learner: nn.Module,
    data: Images,
    recipe: Recipe,
    folder: Path,
    *,
    device: torch.device | None = None,
    report: EpochReport | None = None,
) -> list[float]:
    """Train `learner`, a `step.Learner`, in place; the mean loss of every epoch comes back.

    After each epoch everything is written to ``folder/checkpoint.safetensors``. Called again with the same recipe it goes on
    from there, to the same weights as if it had not been interrupted; with another recipe it starts again.

    Args:
        device: where to train; by default the first GPU, else the processor. The learner comes back on the processor. Sums
            on a GPU have no fixed order: there, and between devices, a training repeated differs in its last digits.

    Raises:
        RunError: the loss is not finite any more, or the checkpoint cannot be written.
    """
    there = device_named() if device is None else device
    about = {"recipe": recipe.as_dict(), "start": _digest(learner)}
    # a GPU's library measures its ways to compute a convolution and keeps to the fastest
    quick = torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=True)
    with placed(learner, there), pointwise_without_strides(learner), quick:
        return _epochs(learner, data, recipe, folder / "checkpoint.safetensors", about, there, report)


def _epochs(
    learner: nn.Module,
    data: Images,
    recipe: Recipe,
    file: Path,
    about: dict[str, Any],
    device: torch.device,
    report: EpochReport | None,
) -> list[float]:
    learner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's annotations
    optimiser = _optimiser(learner, recipe)
    losses: list[float] = []
    seconds = 0.0
    found = checkpoint.read_about(file)
    if found and all(found.get(k) == v for k, v in about.items()):
        kept = checkpoint.restore(file, learner, optimiser)
        losses, seconds = kept["losses"], float(kept.get("seconds", 0.0))
    if len(losses) < recipe.epochs:
        batches = Batches(data, recipe, device)
        step = Step(learner, optimiser, recipe.precision, device)
    for epoch in range(len(losses), recipe.epochs):
        started = time.perf_counter()
        learner.train()
        # what a module draws by itself (dropout, latent noise) hangs on seed and epoch alone, and leaves no trace outside
        with torch.random.fork_rng():
            torch.manual_seed(recipe.seed * 100_003 + epoch)
            losses.append(_epoch(epoch, batches, step, recipe, file))
        took = time.perf_counter() - started
        seconds += took
        checkpoint.save(file, learner, optimiser, about | {"losses": losses, "seconds": seconds})
        if report is not None:
            report(epoch + 1, recipe.epochs, losses[-1], took)
    learner.eval()
    return losses


def _epoch(epoch: int, batches: Batches, step: Step, recipe: Recipe, file: Path) -> float:
    """The mean loss of one epoch."""
    steps = len(batches)
    looks = 1 if batches.device.type == "cpu" else _LOOKS
    found = torch.zeros(steps, dtype=torch.float64, device=batches.device)
    for i, (images, labels) in enumerate(batches.epoch(epoch)):
        found[i] = step(images, labels, recipe.rate(epoch * steps + i, recipe.epochs * steps))
        if (i + 1) % looks == 0 or i + 1 == steps:
            seen = found[: i + 1].isfinite()
            if not seen.all():
                first = int((~seen).nonzero()[0])
                raise RunError(
                    f"{file.parent}: the loss became {float(found[first])} in epoch {epoch + 1}, step {first + 1}; lower "
                    f"'peak_rate' ({recipe.peak_rate:g}) or look at the images. The state after epoch {epoch} is kept"
                )
    return float(found.sum()) / max(1, steps)


def seconds_of(folder: Path) -> float:
    """How long all epochs of the trainings kept below `folder` took, those before an interruption too."""
    kept = (checkpoint.read_about(file) or {} for file in folder.rglob("checkpoint.safetensors"))
    return sum(float(about.get("seconds", 0.0)) for about in kept)


def _optimiser(learner: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    trained = [p for p in learner.parameters() if p.requires_grad]
    groups: Iterable[dict[str, object]] = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    if recipe.optimiser == "muon":
        return Muon(trained, lr=recipe.peak_rate)
    if recipe.optimiser == "adam":
        return torch.optim.Adam(groups, lr=recipe.peak_rate)
    return torch.optim.SGD(groups, lr=recipe.peak_rate, momentum=0.9, nesterov=True, foreach=True)


def _digest(learner: nn.Module) -> str:
    """Of the weights that training starts from: a checkpoint of another start is not taken up."""
    digest = hashlib.sha256()
    for name, value in learner.state_dict().items():
        digest.update(json.dumps([name, list(value.shape)]).encode())
        digest.update(value.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
