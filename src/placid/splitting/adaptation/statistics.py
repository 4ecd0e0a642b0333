"""Batch normalisation's mean and variance, estimated again on the node's pictures; no labels are needed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn

from placid.errors import InputError

__all__ = ["estimate_again", "normalisations"]


def normalisations(network: nn.Module) -> dict[str, nn.modules.batchnorm._BatchNorm]:
    """Every batch normalisation with running statistics, by name."""
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None
    }


@torch.no_grad()
def estimate_again(
    part: nn.Module, features: Tensor, *, prior: int, only: Collection[nn.Module] = ()
) -> None:
    """Set the running statistics in `part` to those of `features`, layer by layer, in one pass in evaluation mode.

    Each layer's mean and variance become ``(prior * old + n * new) / (prior + n)`` (Schneider et al., "Improving robustness
    against common corruptions by covariate shift adaptation", NeurIPS 2020, eq. 2), before anything behind it is computed.
    Nothing is ever taken from a small batch: all `n` pictures pass at once.

    Args:
        features: float32 [n, …]: what `part` gets.
        prior: how many pictures the old statistics count for; a node with few classes has other means without any
            corruption, and this many pictures speak against following them.
        only: the layers meant; all if empty.

    Raises:
        InputError: there is not one picture.
    """
    if not len(features):
        raise InputError("statistics cannot be estimated from no pictures", where="adaptation")
    n = len(features)

    def restate(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, nn.modules.batchnorm._BatchNorm)
        assert layer.running_mean is not None
        assert layer.running_var is not None
        over = [d for d in range(given[0].ndim) if d != 1]
        variance, mean = torch.var_mean(given[0], over)
        layer.running_mean.mul_(prior).add_(mean, alpha=n).div_(prior + n)
        layer.running_var.mul_(prior).add_(variance, alpha=n).div_(prior + n)

    meant = [m for m in normalisations(part).values() if not only or m in only]
    hooks: list[Any] = [m.register_forward_pre_hook(restate) for m in meant]
    try:
        part.eval()(features)
    finally:
        for hook in hooks:
            hook.remove()
