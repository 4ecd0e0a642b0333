"""Several devices' answers become one: the strongest, the mean, or all beside each other; who has failed is left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from placid.errors import UnknownNameError

__all__ = ["SCHEMES", "Aggregation"]

#: the paper's names: max pooling (MP), average pooling (AP), concatenation (CC)
SCHEMES = ("max", "mean", "concat")


class Aggregation(nn.Module):
    """[batch, parties, channels, ...] to [batch, `outputs`, ...], whoever of the parties is there.

    "max" and "mean" are taken over those present, and need as many channels from each; they lose which device said what.
    "concat" keeps that, with zeros for who is missing (bits are +1 and -1, so a zero is a third value: nothing known), and
    grows with the number of parties. If nobody is there, the result is zeros in each scheme.

    Args:
        scheme: one of `SCHEMES`.
        project: after concatenation map class scores back to `channels` by a linear layer, as the paper does for exits.

    Raises:
        UnknownNameError: there is no such scheme.
    """

    def __init__(self, scheme: str, parties: int, channels: int, *, project: bool = False) -> None:
        super().__init__()
        if scheme not in SCHEMES:
            raise UnknownNameError("aggregation", scheme, SCHEMES)
        self.scheme = scheme
        joined = parties * channels if scheme == "concat" else channels
        self.project = nn.Linear(joined, channels) if scheme == "concat" and project else nn.Identity()
        self.outputs = channels if project else joined

    def forward(self, values: Tensor, present: Tensor) -> Tensor:
        """Args: present: bool [batch, parties]."""
        there = present.reshape(*present.shape, *[1] * (values.ndim - 2))
        known = torch.where(
            there, values, 0.0
        )  # not a product: what a failed party left behind may be anything
        if self.scheme == "concat":
            joined: Tensor = self.project(known.flatten(1, 2))
            return joined
        if self.scheme == "mean":
            return known.sum(1) / there.sum(1).clamp(min=1)
        strongest = torch.where(there, values, -torch.inf).amax(1)
        return torch.where(there.any(1), strongest, 0.0)
