"""Exit heads, sized from an example of what reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from placid.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["HEADS", "MixedPool", "convolved", "heads_for", "pooled"]


class MixedPool(nn.Module):
    """Maximum and mean over a grid of `side` x `side` fields, mixed in a share that is learned.

    Lee et al. (2016), as Shallow-Deep Networks (Kaya et al., ICML 2019) reduce features before an exit. Where the features
    do not divide into `side` fields, fields are as large as to cover all but the last odd rows and columns.
    """

    def __init__(self, height: int, width: int, side: int) -> None:
        super().__init__()
        self.window = (max(1, height // side), max(1, width // side))
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        share = self.share.sigmoid()
        return share * F.max_pool2d(features, self.window) + (1 - share) * F.avg_pool2d(features, self.window)


def pooled(features: Tensor, classes: int, *, side: int = 2) -> nn.Sequential:
    """`MixedPool` to `side` x `side`, batch normalisation, one linear layer: nearly free, and enough late in a network.

    Args:
        features: an example [batch, channels, height, width] of what reaches it.
    """
    channels, height, width = _shape(features)
    pool = MixedPool(height, width, min(side, height, width))
    return _ended([pool, nn.BatchNorm2d(channels)], features, classes)


def convolved(
    features: Tensor, classes: int, *, channels: int = 32, convolutions: int = 1, side: int = 4
) -> nn.Sequential:
    """`MixedPool` to 2 `side` x 2 `side`, convolutions of 3 x 3, `MixedPool` to `side` x `side`, one linear layer.

    As BranchyNet's heads (Teerapittayanon et al., 2016): dearer, and far better than a linear layer early in a network,
    whose features are not of classes yet.

    Args:
        features: an example [batch, channels, height, width] of what reaches it.
    """
    inputs, height, width = _shape(features)
    first = MixedPool(height, width, min(2 * side, height, width))
    layers: list[nn.Module] = [first]
    for i in range(convolutions):
        taken = inputs if i == 0 else channels
        layers += [
            nn.Conv2d(taken, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
    rows, columns = height // first.window[0], width // first.window[1]
    layers.append(MixedPool(rows, columns, min(side, rows, columns)))
    return _ended(layers, features, classes)


#: kinds of heads by name
HEADS: dict[str, Callable[..., nn.Sequential]] = {"pooled": pooled, "convolved": convolved}


def heads_for(
    network: nn.Sequential,
    after: Sequence[str],
    example: Tensor,
    classes: int,
    *,
    kind: str = "convolved",
    seed: int = 0,
    settings: Mapping[str, int] | None = None,
) -> dict[str, nn.Module]:
    """Fresh heads after the children `after` of `network`, weights drawn from `seed`.

    Args:
        example: images float32 [batch, channels, height, width] as the network takes them; two or more.
        kind: a name in `HEADS`.
        settings: of that kind, beside the features and classes.
    """
    if kind not in HEADS:
        raise UnknownNameError("kind of exit head", kind, HEADS)
    was = network.training
    network.eval()
    made: dict[str, nn.Module] = {}
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        features = example
        for name, child in network.named_children():
            features = child(features)
            if name in after:
                made[name] = HEADS[kind](features, classes, **(settings or {}))
    network.train(was)
    for name in after:
        if name not in made:
            known = [child for child, _ in network.named_children()]
            raise UnknownNameError("child of the network", name, known, where="exits")
    return made


def _shape(features: Tensor) -> tuple[int, int, int]:
    if features.ndim != 4:
        raise InputError(
            f"an exit head takes features [batch, channels, height, width], got {list(features.shape)}",
            where="exits",
        )
    return features.shape[1], features.shape[2], features.shape[3]


def _ended(layers: Iterable[nn.Module], features: Tensor, classes: int) -> nn.Sequential:
    body = nn.Sequential(*layers, nn.Flatten()).eval()
    with torch.no_grad():
        numbers = body(features[:1]).shape[1]
    return nn.Sequential(*body.train(), nn.Linear(numbers, classes))
