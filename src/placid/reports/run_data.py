"""A run folder, read back: what every table and plot is made from."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from placid.errors import RunError

__all__ = ["RunData", "read_run"]

_PLACEMENTS = {
    "policy": pl.String,
    "slot": pl.Int64,
    "node": pl.String,
    "model": pl.String,
    "variant": pl.String,
    "task": pl.String,
    "loaded": pl.Boolean,
}
_BOUNDS = {
    "trace": pl.String,
    "seed": pl.Int64,
    "method": pl.String,
    "value": pl.Float64,
    "bound": pl.Float64,
}


@dataclass(frozen=True)
class RunData:
    """The content of a run folder.

    Attributes:
        rows: one row per (trace, policy, seed, slot); what is not known is null, never NaN.
        placements: what came and went under the first seed; may be empty.
        bounds: what hindsight found per (trace, seed); may be empty.
        meta, network: as in ``meta.json`` and ``network.json``.
        scenario: the text of ``scenario.yaml``; "" if there is none.
    """

    path: Path
    meta: dict[str, Any]
    network: dict[str, Any]
    rows: pl.DataFrame
    placements: pl.DataFrame
    bounds: pl.DataFrame
    scenario: str

    @property
    def name(self) -> str:
        return str(self.meta.get("name") or self.path.name)

    @property
    def adaptive(self) -> bool:
        """True if an adversary made its requests for each policy anew, so that gains of policies are not comparable."""
        return bool((self.rows["trace"] != "").any())

    @cached_property
    def slots(self) -> int:
        return int(self.rows["slot"].max()) + 1  # type: ignore[arg-type]

    @property
    def slot_s(self) -> float:
        return float(self.meta.get("slot_s") or 1.0)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted(self.rows["seed"].unique().to_list()))

    @cached_property
    def tiers(self) -> tuple[str, ...]:
        """The tiers that rows tell of, in the order of ``meta.json``."""
        there = [c.removeprefix("served_") for c in self.rows.columns if c.startswith("served_")]
        known = [t for t in self.meta.get("tiers", ()) if t in there]
        return tuple(known + [t for t in there if t not in known])

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Policy -> kind, in the order of ``meta.json``; what it does not list comes last, as in the rows."""
        pairs = self.rows.select("policy", "kind").unique(maintain_order=True)
        kind = dict(pairs.iter_rows())
        listed = [p for p in self.meta.get("policies", ()) if p in kind]
        return {p: kind[p] for p in [*listed, *(p for p in kind if p not in listed)]}

    @property
    def gain_unit(self) -> tuple[str, float]:
        """What gains per request are shown in, and the factor to it. The objective's unit is the second."""
        requests = float(self.rows["requests"].sum())
        return ("s", 1.0) if abs(float(self.rows["gain"].sum())) >= 0.5 * requests > 0 else ("ms", 1e3)


def read_run(folder: str | os.PathLike[str] | RunData) -> RunData:
    """Read a run folder; a `RunData` is given back as it is.

    Raises:
        RunError: there is no finished run in it, or a file of it is damaged.
    """
    if isinstance(folder, RunData):
        return folder
    path = Path(folder)
    meta = _json(path / "meta.json", f"{path} holds no run: there is no meta.json in it")
    network = (
        _json(path / "network.json", "")
        if (path / "network.json").exists()
        else {"name": "", "nodes": [], "links": []}
    )
    rows = _table(path / "rows.parquet", None)
    if rows is None:
        raise RunError(
            f"{path} holds a run that has not finished: there is no rows.parquet; run it again to go on"
        )
    if rows.is_empty():
        raise RunError(f"{path / 'rows.parquet'} holds no rows: nothing was played")
    scenario = path / "scenario.yaml"
    placements = _table(path / "placements.parquet", _PLACEMENTS)
    bounds = _table(path / "bounds.parquet", _BOUNDS)
    assert placements is not None, "an empty table stands in for a missing one"
    assert bounds is not None, "an empty table stands in for a missing one"
    return RunData(
        path=path,
        meta=meta,
        network=network,
        rows=rows,
        placements=placements,
        bounds=bounds,
        scenario=scenario.read_text(encoding="utf-8") if scenario.exists() else "",
    )


def _json(file: Path, missing: str) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise RunError(missing) from None
    except ValueError as error:
        raise RunError(f"{file} is damaged ({error}); start the run again with --fresh") from None


def _table(file: Path, otherwise: dict[str, Any] | None) -> pl.DataFrame | None:
    """The Parquet file with NaN as null; an empty table of schema `otherwise` if there is no file."""
    if not file.exists():
        return None if otherwise is None else pl.DataFrame(schema=otherwise)
    try:
        frame = pl.read_parquet(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RunError(f"{file} is damaged ({error}); start the run again with --fresh") from None
    return frame.with_columns(pl.selectors.float().fill_nan(None))
