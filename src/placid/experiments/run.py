"""Runs a scenario: every policy under every seed, what hindsight says, the tables, the page."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from placid.experiments.assemble import write_tables
from placid.experiments.folder import RunFolder, fingerprint
from placid.experiments.network_file import network_as_json
from placid.experiments.pool import Doable, Tell, share_out
from placid.experiments.provenance import provenance
from placid.experiments.scenario import Built, Scenario, build, load_scenario
from placid.experiments.work import LookBack, Plan, Play

__all__ = ["plan_of", "run", "slug"]


def run(
    scenario: Scenario | str | os.PathLike[str] | dict[str, Any],
    out: str | os.PathLike[str] | None = None,
    *,
    fresh: bool = False,
    policies: Sequence[str] = (),
    processes: int = 1,
    report: bool = True,
    tell: Tell = lambda title, step, steps: None,
) -> Path:
    """Run `scenario` into the folder `out` and return the folder. An interrupted run goes on where it stopped.

    Args:
        scenario: as loaded, or a file, or the content of one as a dictionary.
        out: default ``runs/<name of the scenario>``.
        fresh: delete the run that is in `out` and start again.
        policies: further policies, by name or ``module:Class``, played beside those of the scenario.
        processes: seeds and policies are shared out over as many processes. With more than 1, a script must call this
            under ``if __name__ == "__main__":``, as for everything that starts processes.
        report: write ``report.html`` too.
        tell: hears of progress: (what, steps done, steps in all).

    Raises:
        InputError: the scenario is wrong.
        RunError: `out` holds another run.
        KeyboardInterrupt: after what was done has been saved.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    built = build(scenario, extra_policies=tuple(policies))
    folder = RunFolder(Path(out) if out is not None else Path("runs") / slug(scenario.name))
    folder.open(scenario.text, fresh=fresh)
    plan = plan_of(built, folder)
    _describe(scenario, built, folder)
    folder.write_json("network.json", network_as_json(built.network))
    _play(plan, processes, tell)
    write_tables(plan)
    if report:
        from placid.reports import write_report

        tell("report", 0, 1)
        write_report(folder.path)
        tell("report", 1, 1)
    return folder.path


def plan_of(built: Built, folder: RunFolder) -> Plan:
    """Compile the problem of every stretch of the run."""
    return Plan(
        folder=folder,
        timeline=built.problems(),
        workload=built.workload,
        policies=built.policies,
        solvers=built.solvers,
        slots=built.slots,
        seeds=built.seeds,
        windows=built.windows,
        lp_time_limit_s=built.lp_time_limit_s,
        variation=built.variation,
    )


def _play(plan: Plan, processes: int, tell: Tell) -> None:
    plays: list[Doable] = [Play(label, seed) for seed in plan.seeds for label, _ in plan.policies]
    if plan.workload.adaptive:
        # what could have been is known only once the adversary has played
        share_out(plan, plays, processes, tell, after=_look_back_at)
    else:
        # the long ones first, so that no process is left with one at the end
        share_out(plan, [LookBack("", seed) for seed in plan.seeds] + plays, processes, tell)


def _look_back_at(task: Doable) -> list[Doable]:
    return [LookBack(task.label, task.seed)] if isinstance(task, Play) else []


def _describe(scenario: Scenario, built: Built, folder: RunFolder) -> None:
    """Write what the run is and where its numbers come from."""
    folder.write_json(
        "meta.json",
        {
            "name": scenario.name,
            "description": scenario.description,
            "fingerprint": fingerprint(scenario.text),
        }
        | provenance()
        | {
            "seeds": list(built.seeds),
            "slots": built.slots,
            "slot_s": built.slot_s,
            "tiers": list(built.network.tiers),
            "objective": built.objective,
            "policies": [label for label, _ in built.policies],
            "settings": {label: str(policy) for label, policy in built.policies},
            "adaptive": built.workload.adaptive,
            "changes": [{"slot": slot, "what": what} for slot, what in built.changes()],
            "declared": list(built.declared),
            "sources": list(built.sources),
        },
    )


def slug(name: str) -> str:
    """`name` as the name of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "run"
