"""YAML text to plain Python values, with the line and column of every key and value.

Plain scalars are read as YAML 1.2 does it: ``no``, ``on`` and ``12:30`` are text, ``1e-3`` is a number. Keys are always
text, as written. Tags and merge keys are refused; anchors are allowed, but what they expand to is bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from placid.errors import InputError

__all__ = ["Document", "Key", "Position", "dump", "parse", "read_file"]

#: a place in a document: keys and list positions from the top
Key = tuple[str | int, ...]

_MOST_BYTES = 1_000_000
_MOST_VALUES = 50_000
_MOST_DEPTH = 30
_MOST_DIGITS = 18

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)\Z")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z")
_PLAIN: dict[str, Any] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)
)


@dataclass(frozen=True)
class Position:
    """Line and column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """What a YAML file says, and where it says it.

    Attributes:
        data: the top mapping.
        name: of the file, for messages.
        keys: where the key of each mapping entry stands.
        values: where each value starts.
    """

    data: dict[str, Any]
    name: str
    keys: Mapping[Key, Position] = field(repr=False)
    values: Mapping[Key, Position] = field(repr=False)

    def line(self, at: Key, *, of_value: bool = False) -> int | None:
        """The line of the entry at `at`, or of the nearest entry around it that is written; None if there is
        none.

        Args:
            of_value: the line where its value starts, not its key.
        """
        for length in range(len(at), -1, -1):
            near = at[:length]
            tables = (self.values, self.keys) if of_value and length == len(at) else (self.keys, self.values)
            for table in tables:
                if near in table:
                    return table[near].line
        return None


def read_file(path: Path) -> str:
    """The text of a scenario file.

    Raises:
        InputError: there is no such file, it is no file, too large, or not UTF-8 text.
    """
    name = str(path)
    try:
        if path.is_dir():
            raise InputError("is a folder; give the name of a scenario file in it", where=name)
        if path.exists() and not path.is_file():
            raise InputError("is no ordinary file; give the name of a scenario file", where=name)
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise InputError(
                f"has {size:,} bytes, more than the {_MOST_BYTES:,} that a scenario may have; "
                "tables go into files of their own, which the scenario names",
                where=name,
            )
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            "there is no such file; `placid init` writes one to start from", where=name
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read: {reason}", where=name) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8 text", where=f"{name}:{line}"
        ) from None


def parse(text: str, name: str) -> Document:
    """`text` as a document called `name` in messages.

    Raises:
        InputError: it is no YAML, no mapping, or uses what scenarios do without; the message names the line.
    """
    if len(text) > _MOST_BYTES:
        raise InputError(f"has more than the {_MOST_BYTES:,} characters that a scenario may have", where=name)
    try:
        node = _Loader(text.replace("\r\n", "\n")).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise InputError(_plain_words(error, text), where=where) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        raise InputError(
            f"character U+{_code(error.character):04X} cannot stand in YAML; delete it or write it as an escape",
            where=f"{name}:{line}",
        ) from None
    except yaml.YAMLError as error:
        raise InputError(f"is no YAML: {error}", where=name) from None
    if node is None:
        raise InputError("is empty; `placid init` writes a scenario to start from", where=name)
    if not isinstance(node, yaml.MappingNode):
        raise InputError(
            "expected fields such as 'slots: 500', one per line, at the top of the file",
            where=f"{name}:{node.start_mark.line + 1}",
        )
    reader = _Reader(name)
    return Document(reader.value(node, ()), name, reader.keys, reader.values)


