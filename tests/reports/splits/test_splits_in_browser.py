"""The comparison in a real browser, from a file, with no network: it draws, switches, reads under the pointer, sorts.

Without a browser these tests are skipped, loudly; under CI=true they fail instead.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_zoos import lab_zoo

from placid.reports.splits import compare_splits, write_comparison
from placid.reports.splits.story import Comparison

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser


def _launch(playwright: Any) -> Any:
    """A headless Chromium: of the system if there is one, else playwright's own."""
    path = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
    )
    try:
        return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    except sync_api.Error as error:
        reason = (
            f"THE COMPARISON'S PAGE WAS NOT TESTED: no Chromium starts here ({str(error).splitlines()[0]})"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compare_splits(lab_zoo(tmp_path_factory.mktemp("zoo")))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = _launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(told: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison(told, tmp_path_factory.mktemp("splits"))


class Opened:
    """The page, drawn, with all that it complained of and asked for."""

    def __init__(self, browser: Any, file: Path, width: int) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("html[data-ready=true]", timeout=30_000)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture(scope="module")
def screen(browser: Any, file: Path) -> Iterator[Opened]:
    opened = Opened(browser, file, 1280)
    yield opened
    opened.context.close()


@pytest.fixture(scope="module")
def phone(browser: Any, file: Path) -> Iterator[Opened]:
    opened = Opened(browser, file, 400)
    yield opened
    opened.context.close()


def test_all_charts_are_drawn_without_a_complaint(screen: Opened, phone: Opened) -> None:
    for opened in (screen, phone):
        marks = opened.page.evaluate(
            "Object.fromEntries(Array.from(document.querySelectorAll('.chart'),"
            " c => [c.id, c.querySelectorAll('svg path, svg text').length]))"
        )
        assert set(marks) == {f"chart-{name}" for name in ("bytes", "operations", "axes", "exits", "risk")}
        assert min(marks.values()) > 10
        assert opened.complaints == []
        assert {u.partition(":")[0] for u in opened.requests} <= {"file", "data", "blob"}


def test_nothing_is_wider_than_the_screen(screen: Opened, phone: Opened) -> None:
    for opened, width in ((screen, 1280), (phone, 400)):
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        overhanging = opened.page.evaluate(
            "Array.from(document.querySelectorAll('.chart svg'), s => s.getBoundingClientRect())"
            ".filter(b => b.right > innerWidth || b.left < 0).length"
        )
        assert overhanging == 0


def test_a_narrow_screen_has_fewer_names(screen: Opened, phone: Opened) -> None:
    """As placed for its width, so that they do not cover each other."""

    def named(opened: Opened) -> int:
        texts = opened.page.evaluate(
            "Array.from(document.querySelectorAll('#chart-bytes svg .mark-text text'), t => t.textContent)"
        )
        return len({t for t in texts if re.search("-", t)})

    assert 5 < named(phone) < named(screen)


@pytest.mark.parametrize("which", ["screen", "phone"])
def test_names_of_a_chart_do_not_cover_each_other(which: str, request: pytest.FixtureRequest) -> None:
    opened: Opened = request.getfixturevalue(which)
    for chart in ("bytes", "operations", "axes"):
        boxes = opened.page.evaluate(
            f"""Array.from(document.querySelectorAll('#chart-{chart} svg .mark-text text'))
            .filter(t => t.textContent && t.getAttribute('stroke') !== 'white')
            .map(t => [t.textContent, t.getBoundingClientRect()])
            .map(([name, b]) => [name, b.left, b.right, b.top, b.bottom])"""
        )
        assert len(boxes) > 5
        for k, one in enumerate(boxes):
            for other in boxes[k + 1 :]:
                across = min(one[2], other[2]) - max(one[1], other[1])
                up = min(one[4], other[4]) - max(one[3], other[3])
                # boxes of letters are higher than the letters are
                assert across <= 2 or up <= 4, (chart, one, other)


def test_another_accuracy_shows_another_map(screen: Opened, told: Comparison) -> None:
    shown = "Array.from(document.querySelectorAll('.panel.on'), p => [p.dataset.kind, p.dataset.level])"
    assert screen.page.evaluate(shown) == [["latency", "1"], ["energy", "1"]]
    screen.page.select_option("select.required[data-kind=latency]", "3")
    assert screen.page.evaluate(shown) == [["latency", "3"], ["energy", "1"]]
    assert "At most 5 points below" in screen.page.inner_text(".panel.on[data-kind=latency] h3")
    screen.page.select_option("select.required[data-kind=latency]", "1")
    assert screen.complaints == []


@pytest.mark.parametrize("kind", ["latency", "energy"])
def test_what_is_under_the_pointer_wins(screen: Opened, told: Comparison, kind: str) -> None:
    found = (told.latency if kind == "latency" else told.energy)[0.01]
    glass = screen.page.locator(f".panel.on[data-kind={kind}] .glass")
    glass.scroll_into_view_if_needed()
    box = glass.bounding_box()
    for across, up in ((0.03, 0.2), (0.5, 0.25), (0.9, 0.1), (0.7, 0.8)):
        screen.page.mouse.move(box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"])
        said = screen.page.inner_text(f".panel.on[data-kind={kind}] .reading li >> nth=0")
        row, column = int(up * len(found.y)), int(across * len(found.x))
        around = found.winner[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        assert said.rsplit(" ", 2)[0] in {told.ways[k].name for k in np.unique(around)}


def test_on_a_phone_the_numbers_are_beside_the_names(phone: Opened) -> None:
    name, accuracy = phone.page.evaluate(
        "Array.from(document.querySelectorAll('#table tbody tr:first-child td')).slice(0, 2)"
        ".map(c => c.getBoundingClientRect().right)"
    )
    assert name < 220
    assert accuracy < 400


@pytest.mark.parametrize(
    "kept", [("local-resnet8",), ("split-stage2-8bit", "plain-5x4bit"), ("remote-raw", "remote-png")]
)
def test_small_zoos_are_drawn_too(
    browser: Any, told: Comparison, tmp_path: Path, kept: tuple[str, ...]
) -> None:
    few = replace(told.zoo, variants=tuple(v for v in told.zoo.variants if v.name in kept))
    opened = Opened(browser, write_comparison(compare_splits(few), tmp_path), 1280)
    assert opened.complaints == []
    assert opened.page.locator(".chart svg.marks").count() == 3
    opened.context.close()


def test_the_table_sorts_by_bytes(screen: Opened) -> None:
    screen.page.locator("#table th button").nth(2).click()
    sent = screen.page.evaluate(
        "Array.from(document.querySelectorAll('#table tbody tr'), r => Number(r.cells[2].dataset.value))"
    )
    assert sent == sorted(sent, reverse=True)
    assert len(sent) == 43
