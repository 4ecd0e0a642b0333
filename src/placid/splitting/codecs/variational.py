"""A random latent whose information is priced: REBEL's bottleneck."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from placid.errors import InputError
from placid.inference.wire import Packed
from placid.splitting.codecs.base import Codec
from placid.splitting.codecs.uniform import Uniform

__all__ = ["Variational"]


class Variational(Codec):
    """z = mu + sigma eps in training; mu, in k bits, over the wire.

    REBEL (Castellano et al., ITC 2022). sigma of each number is learned and does not depend on the input; `divergence` is
    the Kullback-Leibler divergence of q(z | x) from a unit Gaussian around `centre`, for the caller to choose: the early
    classifier's mean of the true class.

    ``Differs from the paper:`` what crosses is mu rounded to `bits` bits within ranges found after training; the authors'
    code sends floats. sigma is a parameter, not put out by the encoder, so that a device computes nothing that it does
    not send.

    Args:
        shape: (channels, height, width) of the latent.
        bits: of a number that crosses.
    """

    name = "variational"

    def __init__(self, shape: tuple[int, int, int], bits: int = 8) -> None:
        super().__init__()
        if not 1 <= bits <= 8:
            raise InputError(f"a variational codec has 1 to 8 bits, got {bits}")
        self.spread = nn.Parameter(torch.full(shape, -1.0))  # logarithm of sigma
        self.quantiser = Uniform(shape[0], bits)
        self.quantiser.requires_grad_(False)

    def start(self, latents: Tensor) -> None:
        self.quantiser.start(latents)

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        if not self.training:
            return self.restore(self.symbols(latents)), latents.new_zeros(len(latents))
        noisy = latents + self.spread.exp() * torch.randn_like(latents)
        return noisy, latents.new_zeros(len(latents))

    def divergence(self, latents: Tensor, centre: Tensor) -> Tensor:
        """float32 [batch]: KL(N(latents, sigma^2) || N(centre, 1)) in nats, summed over the latent."""
        twice = (latents - centre).square() + (2 * self.spread).exp() - 1 - 2 * self.spread
        return 0.5 * twice.flatten(1).sum(1)

    def symbols(self, latents: Tensor) -> Tensor:
        return self.quantiser.symbols(latents)

    def restore(self, symbols: Tensor) -> Tensor:
        return self.quantiser.restore(symbols)

    def wire(self, shape: tuple[int, ...], tag: int = 0) -> Packed:
        return self.quantiser.wire(shape, tag)
