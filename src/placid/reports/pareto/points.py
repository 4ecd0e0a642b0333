"""The points as a table, and what is exact of them and what is not."""

from __future__ import annotations

import shlex
from html import escape
from urllib.parse import quote

from placid.reports.pareto.data import FrontData
from placid.reports.pareto.wish import granted
from placid.reports.pareto.words import TOLD, unit_of

__all__ = ["origin_section", "points_section"]


def points_section(told: FrontData) -> str:
    """The points that the page shows; the download has all."""
    heads = [
        *((TOLD[n].short, unit_of(told, n)[1]) for n in told.objectives),
        ("p95 of\nlatency", "ms"),
        ("models", ""),
        ("memory", "MB"),
        ("found by", ""),
        ("proven", ""),
    ]
    head = '<th scope="col"><button type="button">point</button></th>' + "".join(
        f'<th scope="col"{" data-text" if h in ("found by", "proven") else ""}'
        f"{' aria-sort=ascending' if k == 0 else ''}>"
        f'<button type="button">{escape(h)}</button><small>{escape(unit) or "&nbsp;"}</small></th>'
        for k, (h, unit) in enumerate(heads)
    )
    body = []
    for k, i in enumerate(told.shown.tolist()):
        row = told.table.row(i, named=True)
        cells = [(str(row["point"]), str(row["point"]))]
        for n, value in zip(told.objectives, told.front.axes[i], strict=True):
            cells.append((f"{value:.9g}", f"{value / unit_of(told, n)[0]:.4g}"))
        cells += [
            (f"{row['latency_p95_s']:.9g}", f"{1e3 * row['latency_p95_s']:.4g}"),
            (str(row["models_placed"]), str(row["models_placed"])),
            (str(row["bytes_placed"]), f"{row['bytes_placed'] / 1e6:.4g}"),
            (row["found_by"], row["found_by"]),
            ("yes" if row["proven"] else "no", "yes" if row["proven"] else "no"),
        ]
        body.append(
            f'<tr data-point="{k}">'
            + "".join(f'<td data-value="{escape(v, quote=True)}">{escape(t)}</td>' for v, t in cells)
            + "</tr>"
        )
    link = quote(told.table.write_csv(), safe="")
    return (
        '<h2>The points</h2><p class="no-print">'
        f'<a download="front.csv" href="data:text/csv;charset=utf-8,{link}">Download as CSV</a>: all '
        f"{len(told.front):,}, in SI units, with the weights of each. The placements are in front.npz.</p>"
        f'<div class="scroll tall"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def origin_section(told: FrontData) -> str:
    """What the numbers mean, where they come from, how to make them again."""
    meta = told.meta
    limit = float(meta["time_limit_s"])
    solvers = "greedy and local search" + (f", and a MILP of {limit:g} s each" if limit > 0 else "")
    said = [
        "A point is a placement together with the weights under which it serves: with other weights the same models answer "
        "other requests. Numbers are means over the requests of the mean demand, under the serving rule.",
        f"Preferences were solved for by {solvers}. "
        "Proven means: no placement is cheaper under these weights and the serving rule.",
        "Found by weights are points that some weights lead to. Others were found by serving a placement under weights that "
        "it was not made for, by rounding, or by evolution: nothing is proven of them, and better ones may exist.",
        "Quantiles of latency count every request with the latency of its option: no queues, and of an option with early "
        "exits the mean.",
    ]  # fmt: skip
    if told.bound is not None:
        said.append(
            "The dashed line is the front of the linear relaxation: no placement lies below it, however requests are routed."
        )
    if told.exact is not None:
        said.append(
            f"{'The diamonds are' if len(told.objectives) == 2 else 'In exact.csv are points of'} the exact front if every "
            "request is routed as serves the objectives best "
            f"({told.exact['proven'].sum()} of {len(told.exact)} proven in the time given). The serving "
            "rule lets each request take what is cheapest for it, so placements may come to a little more."
        )
    if told.enclosed is not None:
        reached, most = told.enclosed["hypervolume"], told.enclosed["hypervolume_at_most"]
        said[-1] += (
            f" The whole exact front has infinitely many points; these dominate at least {reached / most:.1%} of what it "
            f"does: {reached:.4f} of the box between its ends, of which no more than {most:.4f} can be."
        )
    if told.choice is not None:
        said.insert(0, granted(told.choice))
    if meta.get("changes"):
        said.append("The network changes in the scenario; the front is of the one that it begins with.")
    command = f"placid pareto scenario.yaml --objectives {','.join(TOLD[n].short for n in told.objectives)}"
    command += f" --points {meta['points']} --time-limit {limit:g}" + (
        f" --evolve {meta['evolve_s']:g}" if meta.get("evolve_s") else ""
    )
    command += f" --out {shlex.quote(told.path.name)}"
    lists = "".join(
        f"<h3>{head}</h3><ul class='plain'>{''.join(f'<li>{escape(str(e))}</li>' for e in meta.get(key) or [])}</ul>"
        for head, key in (("What the scenario declares", "declared"), ("Where numbers come from", "sources"))
        if meta.get(key)
    )
    return (
        '<h2>What is exact, what is not</h2><ul class="plain">'
        + "".join(f"<li>{escape(s)}</li>" for s in said)
        + f"</ul>{lists}<h3>To make it again</h3><p>With the scenario below as <code>scenario.yaml</code>:</p>"
        + f'<pre class="command">{escape(command)}</pre>'
        + f"<details><summary>scenario.yaml</summary><pre>{escape(told.scenario)}</pre></details>"
    )
