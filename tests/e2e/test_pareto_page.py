"""The page of a front in a real browser: a preference is dragged, and numbers, chart, table and map follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_page import launch

from placid.experiments.pareto import pareto

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser

SCENARIO: dict[str, Any] = {
    "name": "a front </script> of <b>points</b>",
    "slots": 4,
    "network": {
        "tiered": {
            "base_stations": 2,
            "memory": {"base-station": "300 MB", "central-office": "600 MB"},
            "processor": "rtx2070",
        }
    },
    "catalog": {"family": "yolov4", "tasks": 2, "replicas": 1, "processors": ["rtx2070"]},
    "workload": {"process": "poisson", "rate": "60 /s"},
    "objective": {"latency": 1},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    into = tmp_path_factory.mktemp("fronts")
    names = ("latency", "error", "energy", "traffic")
    return {
        k: pareto(SCENARIO, into / str(k), objectives=names[:k], points=10, time_limit_s=0.0)
        for k in (2, 3, 4)
    }


def opened(browser: Any, folder: Path) -> tuple[Any, list[str]]:
    page = browser.new_page(viewport={"width": 1240, "height": 1100})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda r: wrong.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None,
    )
    page.goto((folder / "pareto.html").as_uri())
    page.wait_for_function("document.documentElement.dataset.ready === 'true'")
    return page, wrong


def numbers(page: Any) -> list[str]:
    return page.eval_on_selector_all("#bars b", "all => all.map(e => e.textContent)")  # type: ignore[no-any-return]


def test_dragging_in_the_triangle_changes_point_and_map(browser: Any, folders: dict[int, Path]) -> None:
    page, wrong = opened(browser, folders[3])
    table = pl.read_csv(folders[3] / "front.csv")
    box = page.query_selector("#triangle").bounding_box()

    def drag(x: float, y: float) -> None:
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        page.mouse.up()

    drag(0.5, 0.06)  # the corner of latency
    fastest, drawn = numbers(page), page.inner_html("#map-drawing")
    assert fastest[0] == f"{1e3 * table['latency_s'].min():.3g} ms"
    assert "latency 100 %" in page.inner_text("#shares")
    drag(0.13, 0.92)  # the corner of error
    right = numbers(page)
    assert right[1] == f"{table['error'].min():.3g}"
    assert right != fastest
    assert page.inner_html("#map-drawing") != drawn
    page.focus("#handle")
    page.keyboard.press("ArrowRight")
    assert "latency" in page.get_attribute("#handle", "aria-valuetext")
    assert wrong == []
    page.close()


def test_points_are_chosen_by_hand_too(browser: Any, folders: dict[int, Path]) -> None:
    page, wrong = opened(browser, folders[3])
    page.click("#table tbody tr:nth-child(2)")
    assert page.eval_on_selector("#map-slot", "e => e.value") == "1"
    assert page.inner_text("#map-now").startswith("latency")
    chosen = page.eval_on_selector("#table tr.chosen", "e => e.dataset.point")
    assert chosen == "1"
    page.click("#scatter circle >> nth=0", force=True)
    page.select_option("#axis-x", "2")
    page.select_option("#axis-y", "2")
    assert page.eval_on_selector("#axis-x", "e => e.value") != "2"
    assert wrong == []
    page.close()


@pytest.mark.parametrize("objectives", [2, 4])
def test_other_numbers_of_objectives_have_sliders(
    browser: Any, folders: dict[int, Path], objectives: int
) -> None:
    page, wrong = opened(browser, folders[objectives])
    sliders = "#between" if objectives == 2 else "input.share"
    before = numbers(page)
    assert len(before) == objectives
    seen = {tuple(before)}
    for value in ("0", "1000" if objectives == 2 else "100"):
        page.eval_on_selector(sliders, f"e => {{ e.value = {value}; e.dispatchEvent(new Event('input')); }}")
        seen.add(tuple(numbers(page)))
    assert len(seen) > 1
    assert wrong == []
    page.close()


def test_names_are_text_not_markup(browser: Any, folders: dict[int, Path]) -> None:
    page, wrong = opened(browser, folders[2])
    assert SCENARIO["name"] in page.inner_text("h1")
    assert page.query_selector("h1 b") is None
    assert wrong == []
    page.close()
