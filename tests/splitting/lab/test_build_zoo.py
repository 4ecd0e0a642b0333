"""From weights to a zoo: its files do what its manifest says, over real bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from placid.catalog.variants import Variant, Zoo, read_zoo
from placid.errors import InputError
from placid.inference.digest import digest_of
from placid.inference.inputs import network_input
from placid.inference.wire import wire_from
from placid.splitting.data import load_dataset
from placid.splitting.lab.again import time_again
from placid.splitting.lab.build import build_zoo
from placid.splitting.lab.segments import runner
from placid.splitting.lab.spec import read_lab
from placid.splitting.lab.train import train_lab, weights_file

LAB = """\
data: cifar10
seeds: [0, 1]
crop: 2
flip: false
cutout: 0
decoder_blocks: 1
teacher: {name: airbench, settings: {width: 4}, epochs: 4, optimiser: muon, peak_rate: 0.2, smoothing: 0.1}
variants:
  - {technique: local, name: tiny, network: {name: resnet, settings: {depth: 8, width: 4}, epochs: 1}, int8: true}
  - {technique: remote, pictures: [raw, jpeg-50]}
  - {technique: split, cut: stage2, bits: [32, 4]}
  - {technique: bottleneck, method: bottlefit-free, cut: stage2, channels: 3, bits: 4, epochs: 2, encoder: tiny, int8: true}
  - {technique: bottleneck, method: rebel, cut: stage2, channels: 3, bits: 8, epochs: 2, encoder: tiny}
  - {technique: bottleneck, method: entropic, cut: stage2, channels: 3, beta: 1.0e-3, epochs: 2, encoder: tiny}
  - {technique: exits, after: [stage1, stage2], epochs: 2, level: 0.05}
