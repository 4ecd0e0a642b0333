"""Whether a file is the one that was meant."""

from __future__ import annotations

import hashlib
from pathlib import Path

from placid.errors import RunError

__all__ = ["digest_of"]


def digest_of(file: Path) -> str:
    """SHA-256 of a file.

    Raises:
        RunError: it cannot be read.
    """
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise RunError(f"{file}: cannot be read: {error.strerror or error}") from error
