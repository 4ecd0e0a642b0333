"""Where spans go, as `placid up --traces` spells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from placid.errors import InputError

__all__ = ["Target"]


@dataclass(frozen=True)
class Target:
    """Where spans go.

    Attributes:
        kind: "otlp": a collector that is asked by OTLP over HTTP; "file": lines of OTLP as JSON.
        at: the collector's URL for traces, or the file's path, both complete.
    """

    kind: Literal["otlp", "file"]
    at: str

    def __str__(self) -> str:
        return f"{self.kind}={self.at}"

    @classmethod
    def parse(cls, text: str) -> Target:
        """From ``otlp=http://HOST:4318`` (``/v1/traces`` is put behind it if there is no path) or ``file=PATH``.

        Raises:
            InputError: it is neither.
        """
        kind, _, at = text.partition("=")
        if kind == "file" and at:
            return cls("file", str(Path(at).absolute()))
        if kind == "otlp":
            url = urlsplit(at)
            if url.scheme in ("http", "https") and url.netloc:
                return cls("otlp", at if url.path.strip("/") else f"{at.rstrip('/')}/v1/traces")
        raise InputError(f"--traces is otlp=http://HOST:4318 or file=PATH, got '{text}'")
