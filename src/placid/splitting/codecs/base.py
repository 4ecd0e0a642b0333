"""What every codec does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

if TYPE_CHECKING:
    from placid.inference.wire import Wire

__all__ = ["Codec"]


class Codec(nn.Module, ABC):
    """What is done to the tensor at a cut so that few bytes cross.

    In training, `forward` gives what the receiver would get, so that gradients pass, and the bits that this takes where
    they can be learned. In evaluation, `forward` is `restore` after `symbols`, to the last bit what happens over a wire:
    the sender's network ends in `symbols`, the receiver's begins with `restore`, and a `Wire` carries the symbols.

    Tensors are float32 [batch, channels, height, width].
    """

    name: ClassVar[str]

    @abstractmethod
    def start(self, latents: Tensor) -> None:
        """Choose ranges from a batch of what crosses; called once before training and before use."""

    @abstractmethod
    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """(what the receiver gets, float32 [batch]: bits that one input takes; zero where they are fixed)."""

    @abstractmethod
    def symbols(self, latents: Tensor) -> Tensor:
        """What crosses, of the same shape: whole numbers from 0 in uint8, or floats."""

    @abstractmethod
    def restore(self, symbols: Tensor) -> Tensor:
        """What the receiver makes of `symbols`."""

    @abstractmethod
    def wire(self, shape: tuple[int, ...], tag: int = 0) -> Wire:
        """The form in which symbols of `shape` (without the batch) travel."""
