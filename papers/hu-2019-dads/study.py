"""Hu et al. (INFOCOM 2019), DADS: a network of any shape is parted between a device and a cloud by a least cut.

    python papers/hu-2019-dads/study.py             the study: some minutes
    python papers/hu-2019-dads/study.py --quick     one network, one device, few rates: does it run?
    python papers/hu-2019-dads/study.py --tables    only write README.md anew from the two tables

Needs torch, which reads the networks; nothing is trained. A full study puts rates.csv and decisions.csv beside this file and
rewrites the section of README.md between its markers; a quick one writes under runs/ alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from settings import BITS_PER_S, DEVICES, PAPER_LINKS, SERVER, at, networks  # noqa: E402
from tables import results  # noqa: E402

from placid.experiments.partition import (  # noqa: E402
    Parting,
    Priced,
    chain_costs,
    graph_costs,
    neurosurgeon,
    parting,
    priced,
)
from placid.placement.offline.cut_rule import best_cuts  # noqa: E402
from placid.placement.offline.graph_cut import best_graph_cut  # noqa: E402
from placid.placement.offline.stage_cut import best_stage_cut  # noqa: E402
from placid.reports.studies import with_results  # noqa: E402

TABLES = ("rates", "decisions")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one network, one device, few rates; README.md stays"
    )
    parser.add_argument(
        "--tables", action="store_true", help="only write README.md anew from the tables beside it"
    )
    parser.add_argument(
        "--out", type=Path, default=None, help="default this folder; of a quick study one under runs/"
    )
    asked = parser.parse_args(arguments)
    if not asked.tables:
        out = asked.out or (Path("runs/hu-2019-dads-quick") if asked.quick else HERE)
        out.mkdir(parents=True, exist_ok=True)
        for name, table in zip(TABLES, study(quick=asked.quick), strict=True):
            table.with_columns(cs.float().round_sig_figs(6)).write_csv(out / f"{name}.csv")
        print(results(out))
        if asked.quick or asked.out:
            return
    readme = HERE / "README.md"
    readme.write_text(with_results(readme.read_text(), results(HERE)))


def study(*, quick: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of `TABLES`."""
    import torch

    from placid.splitting.cutting import dataflow, trace

    rates: list[dict[str, Any]] = []
    decisions: list[dict[str, Any]] = []
    links = {**{f"{b:g}": b for b in (BITS_PER_S[::6] if quick else BITS_PER_S)}, **PAPER_LINKS}
    for name, (make, shape) in networks().items():
        if quick and name != "lenet":
            continue
        flow = dataflow(trace(make().eval(), torch.zeros(2, *shape)))
        for device in DEVICES[:1] if quick else DEVICES:
            network = priced(flow, device, SERVER, input_bytes=float(np.prod(shape)))
            rates += [row(name, network, label, bits) for label, bits in links.items()]
            if device is DEVICES[0]:
                decisions.append(decision_row(name, network, 3 if quick else 30))
        print(f"{name}: {len(flow.cuts)} cuts in order", file=sys.stderr, flush=True)
    return pl.DataFrame(rates), pl.DataFrame(decisions)


def row(name: str, network: Priced, label: str, bits_per_s: float) -> dict[str, Any]:
    """Light load: latencies. Heavy load: the slowest stage of each way."""
    flow, link = network.flow, at(bits_per_s)
    places = np.arange(len(flow.names))
    cloud, device = (parting(network, h, link) for h in (places < flow.inputs, places < len(places)))
    chain = neurosurgeon(network, link)
    given, per_byte = graph_costs(network), 1 / link.bytes_per_s
    light = best_graph_cut(*given, fixed=link.rtt_s, per_byte=per_byte, orders=flow.orders)
    heavy = best_stage_cut(*given, per_byte=per_byte, orders=flow.orders)
    weights = best_stage_cut(*given, per_byte=per_byte, orders=flow.orders, between=False)
    least = parting(network, light.head, link)
    in_order = min(slowest(parting(network, places < end, link)) for end in network.ends)
    return {
        "network": name,
        "device": network.device.name,
        "link": label,
        "bits_per_s": bits_per_s,
        "device_s": device.latency_s,
        "cloud_s": cloud.latency_s,
        "chain_s": chain.latency_s,
        "light_s": least.latency_s,
        "after": " ".join(least.after) if least.after else "all on the device",
        "tensors": len(least.after),
        "interior": bool(flow.inputs < light.head.sum() < len(light.head)),
        "in_order": bool((np.diff(light.head.astype(int)) <= 0).all()),
        "device_stage_s": slowest(device),
        "cloud_stage_s": slowest(cloud),
        "chain_stage_s": slowest(chain),
        "light_stage_s": slowest(least),
        "in_order_stage_s": in_order,
        "weights_stage_s": weights.slowest,
        "heavy_stage_s": heavy.slowest,
        "heavy_bound_s": heavy.bound,
        "heavy_s": parting(network, heavy.head, link).latency_s,
        "cuts": heavy.cuts,
        "fits": network.device.holds(flow.parameter_bytes, flow.peak_bytes),
    }


def slowest(found: Parting) -> float:
    """Of the three stages."""
    return max(found.stages_s)


def decision_row(name: str, network: Priced, times: int) -> dict[str, Any]:
    """How long each decision takes at 1.1 Mbit/s: the least of many, arrays made."""
    link = at(PAPER_LINKS["3G"])
    given, per_byte, flow = graph_costs(network), 1 / link.bytes_per_s, network.flow
    work, fixed, chain_byte = chain_costs(network, link, "latency")
    chain = (work, network.crossing_bytes, np.array([fixed]), np.array([chain_byte]))

    def least(what: Any) -> float:
        took = []
        for _ in range(times):
            begun = perf_counter()
            what()
            took.append(perf_counter() - begun)
        return min(took)

    # first pass of their Algorithm 2: both weights in steps of 1, up to these sums over the quickest transfer
    sends = network.sent_bytes[np.unique(flow.arcs[:, 0])].min() * per_byte
    grid = (1 + network.device_s.sum() // sends) * (1 + network.server_s.sum() // sends)
    return {
        "network": name,
        "operations": len(flow.names) - flow.inputs,
        "arcs": len(flow.arcs),
        "chain_s": least(lambda: best_cuts(*chain)),
        "light_s": least(
            lambda: best_graph_cut(*given, fixed=link.rtt_s, per_byte=per_byte, orders=flow.orders)
        ),
        "heavy_s": least(lambda: best_stage_cut(*given, per_byte=per_byte, orders=flow.orders)),
        "cuts": best_stage_cut(*given, per_byte=per_byte, orders=flow.orders).cuts,
        "grid_cuts": int(grid),
    }


if __name__ == "__main__":
    main()
