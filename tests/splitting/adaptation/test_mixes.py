"""A node's pictures: of the classes it says, none twice, from the split they should be from, through its corruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from placid.errors import InputError
from placid.splitting.adaptation.corruptions import corrupt
from placid.splitting.adaptation.mixes import NodeSpec, draw_mix, draw_node, original_test
from placid.splitting.adaptation.nodes_file import CHOICE_NODES, NODES, read_nodes, severity_nodes
from placid.splitting.data import Images, LabelledImages

CLEAN = NodeSpec("clean", "dominant:1", "noise", 0)


def as_rows(images: np.ndarray) -> list[bytes]:
    return [image.tobytes() for image in images]


def test_pictures_are_of_their_split_and_none_twice(labelled_data: LabelledImages) -> None:
    node = draw_node(labelled_data, CLEAN, 0, labelled=150, calibration=60, test=80)
    for part, split, count in (
        (node.labelled, labelled_data.train, 150),
        (node.calibration, labelled_data.calibration, 60),
        (node.test, labelled_data.test, 80),
    ):
        rows = as_rows(part.images)
        assert len(set(rows)) == len(rows) == count
        known = dict(zip(as_rows(split.images), split.labels, strict=True))
        assert [known[row] for row in rows] == part.labels.tolist()
    few = node.first(7)
    assert as_rows(few.images) == as_rows(node.labelled.images)[:7]
    assert few.labels.tolist() == node.labelled.labels[:7].tolist()


def test_shares_are_those_drawn(labelled_data: LabelledImages) -> None:
    counts = np.zeros(4)
    for seed in range(12):
        node = draw_node(labelled_data, CLEAN, seed, labelled=100, calibration=1, test=1)
        own = np.bincount(node.labelled.labels, minlength=4) / 100
        counts += own[np.argsort(node.mix)] / 12
    # 12 draws of 100 from (0.067, 0.067, 0.067, 0.8): three standard errors
    assert counts == pytest.approx([0.2 / 3] * 3 + [0.8], abs=3 * np.sqrt(0.8 * 0.2 / 1200))


@pytest.mark.parametrize(("mix", "most"), [("even", 0.1), ("dominant:2", 0.4), ("dominant:9", 0.8 / 9)])
def test_mixes_add_up(mix: str, most: float) -> None:
    shares = draw_mix(mix, 10, np.random.default_rng(0))
    assert shares.sum() == pytest.approx(1)
    assert np.sort(shares)[-1] == pytest.approx(max(most, 0.2 if mix == "dominant:9" else 0))


def test_concentration_makes_mixes_even() -> None:
    rng = np.random.default_rng(0)
    few, many = (np.mean([draw_mix(f"dirichlet:{c}", 10, rng).max() for _ in range(200)]) for c in (0.1, 100))
    assert few > 0.6
    assert many < 0.16


@pytest.mark.parametrize(
    "mix", ["dominant:4", "dominant:0", "dominant", "dirichlet:0", "dirichlet:x", "odd", "even:2"]
)
def test_mixes_that_are_none(mix: str) -> None:
    with pytest.raises(InputError, match="a mix of classes is 'even'"):
        draw_mix(mix, 4, np.random.default_rng(0))


def test_draws_hang_on_name_and_seed_alone(labelled_data: LabelledImages) -> None:
    spec = NodeSpec("one", "dirichlet:0.5", "noise", 2)
    first, again = (draw_node(labelled_data, spec, 1, labelled=20, calibration=20, test=20) for _ in range(2))
    assert as_rows(first.test.images) == as_rows(again.test.images)
    fewer = draw_node(labelled_data, spec, 1, labelled=5, calibration=20, test=20)
    assert as_rows(fewer.test.images) == as_rows(first.test.images)
    for other in (NodeSpec("two", "dirichlet:0.5", "noise", 2), spec):
        seed = 1 if other != spec else 2
        drawn = draw_node(labelled_data, other, seed, labelled=20, calibration=20, test=20)
        assert drawn.mix.tolist() != first.mix.tolist()


def test_all_parts_are_corrupted(labelled_data: LabelledImages) -> None:
    plain = draw_node(labelled_data, CLEAN, 0, labelled=30, calibration=30, test=30)
    dim = NodeSpec("clean", "dominant:1", "contrast", 3)
    node = draw_node(labelled_data, dim, 0, labelled=30, calibration=30, test=30)
    for part in ("labelled", "calibration", "test"):
        before, after = getattr(plain, part), getattr(node, part)
        assert (after.images == corrupt(before.images, "contrast", 3, np.random.default_rng(0))).all()
        assert (after.labels == before.labels).all()


def test_too_few_pictures_of_a_class(labelled_data: LabelledImages) -> None:
    with pytest.raises(
        InputError, match=r"node 'clean', test: needs \d+ pictures of class \d, the split has 90"
    ):
        draw_node(labelled_data, CLEAN, 0, labelled=1, calibration=1, test=300)


def test_original_pictures_are_clean_and_even(labelled_data: LabelledImages) -> None:
    original = original_test(labelled_data, 40)
    assert np.bincount(original.labels).tolist() == [10] * 4
    assert set(as_rows(original.images)) <= set(as_rows(labelled_data.test.images))
    assert as_rows(original.images) == as_rows(original_test(labelled_data, 40).images)


GOOD = """\
nodes:
  - {name: porch, mix: "dominant:3", corruption: noise, severity: 4}
  - {name: shed, mix: even}
"""


def test_nodes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "nodes.yaml"
    file.write_text(GOOD)
    assert read_nodes(file, 10) == (
        NodeSpec("porch", "dominant:3", "noise", 4),
        NodeSpec("shed", "even", "noise", 0),
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("severity: 4", "severity: 6", ":2: 'nodes.0.severity'"),
        ("severity: 4", "severity: 2.5", ":2: 'nodes.0.severity'"),
        ("severity: 4", "strength: 4", ":2: 'nodes.0.strength'"),
        ("corruption: noise", "corruption: fog", ":2: unknown corruption 'fog'"),
        ("dominant:3", "dominant:10", ":2: a mix of classes"),
        ("shed", "porch", ":2: two nodes are called 'porch'"),
        ("shed", "a/b", ":3: 'nodes.1.name'"),
    ],
)
def test_mistakes_in_a_file_of_nodes(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    file = tmp_path / "nodes.yaml"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_nodes(file, 10)


def test_our_nodes_can_be_drawn(labelled_data: LabelledImages) -> None:
    for spec in (*NODES, *CHOICE_NODES):
        draw_mix(spec.mix, 10, np.random.default_rng(0))
    names = [spec.name for spec in (*NODES, *CHOICE_NODES, *severity_nodes())]
    assert len(set(names)) == len(names)
    assert len(severity_nodes()) == 21
    drawn = draw_node(labelled_data, severity_nodes()[5], 0, labelled=0, calibration=8, test=8)
    assert isinstance(drawn.labelled, Images)
    assert len(drawn.labelled) == 0
