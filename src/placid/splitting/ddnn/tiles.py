"""An image divided among devices: each sees one tile of a grid, neighbours may see some pixels both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from placid.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Tiles", "tiles_of"]


@dataclass(frozen=True)
class Tiles:
    """A grid of equal tiles over an image, a device a tile, row by row from the top left.

    The outermost tiles touch the image's borders, the others lie evenly between them, to the pixel.

    Attributes:
        image: height and width in pixels.
        rows, columns: tiles each way.
        height, width: of one tile in pixels.
    """

    image: tuple[int, int]
    rows: int
    columns: int
    height: int
    width: int

    def __post_init__(self) -> None:
        for name, count, side, whole in (
            ("rows", self.rows, self.height, self.image[0]),
            ("columns", self.columns, self.width, self.image[1]),
        ):
            if count < 1:
                raise InputError(f"'{name}' must be at least 1, got {count}", where="tiles")
            if not 1 <= side <= whole:
                raise InputError(
                    f"a tile of {side} pixels does not fit into {whole} of the image", where="tiles"
                )
            if count * side < whole:
                raise InputError(
                    f"{count} {name} of {side} pixels leave {whole - count * side} of {whole} unseen; larger tiles, "
                    "or more of them",
                    where="tiles",
                )

    @property
    def devices(self) -> int:
        return self.rows * self.columns

    @property
    def raw_bytes(self) -> int:
        """What a device would send if it sent its tile as it is: one byte a pixel of a grey image."""
        return self.height * self.width

    @cached_property
    def origins(self) -> tuple[tuple[int, int], ...]:
        """Top and left pixel of each device's tile."""

        def starts(count: int, side: int, whole: int) -> list[int]:
            # half up, so that the gaps do not depend on even and odd
            return [int(i * (whole - side) / max(1, count - 1) + 0.5) for i in range(count)]

        tops = starts(self.rows, self.height, self.image[0])
        lefts = starts(self.columns, self.width, self.image[1])
        return tuple((top, left) for top in tops for left in lefts)

    def cut(self, images: Tensor, present: Tensor | None = None) -> Tensor:
        """What the devices see: float32 [batch, devices, channels, height, width] of float32 [batch, channels, *image].

        Args:
            present: bool [devices] or [batch, devices]; the tile of a device that has failed is all zeros.

        Raises:
            InputError: the images have another size, or `present` another shape.
        """
        if images.ndim != 4 or tuple(images.shape[2:]) != self.image:
            raise InputError(
                f"images [batch, channels, {self.image[0]}, {self.image[1]}] are due, got {images.shape}"
            )
        seen = torch.stack(
            [images[:, :, t : t + self.height, left : left + self.width] for t, left in self.origins], 1
        )
        if present is None:
            return seen
        return seen * mask_of(present, len(images), self.devices)[:, :, None, None, None]


def tiles_of(image: tuple[int, int], *, rows: int = 3, columns: int = 2, overlap: int = 0) -> Tiles:
    """The smallest equal tiles of which neighbours share at least `overlap` pixels.

    The paper's grid for MNIST is 3 x 2 without overlap.

    Example:
        >>> t = tiles_of((28, 28), rows=3, columns=2, overlap=4)
        >>> t.height, t.width, t.devices
        (12, 16, 6)
    """
    if overlap < 0:
        raise InputError(f"'overlap' is a number of pixels from 0 on, got {overlap}", where="tiles")

    def side(whole: int, count: int) -> int:
        return whole if count < 1 else -(-(whole + (count - 1) * overlap) // count)

    return Tiles(image, rows, columns, side(image[0], rows), side(image[1], columns))


def mask_of(present: Tensor, batch: int, devices: int) -> Tensor:
    """bool [batch, devices] of bool [devices] or [batch, devices].

    Raises:
        InputError: it has another shape, or is no bool.
    """
    if present.dtype != torch.bool or tuple(present.shape) not in {(devices,), (batch, devices)}:
        raise InputError(
            f"which devices are present is a bool [{devices}] or [{batch}, {devices}], "
            f"got {present.dtype} {list(present.shape)}"
        )
    return present.expand(batch, devices)
