"""Random streams named by what they are for, so that any slot of any run can be replayed alone.

`stream(seed, "workload", slot)` always gives the same generator, whatever was drawn before. Nothing in placid holds a
generator between slots; that is what makes an interrupted run resume to the very same rows.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

__all__ = ["stream"]


def stream(seed: int, *path: str | int) -> np.random.Generator:
    """A generator for the stream `path` under `seed`; equal arguments give equal draws, others independent ones.

    Example:
        >>> float(stream(7, "demand", 3).random()) == float(stream(7, "demand", 3).random())
        True
    """
    key = tuple(crc32(part.encode()) if isinstance(part, str) else int(part) for part in path)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy=seed, spawn_key=key)))
