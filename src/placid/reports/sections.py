"""The page, section by section: what each chart shows is said in words that the numbers decide."""

from __future__ import annotations

import platform
from collections.abc import Collection
from dataclasses import dataclass
from html import escape

import polars as pl

from placid.reports.charts import quantity_of_time
from placid.reports.html_table import csv_link, policy_swatch, summary_html
from placid.reports.intervals import mean_interval
from placid.reports.palette import TIER_RAMP, UNSERVED, ramp
from placid.reports.series import window_slots
from placid.reports.story import Story
from placid.reports.verdicts import lead
from placid.reports.wording import count, percent, quantity, with_interval

__all__ = ["Section", "sections", "tiles"]


@dataclass(frozen=True)
class Section:
    """A piece of the page: its anchor, its name in the navigation, its markup."""

    id: str
    short: str
    html: str


def sections(story: Story) -> list[Section]:
    """All sections that the run has numbers for, in order."""
    made = [
        _comparison(story),
        _gain(story),
        _latency_error(story),
        _regret(story),
        _map(story),
        _loaded(story),
        _tiers(story),
        _table(story),
        _origin(story),
    ]
    return [s for s in made if s is not None]


def tiles(story: Story) -> str:
    """The four numbers that matter, of the policy that won."""
    found = lead(story.seeds, "share_of_bound" if story.run.adaptive else "gain")
    if found is None:
        return ""
    won = story.seeds.filter(pl.col("policy") == found.first)
    unit, per_unit = story.run.gain_unit

    def stated(column: str, scale: float) -> str:
        mean, low, high = mean_interval(won[column].drop_nulls().to_list())
        return with_interval(mean, low, high, scale)

    shown = [
        (
            f"{found.first}: gain per request",
            f"{stated('gain', 1 / per_unit)} {unit}",
            "cost saved by placing models",
        )
    ]
    if won["share_of_bound"].null_count() == 0:
        shown.append(
            ("of the LP bound", f"{stated('share_of_bound', 0.01)} %", "no static placement can exceed it")
        )
    if won["share_of_ceiling"].null_count() == 0:
        shown.append(
            (
                "of the ceiling",
                f"{stated('share_of_ceiling', 0.01)} %",
                "no placement can, even made for each slot",
            )
        )
    loaded = float(won["bytes_loaded"].mean())  # type: ignore[arg-type]
    placed = float(won["bytes_placed"].mean())  # type: ignore[arg-type]
    moved = f"{percent(loaded / placed, 2)} of what is in place" if placed > 0 else ""
    shown.append(("loaded per slot", quantity(loaded, "size"), moved))
    return '<dl class="tiles">' + "".join(
        f'<div class="tile"><dt>{escape(a)}</dt><dd>{escape(b)}<small>{escape(c)}</small></dd></div>' for a, b, c in shown
    ) + "</dl>"  # fmt: skip


def _bands(story: Story) -> str:
    n = len(story.run.seeds)
    return (
        f"Bands: 95 % intervals over {n} seeds (Student's t)."
        if n > 1
        else "One seed, so there are no bands."
    )


def _windows(story: Story) -> str:
    width = window_slots(story.run)
    return f"Each point is the mean over {count(width, 'slot')}. " if width > 1 else ""


def _chart(name: str, caption: str, legend: str = "") -> str:
    return f'<figure><div class="chart" id="chart-{name}"></div>{legend}<figcaption>{caption}</figcaption></figure>'


def _legend(story: Story, only: Collection[str] | None = None) -> str:
    """Buttons that show and hide a policy in every chart over time; `only` some policies where a chart has no others."""
    if only is None:
        only = [p for p, s in story.styles.items() if not (story.run.adaptive and s.kind == "hindsight")]
    buttons = "".join(
        f'<button type="button" data-policy="{escape(p, quote=True)}" aria-pressed="{str(p in story.shown).lower()}">'
        f"{policy_swatch(style)}{escape(p)}</button>"
        for p, style in story.styles.items()
        if p in only
    )
    return f'<div class="legend" role="group" aria-label="Policies shown">{buttons}</div>'


def _section(id_: str, short: str, title: str, body: str) -> Section:
    return Section(id_, short, f'<section id="{id_}"><h2>{escape(title)}</h2>{body}</section>')


