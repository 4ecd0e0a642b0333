"""The section `changes`: what happens to the network in mid-run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any

from pydantic import Field

from placid.errors import InputError, UnknownNameError
from placid.experiments.scenario.kinds import Listed, Name, Whole, described
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.preferences import PREFER
from placid.experiments.scenario.reading import Made, read_section, unknown_field
from placid.experiments.scenario.settings import Section, Setting, model_of, settings_of
from placid.network import CHANGES, Change, Network, timeline
from placid.yaml_lines import Key

__all__ = ["build_timeline", "change_model", "read_changes"]


@cache
def change_model(name: str) -> type[Section]:
    """The fields of a change: when, what, and what it becomes."""
    parts, becomes = _change_parts(name)
    kind = Name("node") if len(parts) == 1 else Listed(Name("node"), len(parts), len(parts), unique=True)
    what = "the node" if len(parts) == 1 else "the two ends of the link"
    extra = {
        "slot": (
            Annotated[Any, Whole(0)],
            Field(..., description="the change happens before this slot is played."),
        ),
        "what": (
            Annotated[Any, kind],
            Field(..., alias=name, description=f"{what}."),
        ),
    }
    shown = (replace(s, field="to", description="what it becomes.") for s in becomes)
    return model_of(f"change {name}", shown, extra)


def _change_parts(name: str) -> tuple[list[Setting], list[Setting]]:
    """The parameters that say which node or link, and those that say what it becomes."""
    settings = [s for s in settings_of(CHANGES[name]) if s.parameter != "slot"]
    parts = [s for s in settings if isinstance(s.kind, Name)]
    return parts, [s for s in settings if s not in parts]


def read_changes(mistakes: Mistakes, data: object) -> tuple[Made, ...]:
    """The section as written."""
    at: Key = ("changes",)
    if data is None:
        return ()
    if not isinstance(data, list):
        mistakes.add(
            at,
            f"expected a list such as '- {{slot: 100, fail: a-node}}', got {described(data)}",
            of_value=True,
        )
        return ()
    found = []
    for i, one in enumerate(data):
        here: Key = (*at, i)
        if not isinstance(one, Mapping):
            mistakes.add(
                here, f"expected a change such as '{{slot: 100, fail: a-node}}', got {described(one)}"
            )
            continue
        names = [n for n in (*CHANGES, PREFER) if n in one]
        if names == [PREFER]:
            continue  # `preferences.read_preferences` does
        if len(names) != 1:
            if names:
                mistakes.add(
                    (*here, names[1]), f"stands beside '{names[0]}'; write two changes, each with its 'slot'"
                )
                continue
            others = [f for f in one if f not in ("slot", "to")]
            if others:
                mistakes.add((*here, others[0]), unknown_field(others[0], ("slot", *CHANGES, PREFER, "to")))
            else:
                mistakes.add(
                    here, f"says not what happens; write exactly one of {', '.join((*CHANGES, PREFER))}"
                )
            continue
        name = names[0]
        section = read_section(mistakes, here, one, change_model(name))
        if section is None:
            continue
        parts, _ = _change_parts(name)
        what = getattr(section, "what")  # noqa: B009 - a field made at run time
        ends = (what,) if isinstance(what, str) else what
        values = {p.parameter: v for p, v in zip(parts, ends, strict=True)} | section.given()
        values["slot"] = getattr(section, "slot")  # noqa: B009
        fields = {s.parameter: "to" for s in _change_parts(name)[1]} | {p.parameter: name for p in parts}
        found.append(Made(name, here, CHANGES[name], values, fields))
    return tuple(found)


def build_timeline(
    mistakes: Mistakes, changes: tuple[Made, ...], network: Network, slots: int
) -> list[tuple[int, Network]] | None:
    """The network of every stretch; None if a change is impossible, which is then among the mistakes."""
    before = len(mistakes.found)
    made: list[tuple[Made, Change]] = []
    for one in changes:
        if one.values["slot"] >= slots:
            last = slots - 1
            mistakes.add(
                (*one.at, "slot"), f"the run ends before: its last slot is {last}, got {one.values['slot']}"
            )
            continue
        change = one.build(mistakes)
        if isinstance(change, Change):
            made.append((one, change))
    if len(mistakes.found) > before:
        return None
    made.sort(key=lambda pair: pair[1].slot)
    for count in range(1, len(made) + 1):
        try:
            timeline(network, [change for _, change in made[:count]])
        except UnknownNameError as error:
            _tell(mistakes, made[count - 1][0], error)
            break
        except InputError as error:
            _tell(mistakes, made[count - 1][0], error)
            break
    if len(mistakes.found) > before:
        return None
    return timeline(network, [change for _, change in made])


def _tell(mistakes: Mistakes, one: Made, error: InputError) -> None:
    at: Key = (*one.at, one.name)
    if isinstance(error, UnknownNameError):
        mistakes.add_unknown(at, "node", error.name, error.known)
    else:
        mistakes.add(at, error.message)
