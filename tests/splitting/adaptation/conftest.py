"""Nodes that are adapted to in a second: small pictures of four classes, a small network that knows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from adapted_network import fresh
from torch import nn

from placid.splitting.data import DATASETS, Images, LabelledImages
from placid.splitting.training import Classifier, Recipe, fit

_SIDE = 16


def _drawn(each: int, seed: int) -> Images:
    """`each` pictures of every class: at which of four heights a bright square lies; mirrored, it is of the same class."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(4, dtype=np.uint8), each))
    images = rng.integers(40, 120, (len(labels), _SIDE, _SIDE, 3)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = 4 * int(label), rng.integers(0, _SIDE - 4)
        image[top : top + 4, left : left + 4] += np.uint8(90)
    return Images(images, labels)


@pytest.fixture(scope="session")
def labelled_data() -> LabelledImages:
    dataset = replace(
        DATASETS["cifar10"], name="heights", shape=(_SIDE, _SIDE, 3), classes=("a", "b", "c", "d")
    )
    return LabelledImages(dataset, _drawn(200, 0), _drawn(90, 1), _drawn(90, 2))


@pytest.fixture(scope="session")
def trained_network(labelled_data: LabelledImages, tmp_path_factory: pytest.TempPathFactory) -> nn.Sequential:
    folder: Path = tmp_path_factory.mktemp("trained")
    torch.manual_seed(0)
    network = fresh()
    fit(Classifier(network), labelled_data.train, Recipe(4, 50, "adam", 1e-2, weight_decay=0.0), folder)
    return network.eval()
