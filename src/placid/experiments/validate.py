"""A prediction held against reality: the same requests, predicted for the placements in force, and answered by live nodes.

Latency is that of the network, from when the node where a request enters has it until it has the answer. What a client on
this machine adds to that is a line of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placid.catalog.variants import read_zoo
from placid.experiments.live import NetworkUp, Pace, network_up
from placid.experiments.scenario import Built, Scenario, build
from placid.inference.samples import Samples, read_samples
from placid.runtime.control.forecast import Expected, Forecast
from placid.runtime.control.leavers import Leavers
from placid.runtime.control.ways import Ways
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import play
from placid.runtime.load.records import write_rows
from placid.runtime.load.schedule import schedule_of

__all__ = ["Comparison", "Validated", "samples_of", "share_in", "validate"]

#: of a normal distribution, within which 95 % lie
_Z = 1.96


@dataclass(frozen=True)
class Comparison:
    """A figure, predicted and measured.

    Attributes:
        what: the figure; `of` which requests, tier or link.
        unit: "s", "share" or "B".
        chance: by how much both may differ by chance in 95 of 100 runs, in units of `difference`; NaN if that is not known.
    """

    what: str
    of: str
    unit: str
    predicted: float
    measured: float
    chance: float = float("nan")

    @property
    def difference(self) -> float:
        """Of shares the difference, else relative to what was measured."""
        if self.unit == "share":
            return self.predicted - self.measured
        return self.predicted / self.measured - 1 if self.measured else float("nan")


@dataclass(frozen=True)
class Validated:
    """What came out.

    Attributes:
        rows: one for every request.
        refused: requests that were not answered.
    """

    comparisons: tuple[Comparison, ...]
    rows: pl.DataFrame
    refused: int


def samples_of(built: Built, pictures: Path | None) -> Samples:
    """The pictures that are sent: those of a file, else those that lie beside the zoo."""
    return read_samples(pictures or Path(built.catalog.zoo or ".") / "pictures.npz")


def share_in(slot_s: float, built: Built) -> float:
    """What of a slot's requests come in `slot_s`: at the scenario's rate in shorter slots, all of them in longer ones."""
    return min(1.0, slot_s / built.slot_s)


async def validate(
    scenario: Scenario,
    out: Path | None = None,
    *,
    slots: int = 3,
    warm_up: int = 2,
    slot_s: float | None = None,
    share: float = 1.0,
    policy: str | None = None,
    pace: Pace = "profile",
    pictures: Path | None = None,
    hears: Callable[[str], None] = lambda _: None,
) -> Validated:
    """Play `warm_up` slots, so that the policy knows something, then `slots` that count.

    Each slot's requests are sent while its placement is in force, and predicted from that placement and the requests sent:
    the ways by the serving rule, outcomes by `placid.runtime.control.forecast`, with the exits that these pictures leave by.
    Nobody waits in the prediction.

    Args:
        share: of the scenario's requests, where this machine cannot answer all of them.

    Raises:
        InputError, RunError: as `network_up`.
    """
    built = build(scenario)
    samples = samples_of(built, pictures)
    requests, zoo = built.requests, read_zoo(built.catalog.zoo)
    tiers = {n.name: n.tier for n in built.network.nodes}
    forecast = Forecast(built.network, zoo, {t.name: t.response_bytes for t in built.catalog.tasks})
    leavers = Leavers(Path(built.catalog.zoo or ""), samples.pictures)
    expected: dict[str, Expected] = {}
    frames: list[pl.DataFrame] = []
    links: dict[str, float] = {}
    async with network_up(
        scenario, out, policy=policy, slot_s=slot_s, pace=pace, fresh=True, hears=hears
    ) as network:
        nodes = {name: running.clients for name, running in network.running.items()}
        ask = OverHttp(requests.ingress, requests.task, nodes, samples.pictures)
        live, controller = network.live, network.controller
        ways = Ways(controller.problem, built.catalog)
        try:
            for slot in range(warm_up + slots):
                schedule = schedule_of(
                    built.workload,
                    range(slot, slot + 1),
                    live.slot_s,
                    live.seed,
                    pictures=len(samples),
                    share=share * share_in(live.slot_s, built),
                )
                begun: asyncio.Event = asyncio.Event()
                playing = asyncio.create_task(controller.play(lambda _, e=begun: e.set()))  # type: ignore[misc]
                waiting = asyncio.create_task(begun.wait())
                await asyncio.wait({playing, waiting}, return_when=asyncio.FIRST_COMPLETED)
                before = _link_bytes(network)
                expected_now = controller.demand
                records = await play(schedule, ask)
                played = await playing
                hears(f"slot {slot}: {len(schedule):,} requests{' (warm-up)' if slot < warm_up else ''}")
                if slot < warm_up:
                    continue
                frames.append(records.to_frame(requests.ingress, requests.task, samples.labels))
                after = _link_bytes(network)
                links = {n: links.get(n, 0.0) + after[n] - before.get(n, 0.0) for n in after}
                told = ways.of(played.placed, expected_now, played.prices)
                for r in np.unique(schedule.type):
                    sent = schedule.picture[schedule.type == r]
                    node, task = requests.ingress[r], requests.task[r]
                    mine = told[node][task]
                    total = sum(w.share for w in mine)
                    for i, way in enumerate(mine):
                        part = way.share / total if total else float(i == 0)
                        if part > 0 and way.stages:
                            outcomes = forecast.outcomes(way, node, task, leavers.shares(way.variant, sent))
                            # it is known which pictures came, not which of them took which way
                            expected.setdefault(node, Expected()).add(
                                len(sent) * part, outcomes, forecast.accuracy(way), chance=1 - part
                            )
        finally:
            await ask.close()
        write_rows(pl.concat(frames), network.folder.path / "requests.parquet")
    rows = pl.concat(frames)
    return Validated(
        tuple(_compared(rows, expected, links, tiers)), rows, rows.filter(pl.col("status") != 200).height
    )


def _link_bytes(network: NetworkUp) -> dict[str, float]:
    """Payload that passed each node's link to the next, both ways, so far."""
    return {
        name: float(told["link"]["up"]["bytes_sent"] + told["link"]["down"]["bytes_sent"])
        for name, told in network.controller.tallies.items()
        if told["link"] is not None
    }


