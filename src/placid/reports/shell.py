"""What every page of the house stands in: one file that opens offline and fetches nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import vl_convert

from placid.reports.figures import VEGA_LITE

__all__ = ["self_contained"]


def self_contained(
    *,
    title: str,
    kicker: str,
    description: str,
    verdict: str,
    tiles: str,
    sections: Sequence[tuple[str, str, str]],
    version: str,
    data: Any,
    css: str = "",
    js: str = "",
) -> str:
    """The page as text.

    Args:
        description, tiles: markup; `title`, `kicker` and `verdict` are plain.
        sections: (anchor, name in the navigation, markup) of each.
        data: what the scripts read, as JSON.
        css, js: after those of all pages.
    """
    here = files("placid.reports")
    return Template((here / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        kicker=escape(kicker),
        description=description,
        verdict=escape(verdict),
        tiles=tiles,
        nav=" ".join(f'<a href="#{anchor}">{escape(short)}</a>' for anchor, short, _ in sections),
        sections="\n".join(markup for _, _, markup in sections),
        version=escape(version),
        css=(here / "page.css").read_text(encoding="utf-8") + css,
        js=(here / "page.js").read_text(encoding="utf-8") + js,
        vega=_vega(),
        data=_embedded(data),
    )


def _embedded(data: Any) -> str:
    """JSON that may stand between script tags: no "<" ends them early."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _vega() -> str:
    bundle: str = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]
    return bundle.replace("</script", "<\\/script")