def _comparison(story: Story) -> Section:
    run, n = story.run, len(story.run.seeds)
    marks = (
        "Coloured: learns as it goes. ■ grey: fixed beforehand. ◆ black: placed in hindsight, knowing every request. Gain "
        "is the cost saved against answering everything from the repositories."
    )
    bars = (
        f"Bars: 95 % intervals over {n} seeds; many are narrower than the mark."
        if n > 1
        else "One seed, so no intervals."
    )
    if run.adaptive:
        text = (
            "An adversary made requests against each policy anew, so rows cannot be compared with each other, only each "
            "with its own marks: the LP bound for its requests (black tick), the ceiling (grey tick) and what hindsight "
            "would have placed (◆)."
        )
    else:
        known = "bound" in story.summary.columns and story.summary["bound"].null_count() < len(story.summary)
        text = (
            "In brackets, the share of the LP bound: no placement that stays as it is can earn more than the bound. The "
            "ceiling is above what any placement can earn, even one made for each slot alone with its requests known."
            if known
            else "No bound was computed for this run."
        )
    return _section(
        "comparison",
        "Comparison",
        "Who saves the most",
        f"<p>{text}</p>" + _chart("comparison", f"{marks} {bars}"),
    )


def _gain(story: Story) -> Section:
    ceiling = "ceiling" in story.summary.columns and story.summary["ceiling"].null_count() < len(
        story.summary
    )
    dotted = " Dotted: the ceiling." if ceiling and not story.run.adaptive else ""
    hint = ' <span class="no-print">Click a name to show or hide a policy in all charts, point at it to bring it out.</span>'
    return _section(
        "gain",
        "Gain over time",
        "Gain over time",
        _chart("gain", _windows(story) + _bands(story) + dotted + hint, _legend(story)),
    )


def _latency_error(story: Story) -> Section:
    weights = story.run.meta.get("objective")
    weighed = ""
    if isinstance(weights, dict) and "error" in weights:
        weighed = (
            f"<p>The objective counts an error of 1 as much as {quantity(float(weights['error']), 'time')} of latency"
            f"{_other_weights(weights)}. Another weight gives other points.</p>"
        )
    n = len(story.run.seeds)
    crosses = f"Crosses: 95 % intervals over {n} seeds." if n > 1 else "One seed, so no intervals."
    body = (
        '<div class="aside">'
        + _chart("latency-error", crosses + " Axes do not begin at 0.", _legend(story))
        + "<div><p>The nearer to the lower left, the better: quick answers and good ones. Large models far away make few "
        f"errors and take long; small ones nearby the opposite.</p>{weighed}</div></div>"
    )
    if "weights" in story.specs:
        body += "<h3>As the weight of an error changes</h3>" + _chart(
            "weights", f"A point per weight and policy. {crosses}", _legend(story)
        )
    return _section("latency-error", "Latency and error", "Latency against error", body)


def _other_weights(weights: dict[str, float]) -> str:
    said = []
    if weights.get("energy"):
        said.append(f"a joule as much as {quantity(float(weights['energy']), 'time')}")
    if weights.get("traffic"):
        said.append(f"a byte carried over a hop as much as {quantity(float(weights['traffic']), 'time')}")
    return ", " + " and ".join(said) if said else ""


def _regret(story: Story) -> Section | None:
    if "regret" not in story.specs:
        return None
    first = "<h3>Measured</h3>" + _chart(
        "regret",
        "Gain of the best static placement found in hindsight minus gain, up to each slot, per request. Falling to 0 or "
        f"below: learning has caught up with hindsight. {_bands(story)}",
        _legend(story, story.regret["policy"].unique().to_list()),
    )
    if "bound" not in story.specs:
        body = first + '<p class="note">No policy of this run has a theorem that bounds its regret.</p>'
        return _section("regret", "Regret", "Regret against the best static placement", body)
    bounded = story.regret.filter(pl.col("bound").is_not_null())["policy"].unique().to_list()
    second = (
        "<h3>Beside the theorem</h3>"
        + _chart(
            "bound",
            "Solid: regret of the fractional placement, types kept to their own part of shared capacity, which is what the "
            "theorem bounds. Dashed: what it allows. Placements drawn from it keep in expectation, proven, at least "
            "1 − 1/e of its gain with “reserve: true” and half of that otherwise; measured, nearly all. "
            f"Scale: linear near 0, then logarithmic. {_bands(story)}",
            _legend(story, bounded),
        )
    )  # fmt: skip
    return _section(
        "regret",
        "Regret",
        "Regret against the best static placement",
        f'<p>{escape(_theorem_says(story))}</p><div class="pair"><div>{first}</div><div>{second}</div></div>',
    )


