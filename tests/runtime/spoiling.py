"""Messages made malformed at random, for fuzz tests."""

from __future__ import annotations

import numpy as np


def spoilt(message: bytes, rng: np.random.Generator) -> bytes:
    """`message` with a few bytes changed, taken out or put in."""
    data = bytearray(message)
    for _ in range(int(rng.integers(1, 6))):
        i = int(rng.integers(len(data)))
        match int(rng.integers(4)):
            case 0:
                data[i] = int(rng.integers(256))
            case 1:
                del data[i : i + int(rng.integers(1, 20))]
            case 2:
                data[i:i] = rng.bytes(int(rng.integers(1, 20)))
            case _:
                data[i] ^= 1 << int(rng.integers(8))
        if not data:
            break
    return bytes(data)
