"""The kinds of value that a field of a scenario takes: how each is read, and how it is described.

A kind stands in the annotation of a pydantic field (``Annotated[float, Quantity("time")]``); what it says of a wrong
value is what the person reads.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from placid.errors import InputError, UnknownNameError
from placid.units import DIMENSIONS, parse_quantity
from placid.yaml_lines import Key

__all__ = [
    "Choice",
    "Flag",
    "Kind",
    "Listed",
    "Name",
    "Number",
    "PerName",
    "Quantity",
    "Text",
    "Whole",
    "Within",
    "described",
    "either",
]

_EXAMPLES = {
    "time": "40 ms",
    "size": "16 GiB",
    "data rate": "20 Mbit/s",
    "energy": "5 mJ",
    "energy per byte": "10 nJ/B",
    "power": "70 W",
    "distance": "12 km",
    "request rate": "7500 /s",
    "share": "40 %",
}


class Within(InputError):
    """A value inside a list or mapping is wrong.

    Attributes:
        inner: where, from the field on.
        error: what is wrong there.
    """

    def __init__(self, inner: Key, error: InputError) -> None:
        super().__init__(error.message)
        if isinstance(error, Within):
            self.inner: Key = (*inner, *error.inner)
            self.error: InputError = error.error
        else:
            self.inner, self.error = inner, error


class Kind(ABC):
    """How one value is read."""

    @property
    @abstractmethod
    def shown(self) -> str:
        """What to write, for the reference and for messages: ``a whole number of at least 1``."""

    @abstractmethod
    def read(self, value: object) -> Any:
        """The value in the units and types of the code. Raises InputError if it is none of this kind."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def _validate(self, value: object) -> Any:
        try:
            return self.read(value)
        except InputError as error:
            raise PydanticCustomError(
                "placid", "{message}", {"message": error.message, "error": error}
            ) from None

    def wrong(self, value: object) -> InputError:
        """That `value` is none of this kind."""
        return InputError(f"expected {self.shown}, got {described(value)}")


def described(value: object) -> str:
    """`value` as a message shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}...'"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Quantity(Kind):
    """A number with a unit, of a dimension of `placid.units`; in SI once read.

    Attributes:
        above_zero: 0 is wrong too.
        infinite: "unlimited" is right, and infinity.
        whole: an int once read (bytes).
    """

    dimension: str
    above_zero: bool = False
    infinite: bool = False
    whole: bool = False
    signed: bool = False

    @property
    def shown(self) -> str:
        article = "an" if self.dimension.startswith("e") else "a"
        return f"{article} {self.dimension} such as '{_EXAMPLES[self.dimension]}'"

    def read(self, value: object) -> Any:
        if self.infinite and (value == "unlimited" or value == math.inf):
            return math.inf
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.wrong(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise self.wrong(value)
        found = parse_quantity(value, self.dimension)
        if not math.isfinite(found) or abs(found) > 1e18:
            raise InputError(f"{described(value)} is too large; expected {self.shown}")
        if found < 0 and not self.signed:
            raise InputError(f"a {self.dimension} must not be negative, got {described(value)}")
        if self.above_zero and found == 0:
            raise InputError(f"a {self.dimension} must be above 0 here, got {described(value)}")
        return round(found) if self.whole else found


@dataclass(frozen=True)
class Number(Kind):
    """A number without a unit."""

    low: float = -math.inf
    high: float = math.inf
    above_low: bool = False

    @property
    def shown(self) -> str:
        return "a number" + _span(self.low, self.high, self.above_low)

    def read(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.wrong(value)
        if not self.low <= value <= self.high or (self.above_low and value == self.low):
            raise self.wrong(value)
        return float(value)


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number."""

    low: int | None = None
    high: int | None = None

    @property
    def shown(self) -> str:
        low = -math.inf if self.low is None else self.low
        return "a whole number" + _span(low, math.inf if self.high is None else self.high, False)

    def read(self, value: object) -> int:
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(value)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise self.wrong(value)
        return value


def _span(low: float, high: float, above: bool) -> str:
    if low == -math.inf and high == math.inf:
        return ""
    if high == math.inf:
        return f" above {low:g}" if above else f" of at least {low:g}"
    return f" above {low:g}, up to {high:g}" if above else f" from {low:,.10g} to {high:,.10g}"


