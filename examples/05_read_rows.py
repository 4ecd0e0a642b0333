"""Read the rows of a run with polars, and plot them with altair.

    python examples/05_read_rows.py [runs/example-1]

Prints gain per request and bytes loaded per slot of every policy; writes gain.svg, each policy's running mean.
"""

from __future__ import annotations

import sys
from pathlib import Path

import altair as alt
import polars as pl


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/example-1")
    rows = pl.read_parquet(folder / "rows.parquet")

    by_seed = rows.group_by("policy", "seed").agg(
        gain_per_request=pl.col("gain").sum() / pl.col("requests").sum(),
        megabytes_loaded=pl.col("bytes_loaded").mean() / 1e6,
        at_the_cloud=pl.col("repository_served").sum() / pl.col("served").sum(),
    )
    table = by_seed.group_by("policy").agg(pl.exclude("seed").mean(), seeds=pl.len())
    with pl.Config(tbl_rows=-1, float_precision=4):
        print(table.sort("gain_per_request", descending=True))

    running = rows.sort("slot").with_columns(
        so_far=pl.col("gain").cum_sum().over("policy", "seed")
        / pl.col("requests").cum_sum().over("policy", "seed")
    )
    over_seeds = running.group_by("policy", "slot").agg(
        mean=pl.col("so_far").mean(), low=pl.col("so_far").min(), high=pl.col("so_far").max()
    )
    base = alt.Chart(over_seeds.sort("policy", "slot")).encode(
        x=alt.X("slot:Q", title="slot"), color="policy:N"
    )
    band = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title="gain per request so far"), y2="high:Q")
    (band + base.mark_line().encode(y="mean:Q")).properties(width=640, height=320).save("gain.svg")
    print("Wrote gain.svg: line, mean over seeds; band, least to largest.")


if __name__ == "__main__":
    main()
