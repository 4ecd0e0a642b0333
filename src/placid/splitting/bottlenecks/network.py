"""A network parted in two by a bottleneck: encoder | codec | decoder | tail, and an early label if wanted."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from placid.splitting.codecs import Codec

__all__ = ["DeviceSide", "ServerSide", "SplitNetwork"]


class SplitNetwork(nn.Module):
    """What every bottleneck method trains, measures and exports.

    Args:
        encoder: images to latents, for the device.
        codec: what is done to the latents so that few bytes cross.
        decoder: what the receiver got to the features that the tail takes.
        tail: the rest of the network, in parts: features after each but the last are compared with the teacher's.
        early: latents to logits, a label given by the device; None for none.
    """

    def __init__(
        self,
        encoder: nn.Module,
        codec: Codec,
        decoder: nn.Module,
        tail: Sequence[nn.Module],
        early: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.codec = codec
        self.decoder = decoder
        self.tail = nn.ModuleList(tail)
        self.early = early

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the last exit."""
        sent, _ = self.codec(self.encoder(images))
        return self.answer(sent)

    def answer(self, sent: Tensor) -> Tensor:
        """Logits from what the receiver got."""
        features: Tensor = self.decoder(sent)
        for part in self.tail:
            features = part(features)
        return features

    @torch.no_grad()
    def start(self, images: Tensor, *, trained: bool = True) -> None:
        """Let the codec choose its ranges from what crosses for `images`.

        Args:
            trained: false if the encoder's normalisations have seen nothing yet: then by the statistics of `images`.
        """
        encoder = self.encoder.eval() if trained else copy.deepcopy(self.encoder).train()
        self.codec.start(encoder(images))


class DeviceSide(nn.Module):
    """Images to symbols (and early logits): the segment that the device runs."""

    def __init__(self, network: SplitNetwork) -> None:
        super().__init__()
        self.encoder, self.codec, self.early = network.encoder, network.codec, network.early

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        latents = self.encoder(images)
        symbols = self.codec.symbols(latents)
        if self.early is None:
            return symbols
        # what the device judges by is what it would send, so that server and device can never disagree on it
        return symbols, self.early(self.codec.restore(symbols))


class ServerSide(nn.Module):
    """Symbols to logits: the segment that the server runs."""

    def __init__(self, network: SplitNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, symbols: Tensor) -> Tensor:
        return self.network.answer(self.network.codec.restore(symbols))
