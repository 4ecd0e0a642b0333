"""States to flat dictionaries of arrays and back: what a checkpoint file holds. No pickles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

__all__ = ["flatten", "restore"]

S = TypeVar("S")


def flatten(state: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Every array, number, bool and string of a (nested) state dataclass, by its dotted name.

    Raises:
        TypeError: a field is none of these; the message names it.
    """
    flat: dict[str, np.ndarray] = {}
    for f in fields(state):
        value, name = getattr(state, f.name), f"{prefix}{f.name}"
        if is_dataclass(value):
            flat |= flatten(value, f"{name}.")
        elif isinstance(value, np.ndarray | np.generic | bool | int | float | str):
            flat[name] = np.asarray(value)
        else:
            raise TypeError(
                f"state field '{name}' is a {type(value).__name__}; a state holds arrays, numbers, bools and strings"
            )
    return flat


def restore(like: S, flat: Mapping[str, np.ndarray], prefix: str = "") -> S:
    """The state that `flatten` wrote, in the shape of `like` (any state of the same policy, e.g. a fresh one)."""
    values: dict[str, Any] = {}
    for f in fields(like):  # type: ignore[arg-type]
        old, name = getattr(like, f.name), f"{prefix}{f.name}"
        if is_dataclass(old):
            values[f.name] = restore(old, flat, f"{name}.")
        elif isinstance(old, np.ndarray):
            values[f.name] = flat[name]
        else:
            values[f.name] = flat[name].item()
    return replace(like, **values)  # type: ignore[type-var]
