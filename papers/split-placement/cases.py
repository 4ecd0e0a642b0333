"""The cases of the study in groups, its sets of techniques, and what a request costs."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import yaml

__all__ = ["GROUPS", "ONLINE", "RIVAL", "TECHNIQUES", "UNSPLIT", "with_cost"]

_HERE = Path(__file__).parent
_CASES, _TECHNIQUES = yaml.safe_load((_HERE / "study.yaml").read_text())["axes"]

#: what differs -> cases; the base stands in two groups
GROUPS: dict[str, tuple[str, ...]] = {
    "topologies": ("nobel-germany", "abilene", "polska", "nobel-us", "geant", "nobel-eu"),
    "links": ("lora-sf7", "zigbee", "ble", "lte", "wifi", "ethernet-1000"),
    "memory": ("a quarter", "half", "nobel-germany", "twice", "eight times"),
    "tiers": ("nobel-germany", "device and cloud", "edge and cloud", "cloud far away"),
}
TECHNIQUES: tuple[str, ...] = tuple(_TECHNIQUES["values"])
UNSPLIT = TECHNIQUES[0]
#: what partition without placement is called, as techniques and as policy
RIVAL = "partition"
#: whose figures are told: the policy that learns, not the placement of hindsight
ONLINE = "portfolio"

if set(_CASES["patches"]) != {case for group in GROUPS.values() for case in group}:
    raise RuntimeError("study.yaml has other cases than cases.py groups")


def with_cost(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with what a request costs, in seconds: the objective of base.yaml."""
    weights = yaml.safe_load((_HERE / "base.yaml").read_text())["objective"]
    cost = (
        weights["latency"] * pl.col("latency_s")
        + weights["error"] * pl.col("error")
        + weights["energy"] * pl.col("energy_j")
    )
    return rows.with_columns(cost.alias("cost_s"))
