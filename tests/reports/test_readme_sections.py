"""The generated section of a README: it is replaced, and nothing is lost or put where nobody looks."""

from __future__ import annotations

import pytest

from placid.errors import InputError
from placid.reports.studies import BEGIN, END, markdown_table, with_results


def test_what_stands_between_the_markers_is_replaced_and_nothing_else() -> None:
    text = with_results(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new")
    assert text == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert with_results(text, "new") == text


@pytest.mark.parametrize("readme", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_readme_without_a_place_for_results_is_refused(readme: str) -> None:
    with pytest.raises(InputError, match="markers"):
        with_results(readme, "new")


def test_a_table_with_a_hole_is_refused() -> None:
    assert markdown_table(("a", "b"), [("1", "2")]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| 1 | 2 |",
    ]
    with pytest.raises(InputError, match="1 cells under a head of 2"):
        markdown_table(("a", "b"), [("1",)])
