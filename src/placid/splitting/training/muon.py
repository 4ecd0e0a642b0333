"""Orthogonalised momentum for convolutions, Adam for everything else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

__all__ = ["Muon"]

#: Adam's rate for one of Muon: a step of the latter turns every filter by that share of its length
_ADAM_SHARE = 0.05


class Muon(torch.optim.Optimizer):
    """K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024), as in his CIFAR-10 entry.

    A convolution's momentum, seen as a matrix [filters, the rest], is replaced by the nearest matrix with orthonormal rows,
    and its filters keep a mean length of one; so it is meant for convolutions whose scale a normalisation takes out
    again. Linear layers, biases, normalisations and ranges are moved by Adam with a twentieth of the rate.

    Twice to three times fewer epochs than SGD for the small networks of this package.

    Args:
        parameters: to be trained.
        lr: of the convolutions; the training loop changes it.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.6) -> None:
        trained = list(parameters)
        convolutions = [p for p in trained if p.ndim == 4 and p[0].numel() >= p.shape[0] > 1]
        taken = {id(p) for p in convolutions}
        rest = [p for p in trained if id(p) not in taken]
        groups: list[dict[str, Any]] = [
            {"params": convolutions, "orthogonal": True},
            {"params": rest, "orthogonal": False},
        ]
        super().__init__([g for g in groups if g["params"]], {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # closures are for searches along a line
        """One step along the gradients."""
        for group in self.param_groups:
            learning = [p for p in group["params"] if p.grad is not None]
            gradients = [p.grad for p in learning]
            if not learning:
                continue
            if group["orthogonal"]:
                self._turn(learning, gradients, group["lr"], group["momentum"])
            else:
                self._adam(learning, gradients, group["lr"] * _ADAM_SHARE)

    def _turn(
        self, parameters: list[Tensor], gradients: list[Tensor], rate: float | Tensor, momentum: float
    ) -> None:
        for parameter in parameters:
            if "buffer" not in self.state[parameter]:
                self.state[parameter]["buffer"] = torch.zeros_like(parameter)
        buffers = [self.state[p]["buffer"] for p in parameters]
        torch._foreach_mul_(buffers, momentum)
        torch._foreach_add_(buffers, gradients)
        ahead = torch._foreach_add(gradients, buffers, alpha=momentum)  # Nesterov
        lengths = torch._foreach_norm(parameters)
        torch._foreach_mul_(parameters, [len(p) ** 0.5 / n for p, n in zip(parameters, lengths, strict=True)])
        alike: dict[torch.Size, list[int]] = {}
        for place, parameter in enumerate(parameters):
            alike.setdefault(parameter.shape, []).append(place)
        for (filters, channels, *window), places in alike.items():
            # columns in the order in which they lie in memory; which it is changes nothing but the time that it takes
            matrices = torch.stack([ahead[i].permute(0, 2, 3, 1).reshape(filters, -1) for i in places])
            updates = _orthogonal(matrices) * rate
            for i, update in zip(places, updates, strict=True):
                parameters[i].sub_(update.view(filters, *window, channels).permute(0, 3, 1, 2))

    def _adam(self, parameters: list[Tensor], gradients: list[Tensor], rate: float | Tensor) -> None:
        there = parameters[0].is_cuda
        for parameter in parameters:
            state = self.state[parameter]
            if "mean" not in state:
                state["mean"] = torch.zeros_like(parameter)
                state["square"] = torch.zeros_like(parameter)
                state["count"] = torch.zeros((), device=parameter.device if there else None)
        kept = [self.state[p] for p in parameters]
        adam(
            parameters,
            gradients,
            [s["mean"] for s in kept],
            [s["square"] for s in kept],
            [],
            [s["count"] for s in kept],
            # on a GPU all of them at once, with rate and counts that lie there: see `Step`
            foreach=there,
            capturable=there,
            amsgrad=False,
            beta1=0.9,
            beta2=0.99,
            lr=rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )


def _orthogonal(matrices: Tensor) -> Tensor:
    """Nearly the U V^T of their singular value decompositions, by three Newton-Schulz steps of the fifth degree.

    Args:
        matrices: [n, rows, columns].
    """
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    for _ in range(3):
        square = x @ x.mT
        polynomial = torch.baddbmm(square, square, square, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, polynomial, x, beta=3.4445)
    return x.mT if tall else x
