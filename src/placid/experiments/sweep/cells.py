"""The cells of a study: one scenario for every combination of values, each checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from placid.errors import InputError
from placid.experiments.scenario import Built, Scenario, ScenarioError, build
from placid.experiments.scenario.kinds import described
from placid.experiments.scenario.mistakes import Mistakes, shown_key
from placid.experiments.scenario.reading import tell_error
from placid.experiments.scenario.schema import read_content
from placid.experiments.sweep.axes import Level
from placid.experiments.sweep.files import named_files
from placid.experiments.sweep.patching import Change, changed, place_of, with_changes
from placid.experiments.sweep.study import SEEDS, Study
from placid.yaml_lines import Key, dump

__all__ = ["Cell", "cells_of", "check_cells", "seeds_of"]

#: of a scenario, what no row hangs on; seeds are the sweep's own
_NAMING = ("name", "description", "seeds")


@dataclass(frozen=True)
class Cell:
    """One scenario of the grid.

    Attributes:
        title: axis = label, of every axis.
        levels: one of each axis.
        changes: what makes it of the base.
        text: the scenario, without name and seeds.
        files: name -> file, of what the scenario names.
    """

    title: str
    levels: tuple[Level, ...]
    changes: tuple[Change, ...] = field(repr=False)
    text: str = field(repr=False)
    files: dict[str, Path] = field(repr=False)


def seeds_of(study: Study) -> tuple[int, ...]:
    """The seeds of every cell: the study's, else the base's.

    Raises:
        InputError: the base's are none.
    """
    if study.seeds is not None:
        return study.seeds
    mistakes = Mistakes(study.base)
    found: Any = 1
    try:
        found = SEEDS.read(study.base.data.get("seeds", 1))
    except InputError as error:
        tell_error(mistakes, ("seeds",), error)
    mistakes.raise_if_any()
    return found if isinstance(found, tuple) else tuple(range(found))


def cells_of(study: Study) -> tuple[Cell, ...]:
    """The grid, the last axis running fastest.

    Raises:
        InputError: an axis sets a field inside something of the base that holds none; the message names the line.
    """
    cells = []
    for levels in product(*(axis.levels for axis in study.axes)):
        data: dict[str, Any] = study.base.data
        for level in (*study.fixed, *levels):
            try:
                data = changed(data, level.changes)
            except InputError as error:
                raise InputError(error.message, where=_where(study, level.at)) from None
        data = {k: v for k, v in data.items() if k not in _NAMING}
        named = [f"{axis.name} = {_shown(level)}" for axis, level in zip(study.axes, levels, strict=True)]
        changes = tuple(change for level in (*study.fixed, *levels) for change in level.changes)
        cells.append(
            Cell(
                ", ".join(named) or "base", levels, changes, dump(data), named_files(data, study.base_folder)
            )
        )
    return tuple(cells)


def check_cells(
    study: Study, cells: Sequence[Cell], tell: Callable[[int], None] = lambda done: None
) -> tuple[Built, ...]:
    """The objects of every cell's scenario.

    Raises:
        InputError: a cell's scenario is wrong. The message says what, for which cell, and the line of the study or of the
            base where it stands; what is wrong with several cells is said once. Several come as a `ScenarioError`.
    """
    found: list[Built] = []
    wrong: dict[tuple[str, str], list[str]] = {}
    for i, cell in enumerate(cells):
        tell(i)
        document = with_changes(study.base, cell.changes)
        try:
            content = read_content(document, study.base_name, study.base_folder)
            found.append(build(Scenario(cell.text, study.base_folder / "cell.yaml", document, content)))
        except ScenarioError as several:
            for error in several.errors:
                wrong.setdefault(_blamed(study, cell, error), []).append(cell.title)
        except InputError as error:
            wrong.setdefault(_blamed(study, cell, error), []).append(cell.title)
    tell(len(cells))
    if wrong:
        raise_all(
            [InputError(f"{said} ({_of(titles)})", where=where) for (where, said), titles in wrong.items()]
        )
    return tuple(found)


def raise_all(errors: Sequence[InputError]) -> None:
    """Raise the one error, or all together."""
    raise errors[0] if len(errors) == 1 else ScenarioError(errors)


def _of(titles: Sequence[str]) -> str:
    more = len(titles) - 1
    return f"cell {titles[0]}" + (f" and {more} more" if more else "")


def _shown(level: Level) -> str:
    return level.label if isinstance(level.label, str) else described(level.label)


def _where(study: Study, at: Key) -> str:
    line = study.document.line(at, of_value=isinstance(at[-1], int))
    return f"{study.document.name}:{line}: {shown_key(at)}"


def _blamed(study: Study, cell: Cell, error: InputError) -> tuple[str, str]:
    """(where, what) a mistake in a cell's scenario is for the reader of the study.

    What a level of the study has put there is told with its line in the study; all else with its line in the base.
    """
    told = _told_place(error.where.removeprefix(study.base.name))
    for level in (*study.fixed, *cell.levels):
        for changed_place, _ in level.changes:
            shown = shown_key(changed_place)
            if told == shown or told.startswith((f"{shown}.", f"{shown}[")):
                at = level.stands((*changed_place, *_inner(told.removeprefix(shown))))
                if told == shown_key(level.prefix) and error.message.startswith("unknown field"):
                    # then the field of the axis is wrong, whatever the value
                    at = (*level.at[:2], "field")
                return _where(study, _written(study, at)), f"{told}: {error.message}"
    return error.where, error.message


def _told_place(where: str) -> str:
    """The place in a scenario that the end of a message's `where` names; "" if none."""
    found = re.fullmatch(r"(?::\d+)?: (.+)", where)
    return found[1] if found else ""


def _inner(told: str) -> Key:
    """What follows a known place, as keys; () where names make it unclear."""
    try:
        return place_of(f"x{told}")[1:]
    except InputError:
        return ()


def _written(study: Study, at: Key) -> Key:
    """`at`, or the nearest entry around it that the study holds."""
    return next(at[:n] for n in range(len(at), -1, -1) if at[:n] in study.document.values)
