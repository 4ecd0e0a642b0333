"""Matsubara, Callegaro, Singh, Levorato, Restuccia: BottleFit (WoWMoM 2022), beside what the zoo measured.

    python papers/matsubara-2022-bottlefit/study.py                the zoo cifar10, which comes with placid
    python papers/matsubara-2022-bottlefit/study.py --zoo FOLDER --into FOLDER    another one, written elsewhere

Writes results.csv, latency.csv and figures/ beside this file and rewrites the section of README.md between its markers.
Nothing is trained or measured here: that is done by the two commands that make the zoo.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from latency import DEVICES, LINKS, SERVER, Compared, compared, latency_chart  # noqa: E402

from placid.catalog.variants import Zoo  # noqa: E402
from placid.errors import InputError  # noqa: E402
from placid.reports.splits.costs import Cost, costs  # noqa: E402
from placid.reports.splits.families import BOTTLENECK, LOCAL, PICTURE  # noqa: E402
from placid.reports.splits.rate_chart import Curve, rate_chart  # noqa: E402
from placid.reports.splits.rivals import pictures, smallest_no_worse  # noqa: E402
from placid.reports.splits.seedwise import accuracies_by_seed, difference  # noqa: E402
from placid.reports.splits.zoo_study import ZooStudy, origin, run_study  # noqa: E402
from placid.reports.studies import markdown_table  # noqa: E402

COMMAND = "python papers/matsubara-2022-bottlefit/study.py"
#: technique -> what learns in the second stage
SECOND_STAGE = {
    "bottlefit": "decoder and tail (encoder frozen)",
    "bottlefit-free": "everything",
    "plain": "no stages: labels alone",
}
#: as the paper reports of ImageNet: share of bytes saved, accuracy lost at most, time against local and edge offloading
PAPER_FEWER, PAPER_LOST, PAPER_LOCAL, PAPER_EDGE = 0.771, 0.006, -0.89, -0.55


def make(zoo: Zoo) -> ZooStudy:
    """All tables and figures.

    Raises:
        InputError: the zoo lacks the whole network on the raw picture, or has no bottleneck trained as BottleFit.
    """
    ways = costs(zoo)
    raw = pictures(ways, "raw")
    ours = [w for w in ways if w.variant.technique in SECOND_STAGE and w.device_segments == 1]
    fitted = [w for w in ours if w.variant.technique.startswith("bottlefit")]
    home = [w for w in ways if w.derived] or [
        w for w in ways if w.family == LOCAL and raw and w.variant.network == raw[0].variant.network
    ]
    if not (raw and fitted and home):
        raise InputError(
            "needs 'remote-raw' and a variant of BottleFit to compare",
            where=str(zoo.folder / "manifest.json"),
        )
    whole = raw[0]
    chosen = smallest_no_worse(fitted, whole, PAPER_LOST) or max(
        fitted, key=lambda w: difference(w.variant, whole.variant).mean
    )
    table = pl.DataFrame([_row(w, whole, ways) for w in ours])
    travels = [compared(d, link, chosen, home[0], whole, ways, PAPER_LOST) for d in DEVICES for link in LINKS]
    sections = [
        origin(zoo, COMMAND),
        _beside(chosen, whole, ways, travels),
        "**Every bottleneck** (points lost: against the teacher of the same seed, ± half of the 95 % interval "
        "where there is more than one)",
        _all(table),
        _encoders(ours, whole),
        f"**Time of an answer by `{chosen.name}`** (modelled: declared classes of device and link, {SERVER} as server)",
        _latency(travels),
        "![accuracy against bytes](figures/bytes.svg)",
        "![time of an answer](figures/latency.svg)",
    ]
    return ZooStudy(
        "\n\n".join(s for s in sections if s),
        {"results": table, "latency": pl.DataFrame([t.row() for t in travels])},
        {
            "bytes": (rate_chart(_curves(ways), whole), "Accuracy against bytes: BottleFit and pictures"),
            "latency": (latency_chart(travels), "Time of an answer by device and link, modelled"),
        },
    )


def _row(way: Cost, whole: Cost, ways: Sequence[Cost]) -> dict[str, object]:
    variant = way.variant
    lost = difference(whole.variant, variant)
    jpeg = smallest_no_worse(pictures(ways, "jpeg"), way)
    picture = smallest_no_worse(pictures(ways), way)
    spec = variant.made.get("spec", {})
    return {
        "variant": variant.name,
        "technique": variant.technique,
        "second_stage": SECOND_STAGE[variant.technique],
        "arithmetic": variant.segments[0].arithmetic,
        "encoder": spec.get("encoder"),
        "epochs": spec.get("epochs"),
        "seeds": lost.seeds,
        "bytes_mean": way.bytes_mean,
        "accuracy": variant.accuracy,
        "accuracy_low": variant.accuracy_low,
        "accuracy_high": variant.accuracy_high,
        "lost": lost.mean,
        "lost_low": lost.low if lost.seeds > 1 else None,
        "lost_high": lost.high if lost.seeds > 1 else None,
        "fewer_than_raw": 1 - way.bytes_mean / whole.bytes_mean,
        "jpeg_no_worse": jpeg.name if jpeg else None,
        "jpeg_bytes": jpeg.bytes_mean if jpeg else None,
        "picture_no_worse": picture.name if picture else None,
        "picture_bytes": picture.bytes_mean if picture else None,
        "device_multiply_adds": way.device_multiply_adds,
        "encoder_bytes": way.encoder_bytes,
    }


def _beside(chosen: Cost, whole: Cost, ways: Sequence[Cost], travels: Sequence[Compared]) -> str:
    """The paper's three figures beside ours."""
    lost = difference(whole.variant, chosen.variant)
    reached = lost.mean <= PAPER_LOST + 1e-9
    jpeg, any_ = (smallest_no_worse(p, whole, PAPER_LOST) for p in (pictures(ways, "jpeg"), pictures(ways)))

    def fewer(than: Cost | None, words: str) -> str:
        if than is None:
            return f"no {words} loses so little"
        share = 1 - chosen.bytes_mean / than.bytes_mean
        which = f"`{than.name}`, {than.bytes_mean:.0f} bytes"
        return f"{_change(-share)} against the smallest {words} that loses so little ({which})"

    bytes_ = (
        f"`{chosen.name}`, {chosen.bytes_mean:.0f} bytes, {_points(lost.mean)} lost"
        f"{'' if reached else ' (**none loses so little**; this one loses least)'}: "
        f"{_change(chosen.bytes_mean / whole.bytes_mean - 1)} against raw; {fewer(jpeg, 'JPEG')}; {fewer(any_, 'picture')}"
    )
    known = [t for t in travels if t.bottlefit is not None]
    local = [t for t in known if t.local is not None]
    rows = [
        (
            f"bytes, at most {_points(PAPER_LOST)} lost",
            f"{100 * PAPER_FEWER:.1f} % fewer (against what, we have not read)",
            bytes_,
            "measured",
        ),
        (
            "time against running the network on the device",
            f"{_change(PAPER_LOCAL)} (their devices)",
            _range([(t, t.against("local")) for t in local]),
            "modelled",
        ),
        (
            "time against edge offloading",
            f"{_change(PAPER_EDGE)} (their devices)",
            f"the raw picture: {_range([(t, t.against('raw')) for t in known])}; the fastest picture that loses at most "
            f"{_points(PAPER_LOST)}: {_range([(t, t.against('picture')) for t in known])}",
            "modelled",
        ),
    ]
    return markdown_table(
        ("", "paper reports (ImageNet; abstract)", "ours (CIFAR-10)", "how ours is known"), rows
    )


