"""A label given on the latent itself, before anything is sent."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["GaussianLabels"]


class GaussianLabels(nn.Module):
    """One Gaussian a class over the latent, all of one diagonal covariance: latents to logits (a linear classifier).

    REBEL (Castellano et al., ITC 2022) pulls latents to the Gaussian of their class and labels by it. The logits are the
    logarithms of the class densities, up to a common term, so their softmax is the posterior under equal priors.

    Args:
        size: numbers of a latent.
    """

    def __init__(self, size: int, classes: int = 10) -> None:
        super().__init__()
        # far enough apart to be told apart under unit deviation, near enough to be reached
        self.means = nn.Parameter(torch.randn(classes, size) * 0.5)
        self.precision = nn.Parameter(torch.zeros(size))  # logarithm

    def centres(self) -> Tensor:
        """float32 [classes, size]."""
        return self.means

    def forward(self, latents: Tensor) -> Tensor:
        flat, precision = latents.flatten(1), self.precision.exp()
        # x' P m - m' P m / 2, which is -(x - m)' P (x - m) / 2 without the term that all classes share
        return F.linear(flat, self.means * precision, -0.5 * (self.means.square() * precision).sum(1))