def dump(data: Mapping[str, Any]) -> str:
    """`data` as YAML text that `parse` reads back.

    Raises:
        InputError: it holds something that YAML has no word for.
    """
    try:
        return str(yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        reason = error.args[0] if error.args else type(error).__name__
        raise InputError(
            f"cannot be written as YAML ({reason}); use only mappings, lists, text, numbers, true and false",
            where="scenario",
        ) from None


def _code(character: object) -> int:
    return ord(character) if isinstance(character, str) and len(character) == 1 else int(str(character))


def _plain_words(error: yaml.MarkedYAMLError, text: str) -> str:
    """What a YAML parser's complaint means to a person."""
    problem = str(error.problem or error.context or "is no YAML")
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    here = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\\t" in problem or ("\t" in here[: len(here) - len(here.lstrip())]):
        return "a tab cannot indent in YAML; use spaces"
    if isinstance(error, yaml.composer.ComposerError):
        return problem
    if "mapping values are not allowed" in problem:
        return (
            "a ':' stands where no field can start; indent the line like its neighbours, "
            "or put text with a ':' in quotes"
        )
    if "could not find expected ':'" in problem:
        return "a field without ':'; write 'field: value', and text of several words after it"
    if "expected <block end>" in problem or "expected ',' or" in problem:
        found = re.search(r"got '(.*?)'", problem)
        if "expected ',' or" in problem:
            return f"{problem.split(', but')[0]}; a list in brackets or braces is not closed, or a comma is missing"
        what = f" ('{found[1]}' found)" if found and not found[1].startswith("<") else ""
        return f"the indentation does not fit the lines above{what}; indent fields of one section alike"
    if "unexpected end of stream" in problem or "quoted scalar" in str(error.context or ""):
        return "a quote is not closed; end the text with the quote that it starts with"
    if "cannot start any token" in problem:
        return f"{problem}; put text that starts with it in quotes"
    return f"is no YAML: {problem}; look for a missing quote, bracket or colon in this line or the one above"


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses what could exhaust time or memory while it composes."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.untyped: Any = self  # the parser's verbs have no types

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise yaml.composer.ComposerError(
                None,
                None,
                f"nested more than {_MOST_DEPTH} deep; no scenario needs that",
                self.untyped.peek_event().start_mark,
            )
        if self.check_event(yaml.AliasEvent) and self.untyped.peek_event().anchor not in self.anchors:
            event = self.untyped.peek_event()
            raise yaml.composer.ComposerError(
                None, None, f"'*{event.anchor}' refers to nothing: no '&{event.anchor}' comes before it; "
                "put text that starts with '*' in quotes", event.start_mark
            )  # fmt: skip
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def get_single_node(self) -> Any:
        self.untyped.get_event()
        document = None if self.check_event(yaml.StreamEndEvent) else self.compose_document()
        if not self.check_event(yaml.StreamEndEvent):
            raise yaml.composer.ComposerError(
                None,
                None,
                "a second document starts ('---'); a file holds one scenario",
                self.untyped.peek_event().start_mark,
            )
        return document


class _Reader:
    """Turns nodes into values and notes where they stand."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: dict[Key, Position] = {}
        self.values: dict[Key, Position] = {}

    def wrong(self, node: yaml.Node, message: str) -> InputError:
        return InputError(message, where=f"{self.name}:{node.start_mark.line + 1}")

    def value(self, node: yaml.Node, at: Key) -> Any:
        self.values[at] = _position(node)
        if len(self.values) > _MOST_VALUES:
            raise self.wrong(node, f"expands to more than {_MOST_VALUES:,} values; use fewer anchors")
        if len(at) > _MOST_DEPTH:
            raise self.wrong(node, f"nested more than {_MOST_DEPTH} deep (an anchor inside itself?)")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            self.no_tag(node, "tag:yaml.org,2002:seq")
            return [self.value(child, (*at, i)) for i, child in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, at: Key) -> dict[str, Any]:
        self.no_tag(node, "tag:yaml.org,2002:map")
        found: dict[str, Any] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.wrong(key_node, "a field name must be text, not a list or a mapping")
            key = str(key_node.value)
            if key == "<<" and key_node.style is None:
                raise self.wrong(
                    key_node, "merge keys ('<<') are not used in scenarios; write the fields out"
                )
            here = (*at, key)
            if key in found:
                raise self.wrong(
                    key_node,
                    f"'{key}' is written twice, first in line {self.keys[here].line}; delete one of the two",
                )
            self.keys[here] = _position(key_node)
            found[key] = self.value(child, here)
        return found

    def no_tag(self, node: yaml.Node, usual: str) -> None:
        if node.tag != usual:
            raise self.wrong(node, f"tags ('{_short(node.tag)}') are not used in scenarios; delete it")

    def scalar(self, node: yaml.ScalarNode) -> Any:
        text = str(node.value)
        if node.style is not None:
            self.no_tag(node, "tag:yaml.org,2002:str")
            return text
        # SafeLoader resolves a plain scalar by YAML 1.1; a tag that resolution does not give was written by hand
        if node.tag not in _RESOLVED:
            raise self.wrong(node, f"tags ('{_short(node.tag)}') are not used in scenarios; delete it")
        if text in _PLAIN:
            return _PLAIN[text]
        if _WHOLE.match(text):
            if sum(c.isdigit() for c in text) > _MOST_DIGITS:
                raise self.wrong(
                    node, f"a whole number has at most {_MOST_DIGITS} digits; put names in quotes"
                )
            return int(text)
        if _NUMBER.match(text):
            return float(text.replace("_", ""))
        if _INFINITE.match(text):
            return -math.inf if text.startswith("-") else math.inf
        return text


_RESOLVED = {
    f"tag:yaml.org,2002:{name}"
    for name in ("null", "bool", "int", "float", "timestamp", "str", "merge", "value")
}


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _position(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


class _Dumper(yaml.SafeDumper):
    """Writes every value in place, and quotes text that `parse` would take for a number."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_implicit_resolver("!number", _NUMBER, list("-+.0123456789"))
