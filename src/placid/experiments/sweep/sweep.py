"""Runs a study: every cell of its grid under every seed, into one table."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from placid.experiments.pool import Tell
from placid.experiments.provenance import provenance
from placid.experiments.run import slug
from placid.experiments.scenario import Built
from placid.experiments.sweep.cells import Cell, cells_of, check_cells, seeds_of
from placid.experiments.sweep.digest import code_digest, play_digest, scenario_digest
from placid.experiments.sweep.engine import Engine
from placid.experiments.sweep.engines import engine_named
from placid.experiments.sweep.figures import YARDSTICKS, figures_of
from placid.experiments.sweep.folder import SweepFolder
from placid.experiments.sweep.study import Study, load_study
from placid.experiments.sweep.tables import rows_of, summary_of
from placid.experiments.sweep.unit import Unit
from placid.reports.tables import QUANTITIES

__all__ = ["Outset", "sweep"]


@dataclass(frozen=True)
class Outset:
    """What a sweep finds before its first cell is played.

    Attributes:
        plays: cells times seeds.
        kept: how many of them are there from before.
        steps: those of what is left.
        other_code: what is there was made by another version of the code, and is not used.
    """

    plays: int
    kept: int
    steps: int
    other_code: bool


def sweep(
    study: Study | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    engine: Engine | None = None,
    fresh: bool = False,
    begin: Callable[[Outset], None] = lambda outset: None,
    tell: Tell = lambda title, step, steps: None,
) -> Path:
    """Run `study` into the folder `out` and return the folder. Interrupted, it goes on where it stopped.

    Written are ``rows.parquet``, a row per cell, trace, policy and seed, and ``summary.csv``, means and 95 % intervals over
    seeds. Each cell's rows under each seed are kept in a file of their own, written whole, under a digest of what they hang
    on: the scenario, the seed, the files that it names, the code. What is there is not played again, so a study can be
    extended and swept again into the same folder.

    The tables are the same to the byte from any engine and any number of workers, on machines of one kind, unless a solver
    runs into its time limit. A module of a person's own that is edited while a process has it loaded stays as it was there.

    Args:
        study: as loaded, or a file.
        out: default ``runs/<name of the study>-sweep``.
        engine: default `LocalEngine` with a process per processor. A script that uses more than one must call this under
            ``if __name__ == "__main__":``, as for everything that starts processes.
        fresh: delete the sweep that is in `out` and start again.
        begin: hears what there is to do, before the first cell is played.
        tell: hears of progress: (what, steps done, steps in all).

    Raises:
        InputError: the study is wrong, or a scenario that it makes; nothing has been run.
        RunError: `out` holds something else, or a cell cannot be played.
        KeyboardInterrupt: after what was done has been saved.
    """
    if not isinstance(study, Study):
        study = load_study(study)
    seeds, cells = seeds_of(study), cells_of(study)
    folder = SweepFolder(Path(out) if out is not None else Path("runs") / f"{slug(study.name)}-sweep")
    scenarios = [scenario_digest(cell.text, cell.files) for cell in cells]
    digests = {(i, seed): play_digest(told, seed) for i, told in enumerate(scenarios) for seed in seeds}
    folder.check()
    kept = set() if fresh else {key for key, digest in digests.items() if folder.cell(digest).exists()}
    todo = [i for i in range(len(cells)) if any((i, seed) not in kept for seed in seeds)]
    built = check_cells(
        study, [cells[i] for i in todo], lambda done: tell("checking the cells", done, len(todo))
    )
    if built and not kept:
        figures_of(study.figures, _columns(built), study.document)
    units = [
        _unit(study, cells[i], seed, made, scenarios[i])
        for i, made in zip(todo, built, strict=True)
        for seed in seeds
        if (i, seed) not in kept
    ]
    # two cells may come to the same scenario
    units = list({unit.digest: unit for unit in units}.values())
    other_code = not fresh and folder.made_by() not in ("", code_digest())
    folder.open(fresh=fresh)
    folder.describe(study.text, _meta(study, cells, seeds))
    begin(Outset(len(digests), len(kept), sum(unit.step_count for unit in units), other_code))
    if units:
        (engine or engine_named("local")).play(units, folder, tell)
    played = [(cell, folder.kept(digests[i, seed])) for i, cell in enumerate(cells) for seed in seeds]
    rows = rows_of(study, played)
    folder.write_tables(rows, summary_of(study, rows))
    folder.tidy()
    return folder.path


def _columns(built: Sequence[Built]) -> list[str]:
    """The figures that the rows of these scenarios will have."""
    tiers = dict.fromkeys(tier for made in built for tier in made.network.tiers)
    return [*QUANTITIES, *(f"share_{tier}" for tier in tiers), *YARDSTICKS]


def _unit(study: Study, cell: Cell, seed: int, built: Built, scenario: str) -> Unit:
    traces = len(built.policies) if built.workload.adaptive else 1
    return Unit(
        title=f"{cell.title}; seed {seed}",
        text=cell.text,
        folder=study.base_folder,
        seed=seed,
        slots=built.slots,
        plays=len(built.policies) + traces * (1 + len(built.solvers)),
        scenario=scenario,
        digest=play_digest(scenario, seed),
        files=cell.files,
    )


def _meta(study: Study, cells: Sequence[Cell], seeds: Sequence[int]) -> dict[str, Any]:
    return (
        {"name": study.name, "code": code_digest()}
        | provenance()
        | {
            "axes": {axis.name: [level.label for level in axis.levels] for axis in study.axes},
            "cells": len(cells),
            "seeds": list(seeds),
            "figures": list(study.figures),
        }
    )
