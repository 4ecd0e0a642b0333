"""Train a bottleneck into a network, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from placid.splitting.bottlenecks.learner import BottleneckLearner
from placid.splitting.bottlenecks.methods import Method, Stage
from placid.splitting.codecs import Variational
from placid.splitting.training.batches import as_input
from placid.splitting.training.fit import fit

if TYPE_CHECKING:
    import torch

    from placid.splitting.bottlenecks.network import SplitNetwork
    from placid.splitting.bottlenecks.teacher import Teacher
    from placid.splitting.data import Images
    from placid.splitting.training.recipe import Recipe

__all__ = ["train_bottleneck", "warm_start"]

#: images that a codec chooses its ranges from
_SAMPLE = 512


def train_bottleneck(
    network: SplitNetwork,
    method: Method,
    teacher: Teacher,
    data: Images,
    recipe: Recipe,
    folder: Path,
    *,
    device: torch.device | None = None,
    report: Callable[[str], None] | None = None,
) -> SplitNetwork:
    """Take `network` through the stages of `method`, resuming where it was interrupted; it comes back in evaluation mode.

    Args:
        recipe: epochs in all, the batches and the seed; each stage has its own optimiser and rate.
        folder: each stage keeps its checkpoint in a folder of its own there.
        device: as for `training.fit.fit`.
        report: called with a line after each epoch.

    Raises:
        RunError: see `training.fit.fit`.
    """
    sample = as_input(data.images[:_SAMPLE])
    network.start(sample, trained=False)
    learning = {name: p for name, p in network.named_parameters() if p.requires_grad}
    done = 0
    for number, stage in enumerate(method.stages, 1):
        last = number == len(method.stages)
        epochs = recipe.epochs - done if last else max(1, round(stage.share * recipe.epochs))
        done += epochs
        _thaw(network, learning, stage)
        if isinstance(network.codec, Variational) and "codec" not in stage.trains:
            network.start(sample)  # ranges for what crosses now, not for what did at the beginning
        learner = BottleneckLearner(network, stage.weights, teacher)

        def told(epoch: int, of: int, loss: float, seconds: float, number: int = number) -> None:
            if report is not None:
                report(f"stage {number}, epoch {epoch}/{of}: loss {loss:.4f}, {seconds:.0f} s")

        fit(
            learner,
            data,
            replace(
                recipe,
                epochs=epochs,
                optimiser=stage.optimiser,
                peak_rate=stage.peak_rate,
                weight_decay=stage.weight_decay,
            ),
            folder / f"stage{number}",
            device=device,
            report=told,
        )
    for parameter in learning.values():
        parameter.requires_grad_(True)
    return network.eval()


def warm_start(network: nn.Module, tensors: dict[str, Tensor]) -> int:
    """Give `network` those of `tensors` that have its names and shapes; how many did."""
    own = network.state_dict()
    fitting = {k: v for k, v in tensors.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(fitting, strict=False)
    return len(fitting)


def _thaw(network: SplitNetwork, learning: Mapping[str, nn.Parameter], stage: Stage) -> None:
    """Let those of the parameters `learning` learn that belong to a part that `stage` trains."""
    for name, parameter in learning.items():
        parameter.requires_grad_(name.partition(".")[0] in stage.trains)
    if isinstance(network.codec, Variational):
        network.codec.quantiser.requires_grad_(False)
