"""The axes of a study: what is varied, and its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Annotated, Any

from pydantic import Field

from placid.errors import InputError
from placid.experiments.scenario.kinds import Text, described, either
from placid.experiments.scenario.mistakes import Mistakes, shown_key
from placid.experiments.scenario.reading import read_section
from placid.experiments.scenario.settings import Section
from placid.experiments.sweep.figures import YARDSTICKS
from placid.experiments.sweep.patching import Change, changes_of_patch, overlap, place_of
from placid.reports.tables import QUANTITIES
from placid.yaml_lines import Key

__all__ = ["Axis", "Level", "read_axes"]

#: columns of the tables that an axis cannot be called after
_TAKEN = ("trace", "policy", "kind", "seed", "n")


class AxisSection(Section):
    """One axis: a field with its values, or whole patches."""

    name: Annotated[Any, either(Text(), None)] = Field(
        None, description="what its column is called; the field if left out."
    )
    field: Any = Field(
        None,
        description="the field of the scenario that is set, such as network.memory or policies[0].refresh.",
    )
    values: Any = Field(None, description="its values: a list; or, with a label for each, a mapping.")
    patches: Any = Field(
        None, description="instead of field and values: a mapping, label: sections of a scenario to merge in."
    )


@dataclass(frozen=True)
class Level:
    """One value of an axis.

    Attributes:
        label: what stands for it in tables: the value itself if it is a number, true or false, else text.
        changes: what it does to the scenario.
        at: where it stands in the study.
        prefix: the place in the scenario that what stands at `at` is put at.
    """

    label: str | float
    changes: tuple[Change, ...] = field(repr=False)
    at: Key = field(repr=False)
    prefix: Key = field(repr=False)

    def stands(self, place: Key) -> Key:
        """Where in the study the value for a place in the scenario stands."""
        return (*self.at, *place[len(self.prefix) :])


@dataclass(frozen=True)
class Axis:
    """What is varied: a name and its values."""

    name: str
    levels: tuple[Level, ...]


def read_axes(mistakes: Mistakes, data: object) -> tuple[Axis, ...]:
    """The axes of a study, as written in its list `data`; no two of them set the same field."""
    if not isinstance(data, list):
        mistakes.add(
            ("axes",),
            f"expected a list such as '- {{field: network.memory, values: [1 GiB, 2 GiB]}}', got {described(data)}",
            of_value=True,
        )
        return ()
    found: list[Axis] = []
    taken = {*_TAKEN, *QUANTITIES, *YARDSTICKS}
    for i, one in enumerate(data):
        at: Key = ("axes", i)
        section = read_section(mistakes, at, one, AxisSection)
        if section is None:
            continue
        axis = _axis(mistakes, at, section)
        if axis is None:
            continue
        if axis.name in taken or axis.name.startswith("share_"):
            mistakes.add(
                (*at, "name"),
                f"the name '{axis.name}' is taken by a column of the table; give the axis another 'name'",
            )
            continue
        taken |= {axis.name, *(f"{axis.name}_{end}" for end in ("low", "high"))}
        found.append(axis)
    _check_apart(mistakes, tuple(found))
    return tuple(found)


def _axis(mistakes: Mistakes, at: Key, section: AxisSection) -> Axis | None:
    if (section.patches is None) == (section.field is None and section.values is None):
        mistakes.add(at, "needs either 'field' and 'values', or 'patches'")
        return None
    if section.patches is not None:
        if section.name is None:
            mistakes.add(at, "the field 'name' is missing: what the column of the patches is called")
            return None
        levels = _patches(mistakes, (*at, "patches"), section.patches)
        return None if levels is None else Axis(section.name, levels)
    for missing in ("field", "values"):
        if getattr(section, missing) is None:
            mistakes.add(at, f"the field '{missing}' is missing; an axis has 'field' and 'values'")
            return None
    place: Key = ()
    with mistakes.at((*at, "field")):
        place = _place(section.field)
    if not place:
        return None
    if place[0] == "seeds":
        mistakes.add(
            (*at, "field"), "seeds are no axis: every cell is played under each; write 'seeds' beside 'axes'"
        )
        return None
    values = _values(mistakes, (*at, "values"), section.values, place)
    return None if values is None else Axis(section.name or shown_key(place), values)


def _place(given: object) -> Key:
    if isinstance(given, str):
        return place_of(given)
    whole = isinstance(given, list) and all(
        isinstance(p, str | int) and not isinstance(p, bool) for p in given
    )
    if not whole or not given or not isinstance(given[0], str):  # type: ignore[index]
        raise InputError(
            f"expected a field such as network.memory, or a list of its parts, got {described(given)}"
        )
    assert isinstance(given, list)
    return tuple(given)


def _values(mistakes: Mistakes, at: Key, data: object, place: Key) -> tuple[Level, ...] | None:
    if isinstance(data, Mapping):
        entries: list[tuple[str | float, Key, Any]] = [
            (label, (*at, label), value) for label, value in data.items()
        ]
    elif isinstance(data, list):
        entries = []
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in data)
        plain = numbers or all(isinstance(v, bool) for v in data)
        for i, value in enumerate(data):
            if isinstance(value, Mapping | list):
                mistakes.add(
                    (*at, i),
                    f"{described(value)} needs a label: write the values as a mapping, label: value",
                    of_value=True,
                )
                return None
            entries.append((value if plain else _label(value), (*at, i), value))
    else:
        mistakes.add(
            at, f"expected a list of values, or a mapping, label: value, got {described(data)}", of_value=True
        )
        return None
    return _levels(
        mistakes, at, [Level(label, ((place, value),), here, place) for label, here, value in entries]
    )


def _label(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _patches(mistakes: Mistakes, at: Key, data: object) -> tuple[Level, ...] | None:
    if not isinstance(data, Mapping):
        mistakes.add(
            at, f"expected a mapping, label: sections of a scenario, got {described(data)}", of_value=True
        )
        return None
    levels = []
    for label, patch in data.items():
        here: Key = (*at, label)
        # a patch of nothing is the base itself
        if patch is not None and not isinstance(patch, Mapping):
            mistakes.add(here, f"expected sections of a scenario, got {described(patch)}", of_value=True)
            return None
        if "seeds" in (patch or {}):
            mistakes.add(
                (*here, "seeds"),
                "seeds are not patched: every cell is played under each; write 'seeds' beside 'axes'",
            )
            return None
        levels.append(Level(label, changes_of_patch(patch or {}), here, ()))
    return _levels(mistakes, at, levels)


def _levels(mistakes: Mistakes, at: Key, levels: list[Level]) -> tuple[Level, ...] | None:
    if not levels:
        mistakes.add(at, "is empty; give at least one value", of_value=True)
        return None
    labels: list[str | float] = []
    for level in levels:
        if level.label in labels:
            mistakes.add(level.at, f"{described(level.label)} stands twice; delete one")
            return None
        labels.append(level.label)
    return tuple(levels)


def _check_apart(mistakes: Mistakes, axes: tuple[Axis, ...]) -> None:
    """No two axes may set the same field: the later would silently undo the earlier."""
    for one, other in combinations(axes, 2):
        both = next(_both(one, other), None)
        if both is not None:
            level, place = both
            mistakes.add(
                level.at,
                f"sets '{shown_key(place)}', which the axis '{one.name}' sets too; take one out, or make one axis of "
                "patches of the two",
            )


def _both(one: Axis, other: Axis) -> Iterator[tuple[Level, Key]]:
    places = [place for level in one.levels for place, _ in level.changes]
    for level in other.levels:
        for place, _ in level.changes:
            if any(overlap(place, p) for p in places):
                yield level, place
