"""A study: a base scenario, what is varied, under which seeds; as a person wrote it, read and checked."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from placid.errors import InputError
from placid.experiments.scenario.kinds import Listed, Name, Text, Whole, described, either
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.reading import read_section
from placid.experiments.scenario.settings import Section
from placid.experiments.sweep.axes import Axis, Level, read_axes
from placid.experiments.sweep.figures import check_figures
from placid.experiments.sweep.patching import overlap
from placid.yaml_lines import Document, Key, parse, read_file

__all__ = ["SEEDS", "Study", "load_study"]

_MOST_CELLS = 100_000
#: a number of seeds, or the list
_SEEDS = Whole(1, 1000), Listed(Whole(0, 2**31 - 1), 1, 1000, True, False)
SEEDS = either(*_SEEDS)


class StudySection(Section):
    """The top of a study."""

    name: Annotated[Any, either(Text(), None)] = Field(
        None, description="what the sweep is called; the name of the file if left out."
    )
    description: Annotated[Any, either(Text(empty=True), None)] = Field(
        None, description="a few sentences, for the reader."
    )
    base: Any = Field(
        ..., description="the scenario that is varied: a file, looked for beside the study, or its content."
    )
    axes: Any = Field(
        (), description="what is varied, a list; every value of one meets every value of the others."
    )
    seeds: Annotated[Any, either(*_SEEDS, None)] = Field(
        None,
        description="repetitions of every cell, seeded 0, 1, 2, ..., or the list of seeds; as the base if left out.",
    )
    policies: Any = Field(None, description="the policies to play; as the base if left out.")
    figures: Annotated[Any, either(Listed(Name("figure"), 1, 1000, True), None)] = Field(
        None, description="the figures to keep; all if left out."
    )


@dataclass(frozen=True)
class Study:
    """A study that is valid by itself; whether every cell is a valid scenario is for `placid.experiments.sweep.cells`.

    Attributes:
        document: of the study.
        base: the base scenario's document.
        base_folder: where relative files of the scenarios are looked for.
        fixed: what every cell has instead of the base: the study's policies.
        seeds: None for those of the base.
        figures: columns of the tables; empty for all.
    """

    name: str
    document: Document = field(repr=False)
    base: Document = field(repr=False)
    base_name: str
    base_folder: Path
    axes: tuple[Axis, ...]
    fixed: tuple[Level, ...]
    seeds: tuple[int, ...] | None
    figures: tuple[str, ...]
    text: str = field(repr=False)

    @property
    def cell_count(self) -> int:
        """How many scenarios the grid has."""
        return math.prod(len(axis.levels) for axis in self.axes)


def load_study(source: str | os.PathLike[str]) -> Study:
    """Read a study from a file and check what can be checked before its scenarios are made.

    Raises:
        InputError: something is wrong: file, line and field, what is wrong and what would be right; all of it together.
    """
    path = Path(source)
    text = read_file(path)
    document = parse(text, str(path))
    mistakes = Mistakes(document)
    section = read_section(mistakes, (), document.data, StudySection)
    base, base_name, folder = _base(mistakes, document, path)
    axes = read_axes(mistakes, document.data.get("axes", []))
    figures = (section.figures or ()) if section is not None else ()
    check_figures(mistakes, figures)
    fixed: tuple[Level, ...] = ()
    if document.data.get("policies") is not None:
        at: Key = ("policies",)
        fixed = (Level("policies", ((at, document.data["policies"]),), at, at),)
        for axis in axes:
            mixed = next((lv for lv in axis.levels for place, _ in lv.changes if overlap(place, at)), None)
            if mixed is not None:
                mistakes.add(
                    at,
                    f"stands beside the axis '{axis.name}', which sets policies too; delete one of the two",
                )
    cells = math.prod(len(axis.levels) for axis in axes)
    if cells > _MOST_CELLS:
        mistakes.add(
            ("axes",),
            f"make {cells:,} cells, more than {_MOST_CELLS:,}; take values out, or make two studies",
        )
    mistakes.raise_if_any()
    assert section is not None
    assert base is not None
    seeds = section.seeds
    return Study(
        name=section.name or path.stem,
        document=document,
        base=base,
        base_name=base_name,
        base_folder=folder,
        axes=axes,
        fixed=fixed,
        seeds=None if seeds is None else seeds if isinstance(seeds, tuple) else tuple(range(seeds)),
        figures=figures,
        text=text,
    )


def _base(mistakes: Mistakes, document: Document, path: Path) -> tuple[Document | None, str, Path]:
    """The base's document, its name if it has none, and where its files are."""
    given = document.data.get("base")
    if isinstance(given, Mapping):
        inner = {k[1:]: p for k, p in document.keys.items() if k[:1] == ("base",) and len(k) > 1}
        values = {k[1:]: p for k, p in document.values.items() if k[:1] == ("base",)}
        return Document(dict(given), document.name, inner, values), path.stem, path.parent
    if isinstance(given, str) and given.strip():
        file = path.parent / given
        with mistakes.at(("base",)):
            if not file.exists():
                raise InputError(f"there is no file {file}; a relative name is looked for beside the study")
            return parse(read_file(file), str(file)), file.stem, file.parent
    elif "base" in document.data:
        mistakes.add(
            ("base",),
            f"expected a scenario file, or the sections of a scenario, got {described(given)}",
            of_value=True,
        )
    return None, path.stem, path.parent
