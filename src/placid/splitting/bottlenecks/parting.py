"""A network in the parts that a bottleneck needs: what it replaces, and what goes on behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from placid.errors import InputError
from placid.splitting.cutting import trace

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["parted"]


def parted(network: nn.Module, cut: str, example: Tensor) -> tuple[nn.Module, list[nn.Module]]:
    """(everything up to the cut, the parts after it); they share the weights of `network`.

    A plain sequence cut after one of its children stays what it is, with one part for each further child. Anything else
    is cut in its exported graph, where batch normalisation keeps its statistics when trained further.

    Raises:
        InputError: the network cannot be exported, or more than one tensor crosses there.
        UnknownNameError: it cannot be cut there.
    """
    if isinstance(network, nn.Sequential):
        children = dict(network.named_children())
        if cut in children:
            at = list(children).index(cut) + 1
            return network[:at], [*network[at:].children()]
    traced = trace(network, example)
    if (crossing := len(traced.cut(cut).crossing)) > 1:
        raise InputError(
            f"{crossing} tensors cross there, and a bottleneck replaces one; cut before or after the paths that run side by "
            "side",
            where=f"cut '{cut}'",
        )
    head, tail = traced.segments([cut])
    return head, [tail]