def _all(table: pl.DataFrame) -> str:
    rows = []
    for r in table.iter_rows(named=True):
        spread = f" ± {50 * (r['lost_high'] - r['lost_low']):.2f}" if r["lost_low"] is not None else ""
        rows.append(
            (
                f"`{r['variant']}`",
                r["second_stage"],
                "not told" if r["epochs"] is None else str(r["epochs"]),
                str(r["seeds"]),
                f"{100 * r['accuracy']:.2f} ± {50 * (r['accuracy_high'] - r['accuracy_low']):.2f}",
                f"{100 * r['lost']:.2f}{spread}",
                f"{r['bytes_mean']:.0f}",
                f"{100 * r['fewer_than_raw']:.1f} %",
                _than(r, "jpeg"),
                _than(r, "picture"),
                f"{r['device_multiply_adds'] / 1e6:.1f}",
            )
        )
    head = (
        "variant", "learns in stage 2", "epochs", "seeds", "accuracy, %", "points lost", "bytes", "fewer than raw",
        "smallest JPEG no worse", "smallest picture no worse", "device, M multiply-adds",
    )  # fmt: skip
    return markdown_table(head, rows)


def _than(row: dict[str, object], kind: str) -> str:
    name, size = row[f"{kind}_no_worse"], row[f"{kind}_bytes"]
    if not isinstance(size, float):
        return "none is as accurate"
    return f"`{str(name).removeprefix('remote-')}`, {size:.0f} bytes ({_change(float(str(row['bytes_mean'])) / size - 1)})"


