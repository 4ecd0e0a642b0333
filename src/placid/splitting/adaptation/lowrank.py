"""Low-rank adapters: a narrow path beside every convolution and linear layer, added into its weights afterwards."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from placid.errors import InputError

__all__ = ["Adapted", "insert_adapters", "merge_adapters"]


class Adapted(nn.Module):
    """layer(x) + up(down(x)), with `rank` channels between; only the two are trained.

    Hu et al., "LoRA: low-rank adaptation of large language models" (2022), for convolutions: `down` has the layer's
    kernel and stride, `up` is 1 x 1, so their product has the shape of the layer's weight. `up` starts at zero: nothing
    changes at first.

    ``Differs from the paper:`` no scale alpha / rank; the learning rate does its work.
    """

    def __init__(self, layer: nn.Conv2d | nn.Linear, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layer = layer
        self.down: nn.Conv2d | nn.Linear
        self.up: nn.Conv2d | nn.Linear
        if isinstance(layer, nn.Linear):
            self.down = nn.Linear(layer.in_features, rank, bias=False)
            self.up = nn.Linear(rank, layer.out_features, bias=False)
        else:
            if layer.groups != 1:
                raise InputError(f"adapters fit convolutions of one group, this has {layer.groups}")
            self.down = nn.Conv2d(
                layer.in_channels,
                rank,
                layer.kernel_size,  # type: ignore[arg-type]  # a pair, kept as a tuple of any length
                layer.stride,  # type: ignore[arg-type]
                layer.padding,  # type: ignore[arg-type]
                layer.dilation,  # type: ignore[arg-type]
                bias=False,
                padding_mode=layer.padding_mode,
            )
            self.up = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        with torch.no_grad():
            drawn = torch.randn(self.down.weight.shape, generator=generator)
            self.down.weight.copy_(drawn / math.sqrt(math.prod(self.down.weight.shape[1:])))
            self.up.weight.zero_()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x) + self.up(self.down(x))
        return out


def insert_adapters(network: nn.Module, rank: int, seed: int) -> list[str]:
    """Put an `Adapted` in the place of every convolution and linear layer of `network` that is larger than its adapter.

    Grouped convolutions stay as they are: they are narrow already.

    Returns:
        The names of the layers that have one now.

    Raises:
        InputError: the rank is below 1, or no layer is large enough for it.
    """
    if rank < 1:
        raise InputError(f"a rank is at least 1, got {rank}", where="adapters")
    generator = torch.Generator().manual_seed(seed)
    adapted: list[str] = []
    # what new layers draw for themselves is overwritten, and must leave no trace outside
    with torch.random.fork_rng():
        for name, layer in list(network.named_modules()):
            if not isinstance(layer, nn.Linear) and not (isinstance(layer, nn.Conv2d) and layer.groups == 1):
                continue
            outputs, inputs = len(layer.weight), math.prod(layer.weight.shape[1:])
            if name and rank * (outputs + inputs) < outputs * inputs:
                parent, _, own = name.rpartition(".")
                setattr(network.get_submodule(parent), own, Adapted(layer, rank, generator))
                adapted.append(name)
    if not adapted:
        raise InputError(
            f"no layer of the network is larger than an adapter of rank {rank}", where="adapters"
        )
    return adapted


def merge_adapters(network: nn.Module, adapters: dict[str, Tensor]) -> None:
    """Add adapters into the weights of `network`, a plain one: same shape, same cost as before.

    Args:
        adapters: ``"<layer>.down.weight"`` and ``"<layer>.up.weight"`` for each layer.

    Raises:
        InputError: one half of an adapter is missing, or the network has no such layer.
    """
    names = {key.removesuffix(".weight").rpartition(".")[0] for key in adapters}
    for name in sorted(names):
        try:
            down, up = adapters[f"{name}.down.weight"], adapters[f"{name}.up.weight"]
            layer = network.get_submodule(name)
        except (KeyError, AttributeError) as error:
            raise InputError(
                f"is not whole, or of another network: {error}", where=f"adapter of '{name}'"
            ) from None
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        with torch.no_grad():
            layer.weight += (up.flatten(1) @ down.flatten(1)).view_as(layer.weight)
