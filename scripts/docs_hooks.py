"""Hooks of the documentation: parts of pages that are made from the code or from measurements when the site is built.

`<!-- made: NAME -->` on a line of its own in a page is replaced by what `MADE[NAME]` returns.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["MADE", "fill_in", "on_page_markdown"]

ROOT = Path(__file__).resolve().parents[1]
_MARK = re.compile(r"^<!-- made: ([\w -]+) -->$", re.MULTILINE)


def _scenario_reference() -> str:
    """Every field a scenario can have, from its schema."""
    if str(ROOT / "src") not in sys.path:
        sys.path.insert(0, str(ROOT / "src"))
    from placid.experiments.scenario import reference

    return reference()


def _scaling() -> str:
    """What the benchmarks wrote, less their title."""
    file = ROOT / "benchmarks" / "results.md"
    if not file.exists():
        return "*No measurement is checked in. `make bench` makes one.*"
    text = file.read_text()
    return re.sub(r"\A# .*\n+", "", text)


#: name -> what makes the part
MADE: dict[str, Callable[[], str]] = {"scenario reference": _scenario_reference, "scaling": _scaling}


def fill_in(markdown: str) -> str:
    """`markdown` with its marks replaced.

    Raises:
        KeyError: a mark names nothing that is known.
    """
    return _MARK.sub(lambda mark: MADE[mark[1]](), markdown)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What mkdocs calls for every page."""
    return fill_in(markdown)
