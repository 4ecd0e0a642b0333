"""What a study found, row by row; kept as each is done, so that an interruption costs the row in work."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from placid.errors import RunError

__all__ = ["Kept", "Row", "records"]


@dataclass(frozen=True)
class Row:
    """One node, adapted in one way with so many labels.

    Attributes:
        part: "nodes", or "severities" for the survey of corruptions.
        rate: the peak learning rate; 0 if nothing was trained, or the lab's was taken.
        accuracy: on the node's test pictures.
        original_accuracy: on clean test pictures with all classes alike: what falls is forgotten.
        update_bytes: to be sent to the node if it is adapted elsewhere.
        pictures_bytes: to be sent from the node for that: the pictures used, raw, and a byte for each label.
        multiply_adds: of the adaptation.
        seconds: of the adaptation, measured where the study ran.
    """

    part: str
    node: str
    mix: str
    corruption: str
    severity: int
    seed: int
    method: str
    labels: int
    rate: float
    epochs: int
    test_pictures: int
    accuracy: float
    original_accuracy: float
    update_bytes: int
    pictures_bytes: int
    multiply_adds: int
    seconds: float

    @property
    def key(self) -> tuple[str | int, ...]:
        """What it is the row of."""
        return (
            self.part, self.node, self.mix, self.corruption, self.severity, self.seed, self.method, self.labels
        )  # fmt: skip


class Kept:
    """The rows in a folder, with all that they hang on beside them.

    Args:
        about: what every row depends on; anything that JSON holds.

    Raises:
        RunError: the folder holds rows that depend on something else, or cannot be read or written.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self._file = folder / "rows.jsonl"
        self._choices = folder / "rates.json"
        told = folder / "study.json"
        wanted = json.loads(json.dumps(about))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if told.exists():
                found = json.loads(told.read_text(encoding="utf-8"))
                differing = sorted(k for k in wanted.keys() | found.keys() if wanted.get(k) != found.get(k))
                if differing:
                    raise RunError(
                        f"{folder}: holds rows of another study (other: {', '.join(differing)}); name another folder, or "
                        "remove this one"
                    )
            else:
                _write_whole(told, json.dumps(wanted, indent=1) + "\n")
            lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
        except (OSError, json.JSONDecodeError) as error:
            raise RunError(
                f"{folder}: cannot be used ({error}); name another folder, or remove this one"
            ) from error
        self.rows: dict[tuple[str | int, ...], Row] = {}
        whole = True
        for number, line in enumerate(lines):
            try:
                row = Row(**json.loads(line))
            except (json.JSONDecodeError, TypeError):
                if number + 1 < len(lines):
                    raise RunError(f"{self._file}, line {number + 1}: is no row; remove that line") from None
                whole = False  # cut short by an interruption
                continue
            self.rows[row.key] = row
        if not whole:
            _write_whole(self._file, "".join(_line(row) for row in self.rows.values()))

    def choice(self, method: str, choose: Callable[[], dict[int, float]]) -> dict[int, float]:
        """The learning rates of a way (labels -> rate): those kept, else what `choose` finds, which is kept."""
        kept: dict[str, dict[str, float]] = {}
        try:
            if self._choices.exists():
                kept = json.loads(self._choices.read_text(encoding="utf-8"))
            if method not in kept:
                kept[method] = {str(labels): rate for labels, rate in choose().items()}
                _write_whole(self._choices, json.dumps(kept, indent=1) + "\n")
        except (OSError, json.JSONDecodeError) as error:
            raise RunError(f"{self._choices}: cannot be used ({error}); remove it and go on") from error
        return {int(labels): rate for labels, rate in kept[method].items()}

    def add(self, row: Row) -> None:
        """Keep `row`."""
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(_line(row))
        except OSError as error:
            raise RunError(f"{self._file}: cannot be written ({error}); make room and go on") from error
        self.rows[row.key] = row


def _line(row: Row) -> str:
    return json.dumps({f.name: getattr(row, f.name) for f in fields(row)}) + "\n"


def _write_whole(file: Path, text: str) -> None:
    scratch = file.with_name(file.name + ".tmp")
    scratch.write_text(text, encoding="utf-8")
    os.replace(scratch, file)


def records(rows: list[Row], joules_per_multiply_add: float) -> list[dict[str, Any]]:
    """The rows as plain values, with `energy_j` (modelled) in each."""
    return [asdict(row) | {"energy_j": row.multiply_adds * joules_per_multiply_add} for row in rows]
