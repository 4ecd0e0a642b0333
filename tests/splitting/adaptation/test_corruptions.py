"""What a camera does to pictures: the same under the same draw, worse with every severity."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from placid.errors import InputError, UnknownNameError
from placid.splitting.adaptation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from placid.splitting.data import LabelledImages


@pytest.fixture
def images(labelled_data: LabelledImages) -> np.ndarray:
    return labelled_data.test.images[:40]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_severity_is_further_from_the_picture(name: str, images: np.ndarray) -> None:
    before = images.copy()
    distances = [
        float(np.mean((corrupt(images, name, s, np.random.default_rng(1)).astype(float) - images) ** 2))
        for s in SEVERITIES
    ]
    assert distances[0] == 0
    assert all(a < b for a, b in pairwise(distances)), distances
    assert (images == before).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_draw_gives_the_same_pictures(name: str, images: np.ndarray) -> None:
    first = corrupt(images, name, 4, np.random.default_rng(7))
    assert first.shape == images.shape
    assert first.dtype == np.uint8
    assert (first == corrupt(images, name, 4, np.random.default_rng(7))).all()
    other = corrupt(images, name, 4, np.random.default_rng(8))
    assert (first == other).all() == (name != "noise")


def test_figures_that_can_be_worked_out() -> None:
    # a picture whose channels are 100 and 200 in equal parts: its mean is 150, and half of the contrast leaves 125 and 175
    image = np.full((1, 2, 2, 3), 100, np.uint8)
    image[:, 0] = 200
    halved = corrupt(image, "contrast", 2, np.random.default_rng(0))
    assert set(np.unique(halved)) <= {124, 125, 174, 175}
    grey = np.full((4, 64, 64, 3), 128, np.uint8)
    noisy = corrupt(grey, "noise", 5, np.random.default_rng(0)) / 255
    assert noisy.std() == pytest.approx(0.10, rel=0.02)
    # blur and compression leave an even picture even
    assert np.ptp(corrupt(grey, "blur", 5, np.random.default_rng(0))) == 0
    assert np.ptp(corrupt(grey, "compression", 5, np.random.default_rng(0))) <= 1


def test_what_there_is_not_is_told(images: np.ndarray) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'noise'"):
        corrupt(images, "noize", 1, np.random.default_rng(0))
    with pytest.raises(InputError, match=r"severity is 0 \(none\) to 5, got 6"):
        corrupt(images, "blur", 6, np.random.default_rng(0))
