"""The settings of anything with a constructor, as a section of a scenario.

What a policy, a workload, a catalog family or a solver can be told is written once: as the parameters of its
constructor, with their types, defaults and docstrings. The name of a parameter says its unit (`rate_per_s`), so the
field of the scenario is called without it (``rate: 7500 /s``) and takes any unit of that dimension.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Union

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, create_model

from placid.errors import InputError
from placid.experiments.scenario.kinds import (
    Choice,
    Flag,
    Kind,
    Listed,
    Name,
    Number,
    PerName,
    Quantity,
    Text,
    Whole,
    either,
)

__all__ = ["Section", "Setting", "model_of", "settings_of"]

#: end of a parameter's name -> dimension; the longest that fits counts
_UNITS = {
    "_bytes_per_s": "data rate",
    "_j_per_byte": "energy per byte",
    "_per_s": "request rate",
    "_bytes": "size",
    "_km": "distance",
    "_s": "time",
    "_j": "energy",
    "_w": "power",
}
#: what the names of the pydantic fields start with, so that no parameter can be called as something of pydantic's
_SAFE = "field_"


class Section(BaseModel):
    """A section of a scenario: unknown fields are mistakes, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    def given(self) -> dict[str, Any]:
        """Constructor parameter -> value, of what is written."""
        names = (name for name in sorted(self.model_fields_set) if name.startswith(_SAFE))
        return {name.removeprefix(_SAFE): getattr(self, name) for name in names}


@dataclass(frozen=True)
class Setting:
    """One parameter of a constructor, as a field of a scenario.

    Attributes:
        parameter: its name in the constructor.
        field: its name in a scenario.
        kind: what may be written; None if the type cannot be written in YAML.
        required: it has no default.
        default: the constructor's.
        description: from the docstring.
    """

    parameter: str
    field: str
    kind: Kind | None
    required: bool
    default: Any
    description: str


@cache
def settings_of(make: Callable[..., Any]) -> tuple[Setting, ...]:
    """What `make` (a class or a function) can be told by name."""
    hints = _hints(make)
    described = _descriptions(make)
    found = []
    for parameter in inspect.signature(make).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        field, dimension = _without_unit(parameter.name)
        kind = _kind(hints.get(parameter.name, Any), dimension)
        default = parameter.default
        if dataclasses.is_dataclass(make):
            # a default factory shows in the signature as a sentinel
            default = next(
                (_default(f) for f in dataclasses.fields(make) if f.name == parameter.name), default
            )
        required = default is inspect.Parameter.empty
        found.append(
            Setting(
                parameter.name,
                field,
                kind,
                required,
                None if required else default,
                described.get(parameter.name, ""),
            )
        )
    return tuple(found)


def model_of(
    title: str, settings: Iterable[Setting], extra: Mapping[str, Any] | None = None
) -> type[Section]:
    """A pydantic model with the fields of `settings`; those that YAML cannot write are left out.

    Args:
        extra: further fields, name -> (annotation, pydantic field).
    """
    fields: dict[str, Any] = dict(extra or {})
    for s in settings:
        if s.kind is not None:
            default = ... if s.required else s.default
            fields[_SAFE + s.parameter] = (
                typing.Annotated[Any, s.kind],
                Field(default, alias=s.field, description=s.description),
            )
    return create_model(title, __base__=Section, **fields)


#: what people count by the second without a unit of their own
_COUNTED = ("flops", "gflops")


def _without_unit(parameter: str) -> tuple[str, str | None]:
    if parameter.startswith(tuple(f"{c}_per_" for c in _COUNTED)):
        return parameter, None
    for end in sorted(_UNITS, key=len, reverse=True):
        if parameter.endswith(end) and len(parameter) > len(end):
            return parameter[: -len(end)], _UNITS[end]
    return parameter, None


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return inspect.Parameter.empty


def _hints(make: Callable[..., Any]) -> dict[str, Any]:
    target = make if dataclasses.is_dataclass(make) or not inspect.isclass(make) else make.__init__
    try:
        return typing.get_type_hints(target)
    except Exception as error:  # annotations of a person's own module can be anything
        raise InputError(
            f"the types of the settings of {getattr(make, '__name__', make)} cannot be told: {error}"
        ) from None


def _kind(hint: Any, dimension: str | None) -> Kind | None:
    """What may be written for a parameter of type `hint`; None if YAML has no words for it."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        kinds = [_kind(a, dimension) for a in args if a is not type(None)]
        known = [k for k in kinds if k is not None]
        if any(isinstance(k, Number) for k in known):
            known = [k for k in known if not isinstance(k, Whole)]
        if not known:
            return None
        return either(*dict.fromkeys(known), *([None] if type(None) in args else []))
    if origin is typing.Annotated:
        return _kind(args[0], dimension)
    if origin is typing.Literal:
        return Choice(tuple(str(a) for a in args)) if all(isinstance(a, str) for a in args) else None
    if hint is bool:
        return Flag()
    if hint is int:
        return Whole() if dimension is None else Quantity(dimension, whole=True)
    if hint is float:
        return Number() if dimension is None else Quantity(dimension, infinite=dimension == "data rate")
    if hint is str:
        return Name()
    if inspect.isclass(hint) and issubclass(hint, Path):
        return Text()
    if origin in (tuple, list, Sequence, Iterable, Collection, AbstractSet, set, frozenset):
        inner = [a for a in args if a is not Ellipsis]
        each = _kind(inner[0], dimension) if inner and len(set(inner)) == 1 else None
        return None if each is None else Listed(each)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        each = _kind(args[1], dimension)
        return None if each is None or args[0] is not str else PerName(each)
    if inspect.isclass(hint) and issubclass(hint, np.ndarray):
        return None
    return None


_ENTRY = re.compile(r"^([A-Za-z_][\w, /]*?)(?: \([^)]*\))?: (.*)$")


def _descriptions(make: Callable[..., Any]) -> dict[str, str]:
    """Parameter -> what the docstrings say of it: of the class, its bases, and the constructor."""
    found: dict[str, str] = {}
    sources = [*reversed(make.__mro__)] if inspect.isclass(make) else [make]
    for source in sources:
        text = source.__dict__.get("__doc__") if inspect.isclass(source) else source.__doc__
        found.update(_listed(inspect.cleandoc(text or "")))
    return found


def _listed(text: str) -> dict[str, str]:
    """The entries under ``Attributes:`` and ``Args:``."""
    found: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line in text.splitlines():
        if re.fullmatch(r"(Attributes|Args|Settings):", line):
            inside, names = True, []
        elif line and not line.startswith(" "):
            inside = False
        elif inside:
            entry = _ENTRY.match(line[4:]) if line.startswith("    ") and line[4:5] not in ("", " ") else None
            if entry:
                names = [n.strip() for n in re.split(r"[,/]", entry[1])]
                for name in names:
                    found[name] = entry[2].strip()
            elif line.strip():
                for name in names:
                    found[name] += " " + line.strip()
    return found
