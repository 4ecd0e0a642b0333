"""Hooks of the documentation: parts of pages that are made when the site is built, and formulas without a script.

`<!-- made: NAME -->` on a line of its own in a page is replaced by what `MADE[NAME]` returns. In a page that begins with
`<!-- formulas -->`, ``x_e``, ``Σ_{o of r}`` and ``y^N`` become subscripts and superscripts, in the text and in blocks of the
language ``formula``; code is left alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["MADE", "fill_in", "on_page_markdown", "with_formulas"]

ROOT = Path(__file__).resolve().parents[1]
_FORMULAS = "<!-- formulas -->"
#: code that is left alone: fenced blocks (those of formulas are group 1), and spans
_CODE = re.compile(r"^```formula\n(.*?)^```$|^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LOW = re.compile(r"(?<![\w&])([A-Za-zͰ-Ͽℓ∏Σ]['′]?)_(\{[^{}]+\}|[A-Za-z0-9]+\*?)")
_HIGH = re.compile(r"(?<=[\w)}\]])\^(\{[^{}]+\}|[A-Za-z0-9]+)")
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


def with_formulas(markdown: str) -> str:
    """`markdown` with subscripts and superscripts, outside code."""
    parts, end = [], 0
    for code in _CODE.finditer(markdown):
        parts.append(_raised(markdown[end : code.start()]))
        if code[1] is None:
            parts.append(code[0])
        else:
            text = code[1].rstrip().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            # an empty line would end the block
            lines = [_raised(line) or " " for line in text.split("\n")]
            parts.append('<pre class="formula">' + "\n".join(lines) + "</pre>")
        end = code.end()
    return "".join([*parts, _raised(markdown[end:])])


def _raised(text: str) -> str:
    lowered = _LOW.sub(lambda m: f"{m[1]}<sub>{m[2].strip('{}')}</sub>", text)
    return _HIGH.sub(lambda m: f"<sup>{m[1].strip('{}')}</sup>", lowered)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What mkdocs calls for every page."""
    filled = fill_in(markdown)
    return with_formulas(filled.removeprefix(_FORMULAS)) if filled.startswith(_FORMULAS) else filled
