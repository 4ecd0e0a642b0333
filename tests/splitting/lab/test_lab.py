"""A lab file: read with its mistakes told, trained once, taken up again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from placid.errors import InputError, UnknownNameError
from placid.splitting.lab.spec import Lab, read_lab
from placid.splitting.lab.train import load_teacher, train_lab, weights_file
from placid.splitting.training.checkpoint import read_about

GOOD = """\
data: cifar10
seeds: [0, 1]
crop: 2
flip: false
cutout: 0
teacher: {name: resnet9, settings: {width: 4}, epochs: 3, peak_rate: 0.1}
variants:
  - {technique: local, name: tiny, network: {name: resnet, settings: {depth: 8, width: 4}, epochs: 1}, distilled: 0.5}
  - {technique: remote, pictures: [raw, jpeg-50]}
  - {technique: split, cut: stage2, bits: [32, 8]}
  - {technique: bottleneck, method: rebel, cut: stage2, channels: 3, bits: 8, epochs: 2, encoder: tiny}
  - {technique: bottleneck, method: entropic, cut: stage2, channels: 3, beta: 1.0e-3, epochs: 2, encoder: tiny}
  - {technique: exits, after: [stage1]}
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "lab.yaml"
    file.write_text(text)
    return file


def test_variants_are_named_by_what_they_are(tmp_path: Path) -> None:
    lab = read_lab(written(tmp_path, GOOD))
    assert [n for v in lab.variants for n in v.names()] == [
        "local-tiny",
        "remote-raw",
        "remote-jpeg-50",
        "split-stage2-32bit",
        "split-stage2-8bit",
        "rebel-3x8bit-tiny",
        "entropic-3x1e-3-tiny",
        "exits-stage1-heads-only",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds: [0, 1]", "seed: 1", "seed.*line|:2: 'seed'"),
        ("method: rebel", "method: rebl", ":11: unknown method 'rebl'; known:"),
        (
            "bits: 8, epochs: 2, encoder: tiny",
            "bits: 8, epochs: 2, encoder: huge",
            ":11: unknown encoder 'huge'",
        ),
        (
            "channels: 3, bits: 8",
            "channels: 3, decoder_blocks: 1",
            "'decoder_blocks' is said for the whole lab",
        ),
        ("beta: 1.0e-3, ", "", ":12: 'beta' above 0"),
        ("channels: 3, bits: 8", "channels: 0, bits: 8", ":11: 'variants.3.channels'"),
        ("bits: [32, 8]", "bits: [8, 8]", ":10: two variants are called 'split-stage2-8bit'"),
        ("technique: exits", "technique: exit", ":13: "),
        ("{technique: remote, pictures: [raw, jpeg-50]}", "{technique: remote}", ":9: 'variants.1.pictures'"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError, match=message):
        read_lab(written(tmp_path, GOOD.replace(old, new)))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return read_lab(written(tmp_path, GOOD))


@pytest.mark.usefixtures("small_cifar")
def test_training_a_lab_keeps_everything_and_does_nothing_twice(lab: Lab, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told: list[tuple[str, str]] = []
    train_lab(
        lab, out, made={"command": "placid splits train …"}, told=lambda name, line: told.append((name, line))
    )
    for name in ("local-tiny", "rebel-3x8bit-tiny", "entropic-3x1e-3-tiny"):
        for seed in (0, 1):
            about = read_about(weights_file(out, name, seed))
            assert about is not None
            assert about["command"] == "placid splits train …"
            assert 0 <= about["calibration_accuracy"] <= 1
            assert about["training_s"] > 0
            assert about["recipe"]["seed"] == seed
    assert load_teacher(lab, out) is not None
    told.clear()
    train_lab(lab, out, told=lambda name, line: told.append((name, line)))
    assert told == []


@pytest.mark.usefixtures("small_cifar")
def test_weights_from_before_decoders_had_blocks_are_taken_up(lab: Lab, tmp_path: Path) -> None:
    out, only = tmp_path / "out", ["rebel-3x8bit-tiny"]
    train_lab(lab, out, only=only, seeds=[0])
    for name in ("rebel-3x8bit-tiny", "start-stage2-tiny"):
        file = weights_file(out, name, 0)
        about = read_about(file)
        assert about is not None
        assert about.pop("decoder_blocks") == 0
        save_file(load_file(file), file, metadata={"about": json.dumps(about)})
    told: list[str] = []
    train_lab(lab, out, only=only, seeds=[0], told=lambda name, line: told.append(name))
    assert told == []


@pytest.mark.usefixtures("small_cifar")
def test_one_variant_alone_or_an_unknown_one(lab: Lab, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UnknownNameError, match="did you mean 'local-tiny'"):
        train_lab(lab, out, only=["local-tini"])
    assert not out.exists()
    train_lab(lab, out, only=["local-tiny"])
    assert sorted(p.name for p in out.iterdir()) == ["local-tiny", "teacher"]


@pytest.mark.usefixtures("small_cifar")
def test_students_of_all_teachers_have_them_trained_first(tmp_path: Path) -> None:
    exits = "{technique: exits, after: [stage1]"
    lab = read_lab(
        written(tmp_path, GOOD.replace(exits, f"{exits}, training: joint, teachers: all, epochs: 1"))
    )
    out = tmp_path / "out"
    told: list[str] = []
    train_lab(lab, out, only=["exits-stage1-joint"], seeds=[1], told=lambda name, line: told.append(name))
    assert set(told) == {"teacher, seed 0", "teacher, seed 1", "exits-stage1-joint, seed 1"}
    about = read_about(weights_file(out, "exits-stage1-joint", 1))
    assert about is not None
    assert len(set(about["teacher"].split())) == 2  # so that another teacher means another training
    train_lab(lab, out, only=["teacher"])
    assert sorted(p.name for p in out.iterdir()) == ["exits-stage1-joint", "teacher"]


def test_a_lab_without_its_data_says_how_to_get_it(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACID_DATA", str(tmp_path / "nothing"))
    with pytest.raises(InputError, match="placid data fetch cifar10"):
        train_lab(lab, tmp_path / "out")
    with pytest.raises(InputError, match="no such file"):
        load_teacher(lab, tmp_path / "out")
