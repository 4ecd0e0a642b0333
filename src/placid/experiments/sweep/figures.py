"""The figures of a sweep: what its tables can keep of a play."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from placid.errors import UnknownNameError
from placid.experiments.scenario.mistakes import Mistakes
from placid.reports.tables import QUANTITIES
from placid.yaml_lines import Document

__all__ = ["YARDSTICKS", "check_figures", "figures_of"]

#: per request, beside the figures of `placid.reports.tables.QUANTITIES`
YARDSTICKS = ("bound", "ceiling", "best_static")


def check_figures(mistakes: Mistakes, names: Sequence[str]) -> None:
    """That a study asks for figures that there can be; the shares of tiers are known only once its networks are."""
    known = [*QUANTITIES, *YARDSTICKS]
    for i, name in enumerate(names):
        if name in known or (name.startswith("share_") and not get_close_matches(name, known, 1, 0.8)):
            continue
        mistakes.add_error(("figures", i), UnknownNameError("figure", name, [*known, "share_<tier>"]))


def figures_of(asked: Sequence[str], columns: Sequence[str], document: Document) -> list[str]:
    """The figures to keep, of the `columns` that there are: those `asked` for in the study `document`, else all.

    Raises:
        InputError: it asks for one that is not there.
    """
    there = [c for c in columns if c in QUANTITIES or c in YARDSTICKS or c.startswith("share_")]
    there = list(dict.fromkeys(there))
    for i, name in enumerate(asked):
        if name not in there:
            line = document.line(("figures", i), of_value=True)
            raise UnknownNameError("figure", name, there, where=f"{document.name}:{line}: figures[{i}]")
    return list(asked) or there
