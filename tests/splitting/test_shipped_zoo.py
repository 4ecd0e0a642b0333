"""The zoos that come with placid: their files, run on 1,000 real test images, do what their manifests say."""

from __future__ import annotations

import numpy as np
import pytest

from placid.catalog.variants import Variant, Zoo, read_zoo, shipped_zoo
from placid.inference.digest import digest_of
from placid.inference.inputs import network_input
from placid.inference.pictures import picture_codec
from placid.inference.samples import read_samples
from placid.inference.wire import wire_from
from placid.splitting.data import DATASETS, Images
from placid.splitting.lab.segments import runner
from placid.splitting.measuring import footprint

SLICE = shipped_zoo() / "pictures.npz"
ZOOS = {name: read_zoo(shipped_zoo(name)) for name in ("cifar10", "cifar10-long")}
VARIANTS = [(zoo, v.name) for zoo, read in ZOOS.items() for v in read.variants]


@pytest.fixture(scope="module")
def images() -> Images:
    samples = read_samples(SLICE)
    return Images(samples.pictures, samples.labels)


def answers(zoo: Zoo, variant: Variant, images: Images) -> tuple[np.ndarray, np.ndarray]:
    """(labels given, bytes of the first crossing), image by image, over real bytes and by the exits in use."""
    pytest.importorskip("constriction")
    from placid.splitting.exits import Score

    segments, crossings = list(variant.segments), list(variant.crossings)
    first, given = np.zeros(len(images), np.int64), network_input(images.images)
    if not segments[0].file:
        codec = picture_codec(crossings[0].codec, (32, 32, 3))
        coded = [codec.encode(i) for i in images.images]
        first = np.array([len(c) for c in coded])
        given = network_input(np.stack([codec.decode(c) for c in coded]))
        segments, crossings = segments[1:], crossings[1:]
    labels, open_ = np.full(len(images), -1), np.ones(len(images), bool)
    scores = iter([Score(**s) for s in variant.made.get("scores", ())])
    for place, segment in enumerate(segments):
        outputs = runner(zoo.folder / segment.file)(given)
        last = place == len(segments) - 1
        if last:
            labels[open_] = outputs[-1].argmax(1)[open_]
            break
        for exit_ in (e for e in variant.exits if e.segment == place):
            leaves = open_ & (next(scores)(outputs[1]) >= exit_.threshold)
            labels[leaves], open_ = outputs[1].argmax(1)[leaves], open_ & ~leaves
        wire = wire_from(crossings[place].wire)
        coded = [wire.encode(t) for t in outputs[0]]
        if place == 0:
            first = np.array([len(c) for c in coded])
        given = np.stack([wire.decode(c) for c in coded]).astype(outputs[0].dtype)
    return labels, first


@pytest.mark.parametrize(("of_zoo", "name"), VARIANTS)
def test_a_variant_does_what_its_manifest_says(of_zoo: str, images: Images, name: str) -> None:
    zoo = ZOOS[of_zoo]
    variant = zoo.variant(name)
    labels, sent = answers(zoo, variant, images)
    right, of = variant.made["right_of_first"]
    assert of == len(images) == 1000
    # other processors sum in another order, and a number may fall on the other side of a half
    assert abs(int((labels == images.labels).sum()) - right) <= 3
    assert abs(right / of - variant.seed_accuracies[0]) < 0.05, "a thousand images of ten thousand"
    if variant.crossings:
        assert sent.mean() == pytest.approx(variant.crossings[0].mean_bytes, rel=0.03)
        assert sent.max() <= variant.crossings[0].max_bytes
    for segment in variant.segments:
        if segment.file:
            assert digest_of(zoo.folder / segment.file) == segment.sha256
            assert footprint(zoo.folder / segment.file).multiply_adds == segment.multiply_adds


def test_together_they_are_small() -> None:
    assert sum(f.stat().st_size for zoo in ZOOS.values() for f in zoo.folder.iterdir()) < 40e6


@pytest.mark.parametrize("of_zoo", ZOOS)
def test_a_zoo_says_how_it_was_made(of_zoo: str) -> None:
    zoo = ZOOS[of_zoo]
    assert {f.name for f in zoo.folder.glob("*.onnx")} == {
        s.file for v in zoo.variants for s in v.segments if s.file
    }
    for variant in zoo.variants:
        made = variant.made
        assert made["data_sha256"] == list(DATASETS["cifar10"].sha256)
        for key in ("trained", "built", "seeds", "spec", "weights"):
            assert made[key], (variant.name, key)
        assert "placid" in made["trained"]["command"]


def test_the_slice_is_what_it_says() -> None:
    """Held against the whole set where that is fetched."""
    from placid.errors import PlacidError
    from placid.splitting.data import load_dataset

    try:
        test = load_dataset("cifar10").test
    except PlacidError:
        pytest.skip("CIFAR-10 is not fetched here")
    samples = read_samples(SLICE)
    np.testing.assert_array_equal(samples.labels, test.labels[:1000])
    np.testing.assert_array_equal(samples.pictures, test.images[:1000])
