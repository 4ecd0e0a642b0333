"""The section of README.md that is generated from results.csv: what the paper reports beside what came out here."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from settings import DROP

__all__ = ["Row", "bars", "read_rows", "results"]

Row = dict[str, Any]

#: the paper's accuracy on MNIST in a 3 x 2 grid, per cent, from its authors' figure data: all devices, then without each
PAPER_ALL = 99.17
PAPER_WITHOUT = (98.5, 99.2, 78.7, 86.9, 87.1, 98.6)
#: per cent on the paper's six cameras, another data set, by filters of the devices' block
PAPER_FILTERS = {1: 91, 2: 95, 4: 96, 8: 97}

COMMAND = "python papers/teerapittayanon-2017-ddnn/study.py"
#: our bars, on test images: all devices, any one missing
BAR_ALL, BAR_WITHOUT_ONE = 0.992, 0.95

_WORDS = ("part", "local", "cloud", "failed", "split")
_WHOLE = ("filters", "overlap", "epochs", "seed", "tile_bytes")


def read_rows(path: Path) -> list[Row]:
    """Of results.csv."""
    with path.open(newline="") as file:
        return [
            {k: v if k in _WORDS else int(v) if k in _WHOLE else float(v) for k, v in row.items()}
            for row in csv.DictReader(file)
        ]


def bars(rows: list[Row]) -> tuple[float, float]:
    """Accuracy of the cascade, devices dropped in training, mean over seeds: all devices, and the worst device missing."""
    main = _of(rows, part="main", drop=DROP, split="test", lose=0.0)
    worst = min(_mean(_of(main, failed=str(d)), "accuracy") for d in range(6))
    return _mean(_of(main, failed=""), "accuracy"), worst


def results(rows: list[Row]) -> str:
    """All tables."""
    main = _of(rows, part="main")
    tables = [_bars(rows), _headline(main), _one_missing(main), _growing(main), _giving_up(main)]
    if comparisons := [
        _schemes(_of(rows, part="schemes")),
        _filters(_of(rows, part="filters")),
        _overlap(_of(rows, part="overlap")),
    ]:
        tables += [t for t in comparisons if t]
    return "\n\n".join(tables)


def _bars(rows: list[Row]) -> str:
    everyone, without = bars(rows)
    seeds = len({r["seed"] for r in _of(rows, part="main")})

    def verdict(found: float, asked: float) -> str:
        return "holds" if found >= asked else "**does not hold**"

    return (
        f"Per cent of the 10,000 test images of MNIST; mean of {seeds} seeds ± their standard deviation. "
        f'"Dropping": each device is missing from {DROP:.0%} of the training images.\n\n'
        + _table(
            ("our bar", "measured", ""),
            [
                (f"all devices: at least {_p(BAR_ALL, 1)}", _p(everyone), verdict(everyone, BAR_ALL)),
                (
                    f"any one device missing: at least {_p(BAR_WITHOUT_ONE, 1)} (the worst of six)",
                    _p(without),
                    verdict(without, BAR_WITHOUT_ONE),
                ),
            ],
        )
    )


def _headline(main: list[Row]) -> str:
    def ours(drop: float, quantity: str, show: Callable[[float], str] = lambda v: _p(v)) -> str:
        return _spread(_of(main, drop=drop, failed="", split="test", lose=0.0), quantity, show)

    def plain(value: float) -> str:
        return f"{value:.1f}"

    tile = main[0]["tile_bytes"]
    command = f"`{COMMAND} --only main`"
    lines = [
        ("cascade", "97", f"{PAPER_ALL} (exit not told)", "accuracy", None),
        ("cloud exit alone", "96", "", "cloud_accuracy", None),
        ("local exit alone", "", "", "local_accuracy", None),
        ("answered locally", "60.8 (T = 0.8)", "", "left_locally", None),
        ("bytes a device sends an image, formula (1)", "", "", "bytes_formula", plain),
        ("the same as made, headers of 2 bytes included", "", "", "bytes_wire", plain),
        ("the same, scores as counts", "", "", "bytes_wire_counts", plain),
    ]
    cells = []
    for words, cameras, tiles, quantity, show in lines:
        shown = show or (lambda v: _p(v))
        cells.append(
            (words, cameras, tiles, ours(0.0, quantity, shown), ours(DROP, quantity, shown), command)
        )
    cells.append(("bytes of the raw tile", "over 20 times more than sent", "", str(tile), str(tile), command))
    return "**All devices there**\n\n" + _table(
        ("", "paper, six cameras", "paper, MNIST tiles", "ours, no dropping", "ours, dropping", "command"),
        cells,
    )


def _one_missing(main: list[Row]) -> str:
    lines = []
    for device in range(6):
        cells = [f"{device}", f"{PAPER_WITHOUT[device]}"]
        for drop in (0.0, DROP):
            here = _of(main, drop=drop, failed=str(device), lose=0.0)
            cells += [_spread(here, q) for q in ("local_accuracy", "cloud_accuracy", "accuracy")]
        lines.append((*cells, f"`{COMMAND} --only main`"))
    return "**One device missing**\n\n" + _table(
        (
            "missing", "paper, MNIST tiles", "no dropping: local", "cloud", "cascade", "dropping: local", "cloud", "cascade",
            "command",
        ),
        lines,
    )  # fmt: skip


def _growing(main: list[Row]) -> str:
    lines = []
    for count in range(6):
        cells = [f"{count}"]
        for drop in (0.0, DROP):
            here = [
                r for r in _of(main, drop=drop, split="test", lose=0.0) if len(r["failed"].split()) == count
            ]
            worst = min(_mean(_of(here, failed=f), "accuracy") for f in {r["failed"] for r in here})
            cells += [_p(_mean(here, "accuracy")), _p(worst), _p(_mean(here, "left_locally"), 1)]
        lines.append((*cells, f"`{COMMAND} --only main`"))
    title = "**More and more devices missing** (all sets, or six drawn; means over sets and seeds, and the worst set)"
    return f"{title}\n\n" + _table(
        (
            "missing", "no dropping: cascade", "worst set", "answered locally", "dropping: cascade", "worst set",
            "answered locally", "command",
        ),
        lines,
    )  # fmt: skip


def _giving_up(main: list[Row]) -> str:
    lines = []
    for lose in sorted({r["lose"] for r in main}):
        here = _of(main, drop=DROP, failed="", split="test", lose=lose)
        lines.append(
            (
                f"{100 * lose:g}",
                _spread(here, "threshold", lambda v: f"{v:.3f}"),
                _spread(here, "accuracy"),
                _spread(here, "left_locally"),
                f"{_mean(here, 'bytes_formula'):.1f}",
                f"{_mean(here, 'bytes_wire_counts'):.1f}",
                f"`{COMMAND} --only main`",
            )
        )
    return "**Accuracy given up on calibration images for local answers** (dropping)\n\n" + _table(
        (
            "given up, points", "threshold", "cascade on test", "answered locally", "bytes, formula (1)",
            "bytes as made, counts", "command",
        ),
        lines,
    )  # fmt: skip


def _schemes(rows: list[Row]) -> str:
    lines = [
        (
            f"{first['local']}, {first['cloud']}",
            _p(first["accuracy"]),
            *_compared(rows, local=first["local"], cloud=first["cloud"]),
            f"`{COMMAND} --only schemes`",
        )
        for first in _of(rows, split="calibration")
    ]
    return _short(rows, "Aggregation: local exit, cloud", ("local, cloud", "cascade on calibration"), lines)


def _filters(rows: list[Row]) -> str:
    lines = [
        (
            str(first["filters"]),
            str(PAPER_FILTERS[first["filters"]]),
            *_compared(rows, filters=first["filters"]),
            f"`{COMMAND} --only filters`",
        )
        for first in _of(rows, split="calibration")
    ]
    return _short(rows, "Filters of a device", ("filters", "paper, six cameras"), lines)


def _overlap(rows: list[Row]) -> str:
    lines = [
        (
            str(first["overlap"]),
            str(first["tile_bytes"]),
            *_compared(rows, overlap=first["overlap"]),
            f"`{COMMAND} --only overlap`",
        )
        for first in _of(rows, split="calibration")
    ]
    return _short(
        rows, "Pixels that neighbouring tiles share at least", ("overlap", "bytes of the raw tile"), lines
    )


def _compared(rows: list[Row], **which: object) -> tuple[str, ...]:
    here = _of(rows, split="test", lose=0.0, **which)
    (whole,) = _of(here, failed="")
    worst = min(r["accuracy"] for r in here if r["failed"])
    return (
        *(_p(whole[q]) for q in ("local_accuracy", "cloud_accuracy", "accuracy", "left_locally")),
        f"{whole['bytes_formula']:.1f}",
        _p(worst),
    )


def _short(rows: list[Row], title: str, first: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    words = f"(dropping; one seed, {rows[0]['epochs']} epochs: compare within the table only)"
    return f"**{title}** {words}\n\n" + _table(
        (*first, "local", "cloud", "cascade", "answered locally", "bytes, formula (1)", "worst missing", "command"), lines
    )  # fmt: skip


def _of(rows: Iterable[Row], **which: object) -> list[Row]:
    return [r for r in rows if all(r[k] == v for k, v in which.items())]


def _mean(rows: list[Row], quantity: str) -> float:
    return fmean(r[quantity] for r in rows)


def _p(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f}"


def _spread(rows: list[Row], quantity: str, show: Callable[[float], str] = _p) -> str:
    values = [r[quantity] for r in rows]
    return show(fmean(values)) + (f" ± {show(stdev(values))}" if len(values) > 1 else "")


def _table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    rows = [head, ("---",) * len(head), *lines]
    return "\n".join("| " + " | ".join(r) + " |" for r in rows)
