"""Castellano et al.: REBEL (ITC 2022), beside what the zoo measured.

    python papers/castellano-2022-rebel/study.py                the zoo cifar10, which comes with placid
    python papers/castellano-2022-rebel/study.py --zoo FOLDER --into FOLDER    another one, written elsewhere

Writes results.csv, early.csv and figures/ beside this file and rewrites the section of README.md between its markers.
Nothing is trained or measured here: that is done by the two commands that make the zoo.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from early import early_chart, early_frame, early_table  # noqa: E402

from placid.catalog.variants import Zoo  # noqa: E402
from placid.errors import InputError  # noqa: E402
from placid.reports.splits.costs import Cost, costs  # noqa: E402
from placid.reports.splits.families import BOTTLENECK, ENTROPIC, EXITS, PICTURE  # noqa: E402
from placid.reports.splits.rate_chart import Curve, rate_chart  # noqa: E402
from placid.reports.splits.rivals import best_within, pictures, smallest_no_worse  # noqa: E402
from placid.reports.splits.seedwise import difference  # noqa: E402
from placid.reports.splits.zoo_study import ZooStudy, origin, run_study  # noqa: E402
from placid.reports.studies import markdown_table  # noqa: E402

COMMAND = "python papers/castellano-2022-rebel/study.py"
#: of what is sent, as derived from the authors' code, which has 3 channels; no report of theirs says so
PAPER_BYTES = 867
TRAINED = ("bottlefit", "bottlefit-free", "plain", "entropic")


def make(zoo: Zoo) -> ZooStudy:
    """All tables and figures, of the first variant of REBEL.

    Raises:
        InputError: the zoo lacks the whole network on the raw picture, or has no variant of REBEL.
    """
    ways = costs(zoo)
    raw = pictures(ways, "raw")
    rebels = [w for w in ways if w.variant.technique == "rebel" and w.device_segments == 1]
    if not (raw and rebels):
        raise InputError(
            "needs 'remote-raw' and a variant of REBEL to compare", where=str(zoo.folder / "manifest.json")
        )
    whole, ours = raw[0], rebels[0]
    rivals = [w for w in ways if w.variant.technique in TRAINED and w.device_segments == 1]
    table = pl.DataFrame([_row(w, whole) for w in (ours, *rivals, *pictures(ways))])
    early = early_frame(ours)
    sections = [
        origin(zoo, COMMAND),
        _beside(ours, whole, pictures(ways, "jpeg")),
        _label(ours, early),
        "**At equal bytes** (mean over all inputs; differences on the seeds that both have)",
        _against(ours, rivals, ways),
        "![accuracy against bytes](figures/bytes.svg)",
        *(["![the early label](figures/early.svg)"] if len(early) else []),
    ]
    lines = [(w.name, w.bytes_mean) for w in _nearest(rivals, ours)]
    drawn = {
        "bytes": (
            rate_chart(_curves(ours, rivals, ways), whole),
            "Accuracy against bytes: REBEL, BottleFit, JPEG",
        )
    }
    if len(early):
        drawn["early"] = (
            early_chart(early, lines),
            "What the early label answers, how well, and what is sent on",
        )
    return ZooStudy("\n\n".join(sections), {"results": table, "early": early}, drawn)


def _row(way: Cost, whole: Cost) -> dict[str, object]:
    variant = way.variant
    return {
        "way": way.name,
        "technique": variant.technique,
        "seeds": len(variant.seed_accuracies),
        "sent_share": way.sent_share,
        "bytes_mean": way.bytes_mean,
        "bytes_if_sent": variant.crossings[0].mean_bytes,
        "accuracy": variant.accuracy,
        "accuracy_low": variant.accuracy_low,
        "accuracy_high": variant.accuracy_high,
        "accuracy_without_exits": _without(way),
        "lost": difference(whole.variant, variant).mean,
        "device_multiply_adds": way.device_multiply_adds,
    }


def _without(way: Cost) -> float:
    """Accuracy if everything is sent on; of the first seed where exits are in use."""
    found = way.variant.made.get("accuracy_without_exits")
    return way.accuracy if found is None else float(found)


def _beside(ours: Cost, whole: Cost, jpegs: Sequence[Cost]) -> str:
    """What is known of the paper beside ours, and both beside JPEG."""
    sent = ours.variant.crossings[0].mean_bytes
    lost = difference(whole.variant, ours.variant).mean

    def jpeg(size: float) -> str:
        best = best_within(jpegs, size)
        if best is None:
            return "no JPEG is as small"
        return f"`{best.name}`: {best.bytes_mean:.0f} bytes, {100 * best.accuracy:.2f} %"

    paper = best_within(jpegs, PAPER_BYTES)
    verdict = "no JPEG of the zoo is as small as that"
    if paper is not None:
        verdict = f"**loses to JPEG on rate**: {jpeg(PAPER_BYTES)}"
    smallest = smallest_no_worse(jpegs, ours)
    needs = "no JPEG of the zoo is as accurate"
    if smallest is not None:
        needs = f"`{smallest.name}` needs {smallest.bytes_mean:.0f} bytes ({smallest.bytes_mean / sent:.1f}x) to be no worse"
    rows = [
        ("accuracy, share labelled early", "its code holds no results", "see below"),
        (
            "a latent that is sent",
            f"{PAPER_BYTES} bytes (derived from the code)",
            f"{sent:.0f} bytes, as really made",
        ),
        ("most accurate JPEG of no more bytes, our pictures and network", verdict, jpeg(sent)),
        (
            "accuracy, as used",
            "not known",
            f"{100 * ours.accuracy:.2f} %, {100 * lost:.2f} points lost",
        ),
        ("smallest JPEG no worse", "not known", needs),
    ]
    return markdown_table(("", "REBEL (author's code read)", f"ours: `{ours.name}` (measured)"), rows)


def _label(ours: Cost, early: pl.DataFrame) -> str:
    title = "**The early label**"
    if early.is_empty():
        return (
            f"{title} is not in use: at no threshold did it answer anything on the calibration images without losing "
            "more than 0.2 points. Everything is sent."
        )
    (exit_,) = ours.variant.exits
    change = 100 * (ours.variant.seed_accuracies[0] - _without(ours))
    said = (
        f"{title} (test images; surest first). In use: the score `{exit_.rule}` from {exit_.threshold:.3f} on, chosen on "
        "calibration images as the one that spares most operations for at most 0.2 points; against sending everything on, "
        f"accuracy changes by {change:+.2f} points (first seed)."
    ).replace("-", "−")
    return f"{said}\n\n{early_table(early)}"


def _against(ours: Cost, rivals: Sequence[Cost], ways: Sequence[Cost]) -> str:
    """With and without the early label: the best of each kind at no more bytes, and the smallest no worse."""
    kinds = {
        "BottleFit, encoder frozen": [w for w in rivals if w.variant.technique == "bottlefit"],
        "BottleFit, encoder learns on": [w for w in rivals if w.variant.technique == "bottlefit-free"],
        "no stages, labels alone": [w for w in rivals if w.variant.technique == "plain"],
        "learned entropy code": [w for w in rivals if w.variant.technique == "entropic"],
        "JPEG": pictures(ways, "jpeg"),
        "any picture": pictures(ways),
    }
    rows = []
    for name, members in kinds.items():
        best, smallest = best_within(members, ours.bytes_mean), smallest_no_worse(members, ours)
        sent = best_within(members, ours.variant.crossings[0].mean_bytes)
        rows.append((name, _ahead(sent, ours), _ahead(best, ours), _needs(smallest)))
    full, mean = ours.variant.crossings[0].mean_bytes, ours.bytes_mean
    head = (
        "rival", f"most accurate at no more than a latent ({full:.0f} bytes)",
        f"… than REBEL's mean ({mean:.0f} bytes)", "smallest that is no worse",
    )  # fmt: skip
    return markdown_table(head, rows)


def _ahead(rival: Cost | None, ours: Cost) -> str:
    if rival is None:
        return "none is as small"
    points = 100 * difference(rival.variant, ours.variant).mean
    word = (
        "as good" if abs(points) < 1e-7 else f"{abs(points):.2f} points {'better' if points > 0 else 'worse'}"
    )
    return f"`{rival.name}`, {rival.bytes_mean:.0f} bytes: {word} than REBEL"


def _needs(rival: Cost | None) -> str:
    return "none is as accurate" if rival is None else f"`{rival.name}`, {rival.bytes_mean:.0f} bytes"


def _nearest(rivals: Sequence[Cost], ours: Cost) -> list[Cost]:
    """A rival to draw beside the bytes sent on: the BottleFit that is nearest to the latent."""
    fitted = [w for w in rivals if w.variant.technique.startswith("bottlefit")]
    sent = ours.variant.crossings[0].mean_bytes
    # of equal bytes the one that differs by the method alone: its encoder is frozen too
    return sorted(fitted, key=lambda w: (abs(w.bytes_mean - sent), w.variant.technique != "bottlefit"))[:1]


def _used_or_not(ours: Cost) -> tuple[list[Cost], list[str]]:
    """REBEL, and if it labels early also with everything sent on (no interval: the manifest has none), with their names."""
    if not ours.variant.exits:
        return [ours], ["REBEL"]
    accuracy = _without(ours)
    sent = replace(ours.variant, exits=(), accuracy=accuracy, accuracy_low=accuracy, accuracy_high=accuracy)
    everything = replace(ours, variant=sent, sent_share=1.0, bytes_mean=sent.crossings[0].mean_bytes)
    return [ours, everything], ["early label in use", "all sent on"]


def _curves(ours: Cost, rivals: Sequence[Cost], ways: Sequence[Cost]) -> list[Curve]:
    def of(technique: str) -> list[Cost]:
        return [w for w in rivals if w.variant.technique == technique]

    jpeg = pictures(ways, "jpeg")
    headed, bare = (
        [w for w in jpeg if not w.name.endswith("-bare")],
        [w for w in jpeg if w.name.endswith("-bare")],
    )
    free, frozen, entropic = of("bottlefit-free"), of("bottlefit"), of("entropic")

    def curve(
        name: str, colour: str, shape: str, found: Sequence[Cost], cut: str, joined: bool = False
    ) -> Curve:
        return Curve(name, colour, shape, found, [w.name.removeprefix(cut) for w in found], joined)

    return [
        curve("JPEG", PICTURE.colour, "diamond", headed, "remote-jpeg-", True),
        curve("JPEG without header", "#8a5f00", "diamond", bare, "remote-jpeg-"),
        curve("BottleFit, encoder learns on", BOTTLENECK.colour, "circle", free, "bottlefit-free-"),
        curve("BottleFit, encoder frozen", "#CC79A7", "circle", frozen, "bottlefit-"),
        curve("learned entropy code", ENTROPIC.colour, "circle", entropic, "entropic-", True),
        Curve("REBEL", EXITS.colour, "triangle-up", *_used_or_not(ours), True),
    ]  # fmt: skip


if __name__ == "__main__":
    run_study(HERE, __doc__ or "", make)
