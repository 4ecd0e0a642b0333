"""What a device puts on the wire, and how many bytes the paper's formula makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.inference.wire import Packed, Plain, Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SCORE_FORMS", "DeviceMessages", "bytes_by_formula"]

#: how class scores are sent; "counts" is exact as well, since the sums of a binary layer are whole numbers
SCORE_FORMS = ("float32", "float16", "counts")


def bytes_by_formula(classes: int, filters: int, filter_bits: int, left_locally: float) -> float:
    """Mean bytes a device sends for an image, headers apart: 4 C + (1 - l) f o / 8 (paper, equation 1).

    Args:
        classes: C; each score takes 4 bytes.
        filters: f, of the device's binary block.
        filter_bits: o, bits that one filter puts out.
        left_locally: l, share of the images that the local exit answers.
    """
    if not 0 <= left_locally <= 1:
        raise InputError(f"a share lies between 0 and 1, got {left_locally}")
    return 4 * classes + (1 - left_locally) * filters * filter_bits / 8


class DeviceMessages:
    """The two messages of a device for one image: sums for the local exit always, feature bits for the cloud if asked.

    Each has the header of `placid.inference.wire`. Bits are packed, eight to a byte.

    Args:
        shape: of the feature map: filters, height, width.
        scores: one of `SCORE_FORMS`: 4 or 2 bytes a class, or as few bits as hold the number of positive terms (n terms: the
            bits of n). Sums beyond 2,048 are rounded by "float16".
    """

    def __init__(self, classes: int, shape: Sequence[int], scores: str = "float32") -> None:
        if scores not in SCORE_FORMS:
            raise UnknownNameError("form of class scores", scores, SCORE_FORMS)
        self.map: Wire = Packed(shape, 1)
        self.terms = self.map.size
        self._count_bits = self.terms.bit_length()
        self._counts = scores == "counts"
        self.scores: Wire = (
            Packed((classes, self._count_bits), 1) if self._counts else Plain((classes,), scores)
        )

    def encode_map(self, bits: np.ndarray) -> bytes:
        """Of +1 and -1, [filters, height, width]."""
        return self.map.encode((bits > 0).astype(np.uint8))

    def decode_map(self, data: bytes) -> np.ndarray:
        """float32 +1 and -1, as `encode_map` was given them."""
        return self.map.decode(data).astype(np.float32) * 2 - 1

    def encode_sums(self, sums: np.ndarray) -> bytes:
        """Of what `BinaryScores.sums` gives for one device, [classes]."""
        if not self._counts:
            return self.scores.encode(sums)
        counts = (np.rint(sums).astype(np.int64) + self.terms) // 2
        return self.scores.encode((counts[:, None] >> np.arange(self._count_bits)) & 1)

    def decode_sums(self, data: bytes) -> np.ndarray:
        """float32 [classes]."""
        found = self.scores.decode(data)
        if not self._counts:
            return found.astype(np.float32)
        counts = (found.astype(np.int64) << np.arange(self._count_bits)).sum(1)
        return (2 * counts - self.terms).astype(np.float32)
