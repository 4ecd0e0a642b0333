"""Collects what is wrong with a scenario, so that a person sees all of it at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from placid.errors import InputError, UnknownNameError
from placid.yaml_lines import Document, Key

__all__ = ["Mistakes", "ScenarioError", "shown_key"]


class ScenarioError(InputError):
    """Several things are wrong with a scenario.

    Attributes:
        errors: each of them, in the order of the file.
    """

    def __init__(self, errors: Iterable[InputError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(e) for e in self.errors))


def shown_key(at: Key) -> str:
    """A place in a document as people write it: ``policies[1].refresh``."""
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass
class Mistakes:
    """The mistakes found so far in one document."""

    document: Document
    found: list[tuple[int, InputError]] = field(default_factory=list)

    def add(self, at: Key, message: str, *, of_value: bool = False) -> None:
        """What is wrong at `at`."""
        line, where = self._where(at, of_value)
        self.found.append((line, InputError(message, where=where)))

    def add_unknown(self, at: Key, kind: str, name: str, known: Iterable[str]) -> None:
        """The unknown name of a `kind` of thing stands at `at`."""
        line, where = self._where(at, True)
        self.found.append((line, UnknownNameError(kind, name, known, where=where)))

    def add_error(self, at: Key, error: InputError, fields: Mapping[str, str] | None = None) -> None:
        """What a constructor said of the values at `at`.

        Args:
            fields: parameter of the constructor -> field of the file. The field that the error speaks of, if it is
                written, is where the error is placed.
        """
        if isinstance(error, UnknownNameError):
            found = _stands(self.document.data, at, error.name)
            kind = error.message.removeprefix("unknown ").split(" '")[0]
            line, where = self._where(found, found != at)
            self.found.append((line, UnknownNameError(kind, error.name, error.known, where=where)))
            return
        inner: Key = ()
        written = {f for key in self.document.keys if key[:-1] == at for f in [str(key[-1])]}
        speaks = f"{error.where} {error.message}" if error.where else error.message
        # a field in quotes is what it speaks of, written or not; else any field that it mentions
        quoted = [
            w for w in re.findall(r"'(\w+)'", speaks) if w in (fields or {}) or w in (fields or {}).values()
        ]
        for word in quoted or re.findall(r"\w+", speaks):
            name = (fields or {}).get(word, word)
            if name in written:
                inner = (name,)
                break
        line, where = self._where((*at, *inner), bool(inner))
        source = error.where
        if re.fullmatch(r"(workload|policy|catalog) '[^']*'(, field '[^']*')?", source):
            source = "" if inner or "field" not in source else source.split(", ")[1]
        message = f"{source}: {error.message}" if source else error.message
        for parameter, name in (fields or {}).items():
            message = re.sub(rf"\b{re.escape(parameter)}\b", name, message)
        self.found.append((line, InputError(message, where=where)))

    @contextmanager
    def at(self, at: Key, fields: Mapping[str, str] | None = None) -> Iterator[None]:
        """Within it, an InputError is noted as a mistake at `at` and goes no further."""
        try:
            yield
        except ScenarioError as several:
            self.found.extend((0, error) for error in several.errors)
        except InputError as error:
            self.add_error(at, error, fields)

    def raise_if_any(self) -> None:
        """Nothing, if nothing is wrong.

        Raises:
            InputError: the one mistake there is (an UnknownNameError if it is one), or a ScenarioError with all.
        """
        if not self.found:
            return
        errors = {str(e): e for _, e in sorted(self.found, key=lambda pair: pair[0])}
        if len(errors) == 1:
            raise next(iter(errors.values()))
        raise ScenarioError(errors.values())

    def _where(self, at: Key, of_value: bool) -> tuple[int, str]:
        line = self.document.line(at, of_value=of_value)
        file = self.document.name if line is None else f"{self.document.name}:{line}"
        return line or 0, f"{file}: {shown_key(at)}" if at else file


def _stands(data: Any, at: Key, name: str) -> Key:
    """Where the name is written, as a value or a field, at `at` or below; `at` itself if nowhere."""
    for part in at:
        try:
            data = data[part]
        except (LookupError, TypeError):
            return at  # not a place of the document, such as an argument of the command line

    def look(value: Any, here: Key) -> Key | None:
        if isinstance(value, Mapping | list):
            entries = value.items() if isinstance(value, Mapping) else enumerate(value)
            for part, one in entries:
                if part == name:
                    return (*here, part)
                if (found := look(one, (*here, part))) is not None:
                    return found
        return here if str(value) == name else None

    found = look(data, at)
    if found is None and len(name) > 2 and isinstance(data, Mapping):
        # a part of what is written, such as the ending of a file's name
        found = next(
            ((*at, part) for part, one in data.items() if isinstance(one, str) and name in one), None
        )
    return found or at
