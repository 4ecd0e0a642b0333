"""What a node's camera and line do to pictures: noise, blur, lost contrast, compression, each at five severities.

Four of the corruptions of CIFAR-10-C, with its constants (Hendrycks & Dietterich, "Benchmarking neural network robustness to
common corruptions and perturbations", ICLR 2019; constants for 32 x 32 pixels from the authors' make_cifar_c.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from placid.errors import InputError, UnknownNameError
from placid.inference.pictures import Jpeg

__all__ = ["CORRUPTIONS", "SEVERITIES", "corrupt"]

SEVERITIES = (0, 1, 2, 3, 4, 5)

_DEVIATIONS = (0.04, 0.06, 0.08, 0.09, 0.10)
_RADII = (0.4, 0.6, 0.7, 0.8, 1.0)
_CONTRASTS = (0.75, 0.5, 0.4, 0.3, 0.15)
_QUALITIES = (80, 65, 58, 50, 40)


def _noise(images: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.standard_normal(images.shape, np.float32) * _DEVIATIONS[level]
    return _as_pixels(images / np.float32(255) + drawn)


def _blur(images: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    pixels = (images / 255.0).astype(np.float32)
    radius = _RADII[level]
    return _as_pixels(gaussian_filter(pixels, (0, radius, radius, 0), mode="nearest", truncate=4.0))


def _contrast(images: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    pixels = (images / 255.0).astype(np.float32)
    means = pixels.mean((1, 2), keepdims=True)
    return _as_pixels((pixels - means) * _CONTRASTS[level] + means)


def _compression(images: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    codec = Jpeg(images.shape[1:], _QUALITIES[level])
    return np.stack([codec.decode(codec.encode(image)) for image in images])


def _as_pixels(values: np.ndarray) -> np.ndarray:
    # cut off, not rounded, as the authors' files are
    return (np.clip(values, 0, 1) * 255).astype(np.uint8)


#: every corruption by name: (images uint8 [n, height, width, channels], severity - 1, rng) to the same shape
CORRUPTIONS: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    "noise": _noise,
    "blur": _blur,
    "contrast": _contrast,
    "compression": _compression,
}


def corrupt(images: np.ndarray, corruption: str, severity: int, rng: np.random.Generator) -> np.ndarray:
    """`images` (uint8 [n, height, width, channels]) as the node sees them.

    Args:
        severity: 1 to 5; 0 leaves them as they are.
        rng: only noise draws from it.

    Raises:
        UnknownNameError: there is no such corruption.
        InputError: there is no such severity.
    """
    if corruption not in CORRUPTIONS:
        raise UnknownNameError("corruption", corruption, CORRUPTIONS)
    if severity not in SEVERITIES:
        raise InputError(f"a severity is 0 (none) to 5, got {severity}", where=f"corruption '{corruption}'")
    if severity == 0 or not len(images):
        return images
    return CORRUPTIONS[corruption](images, severity - 1, rng)