@dataclass(frozen=True)
class Flag(Kind):
    """True or false."""

    @property
    def shown(self) -> str:
        return "true or false"

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(value)
        return value


@dataclass(frozen=True)
class Text(Kind):
    """Any text, several words too."""

    empty: bool = False

    @property
    def shown(self) -> str:
        return "text"

    def read(self, value: object) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or (not self.empty and not value.strip()):
            raise self.wrong(value)
        return value.strip()


@dataclass(frozen=True)
class Name(Kind):
    """A name; a whole number is taken as one too, since some topologies number their nodes."""

    of: str = "name"

    @property
    def shown(self) -> str:
        return f"the name of a {self.of}" if self.of != "name" else "a name"

    def read(self, value: object) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(value)
        return value


@dataclass(frozen=True)
class Choice(Kind):
    """One of some words."""

    words: tuple[str, ...]
    kind: str = "choice"

    @property
    def shown(self) -> str:
        return " or ".join(f"'{w}'" for w in self.words)

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.wrong(value)
        if value not in self.words:
            raise UnknownNameError(self.kind, value, self.words)
        return value


@dataclass(frozen=True)
class Listed(Kind):
    """A list of one kind; a single value stands for a list of one, unless `single` is false."""

    each: Kind
    least: int = 0
    most: int = 100_000
    unique: bool = False
    single: bool = True

    @property
    def shown(self) -> str:
        return f"a list; each: {self.each.shown}"

    def read(self, value: object) -> tuple[Any, ...]:
        if (
            value is None
            or isinstance(value, Mapping)
            or not (self.single or isinstance(value, list | tuple))
        ):
            raise self.wrong(value)
        given = value if isinstance(value, list | tuple) else [value]
        if len(given) < self.least:
            raise InputError(f"needs at least {self.least}; expected {self.shown}")
        if len(given) > self.most:
            raise InputError(f"has {len(given)} entries, more than {self.most}")
        found: list[Any] = []
        for i, one in enumerate(given):
            inner: Key = (i,) if isinstance(value, list | tuple) else ()
            try:
                read = self.each.read(one)
            except InputError as error:
                raise Within(inner, error) from None
            if self.unique and read in found:
                raise Within(inner, InputError(f"{described(one)} stands twice in the list; delete one"))
            found.append(read)
        return tuple(found)


@dataclass(frozen=True)
class PerName(Kind):
    """A mapping from names to one kind."""

    each: Kind
    of: str = "name"

    @property
    def shown(self) -> str:
        return f"a mapping, {self.of}: {self.each.shown}"

    def read(self, value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.wrong(value)
        found = {}
        for name, one in value.items():
            try:
                found[str(name)] = self.each.read(one)
            except InputError as error:
                raise Within((str(name),), error) from None
        return found


@dataclass(frozen=True)
class _Nothing(Kind):
    """Nothing at all: the default, written out."""

    @property
    def shown(self) -> str:
        return "nothing"

    def read(self, value: object) -> None:
        if value is not None:
            raise self.wrong(value)


@dataclass(frozen=True)
class _Either(Kind):
    """One of several kinds, the first that fits; a mapping or a list speaks for the kind of that shape."""

    kinds: tuple[Kind, ...]

    @property
    def shown(self) -> str:
        return ", or ".join(kind.shown for kind in self.kinds if not isinstance(kind, _Nothing))

    def read(self, value: object) -> Any:
        meant = [kind for kind in self.kinds if _shape_fits(kind, value)]
        errors = []
        for kind in meant:
            try:
                return kind.read(value)
            except InputError as error:
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        raise self.wrong(value)


def either(*kinds: Kind | None) -> Kind:
    """One of several kinds; None stands for nothing at all."""
    known = tuple(_Nothing() if kind is None else kind for kind in kinds)
    return known[0] if len(known) == 1 else _Either(known)


def _shape_fits(kind: Kind, value: object) -> bool:
    if value is None:
        return isinstance(kind, _Nothing)
    if isinstance(value, Mapping):
        return isinstance(kind, PerName)
    if isinstance(value, list | tuple):
        return isinstance(kind, Listed)
    return not isinstance(kind, PerName | _Nothing) and getattr(kind, "single", True)


assert set(_EXAMPLES) == set(DIMENSIONS), "every dimension has an example"
