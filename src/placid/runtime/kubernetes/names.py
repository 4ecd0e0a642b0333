"""Names of nodes as Kubernetes wants them: labels of DNS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

__all__ = ["dns_names"]

#: of a label 63 characters may be used, some of which are put behind
_MOST = 50


def dns_names(names: Sequence[str]) -> dict[str, str]:
    """Name -> lower-case letters, digits and hyphens, 50 at most, a letter first, no two alike.

    Example:
        >>> dns_names(["BS 1", "bs-1", "cloud"])
        {'BS 1': 'bs-1-84704a', 'bs-1': 'bs-1', 'cloud': 'cloud'}
    """
    plain = {name: re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in names}
    taken = {name for name in names if plain[name] == name and _fits(name)}
    return {
        name: name if name in taken else f"{_start(plain[name])}-{sha256(name.encode()).hexdigest()[:6]}"
        for name in names
    }


def _fits(name: str) -> bool:
    return (
        bool(re.fullmatch(rf"[a-z][a-z0-9-]{{0,{_MOST - 1}}}", name))
        and not name.endswith("-peers")
        and name != "controller"
    )


def _start(name: str) -> str:
    short = name[: _MOST - 9].strip("-")
    return short if short[:1].isalpha() else f"n-{short}".strip("-")
