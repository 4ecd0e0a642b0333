"""A cell under one seed: the unit of work of a sweep, the unit of its files, and what is sent to a cluster.

Everything that its rows hang on is in it, so that any process on any machine makes the same ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import polars as pl

from placid.errors import PlacidError, RunError
from placid.experiments.assemble import write_tables
from placid.experiments.folder import RunFolder
from placid.experiments.pool import share_out
from placid.experiments.run import plan_of
from placid.experiments.scenario import Scenario, build
from placid.experiments.scenario.schema import read_content
from placid.experiments.work import LookBack, Plan, Play, Task
from placid.reports.run_data import read_run
from placid.reports.tables import per_seed
from placid.yaml_lines import parse

__all__ = ["Unit", "scenario_of"]


@dataclass(frozen=True)
class Unit:
    """One scenario of the grid under one seed.

    Attributes:
        title: for people: the cell and the seed.
        text: of the scenario.
        folder: where the scenario's files are looked for.
        slots, plays: how much there is to do: slots, and policies and hindsight together.
        scenario: digest of the scenario and the files that it names.
        digest: of what its rows hang on.
        files: name -> file, of what the scenario names.
    """

    title: str
    text: str = field(repr=False)
    folder: Path
    seed: int
    slots: int
    plays: int
    scenario: str
    digest: str
    files: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)

    @property
    def step_count(self) -> int:
        """How many steps `rows` reports in all."""
        return self.slots * self.plays

    def rows(self, scratch: Path, tell: Callable[[int], None] = lambda step: None) -> pl.DataFrame:
        """Play every policy and look back; a row per trace and policy, as `placid.reports.tables.per_seed`.

        Args:
            scratch: a folder of this unit's own. What an interrupted play left there is gone on from; deleted when done.
            tell: hears of the steps done; an exception that it raises ends the play, after a save.

        Raises:
            RunError: something in it cannot be played; the message names the cell.
        """
        try:
            with_seed = replace(
                _plan(self.text, self.folder, self.scenario), folder=RunFolder(scratch), seeds=(self.seed,)
            )
            table = _played(with_seed, tell)
        except PlacidError as error:
            raise RunError(f"the cell {self.title}: {error}") from error
        except Exception as error:
            error.add_note(f"in the cell {self.title}")
            raise
        shutil.rmtree(scratch, ignore_errors=True)
        return table


def _played(plan: Plan, tell: Callable[[int], None]) -> pl.DataFrame:
    plays: list[Task] = [Play(label, seed) for seed in plan.seeds for label, _ in plan.policies]
    looks: list[Task] = [LookBack(trace, seed) for trace in plan.traces for seed in plan.seeds]
    # what could have been is known only once an adversary has played
    tasks = plays + looks
    before = 0
    for task in tasks:
        share_out(plan, [task], 1, lambda title, step, steps, before=before: tell(before + step))  # type: ignore[misc]
        before += task.steps(plan)
    tell(before)
    write_tables(plan)
    tiers = list(plan.timeline[0][1].tiers)
    plan.folder.write_json("meta.json", {"policies": [label for label, _ in plan.policies], "tiers": tiers})
    return per_seed(read_run(plan.folder.path))


# the seeds of a cell come one after the other, and what takes long to compile is the same for all of them;
# the digest is in the key because a file that the text names may have changed
@lru_cache(maxsize=1)
def _plan(text: str, folder: Path, digest: str) -> Plan:
    return plan_of(build(scenario_of(text, folder)), RunFolder(folder))


def scenario_of(text: str, folder: Path) -> Scenario:
    """The scenario `text`, its files looked for in `folder`."""
    document = parse(text, "cell")
    return Scenario(text, folder / "cell.yaml", document, read_content(document, "cell", folder))