def _encoders(ours: Sequence[Cost], whole: Cost) -> str:
    """The same bottleneck, encoder frozen in stage 2, not frozen, and without stages, on the seeds they share."""
    groups: dict[str, dict[str, Cost]] = {}
    for w in ours:
        kind = w.variant.name.removeprefix(f"{w.variant.technique}-")
        groups.setdefault(kind, {})[w.variant.technique] = w
    rows = []
    for kind, members in groups.items():
        if len(members) < 2:
            continue
        shared = set.intersection(*(set(accuracies_by_seed(w.variant)) for w in members.values()))
        for technique in (t for t in SECOND_STAGE if t in members):
            own, teacher = accuracies_by_seed(members[technique].variant), accuracies_by_seed(whole.variant)
            mean = sum(own[s] for s in shared) / len(shared)
            lost = [teacher[s] - own[s] for s in shared if s in teacher]
            epochs = members[technique].variant.made.get("spec", {}).get("epochs", "not told")
            rows.append(
                (
                    kind, f"`{technique}`", SECOND_STAGE[technique], str(epochs),
                    ", ".join(map(str, sorted(shared))), f"{100 * mean:.2f}",
                    f"{100 * sum(lost) / len(lost):.2f}" if lost else "not told",
                )
            )  # fmt: skip
    if not rows:
        return ""
    head = ("bottleneck", "method", "learns in stage 2", "epochs", "seeds", "accuracy, %", "points lost")
    title = "**Frozen or not, and what imitating is worth** (on the seeds that all of them were trained with)"
    return f"{title}\n\n{markdown_table(head, rows)}"


def _latency(travels: Sequence[Compared]) -> str:
    def ms(seconds: float | None) -> str:
        return "does not fit" if seconds is None else f"{1e3 * seconds:.3g}"

    rows = []
    for t in travels:
        against = [t.against(k) for k in ("local", "raw", "picture")]
        rows.append(
            (
                t.device, t.link, ms(t.seconds("local")), ms(t.seconds("raw")),
                f"{ms(t.seconds('picture'))} (`{t.picture_name.removeprefix('remote-')}`)", ms(t.seconds("bottlefit")),
                *("" if a is None else _change(a) for a in against),
            )
        )  # fmt: skip
    head = (
        "device", "link", "on the device, ms", "raw picture, ms", "fastest picture, ms", "BottleFit, ms",
        "against the device", "against raw", "against the picture",
    )  # fmt: skip
    return markdown_table(head, rows)


def _curves(ways: Sequence[Cost]) -> list[Curve]:
    def named(
        found: Sequence[Cost], name: str, colour: str, shape: str, cut: str, *, joined: bool = True
    ) -> Curve:
        labels = [w.name.removeprefix(cut) for w in found]
        return Curve(name, colour, shape, found, labels, joined)

    def of(technique: str) -> list[Cost]:
        return [w for w in ways if w.variant.technique == technique and w.device_segments == 1]

    jpeg = pictures(ways, "jpeg")
    free = of("bottlefit-free")
    return [
        named([w for w in jpeg if not w.name.endswith("-bare")], "JPEG", PICTURE.colour, "diamond", "remote-jpeg-"),
        named([w for w in jpeg if w.name.endswith("-bare")], "JPEG without header", "#8a5f00", "diamond",
              "remote-jpeg-", joined=False),
        named(pictures(ways, "webp"), "WebP", "#56B4E9", "diamond", "remote-webp-", joined=False),
        named(free, "BottleFit, encoder learns on", BOTTLENECK.colour, "circle", "bottlefit-free-", joined=False),
        named(of("bottlefit"), "BottleFit, encoder frozen", "#CC79A7", "circle", "bottlefit-", joined=False),
        named(of("plain"), "no stages, labels alone", "#D55E00", "triangle-down", "plain-", joined=False),
    ]  # fmt: skip


def _range(found: Sequence[tuple[Compared, float | None]]) -> str:
    known = [(t, a) for t, a in found if a is not None]
    if not known:
        return "nothing fits"
    low, high = min(known, key=lambda p: p[1]), max(known, key=lambda p: p[1])
    better = sum(a < 0 for _, a in known)
    ends = " to ".join(f"{_change(a)} ({t.device}, {t.link})" for t, a in (low, high))
    return f"{ends}; faster in {better} of {len(known)}"


def _change(share: float) -> str:
    """Less is a minus."""
    return f"{100 * share:+,.{1 if abs(share) < 1 else 0}f} %".replace("-", "−")


def _points(share: float) -> str:
    return f"{100 * share:.2g} points"


if __name__ == "__main__":
    run_study(HERE, __doc__ or "", make)
