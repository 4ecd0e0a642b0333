"""A folder of ``placid pareto``, read back: what its page is made from."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placid.errors import RunError
from placid.objectives.front import Front
from placid.objectives.front_file import read_front
from placid.objectives.simplex import grid_of
from placid.reports.holdings import FRAMES
from placid.reports.run_data import RunData

__all__ = ["FrontData", "read_front_folder", "spread"]


@dataclass(frozen=True)
class FrontData:
    """What the folder holds.

    Attributes:
        table: a row for each point of `front`, as in ``front.csv``.
        shown: indices of the points that the page shows, by rising first objective.
        events: what differs from one shown point to the next, in the columns of a run's ``placements.parquet``.
        bound, exact: as in ``bound.csv`` and ``exact.csv``; None without.
        enclosed: as in ``exact.json``, of an exact front of three objectives; None without.
        choice: as in ``choice.json``; None without limits and order.
        scenario: the text of ``scenario.yaml``.
    """

    path: Path
    meta: dict[str, Any]
    network: dict[str, Any]
    front: Front
    table: pl.DataFrame
    shown: np.ndarray
    events: pl.DataFrame
    bound: pl.DataFrame | None
    exact: pl.DataFrame | None
    scenario: str
    enclosed: dict[str, Any] | None = None
    choice: dict[str, Any] | None = None

    @property
    def objectives(self) -> tuple[str, ...]:
        return self.front.objectives

    def as_run(self) -> RunData:
        """The shown points as if they were the slots of a run: what the map is drawn from."""
        count = len(self.shown)
        rows = pl.DataFrame(
            {
                "trace": [""] * count,
                "policy": ["front"] * count,
                "kind": ["static"] * count,
                "seed": [0] * count,
                "slot": list(range(count)),
            }
        )
        empty = pl.DataFrame()
        return RunData(self.path, self.meta, self.network, rows, self.events, empty, self.scenario)


def read_front_folder(folder: str | os.PathLike[str]) -> FrontData:
    """Read it.

    Raises:
        RunError: there is no front in it.
    """
    path = Path(folder)
    if not (path / "front.npz").exists():
        raise RunError(
            f"{path} holds no front: there is no front.npz; 'placid pareto SCENARIO' makes one, and goes on "
            "where it was interrupted"
        )
    front = read_front(path / "front.npz")
    shown = spread(front.axes, FRAMES)
    bound, exact = path / "bound.csv", path / "exact.csv"
    return FrontData(
        path=path,
        meta=json.loads((path / "meta.json").read_text(encoding="utf-8")),
        network=json.loads((path / "network.json").read_text(encoding="utf-8")),
        front=front,
        table=pl.read_csv(path / "front.csv"),
        shown=shown,
        events=_events(path / "front.npz", front, shown),
        bound=pl.read_csv(bound) if bound.exists() else None,
        exact=pl.read_csv(exact) if exact.exists() else None,
        scenario=(path / "scenario.yaml").read_text(encoding="utf-8"),
        enclosed=_json(path / "exact.json"),
        choice=_json(path / "choice.json"),
    )


def _json(file: Path) -> dict[str, Any] | None:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def spread(axes: np.ndarray, most: int) -> np.ndarray:
    """Indices of at most `most` points of `axes` ([P, k]) that show all of them, by rising first axis.

    First those that preferences lead to, then again and again the one farthest from all chosen.
    """
    if len(axes) <= most:
        return np.lexsort(axes.T[::-1])
    low, high = axes.min(axis=0), axes.max(axis=0)
    at = (axes - low) / np.where(high > low, high - low, 1.0)
    chosen: list[int] = []
    for share in grid_of(axes.shape[1], 400):
        best = int(np.argmin(at @ np.maximum(share, 1e-3)))
        if best not in chosen and len(chosen) < most:
            chosen.append(best)
    far = np.full(len(at), np.inf)
    for i in chosen:
        far = np.minimum(far, np.linalg.norm(at - at[i], axis=1))
    while len(chosen) < most:
        chosen.append(int(np.argmax(far)))
        far = np.minimum(far, np.linalg.norm(at - at[chosen[-1]], axis=1))
    picked = np.array(chosen)
    return picked[np.lexsort(axes[picked].T[::-1])]


def _events(file: Path, front: Front, shown: np.ndarray) -> pl.DataFrame:
    placed = np.unpackbits(front.packed[shown], axis=1, count=front.items).astype(bool)
    before = np.vstack((np.zeros((1, front.items), bool), placed[:-1]))
    slot, item = np.nonzero(placed != before)
    with np.load(file) as names:
        node, model = names["item_node"][item], names["item_model"][item]
        return pl.DataFrame(
            {
                "policy": ["front"] * len(slot),
                "slot": slot,
                "node": names["node_names"][node],
                "model": names["model_names"][model],
                "variant": names["model_variants"][model],
                "task": names["model_tasks"][model],
                "size_bytes": names["model_size_bytes"][model],
                "loaded": placed[slot, item],
            },
            schema_overrides={"node": pl.String, "model": pl.String, "variant": pl.String, "task": pl.String},
        )
