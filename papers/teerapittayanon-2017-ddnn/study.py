"""Teerapittayanon et al. (ICDCS 2017), distributed deep neural networks, redone on placid's re-implementation.

    placid data fetch mnist
    python papers/teerapittayanon-2017-ddnn/study.py             the study: 3 seeds, resumes if interrupted
    python papers/teerapittayanon-2017-ddnn/study.py --quick     one epoch of 3,000 images: does it run?

Trainings and what they gave lie under runs/teerapittayanon-2017-ddnn. A full study also puts results.csv beside this file
and rewrites the section of README.md between its markers; `--tables` does the latter from results.csv alone.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from pathlib import Path
from time import perf_counter, process_time

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from measured import COLUMNS, measure  # noqa: E402
from settings import PARTS, quickly, trainings  # noqa: E402
from tables import Row, read_rows, results  # noqa: E402

from placid.reports.studies import with_results  # noqa: E402

SEEDS = 3


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one short training a part; README.md stays")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; repeatable")
    parser.add_argument("--tables", action="store_true", help="only write README.md anew from results.csv")
    parser.add_argument(
        "--out", type=Path, default=None, help="default runs/teerapittayanon-2017-ddnn, or -quick"
    )
    asked = parser.parse_args(arguments)
    readme, table = HERE / "README.md", HERE / "results.csv"
    if asked.tables:
        readme.write_text(with_results(readme.read_text(), results(read_rows(table))))
        return
    out = asked.out or Path("runs/teerapittayanon-2017-ddnn" + ("-quick" if asked.quick else ""))
    rows = study(out, seeds=asked.seeds, quick=asked.quick, only=asked.only or PARTS)
    write_rows(rows, out / "results.csv")
    whole = not asked.quick and not asked.only and asked.seeds >= SEEDS
    if not asked.quick and "main" in (asked.only or PARTS):
        print(results(read_rows(out / "results.csv")))
    if whole:
        write_rows(rows, table)
        readme.write_text(with_results(readme.read_text(), results(read_rows(table))))


def study(out: Path, *, seeds: int, quick: bool, only: list[str] | tuple[str, ...]) -> list[Row]:
    """All rows of the parts asked for; what is done already is read."""
    import torch

    from placid.splitting.data import Images, LabelledImages, load_dataset

    # more threads gain little on networks this small, and one makes results the same everywhere
    torch.set_num_threads(1)
    data = load_dataset("mnist")
    chosen = [t for t in trainings(seeds) if t.part in only]
    if quick:
        chosen = quickly(chosen)
        few = [Images(d.images[:3000], d.labels[:3000]) for d in (data.train, data.calibration, data.test)]
        data = LabelledImages(data.dataset, *few)
    rows: list[Row] = []
    begun = perf_counter()
    for i, training in enumerate(chosen):
        rows += measure(training, data, out, lambda line: print(line, flush=True))
        took = perf_counter() - begun
        print(
            f"{i + 1}/{len(chosen)} {training.part}, {training.name}: {took / 60:.1f} min ({process_time() / 60:.1f} of the "
            f"processor), about {took / (i + 1) * (len(chosen) - i - 1) / 60:.0f} min left",
            flush=True,
        )
    return rows


def write_rows(rows: list[Row], path: Path) -> None:
    """As comma separated values, whole or not at all."""
    scratch = path.with_suffix(".tmp")
    with scratch.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(scratch, path)


if __name__ == "__main__":
    main()
