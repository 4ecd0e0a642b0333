"""Runs the benchmarks and writes what they measured."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from benchmarks.table import Row
from placid.experiments.provenance import provenance

#: name -> module, and what it is about
BENCHMARKS = {
    "slot": "One slot of INFIDA",
    "scaling": "How it scales",
    "kernels": "Kernels and solvers",
    "peers": "Requests accounted for per second",
    "events": "Requests followed one by one",
    "icarus": "Requests through caches, beside Icarus",
    "plans": "Plans over several nodes",
    "fronts": "Fronts of several objectives",
    "start_up": "Beginning",
    "cutting": "Where a network can be cut",
    "chain": "A network in segments",
    "serving": "A node of the live network",
    "live": "A live network",
    "shaping": "Links of the live network",
    "tracing": "Traces of requests",
}
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(BENCHMARKS)}; default all")
    parser.add_argument("--quick", action="store_true", help="small sizes; writes nothing")
    asked = parser.parse_args()
    for name in asked.names:
        if name not in BENCHMARKS:
            parser.error(f"unknown benchmark '{name}'; known: {', '.join(BENCHMARKS)}")
    console = Console()
    results = json.loads((HERE / "results.json").read_text()) if (HERE / "results.json").exists() else {}
    failed = False
    for name in asked.names or BENCHMARKS:
        console.print(f"[bold]{BENCHMARKS[name]}[/] (python -m benchmarks {name})")
        work: Callable[[bool], Iterator[Row]] = import_module(f"benchmarks.{name}").run
        t0 = perf_counter()
        rows = []
        for row in work(asked.quick):
            rows.append(row)
            console.print(_line(row), highlight=False)
            failed |= row.met is False
        if not rows:
            continue  # a rival that is not here: what was measured before stays
        results[name] = {
            "rows": [row.as_dict() for row in rows],
            "took_s": round(perf_counter() - t0, 1),
            "measured": provenance(),
        }
    if not asked.quick:
        (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        (HERE / "results.md").write_text(_markdown(results))
        console.print(f"Wrote {HERE / 'results.md'}")
    sys.exit(1 if failed and not asked.quick else 0)


def _line(row: Row) -> Table:
    table = Table.grid(padding=(0, 2))
    beside = f"{row.rival_name}: {row.rival}" if row.rival else ""
    ratio = f"{row.ratio:.3g} x" if row.ratio is not None else ""
    bar = "" if row.met is None else f"{row.bar}: {'met' if row.met else 'NOT MET'}"
    for _ in range(5):
        table.add_column(overflow="fold")
    table.add_row(f"  {row.what}", row.ours, beside, ratio, bar)
    return table


def _markdown(results: dict[str, dict[str, object]]) -> str:
    lines = [
        "<!-- written by `python -m benchmarks`; do not edit -->",
        "",
        "Ratios are taken within one run on one machine; absolute times are this machine's.",
    ]
    for name, about in BENCHMARKS.items():
        if name not in results:
            continue
        found = results[name]
        measured = found["measured"]
        assert isinstance(measured, dict)
        machine = measured["machine"]
        lines += [
            "",
            f"## {about}",
            "",
            f"`python -m benchmarks {name}`, {machine['processor']}, {machine['cores']} cores, "
            f"Python {measured['versions'].get('python', platform.python_version())}, placid {measured['placid']} "
            f"at {measured['commit'] or 'no commit'}.",
            "",
            "| what | ours | rival | ratio | asked of us | met |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        rows = found["rows"]
        assert isinstance(rows, list)
        for row in rows:
            rival = f"{row['rival']} ({row['rival_name']})" if row["rival"] else ""
            ratio = f"{row['ratio']:.3g} x" if row["ratio"] is not None else ""
            met = "" if row["met"] is None else "yes" if row["met"] else "**no**"
            lines.append(f"| {row['what']} | {row['ours']} | {rival} | {ratio} | {row['bar']} | {met} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
