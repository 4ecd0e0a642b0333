"""The tables of the study's README, from its rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import polars as pl
from cases import GROUPS, ONLINE, RIVAL, TECHNIQUES, UNSPLIT, with_cost

from placid.reports.intervals import mean_interval
from placid.reports.studies import markdown_table

__all__ = ["change", "results"]


def results(rows: pl.DataFrame) -> str:
    """Everything between the markers of the README."""
    rows = with_cost(rows)
    there = set(rows["case"].unique())
    parts = [
        "Made by `python papers/split-placement/study.py`. Accuracy, bytes and sizes are measured; latencies are measured "
        "on the class `x86-core` and *modelled* on all others; links, energies and processors are declared. Means over "
        f"{rows['seed'].n_unique()} seeds; ± is half of the 95 % interval of the difference to `{UNSPLIT}` under the same "
        "seed.",
        _verdict(rows),
    ]
    for name, cases in GROUPS.items():
        shown = [c for c in cases if c in there]
        if shown:
            parts += [f"**{name.capitalize()}**: {_HEADS[name]}", _costs(rows, shown)]
    parts += [
        "**What the cost is made of**: latency / error / energy / bytes times hops of a request",
        _made_of(rows, [c for c in ("nobel-germany", *GROUPS["links"]) if c in there]),
        "**How good the placements are**: gain of the policy over the LP bound of the whole run, and of the best static "
        "placement found in hindsight; megabytes loaded in a slot",
        _quality(
            rows, [c for c in ("nobel-germany", "geant", "wifi", "a quarter", "eight times") if c in there]
        ),
    ]
    return "\n\n".join(parts)


_HEADS = {
    "topologies": "cost of a request, ms, and by how much it changes",
    "links": "two phones below each node, all by one kind of link",
    "memory": "of nodes and devices, in parts of the base",
    "tiers": "where models may lie: `device and cloud` leaves the network's nodes no memory, `edge and cloud` the devices "
    "none; `cloud far away` has it at 200 ms instead of 40",
}


def change(rows: pl.DataFrame, case: str, techniques: str, figure: str = "cost_s") -> tuple[float, float]:
    """Relative change of `figure` against unsplit under the same seed: mean and half of its 95 % interval."""
    mine, base = _by_seed(rows, case, techniques, figure), _by_seed(rows, case, UNSPLIT, figure)
    mean, low, _ = mean_interval([mine[s] / base[s] - 1 for s in sorted(mine.keys() & base.keys())])
    return mean, mean - low


def _by_seed(rows: pl.DataFrame, case: str, techniques: str, figure: str) -> dict[int, float]:
    policy = RIVAL if techniques == RIVAL else ONLINE
    mine = rows.filter(pl.col("case") == case, pl.col("techniques") == techniques, pl.col("policy") == policy)
    return dict(zip(mine["seed"].to_list(), mine[figure].to_list(), strict=True))


def _mean(rows: pl.DataFrame, case: str, techniques: str, figure: str) -> float:
    found = list(_by_seed(rows, case, techniques, figure).values())
    return sum(found) / len(found) if found else math.nan


def _there(rows: pl.DataFrame) -> list[str]:
    return [t for t in (*TECHNIQUES, RIVAL) if t in set(rows["techniques"])]


def _changed(told: tuple[float, float]) -> str:
    mean, half = told
    if math.isnan(mean):
        return "–"
    return f"{100 * mean:+.1f} %" + ("" if math.isnan(half) else f" ± {100 * half:.1f}")


def _costs(rows: pl.DataFrame, cases: Sequence[str]) -> str:
    techniques = _there(rows)
    body = []
    for case in cases:
        changes = {t: change(rows, case, t) for t in techniques if t != UNSPLIT}
        best = min((m for t, (m, _) in changes.items() if t != RIVAL and not math.isnan(m)), default=0.0)
        cells = [
            f"**{_changed(told)}**" if told[0] == best < 0 and t != RIVAL else _changed(told)
            for t, told in changes.items()
        ]
        body.append((case, f"{1e3 * _mean(rows, case, UNSPLIT, 'cost_s'):.1f}", *cells))
    return markdown_table(("case", f"{UNSPLIT}, ms", *(t for t in techniques if t != UNSPLIT)), body)


def _made_of(rows: pl.DataFrame, cases: Sequence[str]) -> str:
    shown: tuple[tuple[str, Callable[[float], str]], ...] = (
        ("latency_s", lambda v: f"{1e3 * v:.1f} ms"),
        ("error", lambda v: f"{100 * v:.2f} %"),
        ("energy_j", lambda v: f"{1e3 * v:.3g} mJ"),
        ("traffic_byte_hops", lambda v: f"{v:,.0f} B"),
    )
    techniques = _there(rows)
    body = []
    for case in cases:
        cells = []
        for t in techniques:
            values = [_mean(rows, case, t, figure) for figure, _ in shown]
            told = " / ".join(say(v) for v, (_, say) in zip(values, shown, strict=True))
            cells.append("–" if math.isnan(values[0]) else told)
        body.append((case, *cells))
    return markdown_table(("case", *techniques), body)


def _quality(rows: pl.DataFrame, cases: Sequence[str]) -> str:
    body = []
    for case in cases:
        for t in (UNSPLIT, TECHNIQUES[-1]):
            if t not in set(rows["techniques"]):
                continue
            here = rows.filter(pl.col("case") == case, pl.col("techniques") == t)
            static = here.filter(pl.col("policy") != ONLINE)["share_of_bound"].mean()
            online = here.filter(pl.col("policy") == ONLINE)
            body.append(
                (
                    *(case, t, _share(online["share_of_bound"].mean()), _share(static)),
                    f"{(online['bytes_loaded'].mean() or 0.0) / 1e6:.1f}",
                )
            )
    return markdown_table(("case", "techniques", ONLINE, "best static", "MB a slot"), body)


def _share(value: object) -> str:
    return f"{100 * value:.1f} %" if isinstance(value, float) else "–"


def _verdict(rows: pl.DataFrame) -> str:
    """Where splitting helps, where it does not, and how often each technique is the best: counted, not judged."""
    cases = list(rows["case"].unique(maintain_order=True))
    single = [t for t in _there(rows) if t not in (UNSPLIT, RIVAL, TECHNIQUES[-1])]
    helped, not_helped, wins = [], [], dict.fromkeys(single, 0)
    for case in cases:
        changes = {t: change(rows, case, t) for t in single}
        best = min(single, key=lambda t: changes[t][0])
        wins[best] += 1
        every = change(rows, case, TECHNIQUES[-1]) if TECHNIQUES[-1] in _there(rows) else changes[best]
        mean, half = min(every, changes[best])
        (helped if mean + (0 if math.isnan(half) else half) < -0.005 else not_helped).append(case)
    told = ", ".join(f"{t} {n}" for t, n in sorted(wins.items(), key=lambda w: -w[1]) if n)
    lines = [
        f"Splitting lowers the cost of a request by more than half a per cent, interval and all, in {len(helped)} of "
        f"{len(cases)} cases. The best single technique is, counted over cases: {told}.",
    ]
    if not_helped:
        lines.append(f"It does not in: {', '.join(not_helped)}.")
    if (rows["techniques"] == RIVAL).any():
        behind = [
            case
            for case in rows.filter(pl.col("techniques") == RIVAL)["case"].unique(maintain_order=True)
            if change(rows, case, TECHNIQUES[-1])[0] < change(rows, case, RIVAL)[0]
        ]
        known = rows.filter(pl.col("techniques") == RIVAL)["case"].n_unique()
        lines.append(
            f"Placement with all techniques, within the memory there is, costs less than partition without placement, which "
            f"has memory for everything, in {len(behind)} of {known} cases."
        )
    return " ".join(lines)
