"""Who won, by how much, and how far from what could have been: said in words that the numbers decide."""

from __future__ import annotations

import os
from dataclasses import dataclass

import polars as pl

from placid.reports.intervals import mean_interval
from placid.reports.run_data import RunData, read_run
from placid.reports.tables import per_seed
from placid.reports.wording import count, percent, with_interval

__all__ = ["Lead", "lead", "verdict"]


@dataclass(frozen=True)
class Lead:
    """The best policy that knew no future, beside the next one.

    Attributes:
        measure: what they are ranked by: ``"gain"``, or ``"share_of_bound"`` where each met requests of its own.
        second: None if there is only one policy.
        ahead: (mean, low, high) of the difference of the two, seed by seed; the ends are NaN with a single seed.
    """

    measure: str
    first: str
    second: str | None
    ahead: tuple[float, float, float]

    @property
    def certain(self) -> bool:
        """True if the interval of the difference lies above 0."""
        return self.ahead[1] > 0


def lead(seeds: pl.DataFrame, measure: str) -> Lead | None:
    """Rank the policies of `per_seed` that are not hindsight by the mean of `measure`; None if none has it."""
    played = seeds.filter(pl.col("kind") != "hindsight", pl.col(measure).is_not_null())
    if played.is_empty():
        return None
    means = played.group_by("policy", maintain_order=True).agg(pl.col(measure).mean())
    ranked = means.sort(measure, descending=True, maintain_order=True)["policy"].to_list()
    if len(ranked) == 1:
        return Lead(measure, ranked[0], None, (float("nan"),) * 3)
    first, second = (played.filter(pl.col("policy") == p).select("seed", measure) for p in ranked[:2])
    both = first.join(second, on="seed", suffix="_second")
    return Lead(
        measure, ranked[0], ranked[1], mean_interval((both[measure] - both[f"{measure}_second"]).to_list())
    )


def verdict(run_dir: str | os.PathLike[str] | RunData, seeds: pl.DataFrame | None = None) -> str:
    """One or two sentences. Says so where the seeds cannot tell the first two apart.

    Args:
        seeds: `per_seed` of the run, if it is at hand.
    """
    run = read_run(run_dir)
    seeds = per_seed(run) if seeds is None else seeds
    found = lead(seeds, "share_of_bound" if run.adaptive else "gain")
    if found is None:
        return "Requests were made against each policy anew, and no bound was computed: the policies cannot be compared."
    n = len(run.seeds)
    interval = f"95 % interval over {count(n, 'seed')}" if n > 1 else "one seed, so no interval"
    won = seeds.filter(pl.col("policy") == found.first)
    if run.adaptive:
        share = _stated(won["share_of_bound"], 0.01)
        said = f"Against requests made to hurt it, {found.first} keeps most of its LP bound: {share} % ({interval})"
    else:
        unit, per_unit = run.gain_unit
        said = f"{found.first} saves the most: {_stated(won['gain'], 1 / per_unit)} {unit} per request ({interval})"
    said += _margin(run, found, won)
    return said + "." + _distance(run, won)


def _margin(run: RunData, found: Lead, won: pl.DataFrame) -> str:
    """How far ahead of the next."""
    if found.second is None:
        return "; it is the only policy"
    mean, low, high = found.ahead
    if run.adaptive:
        by = f"{100 * mean:.2g} points"
        between = f"{100 * low:.2g} to {100 * high:.2g} points"
    else:
        base = float(won["gain"].mean()) - mean  # type: ignore[arg-type]
        if base <= 0:
            return f", ahead of {found.second}, which saves nothing"
        by = percent(mean / base, 2)
        between = f"{percent(low / base, 2)} to {percent(high / base, 2)}"
    if len(run.seeds) < 2:
        return f", {by} ahead of {found.second}"
    if not found.certain:
        return f", but {found.second} is so close that {count(len(run.seeds), 'seed')} cannot tell them apart"
    return f", {by} ahead of {found.second} ({between})"


def _distance(run: RunData, won: pl.DataFrame) -> str:
    """How far from the LP bound and from the best static placement."""
    said = []
    if not run.adaptive and won["share_of_bound"].null_count() == 0:
        said.append(
            f"{percent(_mean(won, 'share_of_bound'))} of the LP bound that no static placement can exceed"
        )
    if won["regret"].null_count() == 0:
        relative = _mean(won, "regret") / max(abs(_mean(won, "best_static")), 1e-300)
        side = "below" if relative >= 0 else "above"
        said.append(f"{percent(abs(relative), 2)} {side} the best static placement found in hindsight")
    return f" That is {' and '.join(said)}." if said else ""


def _mean(frame: pl.DataFrame, column: str) -> float:
    return float(frame[column].mean())  # type: ignore[arg-type]


def _stated(values: pl.Series, scale: float) -> str:
    mean, low, high = mean_interval(values.to_list())
    return with_interval(mean, low, high, scale)
