"""Zoos of every family of technique, for the tests of the comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from example_zoos import example_zoo, lab_zoo

from placid.catalog.variants import Zoo


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    return example_zoo(tmp_path)


@pytest.fixture
def small(zoo: Zoo) -> Zoo:
    """One variant of each kind that matters, for what is slow."""
    names = (
        "local-resnet8", "remote-raw", "remote-jpeg-75", "remote-jpeg-90", "split-stage2-8bit", "entropic-8x3e-4",
        "exits-stage1-stage2",
    )  # fmt: skip
    return replace(zoo, variants=tuple(v for v in zoo.variants if v.name in names))


@pytest.fixture
def lab(tmp_path: Path) -> Zoo:
    return lab_zoo(tmp_path)
