"""One self-contained page that compares splitting techniques: what wins where, the numbers, charts, winner maps."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from placid.catalog.variants import shipped_name, shipped_zoo
from placid.reports.shell import self_contained
from placid.reports.splits.amounts import amount, points
from placid.reports.splits.charts import accuracy_chart, exits_chart, risk_chart, three_axes
from placid.reports.splits.costs import CODEC_OPERATIONS_PER_S
from placid.reports.splits.families import FAMILIES
from placid.reports.splits.map_section import map_section, read_under_pointer
from placid.reports.splits.story import FIRST_LOSS, Comparison
from placid.reports.splits.tables import csv_download, family_swatch, splits_csv, splits_html
from placid.reports.splits.verdicts import findings, headline
from placid.reports.splits.winners import Setting
from placid.reports.wording import count, quantity
from placid.version import __version__

__all__ = ["comparison_page", "write_comparison"]


def write_comparison(told: Comparison, folder: str | os.PathLike[str]) -> Path:
    """Write ``splits.html`` and ``splits.csv`` into `folder`, each whole or not at all; the page's path comes back.

    Raises:
        InputError: the zoo holds curves of exits that cannot be.
        OSError: something cannot be written.
    """
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    page = into / "splits.html"
    for target, text in ((into / "splits.csv", splits_csv(told.zoo)), (page, comparison_page(told))):
        scratch = target.with_name(target.name + ".tmp")
        scratch.write_text(text, encoding="utf-8")
        os.replace(scratch, target)
    return page


def comparison_page(told: Comparison) -> str:
    """The page as text."""
    zoo = told.zoo
    specs: dict[str, dict[str, Any] | None] = {
        "bytes": accuracy_chart(told.ways, "bytes"),
        "operations": accuracy_chart(told.ways, "operations"),
        "axes": three_axes(told.ways),
        "exits": exits_chart(zoo),
        "risk": risk_chart(zoo),
    }
    present = {name: spec for name, spec in specs.items() if spec is not None}
    here = files("placid.reports.splits")
    sections = [
        ("findings", "What wins where", _findings(told)),
        ("accuracy", "Accuracy and cost", _accuracy(told)),
        ("latency", "Fastest answer", map_section(told, "latency")),
        ("energy", "Least energy", map_section(told, "energy")),
        *([("exits", "Exits", _exits("risk" in present))] if "exits" in present else []),
        ("table", "Table", _table(told)),
        ("origin", "How it was made", _origin(told)),
    ]
    return self_contained(
        title="What splitting buys",
        kicker=f"{told.about}: {count(len(zoo.variants), 'variant')}, measured on {zoo.processor}",
        description="",
        verdict=headline(told),
        tiles="",
        sections=[(a, s, f'<section id="{a}">{markup}</section>') for a, s, markup in sections],
        version=__version__,
        data={
            "specs": present, "shown": [], "switched": [], "slug": "splits", "map": None,
            "winners": read_under_pointer(told),
        },
        css=(here / "comparison.css").read_text(encoding="utf-8"),
        js=(here / "comparison.js").read_text(encoding="utf-8"),
    )  # fmt: skip


def _findings(told: Comparison) -> str:
    parts = "".join(
        f'<h3 class="found">{escape(title)}</h3><ul class="plain">'
        + "".join(f"<li>{escape(s)}</li>" for s in sentences)
        + "</ul>"
        for title, sentences in findings(told).items()
    )
    return (
        '<h2>What wins where <span class="modelled">modelled</span></h2><p>Among the variants that lose at most '
        f"{points(told.loss)} of accuracy against the whole network. Shares are of the maps below, whose axes are "
        f"logarithmic; another grid gives other shares.</p>{parts}"
    )


def _legend(told: Comparison, *, edges: bool = True) -> str:
    """The families that the zoo has; `edges`: and what a dark edge means."""
    present = {w.family for w in told.ways}
    return (
        '<ul class="keys families">'
        + "".join(f"<li>{family_swatch(f)}{escape(f.name)}</li>" for f in FAMILIES if f in present)
        + ("<li>dark edge: no other beats it on bytes, operations and accuracy at once</li>" if edges else "")
        + "</ul>"
    )


def _chart(name: str, caption: str) -> str:
    return f'<figure><div class="chart" id="chart-{name}"></div><figcaption>{caption}</figcaption></figure>'


def _accuracy(told: Comparison) -> str:
    counted = any(not s.file and s.multiply_adds for v in told.zoo.variants for s in v.segments)
    zero = (
        "An axis with a 0 is broken there: left of its powers of ten stands what sends or computes nothing."
    )
    return (
        "<h2>Accuracy and what it costs</h2>" + _legend(told)
        + "<h3>Against bytes</h3>"
        + _chart("bytes", "Lines up and down: 95 % intervals. Bytes are those really made, header included; with exits, "
                 f"those answered on the device count as 0. {zero} Names without room stand in tooltips and table. What is "
                 "far less accurate stands on the lower edge, its accuracy beside its name.")
        + "<h3>Against operations of the device</h3>"
        + _chart("operations", "Multiply-adds with the heads of exits, and codecs: by their measured time, at "
                 f"{amount(CODEC_OPERATIONS_PER_S)} operations a second (modelled)"
                 + (", those of pictures as estimated from their algorithm." if counted else "."))
        + "<h3>All three at once</h3>"
        + _chart("axes", "The nearer to the lower left and the lighter, the better. The fewest bytes alone mean nothing: a "
                 "label is one byte, if the device computes all of it.")
    )  # fmt: skip


def _exits(with_risk: bool) -> str:
    body = "<h2>What exits do</h2>" + _chart(
        "exits", "Shares and accuracies on the test images; thresholds were chosen on the calibration images."
    )
    if with_risk:
        body += "<h3>Risk against coverage</h3>" + _chart(
            "risk",
            "Of the inputs that reach an exit it answers those that it is surest of: across, how many; up, how many of them "
            "wrong. The lower a curve stays, the better the exit tells its right answers from its wrong ones. Its right end "
            "is the error of an exit that answers all.",
        )
    return body


def _table(told: Comparison) -> str:
    return (
        f'<h2>All numbers</h2><p class="no-print">{csv_download(told.zoo)}: in SI units, with the time of every segment.</p>'
        f'{_legend(told, edges=False)}<div class="scroll">{splits_html(told)}</div>'
        '<p class="note">Accuracy ± half of its 95 % interval. Expected over '
        "the test images where exits are in use; p95 of the bytes is of inputs for which something is sent. Measured: "
        f"medians of repeated runs at batch 1 on {escape(told.zoo.processor)}, codecs included. Operations: multiply-adds "
        "and what codecs take beyond them. †: not built; summed from the remote variant with the whole "
        "network.</p>"
    )


def _origin(told: Comparison) -> str:
    zoo, setting = told.zoo, told.setting
    modelled: Sequence[str] = (
        "Times and energies on the maps are modelled: the larger of operations over speed and bytes moved over memory "
        f"bandwidth ({setting.memory_bytes_per_multiply_add:g} bytes for a multiply-add), not timed on those devices.",
        f"Every input that is sent takes a round trip of {quantity(setting.round_trip_s, 'time')}, and "
        f"{setting.packet_header_bytes:g} bytes of headers for every {setting.packet_payload_bytes:,g} bytes, those of one "
        "packet at least.",
        "A multiply-add takes as long, and as much energy, in 8 bits as in 32: devices with faster 8-bit units gain more "
        "from 8-bit networks than the maps say.",
        "Devices and links along the edges of the maps are declared classes: what each is taken for stands in "
        "placid.catalog.processors and placid.catalog.radios.",
        "What is lost counts from the whole network on the raw picture, over the seeds that both were trained with; means "
        "are compared, not intervals.",
        "Accuracies, bytes, sizes and the times of the table are measured, and come from the zoo's manifest.",
    )  # fmt: skip
    facts = {
        "placid": __version__,
        "task": zoo.task,
        "images": zoo.dataset,
        "measured on": zoo.processor,
        "an input": f"{zoo.input_bytes:,} bytes as it is",
        **_made(told),
    }
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    notes = "".join(f"<li>{escape(n)}</li>" for n in zoo.notes)
    return (
        "<h2>How it was made</h2><h3>What is modelled, what is measured</h3>"
        f'<ul class="plain">{"".join(f"<li>{escape(m)}</li>" for m in modelled)}</ul>'
        + (f'<h3>Notes of the zoo</h3><ul class="plain">{notes}</ul>' if notes else "")
        + f'<h3>The zoo</h3><dl class="facts">{rows}</dl>'
        + f'<h3>To write this page again</h3><pre class="command">{escape(_command(told))}</pre>'
    )


def _made(told: Comparison) -> dict[str, str]:
    """How the zoo's whole network came about, as far as its manifest says."""
    made = told.whole.made if told.whole else {}
    facts = {}
    for step in ("trained", "built"):
        about = made.get(step)
        for key in ("command", "commit"):
            if isinstance(about, Mapping) and about.get(key):
                facts[f"{step} by" if key == "command" else f"{step} at {key}"] = str(about[key])
    seeds = made.get("seeds")
    if isinstance(seeds, list | tuple):
        facts["seeds"] = ", ".join(map(str, seeds))
    return facts


def _command(told: Comparison) -> str:
    """The command that writes this page, with what differs from its defaults."""
    usual, own = Setting(), told.setting
    folder = told.zoo.folder
    zoo = "" if folder == shipped_zoo() else f"{shipped_name(folder) or shlex.quote(str(folder))} "
    command = f"placid splits compare {zoo}--out FOLDER"
    if told.loss != FIRST_LOSS:
        command += f" --accuracy-loss {100 * told.loss:g}"
    if own.round_trip_s != usual.round_trip_s:
        command += f" --round-trip '{1e3 * own.round_trip_s:g} ms'"
    if own.server_multiply_adds_per_s != usual.server_multiply_adds_per_s:
        command += f" --server {own.server_multiply_adds_per_s:g}"
    return command
