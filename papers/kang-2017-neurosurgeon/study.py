"""Kang et al. (ASPLOS 2017), Neurosurgeon: where one request's network is cut between a device and a cloud, and what for.

    python papers/kang-2017-neurosurgeon/study.py             the study: some minutes
    python papers/kang-2017-neurosurgeon/study.py --quick     one network, two devices, few rates: does it run?
    python papers/kang-2017-neurosurgeon/study.py --tables    only write README.md anew from the four tables

Needs torch, which reads the networks; nothing is trained. A full study puts rates.csv, following.csv, radios.csv and
decisions.csv beside this file and rewrites the section of README.md between its markers; a quick one writes under runs/.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from settings import BITS, BITS_PER_S, DEVICES, RADIO_LINKS, SERVER, at, networks  # noqa: E402
from tables import results  # noqa: E402

from placid.catalog.processors import Processor  # noqa: E402
from placid.catalog.radios import Radio  # noqa: E402
from placid.experiments.partition import (  # noqa: E402
    Parting,
    Priced,
    chain_costs,
    neurosurgeon,
    parting,
    priced,
)
from placid.placement.offline.cut_rule import best_cuts  # noqa: E402
from placid.reports.studies import with_results  # noqa: E402

TABLES = ("rates", "following", "radios", "decisions")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one network, two devices, few rates; README.md stays"
    )
    parser.add_argument(
        "--tables", action="store_true", help="only write README.md anew from the tables beside it"
    )
    parser.add_argument(
        "--out", type=Path, default=None, help="default this folder; of a quick study one under runs/"
    )
    asked = parser.parse_args(arguments)
    if not asked.tables:
        out = asked.out or (Path("runs/kang-2017-neurosurgeon-quick") if asked.quick else HERE)
        out.mkdir(parents=True, exist_ok=True)
        for name, table in zip(TABLES, study(quick=asked.quick), strict=True):
            table.with_columns(cs.float().round_sig_figs(6)).write_csv(out / f"{name}.csv")
        print(results(out))
        if asked.quick or asked.out:
            return
    readme = HERE / "README.md"
    readme.write_text(with_results(readme.read_text(), results(HERE)))


def study(*, quick: bool) -> tuple[pl.DataFrame, ...]:
    """The rows of `TABLES`."""
    import torch

    from placid.splitting.cutting import dataflow, trace

    rates: list[dict[str, Any]] = []
    following: list[dict[str, Any]] = []
    radios: list[dict[str, Any]] = []
    decisions: list[dict[str, Any]] = []
    links = BITS_PER_S[::6] if quick else BITS_PER_S
    for name, (make, shape) in networks().items():
        if quick and name != "lenet":
            continue
        flow = dataflow(trace(make().eval(), torch.zeros(2, *shape)))
        for device in DEVICES[:2] if quick else DEVICES:
            numbers = float(np.prod(shape))
            for picture, layers in BITS:
                sent = replace(flow, made_bytes=flow.made_bytes * layers / 32)
                sending = priced(sent, device, SERVER, input_bytes=numbers * picture / 8)
                rates += [
                    {"network": name, "picture": picture, "layers": layers, **rate_row(sending, rate)}
                    for rate in links
                ]
            network = priced(flow, device, SERVER, input_bytes=numbers)
            following.append(following_row(name, network, links))
            radios += [radio_row(name, network, link) for link in RADIO_LINKS]
        decisions.append(decision_row(name, network, at(1e6), 20 if quick else 300))
        print(f"{name}: {len(flow.cuts)} cuts", file=sys.stderr, flush=True)
    return tuple(pl.DataFrame(rows) for rows in (rates, following, radios, decisions))


def ends_of(network: Priced) -> tuple[np.ndarray, np.ndarray]:
    """All in the cloud, all on the device."""
    places = np.arange(len(network.flow.names))
    return places < network.flow.inputs, places < len(places)


def fits(network: Priced, device: Processor) -> bool:
    """Whether the device can hold all of the network, as it must if any part may be asked of it."""
    return device.holds(network.flow.parameter_bytes, network.flow.peak_bytes)


def rate_row(network: Priced, bits_per_s: float) -> dict[str, Any]:
    """Latencies at one rate."""
    link = at(bits_per_s)
    best = neurosurgeon(network, link)
    cloud, device = (parting(network, head, link) for head in ends_of(network))
    return {
        "device": network.device.name,
        "bits_per_s": bits_per_s,
        "device_s": device.latency_s,
        "cloud_s": cloud.latency_s,
        "best_s": best.latency_s,
        "where": place(network, best),
        "fits": fits(network, network.device),
    }


def place(network: Priced, found: Parting) -> str:
    """After what it is cut."""
    if not found.after:
        return "all on the device"
    return " ".join(found.after) if found.head.sum() > network.flow.inputs else "all in the cloud"


def following_row(name: str, network: Priced, rates: Sequence[float]) -> dict[str, Any]:
    """Mean over the rates of latency over the best, of ways that do not follow the rate, or between the ends alone."""
    every = np.array([every_cut_s(network, at(rate)) for rate in rates])
    slower = every / every.min(axis=1, keepdims=True)
    return {
        "network": name,
        "device": network.device.name,
        "device_only": float(slower[:, -1].mean()),
        "cloud_only": float(slower[:, 0].mean()),
        "one_cut": float(slower.mean(axis=0).min()),
        "ends": float(np.minimum(slower[:, 0], slower[:, -1]).mean()),
    }


def every_cut_s(network: Priced, link: Radio) -> np.ndarray:
    """float64 [L + 1]; latency of every cut, from all in the cloud to all on the device."""
    work, fixed, per_byte = chain_costs(network, link, "latency")
    before = np.concatenate(([0.0], work[0].cumsum()))
    after = np.concatenate((work[1][::-1].cumsum()[::-1], [0.0]))
    return before + after + np.append(fixed + per_byte * network.crossing_bytes, 0.0)


def radio_row(name: str, network: Priced, link: Radio) -> dict[str, Any]:
    """Latency and the device's energy on one declared link, each at its own best cut."""
    cloud, device = (parting(network, head, link) for head in ends_of(network))
    quick, frugal = neurosurgeon(network, link), neurosurgeon(network, link, "energy")
    return {
        "network": name,
        "device": network.device.name,
        "link": link.name,
        "device_s": device.latency_s,
        "cloud_s": cloud.latency_s,
        "best_s": quick.latency_s,
        "after_s": place(network, quick),
        "device_j": device.device_j,
        "cloud_j": cloud.device_j,
        "best_j": frugal.device_j,
        "after_j": place(network, frugal),
        "fits": fits(network, network.device),
    }


def decision_row(name: str, network: Priced, link: Radio, times: int) -> dict[str, Any]:
    """Processor time of a decision: the least of many, of the cut alone and with all predictions made anew."""

    def least(what: Any) -> float:
        took = []
        for _ in range(times):
            begun = process_time()
            what()
            took.append(process_time() - begun)
        return min(took)

    flow, size = network.flow, float(network.sent_bytes[0])
    work, fixed, per_byte = chain_costs(network, link, "latency")
    cut = (work, network.crossing_bytes, np.array([fixed]), np.array([per_byte]))
    return {
        "network": name,
        "operations": len(flow.names) - flow.inputs,
        "cuts": len(flow.cuts),
        "cut_s": least(lambda: best_cuts(*cut)),
        "whole_s": least(lambda: neurosurgeon(priced(flow, network.device, SERVER, input_bytes=size), link)),
    }


if __name__ == "__main__":
    main()
