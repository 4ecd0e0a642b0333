"""Real pictures with their labels that lie beside a zoo: enough to ask its networks something, and to check the answers."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from placid.errors import InputError

__all__ = ["Samples", "read_samples"]


@dataclass(frozen=True)
class Samples:
    """n pictures.

    Attributes:
        pictures: uint8 [n, height, width, channels].
        labels: int64 [n].
    """

    pictures: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def read_samples(file: Path) -> Samples:
    """From an ``.npz`` with ``labels`` and either ``pictures`` (uint8 [n, height, width, channels]) or ``png``, the bytes of
    one PNG in which they stand below each other, each as high as wide.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
    try:
        with np.load(file, allow_pickle=False) as data:
            labels = np.asarray(data["labels"], np.int64)
            pictures = data["pictures"] if "pictures" in data else _stacked(data["png"].tobytes())
    except FileNotFoundError:
        raise InputError(
            "there is no such file; pictures come with a zoo as pictures.npz, or from you with --pictures",
            where=str(file),
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"holds no pictures and labels ({error})", where=str(file)) from None
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or len(pictures) != len(labels) or not len(labels):
        raise InputError(
            f"needs as many labels as pictures of uint8 [n, height, width, channels], got {len(labels)} labels and "
            f"{pictures.dtype} {pictures.shape}",
            where=str(file),
        )
    return Samples(pictures, labels)


def _stacked(png: bytes) -> np.ndarray:
    from PIL import Image

    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        tall = np.asarray(picture)
    return tall.reshape(-1, tall.shape[1], *tall.shape[1:])
