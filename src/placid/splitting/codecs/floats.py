"""No coding: floats as they are."""

from __future__ import annotations

import torch
from torch import Tensor

from placid.errors import UnknownNameError
from placid.inference.wire import Plain
from placid.splitting.codecs.base import Codec

__all__ = ["Floats"]


class Floats(Codec):
    """The tensor itself, in 32 or 16 bits a number: what splitting costs when nothing is done about it."""

    name = "floats"

    def __init__(self, bits: int = 32) -> None:
        super().__init__()
        if bits not in (16, 32):
            raise UnknownNameError("width of a float", str(bits), ("16", "32"))
        self.bits = bits

    def start(self, latents: Tensor) -> None:
        """Nothing to choose."""

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        return self.restore(self.symbols(latents)), latents.new_zeros(len(latents))

    def symbols(self, latents: Tensor) -> Tensor:
        return latents.to(torch.float16) if self.bits == 16 else latents

    def restore(self, symbols: Tensor) -> Tensor:
        return symbols.to(torch.float32)

    def wire(self, shape: tuple[int, ...], tag: int = 0) -> Plain:
        return Plain(shape, f"float{self.bits}", tag)
