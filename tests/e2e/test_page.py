"""The page in a real browser, from a file, with no network: it draws, moves, sorts, downloads and prints.

Without a browser these tests are skipped, loudly; under CI=true they fail instead.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from placid.reports import summary, write_report
from placid.testing.run_folder import make_run_folder

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def launch(playwright: Any) -> Any:
    """A headless Chromium: of the system if there is one, else playwright's own."""
    tried = []
    for path in (*(shutil.which(name) for name in _NAMES), None):
        if path is None and tried and not Path(playwright.chromium.executable_path).exists():
            continue
        try:
            return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except sync_api.Error as error:
            tried.append(f"{path or 'playwright'}: {str(error).splitlines()[0]}")
    reason = "THE PAGE WAS NOT TESTED: no Chromium starts here (" + "; ".join(dict.fromkeys(tried)) + ")"
    if os.environ.get("CI") == "true":
        pytest.fail(reason + "; under CI=true that is a failure: see scripts/install_browser.sh")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_run_folder(
        tmp_path_factory.mktemp("runs") / "run", slots=150, online=4, static=2, hindsight=2
    )
    write_report(made)
    return made


class Opened:
    """A page that has been drawn, with all that it complained of."""

    def __init__(self, browser: Any, report: Path, **viewport: int) -> None:
        self.context = browser.new_context(
            viewport={"width": 1366, "height": 768} | viewport, offline=True, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url[:200]}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(report.as_uri())
        self.page.wait_for_selector("html[data-ready=true]", timeout=30_000)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def ask(self, script: str) -> Any:
        return self.page.evaluate(script)

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def opened(browser: Any, folder: Path) -> Iterator[Opened]:
    page = Opened(browser, folder / "report.html")
    yield page
    page.close()


def rings(page: Opened) -> list[str]:
    """What the rings of all nodes look like."""
    return list(
        page.ask(
            "Array.from(document.querySelectorAll('#map-drawing .ring circle'), c => c.getAttribute('stroke-dasharray'))"
        )
    )


def move_slider(page: Opened, to: int) -> None:
    page.page.locator("#map-slot").fill(str(to))


def test_it_opens_without_a_complaint_and_fetches_nothing(opened: Opened) -> None:
    opened.page.wait_for_timeout(300)
    assert opened.complaints == []
    assert [u for u in opened.requests if not u.startswith(("file:", "data:", "blob:"))] == []
    assert len([u for u in opened.requests if u.startswith("file:")]) == 1


def test_every_chart_is_drawn(opened: Opened) -> None:
    charts = opened.ask(
        "Array.from(document.querySelectorAll('.chart'), c => [c.id, c.querySelectorAll('svg path, svg line').length,"
        " c.getBoundingClientRect().width])"
    )
    assert {c[0] for c in charts} >= {
        "chart-comparison",
        "chart-gain",
        "chart-regret",
        "chart-bound",
        "chart-tiers",
    }
    for name, marks, width in charts:
        assert marks > 10, name
        assert width > 300, name


def test_nothing_is_wider_than_the_screen(browser: Any, folder: Path) -> None:
    for width in (1366, 1024, 390):
        page = Opened(browser, folder / "report.html", width=width)
        assert page.ask("document.documentElement.scrollWidth") <= width
        assert page.complaints == []
        page.close()


def test_the_slider_moves_the_map(opened: Opened) -> None:
    at_end, now = rings(opened), opened.page.inner_text("#map-now")
    move_slider(opened, 0)
    at_start = rings(opened)
    assert at_start != at_end
    assert opened.page.inner_text("#map-now") != now
    assert opened.page.inner_text("#map-now").startswith("slot 0 ")
    move_slider(opened, int(opened.page.get_attribute("#map-slot", "max")))
    assert rings(opened) == at_end  # there and back is where one was
    opened.page.locator("#map-slot").press("ArrowLeft")
    assert opened.page.inner_text("#map-now") != now
    assert opened.complaints == []


def test_the_map_holds_what_the_run_placed(opened: Opened, folder: Path) -> None:
    import polars as pl

    events = pl.read_parquet(folder / "placements.parquet").filter(policy="infida")
    opened.page.select_option("#map-policy", "infida")
    for frame in (0, 40, 100):
        move_slider(opened, frame)
        slot = int(re.match(r"slot (\d+)", opened.page.inner_text("#map-now"))[1])  # type: ignore[index]
        there = events.filter(pl.col("slot") <= slot)
        held = there.select(pl.when("loaded").then(1).otherwise(-1).sum()).item()
        assert f"models\n{held}\n" in opened.page.inner_text("#held") + "\n"


def test_the_policy_changes_the_map(opened: Opened) -> None:
    before = rings(opened)
    options = opened.ask("Array.from(document.querySelector('#map-policy').options, o => o.value)")
    assert {"infida-adaptive", "all-in-cloud", "hindsight-milp"} <= set(options)
    chosen = opened.ask("document.querySelector('#map-policy').value")
    opened.page.select_option("#map-policy", next(o for o in options if o != chosen))
    assert rings(opened) != before
    assert opened.complaints == []


def test_a_node_is_chosen_with_mouse_and_keyboard(opened: Opened) -> None:
    assert "The whole network" in opened.page.inner_text("#held")
    node = opened.page.locator("#map-drawing .node").nth(2)
    node.hover()
    assert "node02" in opened.page.inner_text("#held")
    opened.page.mouse.move(2, 2)
    assert "The whole network" in opened.page.inner_text("#held")
    node.click()
    opened.page.mouse.move(2, 2)
    opened.ask("document.activeElement.blur()")
    assert "node02" in opened.page.inner_text("#held")
    assert "detector-" in opened.page.inner_text("#held")
    other = opened.page.locator("#map-drawing .node").nth(5)
    other.focus()
    other.press("Enter")
    assert other.get_attribute("aria-pressed") == "true"
    assert node.get_attribute("aria-pressed") == "false"
    assert "node05" in opened.page.inner_text("#held")
    other.press("Escape")
    opened.ask("document.activeElement.blur()")
    assert "The whole network" in opened.page.inner_text("#held")


def test_play_moves_by_itself_and_stops(opened: Opened) -> None:
    move_slider(opened, 0)
    opened.page.click("#map-play")
    opened.page.wait_for_function("Number(document.querySelector('#map-slot').value) >= 3", timeout=5000)
    opened.page.click("#map-play")
    stopped = opened.page.input_value("#map-slot")
    opened.page.wait_for_timeout(400)
    assert opened.page.input_value("#map-slot") == stopped


def test_a_legend_switches_all_charts(opened: Opened) -> None:
    def strokes(chart: str) -> int:
        return int(opened.ask(f"document.querySelectorAll('#{chart} svg .mark-line path').length"))

    button = opened.page.locator("#gain .legend button[data-policy=infida]")
    before = strokes("chart-gain"), strokes("chart-regret")
    button.click()
    opened.page.wait_for_timeout(200)
    after = strokes("chart-gain"), strokes("chart-regret")
    step = 1 if button.get_attribute("aria-pressed") == "true" else -1
    assert after == (before[0] + step, before[1] + step)
    pressed = opened.ask(
        "Array.from(document.querySelectorAll('.legend button[data-policy=infida]'), b => b.getAttribute('aria-pressed'))"
    )
    assert len(set(pressed)) == 1
    assert len(pressed) >= 4
    assert opened.complaints == []


def test_the_table_sorts(opened: Opened) -> None:
    def column(number: int) -> list[str]:
        return list(
            opened.ask(
                f"Array.from(document.querySelectorAll('#table tbody tr'), r => r.cells[{number}].dataset.value)"
            )
        )

    heads = opened.ask("Array.from(document.querySelectorAll('#table th'), h => h.textContent)")
    latency = next(k for k, h in enumerate(heads) if "latency" in h)
    opened.page.locator("#table th button").nth(latency).click()
    falling = [float(v) for v in column(latency)]
    assert falling == sorted(falling, reverse=True)
    opened.page.locator("#table th button").nth(latency).click()
    assert [float(v) for v in column(latency)] == sorted(falling)
    bound = next(k for k, h in enumerate(heads) if "theorem" in h)
    for _ in range(2):  # what is not known comes last, whichever way
        opened.page.locator("#table th button").nth(bound).click()
        known = [v != "" for v in column(bound)]
        assert known == sorted(known, reverse=True)
        assert not all(known)
    opened.page.locator("#table th button").first.click()
    opened.page.locator("#table th button").first.click()
    assert column(0) == sorted(column(0))


def test_the_download_is_the_table(opened: Opened, folder: Path) -> None:
    href = opened.page.get_attribute("#csv", "href")
    kind, content = href.split(",", 1)
    assert kind == "data:text/csv;charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(unquote(content))))
    table = summary(folder)
    assert list(rows[0]) == table.columns
    assert [r["policy"] for r in rows] == table["policy"].to_list()
    assert [float(r["gain"]) for r in rows] == pytest.approx(table["gain"].to_list())
    assert [float(r["gain_low"]) for r in rows] == pytest.approx(table["gain_low"].to_list())
    with opened.page.expect_download() as saved:
        opened.page.click("#csv")
    assert saved.value.suggested_filename == "synthetic.csv"
    assert Path(saved.value.path()).read_text() == unquote(content)


def test_print_leaves_out_what_paper_cannot_do(opened: Opened, tmp_path: Path) -> None:
    opened.page.emulate_media(media="print")
    hidden = opened.ask(
        "['nav', '#map-play', '#csv'].map(s => { const e = document.querySelector(s);"
        " return e.offsetParent === null || getComputedStyle(e).display === 'none'; })"
    )
    assert hidden == [True, True, True]
    assert opened.page.is_visible("#chart-gain svg")
    pdf = opened.page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 12
    assert opened.complaints == []


@pytest.mark.parametrize(
    "made",
    [
        {"seeds": [0], "bounds": False, "hindsight": 0},
        {"adaptive": True},
        {"positions": False, "name": "</script><b>\"'&"},
        {"slots": 1},
    ],
    ids=["one seed, no bounds", "adversary", "no positions, hostile name", "one slot"],
)
def test_odd_runs_open_too(browser: Any, tmp_path: Path, made: dict[str, Any]) -> None:
    page = Opened(browser, write_report(make_run_folder(tmp_path / "run", **({"slots": 30} | made))))
    assert page.complaints == []
    assert page.page.locator(".chart svg.marks").count() == page.page.locator(".chart").count()
    page.close()


def test_a_missing_browser_fails_in_ci_and_is_loud_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nowhere:
        executable_path = "/nonexistent/chromium"

        def launch(self, **_: Any) -> None:
            raise sync_api.Error("no browser")

    class Playwright:
        chromium = Nowhere()

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="NOT TESTED"):
        launch(Playwright())
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="NOT TESTED"):
        launch(Playwright())