"""


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, offer_small_cifar: Callable[[Path, pytest.MonkeyPatch], None]
) -> Iterator[tuple[Path, Zoo, list[str]]]:
    folder = tmp_path_factory.mktemp("build")
    with pytest.MonkeyPatch.context() as patch:
        offer_small_cifar(folder, patch)
        file = folder / "lab.yaml"
        file.write_text(LAB)
        lab = read_lab(file)
        train_lab(lab, folder / "trained")
        told: list[str] = []
        zoo = build_zoo(
            lab,
            folder / "trained",
            folder / "zoo",
            made={"command": "here"},
            told=lambda name, line: told.append(f"{name} {line}"),
            processor="a processor",
        )
        yield folder, zoo, told


def accuracy_over_bytes(zoo: Zoo, variant: Variant) -> tuple[float, float]:
    """What the files of a variant do on the test images, run by hand: accuracy, mean bytes of the first crossing."""
    data = load_dataset("cifar10").test
    given = network_input(data.images)
    sent: list[int] = []
    for place, segment in enumerate(variant.segments):
        outputs = runner(zoo.folder / segment.file)(given)
        if place == len(variant.segments) - 1:
            return float((outputs[-1].argmax(1) == data.labels).mean()), float(np.mean(sent)) if sent else 0.0
        wire = wire_from(variant.crossings[place].wire)
        coded = [wire.encode(t) for t in outputs[0]]
        sent += [len(c) for c in coded] if place == 0 else []
        given = np.stack([wire.decode(c) for c in coded]).astype(outputs[0].dtype)
    raise AssertionError("no segments")


def test_a_zoo_does_what_its_manifest_says(built: tuple[Path, Zoo, list[str]]) -> None:
    folder, zoo, told = built
    again = read_zoo(folder / "zoo")
    assert json.dumps(asdict(again), default=str) == json.dumps(asdict(zoo), default=str)
    names = [v.name for v in zoo.variants]
    assert names == [
        *(
            "local-tiny",
            "local-tiny-int8",
            "remote-raw",
            "remote-jpeg-50",
            "split-stage2-32bit",
            "split-stage2-4bit",
        ),
        *(
            "bottlefit-free-3x4bit-tiny",
            "bottlefit-free-3x4bit-tiny-int8",
            "rebel-3x8bit-tiny",
            "entropic-3x1e-3-tiny",
        ),
        "exits-stage1-stage2-heads-only",
    ]
    assert len(told) == len(names)
    assert {f.name for f in (folder / "zoo").glob("*.onnx")} == {
        s.file for v in zoo.variants for s in v.segments if s.file
    }
    raw = zoo.variant("remote-raw")
    assert raw.accuracy > 0.8, "the teacher has learned nothing: the rest would prove nothing"
    assert raw.crossings[0].mean_bytes == 3072
    assert zoo.variant("remote-jpeg-50").crossings[0].mean_bytes < 3072
    for variant in zoo.variants:
        for segment in variant.segments:
            if segment.file:
                assert digest_of(zoo.folder / segment.file) == segment.sha256
                assert segment.latency.mean_s > 0
                assert segment.multiply_adds > 0
        assert variant.made["data_sha256"]
        assert variant.made["built"] == {"command": "here"}
    # every path is run once more, by hand
    for name in names:
        variant = zoo.variant(name)
        if variant.technique.startswith("remote") or variant.exits:
            continue
        accuracy, sent = accuracy_over_bytes(zoo, variant)
        assert accuracy == pytest.approx(variant.seed_accuracies[0], abs=0.004), name
        assert sent == pytest.approx(variant.crossings[0].mean_bytes if variant.crossings else 0.0), name
    # two header bytes, then 3 channels of 7 x 7 numbers of 4 bits
    assert zoo.variant("bottlefit-free-3x4bit-tiny").crossings[0].max_bytes == 2 + -(-3 * 49 // 2)
    for name in ("remote-jpeg-50", "split-stage2-4bit", "entropic-3x1e-3-tiny", "rebel-3x8bit-tiny"):
        assert len(zoo.variant(name).seed_accuracies) == 2
    assert len(zoo.variant("local-tiny-int8").seed_accuracies) == 1, "files of one seed are quantised"
    assert zoo.variant("local-tiny-int8").size_bytes < zoo.variant("local-tiny").size_bytes * 1.5
    assert [s.arithmetic for s in zoo.variant("local-tiny-int8").segments] == ["int8"]


def test_exits_of_a_zoo_answer_what_they_say(built: tuple[Path, Zoo, list[str]]) -> None:
    _, zoo, _ = built
    variant = zoo.variant("exits-stage1-stage2-heads-only")
    assert variant.exits, "an easy task, and five points may be lost: somebody leaves early"
    assert sum(e.share for e in variant.exits) <= 1
    assert len(variant.made["scores"]) == len(variant.exits) == len(variant.made["risk_coverage"])
    right = sum(e.share * e.accuracy for e in variant.exits)
    assert right <= variant.accuracy <= 1
    assert variant.accuracy > variant.made["accuracy_without_exits"] - 0.15


def test_what_is_built_is_not_built_again(built: tuple[Path, Zoo, list[str]]) -> None:
    folder, zoo, _ = built
    lab = read_lab(folder / "lab.yaml")
    told: list[str] = []
    again = build_zoo(lab, folder / "trained", folder / "zoo", told=lambda name, line: told.append(name))
    assert not told
    assert json.dumps([asdict(v) for v in again.variants]) == json.dumps([asdict(v) for v in zoo.variants])
    # a damaged file is made again, and so is what was trained anew
    file = folder / "zoo" / zoo.variant("entropic-3x1e-3-tiny").segments[0].file
    file.write_bytes(file.read_bytes()[:-1])
    weights_file(folder / "trained", "local-tiny", 1).unlink()
    again = build_zoo(lab, folder / "trained", folder / "zoo", told=lambda name, line: told.append(name))
    assert told == ["local-tiny", "local-tiny-int8", "entropic-3x1e-3-tiny"]
    assert len(again.variant("local-tiny").seed_accuracies) == 1


def test_a_zoo_needs_its_teacher(tmp_path: Path, small_cifar: None) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(LAB)
    with pytest.raises(InputError, match="no such file"):
        build_zoo(read_lab(file), tmp_path / "trained", tmp_path / "zoo")


def test_a_zoo_is_timed_again_and_nothing_else_changes(
    built: tuple[Path, Zoo, list[str]], tmp_path: Path
) -> None:
    zoo = read_zoo(built[0] / "zoo")
    told: list[str] = []
    pictures = load_dataset("cifar10").calibration.images[:40]
    found = time_again(
        zoo, pictures, tmp_path / "mine", processor="mine", told=lambda name, line: told.append(name)
    )
    assert told == [v.name for v in zoo.variants]
    again = read_zoo(tmp_path / "mine")
    assert again.processor == "mine"
    assert "on mine." in again.notes[0]
    assert sum("Latencies" in n for n in again.notes) == 1
    timed = []
    for before, after in zip(zoo.variants, again.variants, strict=True):
        pairs = list(zip(before.segments, after.segments, strict=True))
        assert replace(after, segments=before.segments, crossings=before.crossings) == before
        for one, other in pairs:
            assert replace(other, latency=one.latency) == one
            if one.file:
                assert digest_of(tmp_path / "mine" / one.file) == one.sha256
                timed.append(other.latency != one.latency)
        for one, other in zip(before.crossings, after.crossings, strict=True):
            assert replace(other, encode=one.encode, decode=one.decode) == one
            assert other.encode.mean_s > 0
    assert all(timed), "a part kept its old latency"
    assert found == again
