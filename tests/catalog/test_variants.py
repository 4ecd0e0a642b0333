"""A manifest comes back as it was written, and what cannot be is refused with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from placid.catalog.variants import (
    Crossing,
    Exit,
    Segment,
    Timing,
    Variant,
    Zoo,
    read_zoo,
    write_zoo,
)
from placid.errors import InputError, UnknownNameError

TIMING = Timing(1e-3, 0.9e-3, 1.4e-3, 1e-4, 200)


def segment(name: str) -> Segment:
    return Segment(name, f"{name}.onnx", "ab" * 32, 1000, 5000, 800, 300, TIMING)


def variant(name: str = "v", exits: tuple[Exit, ...] = ()) -> Variant:
    crossing = Crossing("4bit", 130.0, 130.0, 130, TIMING, TIMING)
    return Variant(
        name, "bottlefit", "resnet9", "stage2", (segment("a"), segment("b")), (crossing,), exits,
        0.91, 0.905, 0.915, (0.91,), {"seed": 0},
    )  # fmt: skip


def zoo(folder: Path, *variants: Variant) -> Zoo:
    return Zoo(folder, "look", "cifar10", "some processor", 3072, ("cat", "dog"), variants, ("a note",))


def test_a_zoo_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = zoo(tmp_path, variant(), variant("w", (Exit(0, "entropy", 0.2, 0.4, 0.98),)))
    write_zoo(written)
    assert read_zoo(tmp_path) == written
    assert written.variant("w").reach(0) == 1
    assert written.variant("w").reach(1) == pytest.approx(0.6)
    assert written.variant("w").size_bytes == 2000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"crossings": ()}, "2 segments, so 1 crossings"),
        ({"segments": ()}, "no segment"),
        ({"accuracy": 0.95}, "accuracy_low <= accuracy"),
        ({"exits": (Exit(2, "entropy", 0.1, 0.1, 1.0),)}, "does not have"),
        ({"exits": (Exit(0, "entropy", 0.1, 0.7, 1.0), Exit(1, "entropy", 0.1, 0.4, 1.0))}, "more than all"),
        (
            {"exits": (Exit(1, "entropy", 0.1, 0.1, 1.0), Exit(0, "entropy", 0.1, 0.1, 1.0))},
            "out of order",
        ),
    ],
)
def test_a_variant_that_cannot_be_is_refused(tmp_path: Path, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        zoo(tmp_path, replace(variant(), **wrong))  # type: ignore[arg-type]
    assert "variant 'v'" in str(caught.value)


def test_names_are_unique_and_looked_up(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="occurs twice"):
        zoo(tmp_path, variant(), variant())
    with pytest.raises(UnknownNameError, match="did you mean 'bottle'"):
        zoo(tmp_path, variant("bottle")).variant("botle")


def test_a_folder_without_a_zoo_and_a_broken_manifest_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no zoo lies here"):
        read_zoo(tmp_path)
    file = tmp_path / "manifest.json"
    file.write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        read_zoo(tmp_path)
    file.write_text('{"format": 0}')
    with pytest.raises(InputError, match="build the zoo again"):
        read_zoo(tmp_path)
    write_zoo(zoo(tmp_path, variant()))
    told = json.loads(file.read_text())
    del told["task"]
    file.write_text(json.dumps(told))
    with pytest.raises(InputError, match="lacks 'task'"):
        read_zoo(tmp_path)
    write_zoo(zoo(tmp_path, variant()))
    told = json.loads(file.read_text())
    told["variants"][0]["colour"] = "red"
    file.write_text(json.dumps(told))
    with pytest.raises(InputError, match="colour"):
        read_zoo(tmp_path)
