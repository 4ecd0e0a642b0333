"""A scenario: what a person wrote, read and held to be valid section by section."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from placid.errors import InputError
from placid.experiments.scenario.schema import Content, read_content
from placid.yaml_lines import Document, dump, parse, read_file

__all__ = ["Scenario", "load_scenario"]


@dataclass(frozen=True)
class Scenario:
    """A scenario that is valid section by section; `build` makes the objects and checks that they fit together.

    Attributes:
        text: the source, as written.
        path: the file it came from; None for text and dictionaries. Relative files are looked for beside it.
        document: the values and where they stand.
        content: the sections as typed values.
    """

    text: str = field(repr=False)
    path: Path | None
    document: Document = field(repr=False)
    content: Content

    @property
    def name(self) -> str:
        return self.content.name

    @property
    def description(self) -> str:
        return self.content.description

    @property
    def folder(self) -> Path:
        """Where relative files are looked for."""
        return self.path.parent if self.path is not None else Path()


def load_scenario(source: str | os.PathLike[str] | Mapping[str, Any]) -> Scenario:
    """Read a scenario and check every section.

    Args:
        source: a file; or the content of one, as a dictionary or as text (of more than one line).

    Raises:
        InputError: something is wrong: file, line and field, what is wrong and what would be right. Several mistakes
            come together, as a `ScenarioError`; a single unknown name as an `UnknownNameError`.

    Example:
        >>> load_scenario("slots: 10\\nslot: 1 week\\n")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        placid.experiments.scenario.mistakes.ScenarioError: scenario:1: the field 'network' is missing...
    """
    path: Path | None = None
    if isinstance(source, Mapping):
        text, name = dump(source), "scenario"
    elif isinstance(source, str) and "\n" in source:
        text, name = source, "scenario"
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        text, name = read_file(path), str(path)
    else:
        raise InputError(f"a scenario is a file, text or a dictionary, not {type(source).__name__}")
    document = parse(text, name)
    content = read_content(
        document, path.stem if path is not None else "scenario", path.parent if path is not None else None
    )
    return Scenario(text, path, document, content)
