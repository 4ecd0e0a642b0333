"""The files that a scenario names, and copies of them for a machine that does not have them."""

from __future__ import annotations

import atexit
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["file_digest", "laid_out", "named_files"]


def named_files(data: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Name -> file, of every file that the sections `data` name: relative names are looked for in `folder`.

    Any text that is the name of a file counts, so that no field is forgotten; a file too many does no harm. Of a zoo only
    the manifest is read. A policy of a person's own is the file of its module, as placid would find it.
    """
    found: dict[str, Path] = {}
    for field, text in _texts(data, ""):
        name = f"{text}/manifest.json" if field == "zoo" else text
        if _is_file(folder / name):
            found[name] = folder / name
        module, colon, _ = text.partition(":")
        if colon and all(part.isidentifier() for part in module.split(".")):
            for name in (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"):
                places = [place / name for place in (Path(), folder) if _is_file(place / name)]
                if places:
                    found[name] = places[0]
    return dict(sorted(found.items()))


def _texts(value: Any, field: str) -> Iterator[tuple[str, str]]:
    """(field, text) of every text in `value`; in a list, the field that holds the list."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _texts(one, str(name))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, field)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text too long, or with a zero byte, is the name of no file
        return False


def file_digest(path: Path) -> str:
    """SHA-256 of what is in `path`; read again only when its size or time has changed."""
    status = path.stat()
    return _digest(path.resolve(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=10_000)
def _digest(path: Path, size_bytes: int, time_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=64)
def laid_out(files: tuple[tuple[str, bytes], ...]) -> Path:
    """A temporary folder, gone when this process ends, in which `files` (name, content) lie by their relative names.

    Names that climb (``../traces/a.csv``) stay inside the temporary folder: the folder that is returned lies deep enough.
    Absolute names are left out: they are looked for where they point.
    """
    root = tempfile.TemporaryDirectory(prefix="placid-")
    atexit.register(root.cleanup)
    relative = [(os.path.normpath(name), content) for name, content in files if not os.path.isabs(name)]
    climbs = max((name.split(os.sep).count(os.pardir) for name, _ in relative), default=0)
    folder = Path(root.name, *["in"] * (climbs + 1))
    folder.mkdir(parents=True)
    for name, content in relative:
        file = Path(os.path.normpath(folder / name))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder
