"""The live page in a real browser, beside a network that is up: it draws all nodes, tells of one, and shows a fault."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from placid.catalog.variants import shipped_zoo
from placid.experiments.live import NetworkUp, network_up
from placid.experiments.scenario import load_scenario
from placid.inference.samples import read_samples
from placid.network import Network
from placid.network.graph import Link, Node
from placid.runtime.http.client import HttpClient
from placid.runtime.load.over_http import OverHttp
from placid.runtime.page.watcher import _places

api = pytest.importorskip("playwright.async_api")

SCENARIO = Path(__file__).parents[2] / "scenarios" / "live.yaml"


async def launch(playwright: Any) -> Any:
    """A headless Chromium, of the system or of playwright."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    if Path(playwright.chromium.executable_path).exists():
        return await playwright.chromium.launch(args=["--no-sandbox"])
    if os.environ.get("CI") == "true":
        pytest.fail("no Chromium starts here; see scripts/install_browser.sh")
    return pytest.skip("THE PAGE WAS NOT TESTED: no Chromium starts here")


async def ask(network: NetworkUp, count: int) -> None:
    """Answers to `count` pictures at camera-1."""
    pictures = read_samples(shipped_zoo() / "pictures.npz").pictures
    nodes = {name: running.clients for name, running in network.running.items()}
    asker = OverHttp(["camera-1"], ["task-1"], nodes, pictures)
    await asyncio.gather(*(asker(0, i) for i in range(count)))
    await asker.close()


@pytest.mark.browser
def test_it_shows_what_the_network_does(tmp_path: Path) -> None:
    wrong: list[str] = []

    def asked(request: Any, own: str) -> None:
        if not request.url.startswith((own, "data:")):
            wrong.append(request.url)

    async def main() -> None:
        async with (
            network_up(load_scenario(SCENARIO), tmp_path / "live", slot_s=1.0) as network,
            api.async_playwright() as playwright,
        ):
            browser = await launch(playwright)
            page = await browser.new_page()
            page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda e: wrong.append(str(e)))
            page.on("request", lambda r: asked(r, network.page))
            await page.goto(network.page)
            await network.play(1)
            await ask(network, 60)
            await api.expect(page.locator("g.node")).to_have_count(12)
            await api.expect(page.locator("#answered")).to_have_text(re.compile("[1-9]"), timeout=10_000)
            assert "live, policy portfolio" in await page.inner_text("#title")
            await page.click("g.node[data-name='metro-1']")
            assert (await page.inner_text("#who")).lower() == "metro-1 (metro)"
            assert "memory" in await page.inner_text("#facts")
            os.kill(network.running["bs-2"].pid, signal.SIGKILL)
            events = page.locator("#events")
            await api.expect(events).to_contain_text("bs-2 ended", timeout=10_000)
            await api.expect(events).to_contain_text("bs-2 is back", timeout=20_000)
            await api.expect(page.locator("#state")).to_have_text("12 nodes", timeout=10_000)
            await browser.close()
            await others(network)

    asyncio.run(main())
    assert not wrong


async def others(network: NetworkUp) -> None:
    """What the page's server says besides."""
    port = int(network.page.rsplit(":", 1)[1].strip("/"))
    client = HttpClient("127.0.0.1", port)
    assert (await client.get("/token"))[0] == 404
    assert (await client.post("/live.json", b"{}"))[0] == 405
    status, body = await client.get("/live.json")
    told = json.loads(body)
    assert status == 200
    assert sum(n["alive"] for n in told["nodes"]) == 12
    assert any(
        h["answered_per_s"] > 0 and h["latency_ms"] > 0 and 0 < h["quality"] <= 1 for h in told["history"]
    )
    assert network.live.specs["cloud"].token not in body.decode()
    await client.close()


def test_nodes_without_a_position_stand_in_rows() -> None:
    network = Network(
        (Node("top", repository=True), Node("a"), Node("b"), Node("below")),
        (Link("a", "top", 0.01), Link("b", "top", 0.01), Link("below", "a", 0.01)),
    )
    places = _places(network)
    assert [places[n][1] for n in ("top", "a", "b", "below")] == pytest.approx([0, 0.5, 0.5, 1])
    assert places["a"][0] != places["b"][0]
    placed = Network(
        (Node("top", repository=True, position=(0.0, 9.0)), Node("a", position=(4.0, 1.0))),
        (Link("a", "top", 0.01),),
    )
    np.testing.assert_allclose([_places(placed)["top"], _places(placed)["a"]], [(0, 0), (1, 1)])
