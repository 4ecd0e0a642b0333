"""Where a network can be cut, as a table and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from placid.reports.terminal import PrintableTable, table

if TYPE_CHECKING:
    from placid.splitting.cutting import Cut

__all__ = ["cuts_csv", "cuts_table"]


def cuts_table(cuts: Sequence[Cut], title: str) -> PrintableTable:
    """One line a cut: what crosses, what of the network's work lies before it, what each side keeps in memory."""
    shown = table(title, "of one input, in 32 bits; peak: most bytes of tensors alive at once")
    shown.add_column("cut after", no_wrap=True)
    for name in (
        "tensors",
        "crossing\nbytes",
        "operations\nbefore",
        "head\nkB",
        "head peak\nkB",
        "tail\nkB",
        "tail peak\nkB",
    ):
        shown.add_column(name, justify="right", no_wrap=True)
    for cut in cuts:
        whole = max(1, cut.head.multiply_adds + cut.tail.multiply_adds)
        shown.add_row(
            cut.name,
            str(len(cut.crossing)),
            f"{cut.size_bytes:,}",
            f"{100 * cut.head.multiply_adds / whole:.1f} %",
            *(
                f"{b / 1000:,.1f}"
                for b in (
                    cut.head.parameter_bytes,
                    cut.head.peak_bytes,
                    cut.tail.parameter_bytes,
                    cut.tail.peak_bytes,
                )
            ),
        )
    return shown


def cuts_csv(cuts: Sequence[Cut]) -> str:
    """Every figure of every cut, for a spreadsheet or pandas."""
    sides = ("multiply_adds", "parameter_bytes", "moved_bytes", "peak_bytes")
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(
        [
            "cut",
            "position",
            "tensors",
            "size_bytes",
            "shapes",
            *(f"{s}_{f}" for s in ("head", "tail") for f in sides),
        ]
    )
    for cut in cuts:
        shapes = " ".join("x".join(map(str, c.shape)) for c in cut.crossing)
        write.writerow(
            [cut.name, cut.position, len(cut.crossing), cut.size_bytes, shapes]
            + [getattr(side, f) for side in (cut.head, cut.tail) for f in sides]
        )
    return out.getvalue()
