"""Running stages: what nodes answer together is what the variant answers, over real bytes and by its exits."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from placid.catalog.variants import read_zoo, shipped_zoo
from placid.errors import InputError, RunError
from placid.inference.samples import read_samples
from placid.runtime.node.networks import Left, Networks


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks(shipped_zoo())


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    samples = read_samples(shipped_zoo() / "pictures.npz")
    return samples.pictures[:200], samples.labels[:200]


def answers(
    networks: Networks, variant: str, bounds: list[int], pictures: np.ndarray, code: bool
) -> np.ndarray:
    """Labels of all pictures, with the segments of `variant` parted at `bounds`."""
    labels = np.full(len(pictures), -1)
    held: dict[int, bytes | np.ndarray] = dict(enumerate(pictures))
    for first, last in pairwise(bounds):
        left = networks.run(variant, first, last, list(held.values()), code=code)
        done: list[tuple[int, Left]] = list(zip(held, left, strict=True))
        labels[[i for i, one in done if one.answer]] = [one.answer.label for _, one in done if one.answer]
        held = {i: one.crossing for i, one in done if one.crossing is not None}
        assert all(one.ran <= last for one in left)
    assert not held
    return labels


@pytest.mark.parametrize(
    "variant",
    [
        "local-resnet8",
        "remote-jpeg-75",
        "split-stage2-4bit",
        "exits-stage1-stage2-heads-only",
        "entropic-8x3e-4",
        "rebel-3x8bit",
    ],
)
def test_stages_on_several_nodes_answer_as_the_manifest_says(
    networks: Networks, pictures: tuple[np.ndarray, np.ndarray], variant: str
) -> None:
    if variant.startswith("entropic"):
        pytest.importorskip("constriction")
    told = read_zoo().variant(variant)
    images, labels = pictures
    found = answers(networks, variant, list(range(len(told.segments) + 1)), images, code=True)
    # 200 pictures: four standard errors
    right = (found == labels).mean()
    assert abs(right - told.accuracy) < 4 * np.sqrt(told.accuracy * (1 - told.accuracy) / len(labels))


def test_on_one_node_nothing_is_coded_and_answers_are_those_of_the_whole(
    networks: Networks, pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    images, _ = pictures
    whole = answers(networks, "split-stage2-8bit", [0, 2], images, code=False)
    parts = answers(networks, "split-stage2-8bit", [0, 1, 2], images, code=False)
    teacher = answers(networks, "remote-raw", [0, 2], images, code=False)
    np.testing.assert_array_equal(whole, parts)
    assert (whole == teacher).mean() > 0.99


def test_exits_answer_the_share_that_the_manifest_says(
    networks: Networks, pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    images, _ = pictures
    left = networks.run("exits-stage1-joint", 0, 1, list(images), code=True)
    share = np.mean([one.answer is not None for one in left])
    due = read_zoo().variant("exits-stage1-joint").exits[0].share
    assert abs(share - due) < 4 * np.sqrt(due * (1 - due) / len(images))
    assert {one.answer.exit for one in left if one.answer} == {0}
    assert all(isinstance(one.crossing, bytes) for one in left if one.answer is None)


def test_one_alone_is_answered_as_among_many(
    networks: Networks, pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    images, _ = pictures
    many = networks.run("exits-stage1-joint", 0, 2, list(images[:16]), code=False)
    alone = [networks.run("exits-stage1-joint", 0, 2, [i], code=False)[0] for i in images[:16]]
    assert [one.answer.label for one in many if one.answer] == [
        one.answer.label for one in alone if one.answer
    ]
    assert [one.ran for one in many] == [one.ran for one in alone]


def test_bytes_of_another_variant_are_refused(
    networks: Networks, pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    images, _ = pictures
    (left,) = networks.run("split-stage2-8bit", 0, 1, [images[0]], code=True)
    assert isinstance(left.crossing, bytes)
    with pytest.raises(InputError, match="variant"):
        networks.run("split-stage2-4bit", 1, 2, [left.crossing], code=False)
    with pytest.raises(InputError):
        networks.run("split-stage2-8bit", 1, 2, [left.crossing[:-1]], code=False)


def test_a_file_that_the_manifest_does_not_speak_of_is_not_loaded(tmp_path: Path) -> None:
    zoo = shipped_zoo()
    shutil.copy(zoo / "manifest.json", tmp_path)
    (tmp_path / "local-resnet8.onnx").write_bytes((zoo / "teacher.onnx").read_bytes())
    here = Networks(tmp_path)
    with pytest.raises(InputError, match="SHA-256 differs"):
        here.load(["local-resnet8.onnx"])
    with pytest.raises(RunError, match="no such file"):
        here.load(["teacher.onnx"])
    assert not here.loaded
