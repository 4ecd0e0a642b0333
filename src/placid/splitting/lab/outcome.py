"""What one way of answering really did on a set of images: every answer, every byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from placid.errors import RunError

if TYPE_CHECKING:
    from placid.catalog.wire import Wire
    from placid.splitting.data import Images

__all__ = ["Outcome", "Run", "answers", "network_input", "over_the_wire", "with_pictures"]

#: float32 [batch, channels, height, width] in [0, 1] to the outputs of a segment
Run = Callable[[np.ndarray], list[np.ndarray]]
_BATCH = 250


@dataclass(frozen=True)
class Outcome:
    """Attributes:
    logits: float32 [exits, n, classes]: of every exit, the last being the end of the network.
    sent_bytes: int64 [n]: what crossed for each image, header included; zero where nothing does.
    """

    logits: np.ndarray
    sent_bytes: np.ndarray


def network_input(images: np.ndarray) -> np.ndarray:
    """float32 [n, channels, height, width] in [0, 1] of uint8 [n, height, width, channels]."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)


def over_the_wire(device: Run, wire: Wire, server: Run, data: Images) -> Outcome:
    """Run both sides on every image of `data`, each tensor turned into bytes and back on its way.

    Args:
        device: puts out symbols, and early logits if it has an exit.
        server: takes symbols, puts out logits.

    Raises:
        RunError: bytes do not come back as the symbols they were made of: a broken codec, never a lossy one.
    """
    logits: list[list[np.ndarray]] = []
    sent: list[int] = []
    for first in range(0, len(data), _BATCH):
        symbols, *early = device(network_input(data.images[first : first + _BATCH]))
        coded = [wire.encode(s) for s in symbols]
        arrived = np.stack([wire.decode(c) for c in coded])
        if wire.exact and not np.array_equal(arrived, symbols.astype(arrived.dtype)):
            raise RunError(f"what was coded as {wire.kind} did not come back as it was")
        sent += [len(c) for c in coded]
        logits.append([*early, *server(arrived.astype(symbols.dtype, copy=False))])
    return Outcome(
        np.stack([np.concatenate(exit_logits) for exit_logits in zip(*logits, strict=True)]),
        np.array(sent),
    )


def with_pictures(
    encode: Callable[[np.ndarray], bytes],
    decode: Callable[[bytes], np.ndarray],
    network: Run,
    data: Images,
    header_bytes: int,
) -> Outcome:
    """Compress every image, open it again, and let `network` answer."""
    logits: list[np.ndarray] = []
    sent: list[int] = []
    for first in range(0, len(data), _BATCH):
        coded = [encode(image) for image in data.images[first : first + _BATCH]]
        sent += [header_bytes + len(c) for c in coded]
        opened = np.stack([decode(c) for c in coded]).reshape(-1, *data.images.shape[1:])
        logits.append(network(network_input(opened))[-1])
    return Outcome(np.concatenate(logits)[None], np.array(sent))


def answers(network: Run, data: Images) -> Outcome:
    """Let `network`, which may have exits, answer every image where it is."""
    batches = [network(network_input(data.images[i : i + _BATCH])) for i in range(0, len(data), _BATCH)]
    return Outcome(
        np.stack([np.concatenate(of_exit) for of_exit in zip(*batches, strict=True)]),
        np.zeros(len(data), np.int64),
    )
