"""Changes to what a scenario file says: a value at a place, or a patch of several."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from enum import Enum
from typing import Any

from placid.errors import InputError
from placid.experiments.scenario.mistakes import shown_key
from placid.yaml_lines import Document, Key, Position

__all__ = ["Change", "Mark", "changed", "changes_of_patch", "overlap", "place_of", "with_changes"]

_PART = re.compile(r"([^\[\]]+)((?:\[\d+\])*)\Z")


class Mark(Enum):
    """What a patch may do besides setting a value."""

    REMOVE = "remove"
    MAPPING = "a mapping, kept if there is one"


#: a place in a scenario, and the value there from now on
Change = tuple[Key, Any]


def place_of(text: str) -> Key:
    """A place as people write it, ``policies[1].refresh``, as keys and list positions.

    Raises:
        InputError: it cannot be read as one.

    Example:
        >>> place_of("policies[1].refresh")
        ('policies', 1, 'refresh')
    """
    place: list[str | int] = []
    for part in text.split("."):
        found = _PART.match(part)
        if found is None:
            raise InputError(
                f"'{text}' is no field of a scenario; write it as network.memory or policies[0].refresh, and names "
                "with dots as a list: [network, overrides, it1.it, memory]"
            )
        place += [found[1], *(int(n) for n in re.findall(r"\d+", found[2]))]
    return tuple(place)


def changes_of_patch(patch: Mapping[str, Any]) -> tuple[Change, ...]:
    """What `patch` changes: mappings are merged, nothing (null) removes a field, all else replaces.

    Source: RFC 7396, JSON Merge Patch.

    Example:
        >>> changes_of_patch({"catalog": {"plans": True, "tasks": None}})
        ((('catalog', 'plans'), True), (('catalog', 'tasks'), <Mark.REMOVE: 'remove'>))
    """
    return tuple(_changes(patch, ()))


def _changes(patch: Mapping[str, Any], at: Key) -> Iterator[Change]:
    for field, value in patch.items():
        here: Key = (*at, field)
        if isinstance(value, Mapping) and value:
            yield from _changes(value, here)
        elif isinstance(value, Mapping):
            yield here, Mark.MAPPING
        else:
            yield here, Mark.REMOVE if value is None else value


def overlap(one: Key, other: Key) -> bool:
    """Whether one of two places is the other, or lies in it."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def changed(data: Mapping[str, Any], changes: tuple[Change, ...]) -> dict[str, Any]:
    """A copy of `data` with `changes` made, in order.

    Raises:
        InputError: a place lies inside something that is no mapping or list, or past the end of a list.
    """
    content: dict[str, Any] = deepcopy(dict(data))
    for place, value in changes:
        _put(content, place, value)
    return content


def _put(content: dict[str, Any], place: Key, value: Any) -> None:
    inside: Any = content
    for depth, part in enumerate(place):
        last = depth == len(place) - 1
        if isinstance(part, int):
            _check_list(inside, place[:depth], part)
        if last and value is Mark.REMOVE:
            if isinstance(inside, dict):
                inside.pop(part, None)
            return
        there = inside[part] if isinstance(part, int) else inside.get(part)
        if last:
            if value is not Mark.MAPPING:
                inside[part] = deepcopy(value)
            elif not isinstance(there, dict):
                inside[part] = {}
            return
        if there is None and value is Mark.REMOVE:
            return
        if there is None and not isinstance(place[depth + 1], int):
            there = inside[part] = {}
        if not isinstance(place[depth + 1], int) and not isinstance(there, dict):
            kind = "a list" if isinstance(there, list) else repr(there)
            raise InputError(
                f"'{shown_key(place)}' cannot be set: the base has {kind} at '{shown_key(place[: depth + 1])}', which "
                "holds no fields; set that field as a whole"
            )
        inside = there


def _check_list(inside: Any, at: Key, index: int) -> None:
    if not isinstance(inside, list):
        raise InputError(
            f"'{shown_key((*at, index))}' cannot be set: the base has no list at '{shown_key(at)}'; set that field as "
            "a whole"
        )
    if index >= len(inside):
        raise InputError(
            f"'{shown_key((*at, index))}' cannot be set: the base's list at '{shown_key(at)}' has {len(inside)} entries, "
            "counted from 0"
        )


def with_changes(base: Document, changes: tuple[Change, ...]) -> Document:
    """`base` with `changes` made; what is changed stands where the nearest field around it stood.

    Raises:
        InputError: as `changed`.
    """
    data = changed(base.data, changes)
    keys = {k: p for k, p in base.keys.items() if not _is_changed(k, changes)}
    values = {k: p for k, p in base.values.items() if not _is_changed(k, changes)}
    for place, value in changes:
        if value is Mark.REMOVE:
            continue
        line = base.line(place[:-1]) or 1
        for depth in range(1, len(place)):
            _note(keys, values, place[:depth], line)
        for inner in _keys_in({} if value is Mark.MAPPING else value):
            _note(keys, values, (*place, *inner), line)
    return Document(data, base.name, keys, values)


def _is_changed(key: Key, changes: tuple[Change, ...]) -> bool:
    return any(key[: len(place)] == place for place, value in changes if value is not Mark.MAPPING)


def _note(keys: dict[Key, Position], values: dict[Key, Position], at: Key, line: int) -> None:
    if isinstance(at[-1], str):
        keys.setdefault(at, Position(line, 1))
    values.setdefault(at, Position(line, 1))


def _keys_in(value: Any) -> Iterator[Key]:
    yield ()
    if isinstance(value, Mapping | list):
        for part, one in value.items() if isinstance(value, Mapping) else enumerate(value):
            for inner in _keys_in(one):
                yield (part, *inner)
