"""Evaluates the claims of expected.toml on what was measured."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from placid.reports.intervals import mean_interval

__all__ = ["Judged", "judge"]


@dataclass(frozen=True)
class Judged:
    """A claim beside what was measured.

    Attributes:
        asked: the comparison, in words.
        ratio: (mean, low, high) of left over right, seed by seed; None if the part was not run.
        verdict: "holds", "does not hold" or "cannot be told".
    """

    words: str
    topology: str
    asked: str
    ratio: tuple[float, float, float] | None
    verdict: str


def judge(seeds: pl.DataFrame, expected: Path = Path(__file__).parent / "expected.toml") -> list[Judged]:
    """Every claim on every topology of `seeds` (columns part, topology, setting, policy, seed and the quantities)."""
    found = []
    for claim in tomllib.loads(expected.read_text())["claim"]:
        for topology in seeds["topology"].unique(maintain_order=True):
            here = seeds.filter((pl.col("part") == claim["part"]) & (pl.col("topology") == topology))
            found.append(_judged(claim, topology, here))
    return found


def _judged(claim: dict[str, str | float], topology: str, seeds: pl.DataFrame) -> Judged:
    quantity = str(claim["quantity"])
    more = "at_least" in claim
    factor = float(claim["at_least" if more else "at_most"])
    asked = f"{quantity}: {claim['left']} over {claim['right']} {'≥' if more else '≤'} {factor:g}"
    sides = []
    for side in ("left", "right"):
        setting, _, policy = str(claim[side]).partition(" / ")
        sides.append(
            seeds.filter((pl.col("setting") == setting) & (pl.col("policy") == policy)).select(
                "seed", quantity
            )
        )
    both = sides[0].join(sides[1], on="seed", suffix="_right")
    if both.is_empty():
        return Judged(str(claim["words"]), topology, asked, None, "not run")
    ratio = mean_interval((both[quantity] / both[f"{quantity}_right"]).to_list())
    low, high = (ratio[1], ratio[2]) if len(both) > 1 else (ratio[0], ratio[0])
    right, wrong = (low >= factor, high < factor) if more else (high <= factor, low > factor)
    return Judged(
        str(claim["words"]),
        topology,
        asked,
        ratio,
        "holds" if right else "does not hold" if wrong else "cannot be told",
    )
