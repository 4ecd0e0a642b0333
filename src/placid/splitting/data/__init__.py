"""Labelled images: where they come from, that they are what they should be, and the one protocol to split them.

    from placid.splitting.data import load_dataset
    data = load_dataset("cifar10")
    data.train.images, data.calibration.labels, data.test

Nothing is ever chosen on the test images: thresholds, temperatures and choices of any kind use the calibration split.
"""

from __future__ import annotations

from placid.splitting.data.datasets import DATASETS, Dataset
from placid.splitting.data.fetch import fetch_dataset
from placid.splitting.data.store import Images, LabelledImages, check_dataset, load_dataset

__all__ = [
    "DATASETS",
    "Dataset",
    "Images",
    "LabelledImages",
    "check_dataset",
    "fetch_dataset",
    "load_dataset",
]
