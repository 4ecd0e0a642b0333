"""What counts may change in mid-run: the entries of the section `changes` with `prefer`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Field

from placid.experiments.scenario.kinds import Number, Whole
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.reading import Made, read_section
from placid.experiments.scenario.settings import Section, model_of, settings_of
from placid.objectives import Weighted
from placid.yaml_lines import Key

__all__ = ["PREFER", "preference_model", "preferences_told", "read_preferences"]

#: the field that tells such an entry from changes of the network
PREFER = "prefer"


@cache
def preference_model() -> type[Section]:
    """The fields of an entry: when, and what counts from then on."""
    return model_of(
        "change prefer",
        (),
        {
            "slot": (
                Annotated[Any, Whole(0)],
                Field(..., description="the change happens before this slot is played."),
            ),
            PREFER: (
                Any,
                Field(
                    ...,
                    description="fields of `objective`, as `{error: 2}`, from then on; those left out stay as they are.",
                ),
            ),
        },
    )


def read_preferences(
    mistakes: Mistakes, changes: object, first: Weighted, slots: int
) -> tuple[tuple[int, Weighted], ...]:
    """(slot, objective from then on), in order, `first` at slot 0."""
    asked: list[tuple[int, Key, dict[str, Any]]] = []
    for i, one in enumerate(changes if isinstance(changes, list) else []):
        at: Key = ("changes", i)
        if not isinstance(one, Mapping) or PREFER not in one:
            continue
        section = read_section(mistakes, at, one, preference_model())
        inner = read_section(mistakes, (*at, PREFER), one[PREFER], _part_of_objective())
        if section is None or inner is None:
            continue
        slot, given = getattr(section, "slot"), inner.given()  # noqa: B009 - a field made at run time
        if slot >= slots:
            mistakes.add((*at, "slot"), f"the run ends before: its last slot is {slots - 1}, got {slot}")
        elif not given:
            mistakes.add((*at, PREFER), "says not what counts from then on; write, say, '{error: 2}'")
        else:
            asked.append((slot, (*at, PREFER), given))
    found = [(0, first)]
    fields = {s.parameter: s.field for s in settings_of(Weighted)}
    for slot, where, given in sorted(asked, key=lambda one: one[0]):
        made = Made("objective", where, Weighted, {**asdict(found[-1][1]), **given}, fields).build(mistakes)
        if isinstance(made, Weighted):
            if slot == found[-1][0]:
                found.pop()  # two at one slot: both count
            found.append((slot, made))
    return tuple(found)


@cache
def _part_of_objective() -> type[Section]:
    return model_of("prefer", (replace(s, kind=Number(0), required=False) for s in settings_of(Weighted)))


def preferences_told(preferences: Sequence[tuple[int, Weighted]]) -> Iterator[tuple[int, str]]:
    """(slot, what changes), in words.

    Example:
        >>> list(preferences_told([(0, Weighted(error=0.2)), (9, Weighted(error=1.0))]))
        [(9, 'error counts 1, was 0.2')]
    """
    for (_, old), (slot, new) in pairwise(preferences):
        before, after = asdict(old), asdict(new)
        changed = [
            f"{name} counts {after[name]:g}, was {before[name]:g}"
            for name in after
            if after[name] != before[name]
        ]
        if changed:
            yield slot, ", ".join(changed)