def _compared(
    rows: pl.DataFrame, expected: Mapping[str, Expected], links: Mapping[str, float], tiers: Mapping[str, str]
) -> list[Comparison]:
    answers = rows.filter(pl.col("status") == 200)
    groups: dict[str, tuple[list[Expected], pl.DataFrame]] = {"all": (list(expected.values()), answers)}
    kinds = {node: _kind(node) for node in expected}
    for kind in sorted(set(kinds.values())):
        names = [node for node, k in kinds.items() if k == kind]
        groups[f"from {kind}"] = (
            [expected[n] for n in names],
            answers.filter(pl.col("ingress").is_in(names)),
        )
    found = []
    for name, (parts, mine) in groups.items():
        whole = _joined(parts)
        if not mine.height:
            continue
        latency = mine["network_s"]
        mean_s, right = _number(latency.mean()), whole.right / whole.requests
        by_chance = _Z * _number(latency.std()) / mean_s / mine.height**0.5
        found += [
            Comparison("mean latency", name, "s", whole.mean_latency_s, mean_s, by_chance),
            Comparison("p95 of latency", name, "s", whole.quantile_s(0.95), _number(latency.quantile(0.95))),
            Comparison(
                "accuracy", name, "share", right, _number(mine["right"].mean()), _chance(right, mine.height)
            ),
        ]
    outside = answers["done_s"] - answers["sent_s"] - answers["network_s"]
    found.append(Comparison("added by the client", "all", "s", 0.0, _number(outside.mean())))
    whole = _joined(list(expected.values()))
    by_tier: dict[str, float] = {}
    for node, count in whole.nodes.items():
        by_tier[tiers[node]] = by_tier.get(tiers[node], 0.0) + count / whole.requests
    counted = answers["answered_by"].replace_strict(tiers).value_counts()
    shares = {tier: count / answers.height for tier, count in counted.iter_rows()}
    for tier in sorted(by_tier | shares):
        told, seen = by_tier.get(tier, 0.0), shares.get(tier, 0.0)
        # which pictures came is known, so that little is left to chance
        found.append(Comparison("share of answers", tier, "share", told, seen))
    measured = {"": sum(links.values()), **links}
    predicted = {"": sum(whole.links.values()), **whole.links}
    for node in sorted(measured, key=lambda n: -measured[n]):
        if measured[node]:
            by_chance = _Z * whole.variance.get(node, 0.0) ** 0.5 / measured[node]
            where = f"above {node}" if node else "all links"
            found.append(Comparison("bytes", where, "B", predicted.get(node, 0.0), measured[node], by_chance))
    return found


def _chance(share: float, count: int) -> float:
    """By how much a share of `count` may be off."""
    return _Z * float(np.sqrt(share * (1 - share) / count))


def _joined(parts: list[Expected]) -> Expected:
    whole = Expected()
    for part in parts:
        whole.requests += part.requests
        whole.right += part.right
        for key, value in part.variance.items():
            whole.variance[key] = whole.variance.get(key, 0.0) + value
        whole.latency_s += part.latency_s
        for into, more in ((whole.nodes, part.nodes), (whole.links, part.links)):
            for key, value in more.items():
                into[key] = into.get(key, 0.0) + value
    return whole


def _kind(node: str) -> str:
    """What a node is called without its number: ``camera-3`` is a ``camera``."""
    head, _, tail = node.rpartition("-")
    return head if tail.isdigit() and head else node


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
