"""A network as a row of pieces: those before the first one that changes are computed once for each picture."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from placid.splitting.training.batches import as_input

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Seen", "first_changed", "pieces_of", "rest_of"]

_BATCH = 250


def pieces_of(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """(name, module) in the order in which they are computed; sequences within sequences are taken apart.

    A network that is no plain sequence is a single piece, named "".
    """
    if type(network) is not nn.Sequential:
        return [("", network)]
    found: list[tuple[str, nn.Module]] = []
    for name, child in network.named_children():
        found += [(f"{name}.{inner}" if inner else name, piece) for inner, piece in pieces_of(child)]
    return found


def first_changed(network: nn.Module, names: Collection[str]) -> int:
    """The first piece that holds one of the parameters or modules called `names`; the number of pieces if none does."""
    pieces = pieces_of(network)
    for place, (piece, _) in enumerate(pieces):
        if any(not piece or name == piece or name.startswith(f"{piece}.") for name in names):
            return place
    return len(pieces)


def rest_of(network: nn.Module, first: int) -> nn.Sequential:
    """The pieces from `first` on, as one module with the weights of `network`."""
    return nn.Sequential(*(piece for _, piece in pieces_of(network)[first:]))


class Seen:
    """Pictures as a network that does not change sees them; what its first pieces make of them is kept.

    Args:
        network: in evaluation mode.
        images: uint8 [n, height, width, channels].
    """

    def __init__(self, network: nn.Module, images: np.ndarray) -> None:
        self.network, self.images = network, images
        self._kept: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.images)

    @torch.no_grad()
    def features(self, first: int) -> Tensor:
        """float32 [n, …]: what the piece `first` gets; for 0 the pictures in [0, 1]."""
        if first not in self._kept:
            front = nn.Sequential(*(piece for _, piece in pieces_of(self.network)[:first])).eval()
            self._kept[first] = torch.cat(
                [
                    front(as_input(self.images[i : i + _BATCH].copy()))
                    for i in range(0, len(self.images), _BATCH)
                ]
            )
        return self._kept[first]

    @torch.no_grad()
    def logits(self, adapted: nn.Module, first: int) -> Tensor:
        """float32 [n, classes]: what `adapted` answers, which differs from the network from piece `first` on only."""
        rest, features = rest_of(adapted, first).eval(), self.features(first)
        return torch.cat([rest(features[i : i + _BATCH]) for i in range(0, len(features), _BATCH)])