def _theorem_says(story: Story) -> str:
    """What the bounds come to at the end of the run, or at the end of the time for which they hold."""
    known = story.regret.filter(pl.col("bound").is_not_null(), pl.col("everything") > 0)
    end = int(known["slot"].max())  # type: ignore[arg-type]
    row = (
        known.filter(pl.col("slot") == end)
        .select((pl.col("bound") / pl.col("everything")).alias("ratio"), "policy")
        .sort("ratio")
        .row(0, named=True)
    )
    after = (
        f"After {count(end + 1, 'slot')} the tightest theorem, that of {row['policy']}, allows a regret of "
    )
    if row["ratio"] >= 1:
        said = (
            f"{after}{row['ratio']:.3g} times all that the best static placement gains: it says nothing yet. What was "
            "measured is far below; the bounds fall with the square root of time, and are shown for what they are."
        )
    else:
        said = (
            f"{after}{percent(row['ratio'])} of what the best static placement gains, whatever the requests."
        )
    if end + 1 < story.run.slots:
        said += " Later the network changes, and the theorems, which speak of one that does not, end there."
    return said


def _map(story: Story) -> Section | None:
    if story.map is None:
        return None
    drawn = story.map
    held = drawn.held
    if not held.changes or not held.models:
        return _section("map", "Map", "The network", f"<figure>{drawn.svg(None)}</figure>")
    best = story.summary.sort("gain", descending=True, nulls_last=True)
    online = best.filter(pl.col("kind") == "online")["policy"].to_list()
    first = next(
        (p for p in [*online, *best["policy"].to_list()] if p in held.changes), next(iter(held.changes))
    )
    options = "".join(
        f'<option value="{escape(p, quote=True)}"{" selected" if p == first else ""}>{escape(p)}</option>'
        for p in held.changes
    )
    last = len(held.frames) - 1
    rings = "Rings: memory filled, by variant" if drawn.sized else "Rings: models held, by variant"
    order = ", small to large" if drawn.sized else ""
    variants = "".join(
        f'<li><i style="background:{c}"></i>{escape(v)}</li>'
        for v, c in zip(held.variants, drawn.variant_colours, strict=True)
    )
    tiers = "".join(
        f'<li><i style="background:{c}"></i>{escape(t)}</li>'
        for t, c in zip(drawn.tiers, drawn.tier_colours, strict=True)
    )
    left_out = (
        f" Not on the map: {escape(', '.join(held.left_out))}, of which there is one for each adversary."
        if held.left_out
        else ""
    )
    body = (
        f"<p>What each node holds under seed {story.run.seeds[0]}. Move the slider through time; point at a node, or choose "
        "it, to see its models.</p>"
        '<div class="map-controls">'
        f'<label>policy <select id="map-policy">{options}</select></label>'
        '<button type="button" id="map-play">▶ Play</button>'
        f'<input type="range" id="map-slot" min="0" max="{last}" value="{last}" step="1" aria-label="time">'
        '<output id="map-now" for="map-slot map-policy"></output></div>'
        f'<div class="map-body"><figure>{drawn.svg(first)}'
        f'<ul class="keys"><li>{rings}{order}:</li>{variants}</ul>'
        f'<ul class="keys"><li>Centres: tiers; number: models held; square: repository.</li>{tiers}</ul>'
        "<figcaption>Places follow the topology where it gives them; where nodes would cover each other they are spread "
        "out."
        f"{left_out}</figcaption></figure>"
        '<div id="held" aria-live="polite"></div></div>'
    )
    return _section("map", "Map", "What each node holds", body)


