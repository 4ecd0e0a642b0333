"""Holds what is written against a section's model, and says what is wrong in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError

from placid.errors import InputError, UnknownNameError
from placid.experiments.scenario.kinds import Within, described
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.settings import Section, Setting
from placid.yaml_lines import Key

__all__ = ["Made", "fields_of", "read_section", "tell_error", "unknown_field"]

S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class Made:
    """Something that a scenario names, with its settings, ready to be made.

    Attributes:
        name: as in its table.
        at: the section that says so.
        make: class or function.
        values: parameter -> value, of what is written.
        fields: parameter -> field of the file.
    """

    name: str
    at: Key
    make: Callable[..., Any]
    values: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, name: str, at: Key, make: Callable[..., Any], section: Section, settings: Iterable[Setting]
    ) -> Made:
        """From a section as read."""
        known = {s.parameter: s.field for s in settings}
        return cls(name, at, make, {p: v for p, v in section.given().items() if p in known}, known)

    def build(self, mistakes: Mistakes, **given: Any) -> Any:
        """Made, with what the scenario gives besides; None if it complains, which is then among the mistakes."""
        with mistakes.at(self.at, self.fields):
            return self.make(**{**self.values, **given})
        return None


def read_section(mistakes: Mistakes, at: Key, data: object, model: type[S]) -> S | None:
    """`data`, written at `at`, as a `model`; None if something is wrong, which is then among the mistakes."""
    if not isinstance(data, Mapping):
        example = _example(model)
        mistakes.add(at, f"expected fields such as '{example}', got {described(data)}", of_value=True)
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        missing = [str(e["loc"][-1]) for e in errors if e["type"] == "missing"]
        for one in errors:
            if one["type"] == "extra_forbidden":
                name = str(one["loc"][-1])
                # a required field under a wrong name is one mistake, not two
                meant = get_close_matches(name, missing, n=1, cutoff=0.5)
                missing = [m for m in missing if m not in meant]
                mistakes.add((*at, name), unknown_field(name, fields_of(model), meant))
        for one in errors:
            if one["type"] != "extra_forbidden" and (one["type"] != "missing" or one["loc"][-1] in missing):
                _tell(mistakes, at, tuple(one["loc"]), one, model)
        return None


def unknown_field(name: str, known: Iterable[str], meant: Iterable[str] = ()) -> str:
    """The message for a field that nobody knows; `meant` is what it most likely should be, if that is known."""
    names = list(known)
    near = list(meant) or get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ";"
    return f"unknown field{hint} known here: {', '.join(names)}"


def fields_of(model: type[Section]) -> list[str]:
    """The names of a model's fields in a file."""
    return [f.alias or name for name, f in model.model_fields.items()]


def _example(model: type[Section]) -> str:
    required = [f.alias or name for name, f in model.model_fields.items() if f.is_required()]
    return f"{(required or fields_of(model) or ['field'])[0]}: ..."


def _tell(mistakes: Mistakes, at: Key, loc: Key, one: Mapping[str, Any], model: type[Section]) -> None:
    if one["type"] == "missing":
        name = str(loc[-1])
        shown = next((f for n, f in model.model_fields.items() if (f.alias or n) == name), None)
        kind = next((m.shown for m in shown.metadata if hasattr(m, "shown")), "") if shown else ""
        about = f"; expected {kind}" if kind else f"; it says: {shown.description}" if shown else ""
        mistakes.add((*at, *loc[:-1]), f"the field '{name}' is missing{about}")
    elif one["type"] == "placid":
        tell_error(mistakes, (*at, *loc), one["ctx"]["error"])
    else:  # a model without a kind of value of ours: pydantic's own words are better than none
        mistakes.add((*at, *loc), str(one["msg"]), of_value=True)


def tell_error(mistakes: Mistakes, at: Key, error: InputError) -> None:
    """Note what a kind of value said of the one written at `at`."""
    if isinstance(error, Within):
        at, error = (*at, *error.inner), error.error
    if isinstance(error, UnknownNameError):
        kind = error.message.removeprefix("unknown ").split(" '")[0]
        mistakes.add_unknown(at, kind, error.name, error.known)
    else:
        mistakes.add(at, error.message, of_value=True)
