"""What splitting is worth where models are placed: ours, beside partition per request without placement.

    python papers/split-placement/study.py             the study: 20 minutes on two cores
    python papers/split-placement/study.py --quick     two cases, two sets of techniques, few slots: does it run?
    python papers/split-placement/study.py --tables    only write README.md and figures anew from rows.csv beside it

The sweep goes into runs/split-placement (a quick one into runs/split-placement-quick) and resumes there. A full study puts
rows.csv and the figures beside this file and rewrites the section of README.md between its markers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from cases import GROUPS, RIVAL  # noqa: E402
from partition import partitioned  # noqa: E402
from plots import write_plots  # noqa: E402
from tables import results  # noqa: E402

from placid.experiments.sweep.cells import cells_of, seeds_of  # noqa: E402
from placid.experiments.sweep.engines import engine_named  # noqa: E402
from placid.experiments.sweep.study import Study, load_study  # noqa: E402
from placid.experiments.sweep.sweep import sweep  # noqa: E402
from placid.reports.studies import with_results  # noqa: E402


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few cells and slots; README.md stays")
    parser.add_argument(
        "--tables", action="store_true", help="only write README.md and figures anew from rows.csv"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 for one a processor")
    parser.add_argument("--out", type=Path, default=None, help="where the sweep goes")
    asked = parser.parse_args(arguments)
    if asked.tables:
        rows = pl.read_csv(HERE / "rows.csv")
    else:
        out = asked.out or Path("runs") / f"split-placement{'-quick' if asked.quick else ''}"
        study = load_study(_quick(out) if asked.quick else HERE / "study.yaml")
        played = sweep(study, out, engine=engine_named("local", workers=asked.workers or None))
        rows = pl.concat([_swept(played), _rival(study)], how="diagonal")
    if asked.quick:
        print(results(rows))
        return
    rows.with_columns(cs.float().round_sig_figs(6)).write_csv(HERE / "rows.csv")
    write_plots(rows, HERE / "figures")
    readme = HERE / "README.md"
    readme.write_text(with_results(readme.read_text(), results(rows)))


def _quick(out: Path) -> Path:
    """The study with little of everything, as a file beside `out`."""
    study = yaml.safe_load((HERE / "study.yaml").read_text())
    base = yaml.safe_load((HERE / "base.yaml").read_text())
    study["base"] = base | {"slots": 3}
    study["seeds"] = 2
    cases, techniques = study["axes"]
    cases["patches"] = {name: cases["patches"][name] for name in ("polska", "wifi")}
    techniques["values"] = {name: techniques["values"][name] for name in ("unsplit", "quantised")}
    out.parent.mkdir(parents=True, exist_ok=True)
    file = out.parent / f"{out.name}.yaml"
    file.write_text(yaml.safe_dump(study, sort_keys=False))
    return file


def _swept(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "rows.parquet").drop("trace", "kind")


def _rival(study: Study) -> pl.DataFrame:
    """Partition without placement, in every case whose devices and links it can tell apart."""
    told = {case for group in ("topologies", "links") for case in GROUPS[group]}
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for cell in cells_of(study):
        case = str(cell.levels[0].label)
        if case in seen or case not in told:
            continue
        seen.add(case)
        scenario = yaml.safe_load(cell.text)
        rows += [
            {"case": case, "techniques": RIVAL, "policy": RIVAL, "seed": seed, **partitioned(scenario, seed)}
            for seed in seeds_of(study)
        ]
    return pl.DataFrame(rows)


if __name__ == "__main__":
    main()
