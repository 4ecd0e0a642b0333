"""Small pictures that a small network can learn in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from placid.splitting.data import DATASETS, Images
from placid.splitting.data.store import save_arrays

pytest.importorskip("torch")


def drawn(n: int, seed: int, size: int = 32) -> Images:
    """Four classes: where a bright square lies, behind noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n).astype(np.uint8)
    images = rng.integers(0, 120, (n, size, size, 3)).astype(np.uint8)
    half = size // 2
    for image, label in zip(images, labels, strict=True):
        top, left = half * (label // 2) + rng.integers(0, 4), half * (label % 2) + rng.integers(0, 4)
        image[top : top + half - 4, left : left + half - 4] += np.uint8(110)
    return Images(images, labels)


@pytest.fixture(scope="session")
def pictures() -> Images:
    return drawn(768, seed=0)


@pytest.fixture(scope="session")
def other_pictures() -> Images:
    return drawn(400, seed=1)


def _offer(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """A data set called cifar10 that is small and quickly learned, where `load_dataset` looks for the real one."""
    train, test = drawn(900, seed=2), drawn(300, seed=3)
    patch.setenv("PLACID_DATA", str(folder / "data"))
    patch.setitem(DATASETS, "cifar10", replace(DATASETS["cifar10"], calibration=130))
    save_arrays(DATASETS["cifar10"], (train.images, train.labels, test.images, test.labels))


@pytest.fixture(scope="session")
def offer_small_cifar() -> Callable[[Path, pytest.MonkeyPatch], None]:
    """To be called by fixtures that live longer than one test."""
    return _offer


@pytest.fixture
def small_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for one test."""
    _offer(tmp_path, monkeypatch)
