"""Matsubara, Yang, Levorato, Mandt: SC2 (TMLR 2023) and Entropic Student (WACV 2022), beside what the zoo measured.

    python papers/matsubara-2023-sc2/study.py                the zoo cifar10, which comes with placid
    python papers/matsubara-2023-sc2/study.py --zoo FOLDER --into FOLDER    another one, written elsewhere

Writes results.csv, budgets.csv, entropy.csv, latency.csv and figures/ beside this file and rewrites the section of README.md
between its markers. Nothing is trained or measured here: that is done by the two commands that make the zoo.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from axes import axes_chart, axes_frame, axes_table  # noqa: E402
from entropy import entropy_frame, entropy_table, uniform_ways  # noqa: E402
from finding import (  # noqa: E402
    fastest_frame,
    fastest_table,
    finding_frame,
    finding_table,
    group_of,
    sends_what_it_computes,
    summary_table,
)

from placid.catalog.variants import Zoo  # noqa: E402
from placid.errors import InputError  # noqa: E402
from placid.reports.splits.costs import Cost, costs  # noqa: E402
from placid.reports.splits.families import BOTTLENECK, ENTROPIC, PICTURE, RAW, SPLIT  # noqa: E402
from placid.reports.splits.rate_chart import Curve, rate_chart  # noqa: E402
from placid.reports.splits.rivals import best_within, pictures  # noqa: E402
from placid.reports.splits.zoo_study import ZooStudy, origin, run_study  # noqa: E402
from placid.reports.studies import markdown_table  # noqa: E402

COMMAND = "python papers/matsubara-2023-sc2/study.py"
#: bytes an input, from the smallest message to the raw picture
BUDGETS = (32, 64, 128, 256, 512, 1024, 2048, 3072)


def make(zoo: Zoo) -> ZooStudy:
    """All tables and figures.

    Raises:
        InputError: the zoo lacks the whole network on the raw picture, or has no split to hold against pictures.
    """
    ways = costs(zoo)
    raw = pictures(ways, "raw")
    split = [w for w in ways if sends_what_it_computes(w)]
    if not (raw and split):
        raise InputError(
            "needs 'remote-raw' and a split variant to compare", where=str(zoo.folder / "manifest.json")
        )
    whole = raw[0]
    axes, found = axes_frame(ways), finding_frame(split, pictures(ways), whole)
    budgets, fastest = _budgets(ways, split), fastest_frame(ways, whole)
    entropy = entropy_frame(ways)
    sections = [
        origin(zoo, COMMAND),
        "**The finding: do splits lose to compressing the picture and computing remotely?** (mean bytes and accuracy, over "
        "the seeds that both have; a split *loses* if a picture sends no more and answers no worse)",
        summary_table(found),
        finding_table(found),
        "**Fastest answer that loses at most 1 point** (modelled: declared classes of device and link, x86-server as "
        "server; in brackets the fastest picture and its time)",
        fastest_table(fastest),
        "**Rate and accuracy: the most accurate with at most so many bytes on average**",
        _budgets_table(budgets),
        "![accuracy against bytes](figures/rate.svg)",
        *(
            [
                "**A learned entropy code against evenly spaced levels** (the same cut and encoder, first seed; between two "
                "widths the uniform curve is a straight line over the logarithm of bytes: interpolated, not measured)",
                entropy_table(entropy),
            ]
            if len(entropy)
            else []
        ),
        "**Three axes, every way** (● no other is at most as large in encoder and bytes and at least as accurate; ○ so with "
        "the device's operations in place of the encoder's size)",
        axes_table(axes),
        "![three axes](figures/axes.svg)",
    ]
    return ZooStudy(
        "\n\n".join(sections),
        {"results": axes.join(found, on="way", how="left"), "budgets": budgets, "entropy": entropy, "latency": fastest},
        {
            "rate": (rate_chart(_curves(ways), whole), "Accuracy against bytes of every kind of code"),
            "axes": (axes_chart(ways), "Bytes, encoder size and accuracy of every way"),
        },
    )  # fmt: skip


def _budgets(ways: list[Cost], split: list[Cost]) -> pl.DataFrame:
    """Budget by budget, the best of each side."""
    groups = {
        "split_as_it_is": ("split as it is",),
        "bottleneck": ("trained bottleneck, fixed bits", "variational bottleneck"),
        "entropic": ("learned entropy code",),
    }
    sides = {"picture": pictures(ways)} | {
        side: [w for w in split if group_of(w) in kinds] for side, kinds in groups.items()
    }
    rows = []
    for budget in BUDGETS:
        row: dict[str, object] = {"budget_bytes": budget}
        for side, members in sides.items():
            best = best_within(members, budget)
            row[side] = best.name if best else None
            row[f"{side}_bytes"] = best.bytes_mean if best else None
            row[f"{side}_accuracy"] = best.accuracy if best else None
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def _budgets_table(budgets: pl.DataFrame) -> str:
    rows = []
    for r in budgets.iter_rows(named=True):
        accuracies = {
            s: r[f"{s}_accuracy"] or -1.0 for s in ("picture", "split_as_it_is", "bottleneck", "entropic")
        }
        best = max(accuracies.values())
        cells = []
        for side, accuracy in accuracies.items():
            if accuracy < 0:
                cells.append("none")
                continue
            shown = f"{100 * accuracy:.2f}"
            shown = f"**{shown}**" if accuracy == best else shown
            cells.append(f"{shown} (`{r[side]}`, {r[f'{side}_bytes']:.0f})")
        rows.append((f"{r['budget_bytes']:,}", *cells))
    head = ("bytes", "picture", "split as it is", "trained bottleneck, fixed bits", "learned entropy code")
    return markdown_table(head, rows)


def _curves(ways: list[Cost]) -> list[Curve]:
    def curve(found: list[Cost], name: str, colour: str, shape: str, cut: str, joined: bool = True,
              dash: tuple[int, ...] = (1, 0)) -> Curve:  # fmt: skip
        return Curve(name, colour, shape, found, [w.name.removeprefix(cut) for w in found], joined, dash)

    jpeg, webp = pictures(ways, "jpeg"), pictures(ways, "webp")
    lossy = [w for w in webp if not w.name.endswith("-lossless")]
    lossless = [*pictures(ways, "raw"), *pictures(ways, "png"), *(w for w in webp if w not in lossy)]
    return [
        curve([w for w in jpeg if not w.name.endswith("-bare")], "JPEG", PICTURE.colour, "diamond", "remote-jpeg-"),
        curve([w for w in jpeg if w.name.endswith("-bare")], "JPEG without header", "#8a5f00", "diamond",
              "remote-jpeg-", False),
        curve(lossy, "WebP", "#56B4E9", "diamond", "remote-webp-", dash=(5, 3)),
        curve(lossless, "picture without loss", RAW.colour, "diamond", "remote-", False),
        curve([w for w in ways if w.variant.technique.startswith("split")], "split as it is, rounded", SPLIT.colour,
              "triangle-up", "split-", False),
        curve(uniform_ways(ways), "trained, evenly spaced levels", BOTTLENECK.colour, "circle", "bottlefit-free-"),
        curve([w for w in ways if w.variant.technique == "entropic"], "trained, learned entropy code", ENTROPIC.colour,
              "circle", "entropic-"),
    ]  # fmt: skip


if __name__ == "__main__":
    run_study(HERE, __doc__ or "", make)
