"""Dynamic hierarchical offloading, after Seifeddine, Adjih and Achir (PEMWN 2021): every node answers or forwards by itself.

    python papers/seifeddine-2021-hierarchical/study.py             all cases simulated, 10 seeds: a minute or two
    python papers/seifeddine-2021-hierarchical/study.py --live      the main case with real processes too: 15 minutes
    python papers/seifeddine-2021-hierarchical/study.py --quick     few thresholds, short phases, two seeds: does it run?
    python papers/seifeddine-2021-hierarchical/study.py --tables    README.md and the figure anew from the tables beside it

A full study puts simulated.csv, with --live live.csv too, and figures/phases.png beside this file and rewrites the section
of README.md between its markers; a quick one writes under runs/. ``calibrate.py`` made what both start from.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import polars as pl
import polars.selectors as cs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from plots import write_figure  # noqa: E402
from setting import Case, cases, config, requests_of  # noqa: E402
from simulated import decidings, fixed_of, simulate  # noqa: E402
from tables import live_rows, live_summary, results  # noqa: E402

from placid.reports.studies import with_results  # noqa: E402


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short; README.md stays")
    parser.add_argument("--live", action="store_true", help="the main case with real processes too")
    parser.add_argument("--tables", action="store_true", help="only write README.md and the figure anew")
    parser.add_argument(
        "--out", type=Path, default=None, help="default this folder; of a quick study one under runs/"
    )
    asked = parser.parse_args(arguments)
    told = config()
    out = asked.out or (Path("runs/seifeddine-2021-hierarchical-quick") if asked.quick else HERE)
    out.mkdir(parents=True, exist_ok=True)
    played = cases(3.0 if asked.quick else None)
    if not asked.tables:
        seeds = 2 if asked.quick else told["seeds"]
        rows = pl.concat([simulate(case, seeds, asked.quick) for case in played])
        _write(rows, out / "simulated.csv")
        if asked.live:
            _write(_live(asked.quick), out / "live.csv")
    rows = pl.read_csv(out / "simulated.csv", schema_overrides={"thresholds": pl.String})
    live = live_rows(out / "live.csv") if (out / "live.csv").is_file() else None
    write_figure(rows, live, played[0], told["phases"]["names"], out / "figures" / "phases.png")
    print(results(out))
    if not (asked.quick or asked.out):
        readme = HERE / "README.md"
        readme.write_text(with_results(readme.read_text(), results(HERE)))


def _live(quick: bool) -> pl.DataFrame:
    from live import play_live

    told = config()["live"]
    phase_s = 1.0 if quick else told["phase_s"]
    case: Case = cases(phase_s)[0]
    drawn = [requests_of(case, seed, case.right.shape[1]) for seed in range(3)]
    known = decidings(case) | fixed_of(case, drawn, quick)
    names = told["policies"][:2] if quick else told["policies"]
    frame = play_live(case, {name: known[name] for name in names}, 1 if quick else told["repeats"])
    by = {name: "; ".join(f"{t:.3g}" for t in known[name].thresholds) for name in names}
    found = live_summary(frame, case.value_s, phase_s)
    return found.with_columns(pl.col("policy").replace_strict(by).alias("thresholds"))


def _write(rows: pl.DataFrame, file: Path) -> None:
    rows.with_columns(cs.float().round_sig_figs(6)).write_csv(file)


if __name__ == "__main__":
    main()
