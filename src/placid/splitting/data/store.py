"""Where data sets lie once fetched, that they are whole, and how they are split."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.randomness import stream
from placid.splitting.data.datasets import ARRAYS, DATASETS, Dataset

__all__ = [
    "Images",
    "LabelledImages",
    "check_dataset",
    "data_folder",
    "dataset_named",
    "load_dataset",
    "save_arrays",
]


@dataclass(frozen=True)
class Images:
    """Images with their labels.

    Attributes:
        images: uint8 [n, height, width, channels].
        labels: uint8 [n].
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class LabelledImages:
    """A data set under the one protocol: train on `train`, choose on `calibration`, report on `test`."""

    dataset: Dataset
    train: Images
    calibration: Images
    test: Images


def data_folder() -> Path:
    """Where data sets are kept: the environment variable PLACID_DATA, else the user's cache."""
    given = os.environ.get("PLACID_DATA")
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(given) if given else (Path(cache) if cache else Path.home() / ".cache") / "placid" / "data"


def dataset_named(name: str) -> Dataset:
    """Raises UnknownNameError if there is none of that name."""
    if name not in DATASETS:
        raise UnknownNameError("data set", name, DATASETS)
    return DATASETS[name]


def load_dataset(name: str) -> LabelledImages:
    """The data set called `name`, checked when it was fetched.

    The calibration images are drawn from the training images, as many of each class as its share, always the same ones.

    Raises:
        UnknownNameError: there is no such data set.
        InputError: it has not been fetched yet.
    """
    dataset = dataset_named(name)
    arrays = _arrays(dataset)
    kept = _calibration_mask(dataset, arrays[1])
    return LabelledImages(
        dataset,
        train=Images(arrays[0][~kept], arrays[1][~kept]),
        calibration=Images(arrays[0][kept], arrays[1][kept]),
        test=Images(arrays[2], arrays[3]),
    )


def check_dataset(name: str) -> dict[str, list[int]]:
    """How many images each class has, by split, if all is as published.

    Raises:
        UnknownNameError: there is no such data set.
        InputError: it has not been fetched, or is not what was published; the message says which array.
    """
    dataset = dataset_named(name)
    verify(dataset, _arrays(dataset), str(_file(dataset)))
    data = load_dataset(name)
    classes = len(dataset.classes)
    return {
        split: np.bincount(getattr(data, split).labels, minlength=classes).tolist()
        for split in ("train", "calibration", "test")
    }


def verify(dataset: Dataset, arrays: tuple[np.ndarray, ...], where: str) -> None:
    """Nothing, if the arrays are those that were published, to the byte.

    Raises:
        InputError: says which is not.
    """
    for name, array, wanted in zip(ARRAYS, arrays, dataset.sha256, strict=True):
        if hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() != wanted:
            raise InputError(
                f"'{name}' of {dataset.name} is not what was published (its checksum differs); "
                f"fetch it again: placid data fetch {dataset.name} --again",
                where=where,
            )


def save_arrays(dataset: Dataset, arrays: tuple[np.ndarray, ...]) -> Path:
    """Keep `arrays`, whole or not at all."""
    file = _file(dataset)
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".tmp.npz")
    named: dict[str, Any] = dict(zip(ARRAYS, arrays, strict=True))
    np.savez(scratch, **named)
    os.replace(scratch, file)
    return file


def _file(dataset: Dataset) -> Path:
    return data_folder() / f"{dataset.name}.npz"


def _arrays(dataset: Dataset) -> tuple[np.ndarray, ...]:
    file = _file(dataset)
    try:
        with np.load(file) as data:
            return tuple(data[name] for name in ARRAYS)
    except FileNotFoundError:
        raise InputError(
            f"has not been fetched: placid data fetch {dataset.name}", where=dataset.name
        ) from None
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(
            f"is damaged ({error}): placid data fetch {dataset.name} --again", where=str(file)
        ) from error


def _calibration_mask(dataset: Dataset, labels: np.ndarray) -> np.ndarray:
    """bool [n]: the training images set aside, class by class."""
    rng = stream(0, "calibration", dataset.name)
    kept = np.zeros(len(labels), bool)
    for label in range(len(dataset.classes)):
        mine = np.flatnonzero(labels == label)
        count = round(dataset.calibration * len(mine) / len(labels))
        kept[rng.permutation(mine)[:count]] = True
    return kept
