"""What the folder of a paper makes of a zoo: tables as CSV, figures, and the generated section of its README."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from placid.catalog.variants import Zoo, read_zoo, zoo_folder
from placid.reports.figures import svg_of
from placid.reports.studies import with_results
from placid.reports.wording import count

__all__ = ["ZooStudy", "origin", "run_study"]


@dataclass(frozen=True)
class ZooStudy:
    """Attributes:
    text: of the README's generated section, in Markdown.
    tables: name -> rows; "results" is the main one.
    figures: name -> (Vega-Lite, a title for who cannot see it); `text` links to ``figures/NAME.svg``.
    """

    text: str
    tables: Mapping[str, pl.DataFrame]
    figures: Mapping[str, tuple[dict[str, Any], str]]


def run_study(
    here: Path, about: str, make: Callable[[Zoo], ZooStudy], arguments: Sequence[str] | None = None
) -> None:
    """The command of a paper's folder: read a zoo, print the section, write CSV, figures and README.md.

    Args:
        here: the paper's folder.
        about: the command's description.
        arguments: of the command line; left out: those of this process.

    Raises:
        InputError: there is no zoo, or README.md has no markers; nothing is written then.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--zoo",
        type=zoo_folder,
        help="folder with a manifest.json, or cifar10 (the default) or cifar10-long, which come with placid",
    )
    parser.add_argument(
        "--into", type=Path, default=here, help="folder to write to; default: this paper's, README.md and all"
    )
    asked = parser.parse_args(arguments)
    study = make(read_zoo(asked.zoo))
    readme = with_results((here / "README.md").read_text(encoding="utf-8"), study.text)
    drawn = {name: svg_of(spec, title) for name, (spec, title) in study.figures.items()}
    (asked.into / "figures").mkdir(parents=True, exist_ok=True)
    for name, table in study.tables.items():
        _write(asked.into / f"{name}.csv", table.write_csv())
    for name, svg in drawn.items():
        _write(asked.into / "figures" / f"{name}.svg", svg)
    _write(asked.into / "README.md", readme)
    print(study.text)


def origin(zoo: Zoo, command: str) -> str:
    """Where the numbers of a section are from, in a sentence or two."""
    built = [v.made["built"] for v in zoo.variants if v.made.get("built")]
    by = sorted({str(b["command"]) for b in built if b.get("command")})
    how = f", built by {' and '.join(f'`{b}`' for b in by)}" if by else ""
    return (
        f"Made by `{command}` from a zoo of {count(len(zoo.variants), 'variant')} of {zoo.dataset}{how}. Measured on "
        f"{zoo.processor}: accuracy on all test images, bytes as really made, headers included."
    )


def _write(file: Path, text: str) -> None:
    """Whole or not at all."""
    scratch = file.with_name(file.name + ".tmp")
    scratch.write_text(text, encoding="utf-8")
    os.replace(scratch, file)
