"""The section of a paper's README that its study writes: Markdown between two markers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from placid.errors import InputError

__all__ = ["BEGIN", "END", "markdown_table", "with_results"]

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


def with_results(readme: str, text: str) -> str:
    """`readme` with `text` between its markers, and nothing else changed.

    Raises:
        InputError: the markers are not there once each, in order: nothing is written where nobody would look for it.

    Example:
        >>> with_results(f"before {BEGIN}old{END} after", "new") == f"before {BEGIN}\\nnew\\n{END} after"
        True
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        raise InputError(f"needs the markers {BEGIN} and {END} once each, in this order", where="README.md")
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; cells are written as they are.

    Raises:
        InputError: a row has more or fewer cells than the head.

    Example:
        >>> print(markdown_table(("a", "b"), [("1", "2")]))
        | a | b |
        | --- | --- |
        | 1 | 2 |
    """
    lines = [tuple(head), ("---",) * len(head), *(tuple(r) for r in rows)]
    if wrong := [line for line in lines if len(line) != len(head)]:
        raise InputError(f"a row of {len(wrong[0])} cells under a head of {len(head)}: {wrong[0]}")
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
