"""A network with exits: parted at its children, a classifier after each part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from placid.errors import InputError, UnknownNameError
from placid.splitting.training.batches import as_input

if TYPE_CHECKING:
    from placid.splitting.data import Images

__all__ = ["Branched", "ExitSegment", "logits_of_exits"]


class ExitSegment(nn.Module):
    """What runs between two exits: a part of the network, and the exit after it.

    It takes what crosses from the segment before (images, for the first) and gives (what crosses to the next, the exit's
    logits). It shares its weights with the `Branched` it is from.
    """

    def __init__(self, part: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.part = part
        self.head = head

    def forward(self, crossing: Tensor) -> tuple[Tensor, Tensor]:
        features = self.part(crossing)
        return features, self.head(features)


class Branched(nn.Module):
    """A sequence with exit heads after some of its children; its own end is the last exit.

    Args:
        network: a plain sequence. It is shared, not copied.
        heads: by the name of the child after which each stands; every one takes what that child gives and gives logits
            [batch, classes]. They are put into the order of the children.

    Example:
        >>> from placid.splitting.nets.lenet import lenet, lenet_exits
        >>> net = Branched(lenet(), lenet_exits())
        >>> [tuple(logits.shape) for logits in net(torch.zeros(2, 1, 28, 28))]
        [(2, 10), (2, 10)]
    """

    def __init__(self, network: nn.Sequential, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        if not isinstance(network, nn.Sequential):
            raise InputError(
                f"exits stand after the children of an nn.Sequential, got {type(network).__name__}; wrap its stages in one",
                where="exits",
            )
        children = [name for name, _ in network.named_children()]
        for name in heads:
            if name not in children:
                raise UnknownNameError("child of the network", name, children, where="exits")
            if name == children[-1]:
                raise InputError(f"after '{name}' is the network's own end already", where="exits")
        self.network = network
        self.after = tuple(name for name in children if name in heads)
        self.heads = nn.ModuleDict({name: heads[name] for name in self.after})

    def __len__(self) -> int:
        """Exits, the network's own end among them."""
        return len(self.after) + 1

    def forward(self, images: Tensor) -> list[Tensor]:
        """Logits [batch, classes] of every exit, the network's own last."""
        found, features = [], images
        for name, child in self.network.named_children():
            features = child(features)
            if name in self.heads:
                found.append(self.heads[name](features))
        return [*found, features]

    def parts(self) -> list[nn.Module]:
        """The network between exits, without heads: one part for each exit."""
        children = [name for name, _ in self.network.named_children()]
        ends = [children.index(name) + 1 for name in self.after] + [len(children)]
        return [self.network[a:b] for a, b in zip([0, *ends], ends, strict=False)]

    def segments(self) -> list[nn.Module]:
        """One for each exit, to run in turn or to export: `ExitSegment`, and the last part, which gives logits alone."""
        *before, last = self.parts()
        heads = [self.heads[name] for name in self.after]
        return [*(ExitSegment(p, h) for p, h in zip(before, heads, strict=True)), last]


@torch.no_grad()
def logits_of_exits(network: Branched, data: Images, batch: int = 500) -> np.ndarray:
    """float32 [exits, n, classes]: what every exit answers to every image, in evaluation mode."""
    network.eval()
    answers = [
        torch.stack(network(as_input(data.images[i : i + batch]))).numpy() for i in range(0, len(data), batch)
    ]
    return np.concatenate(answers, axis=1).astype(np.float32, copy=False)
