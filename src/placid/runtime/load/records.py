"""What became of every request that was sent: a row each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from placid.inference.intervals import over_images
from placid.runtime.load.schedule import Schedule

if TYPE_CHECKING:
    from placid.runtime.load.play import Answered

__all__ = ["Records", "summary", "write_rows"]

_OK = 200


class Records:
    """Filled while requests are played; times count from the start of the schedule.

    Attributes:
        status: int16 [n]; 200 for an answer, the error's else, 0 where nothing was sent, -1 where nothing is known yet.
    """

    def __init__(self, schedule: Schedule, begun_s: float = 0.0) -> None:
        count = len(schedule)
        self.schedule = schedule
        self.begun_s = begun_s
        self.sent_s = np.full(count, np.nan)
        self.done_s = np.full(count, np.nan)
        self.status = np.full(count, -1, np.int16)
        self.label = np.full(count, -1, np.int32)
        self.exit = np.full(count, -1, np.int16)
        self.sureness = np.full(count, np.nan)
        self.network_s = np.full(count, np.nan)
        self.node: list[str] = [""] * count
        self.variant: list[str] = [""] * count
        self.reason: list[str] = [""] * count
        self.done = 0

    def answered(self, i: int, what: Answered, at_s: float) -> None:
        """Request i got its answer at `at_s`."""
        self.done_s[i], self.status[i] = at_s, _OK
        self.label[i], self.exit[i], self.sureness[i] = what.label, what.exit, what.sureness
        self.node[i], self.variant[i], self.network_s[i] = what.node, what.variant, what.network_s
        self.done += 1

    def refused(self, i: int, status: int, reason: str, at_s: float) -> None:
        """Request i was refused, or not sent (status 0)."""
        self.done_s[i], self.status[i], self.reason[i] = at_s, status, reason
        self.done += 1

    def to_frame(
        self, ingress: Sequence[str], task: Sequence[str], labels: np.ndarray | None = None
    ) -> pl.DataFrame:
        """A row each, in the order of sending.

        Args:
            ingress, task: of every request type.
            labels: int [pictures]; what would have been right.
        """
        kind, ok = self.schedule.type, self.status == _OK
        right = None if labels is None else pl.Series(self.label == labels[self.schedule.picture])
        return pl.DataFrame(
            {
                "due_s": self.schedule.time_s,
                "sent_s": self.sent_s,
                "done_s": self.done_s,
                "slot": self.schedule.slot,
                "ingress": pl.Series([ingress[r] for r in kind], dtype=pl.String),
                "task": pl.Series([task[r] for r in kind], dtype=pl.String),
                "picture": self.schedule.picture,
                "status": self.status,
                "reason": pl.Series(self.reason, dtype=pl.String),
                "answered_by": pl.Series(self.node, dtype=pl.String),
                "variant": pl.Series(self.variant, dtype=pl.String),
                "exit": self.exit,
                "label": self.label,
                "right": pl.Series([None] * len(kind), dtype=pl.Boolean) if right is None else right,
                "estimated_quality": self.sureness,
                "latency_s": self.done_s - self.schedule.time_s,
                "latency_since_sent_s": self.done_s - self.sent_s,
                "network_s": self.network_s,
            }
        ).with_columns(pl.when(pl.Series(ok)).then(pl.col("right")).alias("right"))


def write_rows(frame: pl.DataFrame, file: Path) -> None:
    """As Parquet, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".tmp")
    frame.write_parquet(scratch)
    os.replace(scratch, file)


def summary(frame: pl.DataFrame, tiers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the rows come to.

    Keys: ``requests`` that have an end, ``answered``, ``refused`` by status (0: not sent), ``reasons`` of refusals with
    their counts, ``unfinished`` (no end is known: the play was stopped), ``rate_per_s`` offered, ``answered_per_s``,
    ``sent_late_s``; of the answers ``latency_s`` (from when they were due), ``latency_since_sent_s``, ``accuracy`` (share,
    and the ends of Wilson's 95 % interval), ``estimated_quality``; ``by_task`` the same of each task.

    Args:
        tiers: of every node; with it, ``tiers`` has the share of answers by tier, ``by_tier`` latency and accuracy of each.
    """
    known = frame.filter(pl.col("status") >= 0)
    answers = known.filter(pl.col("status") == _OK)
    refused = known.filter(pl.col("status") != _OK)
    found = _counts(known) | {
        "unfinished": frame.height - known.height,
        "reasons": dict(
            refused["reason"].value_counts().sort(["count", "reason"], descending=[True, False]).iter_rows()
        ),
    }
    late = (known["sent_s"] - known["due_s"]).drop_nans()
    if len(late):
        found["sent_late_s"] = {"p50": late.median(), "p99": late.quantile(0.99, "linear"), "max": late.max()}
    if known.height:
        found["rate_per_s"] = _rate(known.height, known["due_s"])
        found["answered_per_s"] = _rate(answers.height, answers["done_s"])
    found |= _quality(answers)
    found["by_task"] = {
        str(task): _counts(mine) | _quality(mine.filter(pl.col("status") == _OK))
        for (task,), mine in sorted(known.group_by("task"))
    }
    if tiers is not None:
        by_tier = answers.with_columns(pl.col("answered_by").replace_strict(tiers, default="?").alias("tier"))
        groups = sorted(by_tier.group_by("tier"))
        found["tiers"] = {str(tier): mine.height / answers.height for (tier,), mine in groups}
        found["by_tier"] = {str(tier): {"answered": mine.height} | _quality(mine) for (tier,), mine in groups}
    return found


def _counts(known: pl.DataFrame) -> dict[str, Any]:
    refused = known.filter(pl.col("status") != _OK)["status"].value_counts().sort("status")
    return {
        "requests": known.height,
        "answered": known.height - int(refused["count"].sum()),
        "refused": {str(status): count for status, count in refused.iter_rows()},
    }


def _quality(answers: pl.DataFrame) -> dict[str, Any]:
    """Latency and accuracy; nothing if there is no answer."""
    found: dict[str, Any] = {}
    if not answers.height:
        return found
    for name in ("latency_s", "latency_since_sent_s"):
        latency = answers[name]
        found[name] = {"mean": latency.mean()} | {
            f"p{q}": latency.quantile(q / 100, "linear") for q in (50, 90, 95, 99)
        }
    judged = answers["right"].drop_nulls()
    if len(judged):
        share = over_images(int(judged.sum()) / len(judged), len(judged))
        found["accuracy"] = {"share": share.value, "low": share.low, "high": share.high}
    told = answers["estimated_quality"].drop_nans()
    if len(told):
        found["estimated_quality"] = told.mean()
    return found


def _rate(count: int, until_s: pl.Series) -> float:
    """A second, from the start until the last of `until_s`."""
    last_s = until_s.max()
    return count / last_s if isinstance(last_s, float) and last_s > 0 else float("nan")
