"""A trained DDNN asked about many images, with any devices missing."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import torch

from placid.errors import InputError
from placid.splitting.ddnn.network import Sent
from placid.splitting.training.batches import as_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placid.splitting.data import Images
    from placid.splitting.ddnn.network import DDNN

__all__ = ["answers_of", "sent_by", "sets_of_failed"]


@torch.no_grad()
def sent_by(network: DDNN, data: Images, batch: int = 1000) -> Sent:
    """What the devices send for every image: computed once, then tried with many sets of failed devices."""
    network.eval()
    parts = [network.send(as_input(data.images[i : i + batch])) for i in range(0, len(data), batch)]
    return Sent(torch.cat([p.sums for p in parts]), torch.cat([p.maps for p in parts]))


@torch.no_grad()
def answers_of(network: DDNN, sent: Sent, failed: Sequence[int] = (), batch: int = 1000) -> np.ndarray:
    """Logits float32 [exits, n, classes] with the devices `failed` missing.

    Raises:
        InputError: there is no such device.
    """
    network.eval()
    present = network.present(failed)
    parts = [
        network.receive(Sent(sent.sums[i : i + batch], sent.maps[i : i + batch]), present)
        for i in range(0, len(sent.sums), batch)
    ]
    return torch.cat(parts, 1).numpy()


def sets_of_failed(
    devices: int, failed: int, rng: np.random.Generator, most: int = 6
) -> list[tuple[int, ...]]:
    """Sets of `failed` out of `devices`: all of them if there are at most `most`, else as many, drawn without repetition.

    Raises:
        InputError: more fail than there are.
    """
    if not 0 <= failed <= devices:
        raise InputError(f"of {devices} devices 0 to {devices} fail, got {failed}")
    if comb(devices, failed) <= most:
        return list(combinations(range(devices), failed))
    found: set[tuple[int, ...]] = set()
    while len(found) < most:
        found.add(tuple(sorted(int(d) for d in rng.choice(devices, failed, replace=False))))
    return sorted(found)
