"""The generated section of README.md, from the four tables alone."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from settings import PAPER_ENERGY, PAPER_LATENCY, SERVER

from placid.reports.studies import markdown_table

__all__ = ["results"]

COMMAND = "python papers/kang-2017-neurosurgeon/study.py"


def results(folder: Path) -> str:
    """Markdown of the tables in `folder`."""
    rates, following, radios, decisions = (
        pl.read_csv(folder / f"{name}.csv") for name in ("rates", "following", "radios", "decisions")
    )
    sections = [
        f"Made by `{COMMAND}`. Latencies and energies are **modelled** (rooflines of declared processors, the cloud a "
        f"{SERVER.name}; declared links); times of decisions are measured: processor time, on a core of a machine that "
        "trained networks beside it.",
        _beside(radios),
        _where(rates),
        _worth(rates),
        _following(following),
        _decisions(decisions),
    ]
    return "\n\n".join(sections)


def _beside(radios: pl.DataFrame) -> str:
    """The paper's averages beside ours, over all devices and over those that hold the network."""
    held = radios.filter("fits")
    rows = [
        (
            "latency, all in the cloud over best",
            f"{PAPER_LATENCY[0]}x, {PAPER_LATENCY[1]}x",
            *(_mean_most(r["cloud_s"] / r["best_s"], "x") for r in (radios, held)),
        ),
        (
            "latency, all on the device over best",
            "not read",
            *(_mean_most(r["device_s"] / r["best_s"], "x") for r in (radios, held)),
        ),
        (
            "latency, the better of both over best",
            "not read",
            *(
                _mean_most(r.select(pl.min_horizontal("cloud_s", "device_s")).to_series() / r["best_s"], "x")
                for r in (radios, held)
            ),
        ),
        (
            "energy of the device saved, against all in the cloud",
            f"{100 * PAPER_ENERGY[0]:.1f} %, {100 * PAPER_ENERGY[1]:.1f} %",
            *(_mean_most(100 * (1 - r["best_j"] / r["cloud_j"]), " %") for r in (radios, held)),
        ),
    ]
    head = (
        "mean, most",
        "paper (8 networks, its devices)",
        f"ours, all {len(radios)} cases",
        f"ours, the {len(held)} where the device can hold the network",
    )
    links = ", ".join(radios["link"].unique(maintain_order=True))
    return (
        f"**Beside the paper** ({radios['network'].n_unique()} networks, {radios['device'].n_unique()} devices, "
        f"links {links})\n\n{markdown_table(head, rows)}"
    )


def _where(rates: pl.DataFrame) -> str:
    """Of the largest network: after what it is cut, from which rate on."""
    name = rates["network"][0]
    own = rates.filter((pl.col("network") == name) & (pl.col("picture") == 8) & (pl.col("layers") == 32))
    rows = []
    for (device,), group in own.group_by("device", maintain_order=True):
        fits = "" if group["fits"][0] else " (cannot hold it)"
        runs: list[list[dict[str, object]]] = []
        for row in group.sort("bits_per_s").iter_rows(named=True):
            if runs and runs[-1][-1]["where"] == row["where"]:
                runs[-1].append(row)
            else:
                runs.append([row])
        said = "; ".join(
            f"{run[0]['where']} {_span(pl.Series([r['bits_per_s'] for r in run]))}: "
            f"{_span_ms([float(str(r['best_s'])) for r in run])}"
            for run in runs
        )
        rows.append((f"{device}{fits}", said))
    head = ("device", "after what, at which rates: latency")
    return f"**Where {name} is cut**\n\n{markdown_table(head, rows)}"


def _worth(rates: pl.DataFrame) -> str:
    """How often the best cut is inside, and what it is worth then."""
    rows = []
    ends = ["all on the device", "all in the cloud"]
    for (name, picture, layers), group in rates.group_by("network", "picture", "layers", maintain_order=True):
        inside = group.filter(~pl.col("where").is_in(ends))
        better = inside.select(pl.min_horizontal("cloud_s", "device_s") / pl.col("best_s")).to_series()
        counted = inside.group_by("where").len().sort("len", "where", descending=[True, False]).rows()
        rows.append(
            (
                f"{name}",
                f"{picture}, {layers}",
                str(len(group)),
                *(str(len(group.filter(pl.col("where") == end))) for end in ends),
                str(len(inside)),
                _span(inside["bits_per_s"]),
                _mean_most(better, "x") if len(better) else "–",
                ", ".join(f"{p} ({n})" for p, n in counted[:3]) or "–",
            )
        )
    head = (
        "network",
        "bits a number",
        "cases",
        *ends,
        "cut inside",
        "at rates",
        "worth then: mean, most",
        "after what",
    )
    return (
        "**How often a cut inside the network is best, and what it is worth** (devices x rates; worth: latency of the "
        "better of the two ends over that of the cut; bits of a number when it is sent, of the picture and of what layers "
        f"make)\n\n{markdown_table(head, rows)}"
    )


def _following(found: pl.DataFrame) -> str:
    """What it costs not to follow the rate."""
    words = {
        "device_only": "always all on the device",
        "cloud_only": "always all in the cloud",
        "one_cut": "the one cut that is best on average",
        "ends": "the better of the two ends, at each rate",
    }
    rows = [(words[k], f"{found[k].median():,.2f}x", f"{found[k].max():,.2f}x") for k in words]
    head = ("instead of the best cut at each rate", "slower: median of network and device", "most")
    return (
        "**What following the rate is worth** (8 bits of a picture, 32 of what layers make; mean over the rates)\n\n"
        f"{markdown_table(head, rows)}"
    )


def _decisions(decisions: pl.DataFrame) -> str:
    rows = [
        (
            r["network"],
            str(r["operations"]),
            str(r["cuts"]),
            f"{1e6 * r['cut_s']:.0f}",
            f"{1e6 * r['whole_s']:.0f}",
        )
        for r in decisions.iter_rows(named=True)
    ]
    head = ("network", "operations", "cuts", "the cut, µs", "with all predictions, µs")
    return f"**A decision** (processor time, least of many)\n\n{markdown_table(head, rows)}"


def _mean_most(values: pl.Series, unit: str) -> str:
    digits = 1 if unit == " %" else 2
    return f"{values.mean():.{digits}f}{unit}, {values.max():.{digits}f}{unit}"


def _span(rates: pl.Series) -> str:
    if not len(rates):
        return "–"
    low, high = rates.min(), rates.max()
    return _rate(low) if low == high else f"{_rate(low)} to {_rate(high)}"


def _rate(bits_per_s: object) -> str:
    value = float(str(bits_per_s))
    size, unit = next((s, u) for s, u in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")) if value >= s)
    return f"{value / size:g} {unit}"


def _span_ms(seconds: list[float]) -> str:
    most, least = _ms(max(seconds)), _ms(min(seconds))
    return f"{most} ms" if most == least else f"{most} to {least} ms"


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:,.0f}" if seconds >= 0.1 else f"{1e3 * seconds:.3g}"