def _loaded(story: Story) -> Section:
    caption = f"Bytes of models newly loaded, all nodes together. {_windows(story)}{_bands(story)}"
    return _section(
        "loaded", "Bytes loaded", "Bytes loaded over time", _chart("loaded", caption, _legend(story))
    )


def _tiers(story: Story) -> Section | None:
    if "tiers" not in story.specs:
        return None
    caption = (
        "Share of all requests answered on each tier, mean over seeds; the far tiers hold the repositories."
    )
    colours = dict(zip(story.run.tiers, ramp(TIER_RAMP, len(story.run.tiers)), strict=True))
    if any(
        float(story.run.rows[c].sum()) > 0 for c in ("unserved", "refused") if c in story.run.rows.columns
    ):
        colours["not served"] = UNSERVED
    keys = "".join(f'<li><i style="background:{c}"></i>{escape(t)}</li>' for t, c in colours.items())
    return _section(
        "tiers", "Tiers", "Who answers", f'<ul class="keys">{keys}</ul>' + _chart("tiers", caption)
    )


def _table(story: Story) -> Section:
    n = len(story.run.seeds)
    note = f"mean ± half of the 95 % interval over {n} seeds" if n > 1 else "one seed, so no intervals"
    body = (
        f'<p class="no-print">{csv_link(story.summary, story.run.name)}: every quantity with both ends of its interval.</p>'
        f'<div class="scroll">{summary_html(story)}</div><p class="note">{note}. (1 − 1/e)-regret: (1 − 1/e) times the best '
        "static gain found, minus gain, types kept to their own part of shared capacity; beside it what the policy's "
        "theorem allows it to be in expectation (with reserve: true). Below 0 is better than the comparator.</p>"
    )
    return _section("table", "Table", "All numbers", body)


def _origin(story: Story) -> Section:
    run, meta = story.run, story.run.meta
    declared = _list(meta.get("declared"), "Nothing: the topology and the catalog give everything.")
    sources = _list(meta.get("sources"), "None named.")
    machine = meta.get("machine") or {}
    versions = meta.get("versions") or {}
    settings = meta.get("settings") or {}
    command = f"placid run scenario.yaml --out {_shell_word(run.path.name)} --fresh"
    facts = {
        "placid": f"{meta.get('placid', '')}" + (f", commit {meta['commit']}" if meta.get("commit") else ""),
        "versions": ", ".join(f"{k} {v}" for k, v in versions.items()),
        "machine": ", ".join(
            [str(machine[k]) for k in ("processor", "system") if machine.get(k)]
            + ([count(int(machine["cores"]), "core")] if machine.get("cores") else [])
        ),
        "seeds": ", ".join(map(str, run.seeds)),
        "horizon": f"{count(run.slots, 'slot')} of {quantity_of_time(run.slot_s)}",
        "page": f"written with Python {platform.python_version()}",
    }
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items() if v)
    policies = "".join(
        f"<dt>{escape(str(k))}</dt><dd><code>{escape(str(v))}</code></dd>" for k, v in settings.items()
    )
    settled = (
        f'<details><summary>Settings of the policies</summary><dl class="facts">{policies}</dl></details>'
    )
    scenario = (
        f"<details><summary>scenario.yaml</summary><pre>{escape(run.scenario)}</pre></details>"
        if run.scenario
        else ""
    )
    body = (
        "<h3>What the scenario declares, because topology and catalog do not give it</h3>" + declared
        + "<h3>Where numbers come from</h3>" + sources
        + f'<h3>What ran</h3><dl class="facts">{rows}</dl>'
        + (settled if policies else "")
        + "<h3>To run it again</h3><p>With the scenario below as <code>scenario.yaml</code>:</p>"
        + f'<pre class="command">{escape(command)}</pre>{scenario}'
    )  # fmt: skip
    return _section("origin", "Origin", "Where this comes from", body)


def _list(entries: object, otherwise: str) -> str:
    items = [str(e) for e in entries] if isinstance(entries, list) else []
    if not items:
        return f"<p>{otherwise}</p>"
    return '<ul class="plain">' + "".join(f"<li>{escape(i)}</li>" for i in items) + "</ul>"


def _shell_word(name: str) -> str:
    from shlex import quote

    return quote(name)
