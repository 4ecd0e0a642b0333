"""Where a split loses to compressing the picture and computing remotely, and where it does not."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from placid.reports.splits.costs import Cost
from placid.reports.splits.end_to_end import journey, stations
from placid.reports.splits.families import LOCAL, PICTURE, RAW
from placid.reports.splits.rivals import beaten_by, best_within, pictures, smallest_no_worse
from placid.reports.splits.seedwise import difference
from placid.reports.studies import markdown_table

__all__ = [
    "fastest_frame",
    "fastest_table",
    "finding_frame",
    "finding_table",
    "group_of",
    "sends_what_it_computes",
    "summary_table",
]

DEVICES = ("cortex-m4", "cortex-m7", "ethos-u55", "raspberry-pi-4", "phone", "jetson-nano")
LINKS = ("lora-sf7", "zigbee", "ble", "lte", "wifi", "ethernet-100")
SERVER = "x86-server"
#: accuracy that may be lost where the fastest is asked for
LOST = 0.01

_GROUPS = {"entropic": "learned entropy code", "rebel": "variational bottleneck", "exits": "early exits"}


def sends_what_it_computes(way: Cost) -> bool:
    """Whether the device computes part of the network and sends what came of it."""
    return way.family not in (LOCAL, RAW, PICTURE) and way.sent_share > 0


def group_of(way: Cost) -> str:
    """Of what kind a split is."""
    technique = way.variant.technique
    if technique.startswith("split"):
        return "split as it is"
    return _GROUPS.get(technique, "trained bottleneck, fixed bits")


def finding_frame(split: Sequence[Cost], rivals: Sequence[Cost], whole: Cost) -> pl.DataFrame:
    """A row for every split: the picture that sends no more, the one that answers no worse, and who wins.

    Columns: way, group, verdict ("loses", "wins": more accurate than any picture of no more bytes), lost (share, against
    the teacher), device_share (multiply-adds of the device over those of the whole network: near 1, a win says nothing),
    rival and its share ahead (at no more bytes; negative if it is behind), smallest (picture no worse) and its bytes over
    the split's.
    """
    rows: list[dict[str, object]] = []
    for w in split:
        beaten = beaten_by(w, rivals)
        rival = beaten or best_within(rivals, w.bytes_mean)
        smallest = smallest_no_worse(rivals, w)
        rows.append(
            {
                "way": w.name,
                "group": group_of(w),
                "verdict": "loses" if beaten else "wins",
                "lost": difference(whole.variant, w.variant).mean,
                "device_share": w.device_multiply_adds / whole.server_multiply_adds,
                "rival": rival.name if rival else None,
                "rival_ahead": difference(rival.variant, w.variant).mean if rival else None,
                "smallest": smallest.name if smallest else None,
                "smallest_over_ours": smallest.bytes_mean / w.bytes_mean if smallest else None,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def summary_table(found: pl.DataFrame) -> str:
    """By kind, how many lose."""
    rows = []
    for group in found["group"].unique(maintain_order=True):
        own = found.filter(pl.col("group") == group)
        losing = own.filter(pl.col("verdict") == "loses")
        word = "all of them" if len(losing) == len(own) else "none" if losing.is_empty() else "some"
        rows.append((group, str(len(own)), str(len(losing)), word))
    return markdown_table(("kind", "ways", "lose to a picture", "so the finding holds for"), rows)


def finding_table(found: pl.DataFrame) -> str:
    """Each of them."""
    rows = []
    for r in found.iter_rows(named=True):
        ahead = "no picture is as small"
        if r["rival"]:
            points = 100 * r["rival_ahead"]
            said = f"{abs(points):.2f} points {'better' if points > 0 else 'worse'}"
            ahead = f"`{r['rival'].removeprefix('remote-')}`, {said if abs(points) > 1e-7 else 'as good'}"
        needs = "none is as accurate"
        if r["smallest"]:
            needs = f"`{r['smallest'].removeprefix('remote-')}`, {r['smallest_over_ours']:.2f}x"
        share = f"{100 * r['device_share']:.1f} %"
        rows.append((f"`{r['way']}`", f"{100 * r['lost']:.2f}", share, ahead, needs, f"**{r['verdict']}**"))
    head = (
        "split", "points lost", "on the device, of the whole network's multiply-adds", "picture of no more bytes",
        "smallest picture no worse, its bytes over the split's", "",
    )  # fmt: skip
    return markdown_table(head, rows)


def fastest_frame(ways: Sequence[Cost], whole: Cost) -> pl.DataFrame:
    """Device by device and link by link, the fastest at home, as a picture and split, that lose at most `LOST`. Seconds."""
    good = [w for w in ways if difference(whole.variant, w.variant).mean <= LOST + 1e-9]
    sides = {
        "local": [w for w in good if w.family == LOCAL or (w.sent_share == 0 and w.variant.exits)],
        "picture": pictures(good),
        "split": [w for w in good if sends_what_it_computes(w)],
    }
    rows: list[dict[str, object]] = []
    for device in DEVICES:
        for link in LINKS:
            between = stations(device, link, SERVER)
            row: dict[str, object] = {"device": device, "link": link}
            best: tuple[float, str] | None = None
            for side, members in sides.items():
                times = [(j.total_s, w.name) for w in members if (j := journey(w, between)) is not None]
                fastest = min(times, default=None)
                row |= {
                    side: fastest[1] if fastest else None,
                    f"{side}_s": fastest[0] if fastest else None,
                }
                if fastest and (best is None or fastest[0] < best[0]):
                    best, row["fastest"] = fastest, side
            rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def fastest_table(fastest: pl.DataFrame) -> str:
    """A row a device, a column a link."""
    rows = []
    for device in fastest["device"].unique(maintain_order=True):
        cells = []
        for r in fastest.filter(pl.col("device") == device).iter_rows(named=True):
            side = r["fastest"]
            cell = f"**{side}** `{str(r[side]).removeprefix('remote-')}` {_ms(r[f'{side}_s'])}"
            if side != "picture" and r["picture"]:
                cell += f" ({str(r['picture']).removeprefix('remote-')} {_ms(r['picture_s'])})"
            cells.append(cell)
        rows.append((device, *cells))
    return markdown_table(("device", *fastest["link"].unique(maintain_order=True)), rows)


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
