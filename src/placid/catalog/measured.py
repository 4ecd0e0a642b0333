"""A catalog from a zoo: what splitting made of a network, as models that can be placed one part at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from placid.catalog.models import (
    AtIngress,
    AtRepository,
    Catalog,
    Handover,
    Model,
    Part,
    Plan,
    Segments,
    Task,
)
from placid.catalog.pricing import SegmentPricing
from placid.catalog.processors import (
    PROCESSORS,
    processor_class,
)
from placid.catalog.replicas import for_tasks, task_names, with_replicas
from placid.catalog.variants import Variant, Zoo, read_zoo
from placid.errors import InputError

__all__ = ["measured"]


def measured(
    tasks: int = 1,
    replicas: int = 1,
    *,
    zoo: Path | None = None,
    variants: Sequence[str] = (),
    heads: Sequence[str] = (),
    plans: bool = False,
    processors: Sequence[str] = (),
    measured_on: str = "x86-core",
    response_bytes: int = 8,
) -> Catalog:
    """Real networks that a splitting lab trained and measured: whole, split, behind a codec, with early exits.

    Of a variant in one part, that part is placed. Of a variant in several, a run of parts is placed and the others have
    their place: those before it where requests enter, those after it in the repository. So every option needs one item,
    and the guarantees hold as they are. With `plans` nothing has its place: every part is placed, each on whatever node of
    the path, and takes memory there, where requests enter too. A variant whose first part is no network (it compresses the
    picture) is placed as the network behind it. Early exits count by the share of requests that go on: costs are expected
    ones.

    Error is 1 - accuracy on the zoo's test images. Latency is as measured on `measured_on`, and modelled by a roofline
    elsewhere (`placid.catalog.processors`); energy is modelled everywhere. What a model takes of a node's memory is its
    files and the most bytes that are alive at once in running them.

    Args:
        tasks: how many; beyond one, the same networks stand for the same trained on other pictures.
        replicas: copies of each model that one node may hold.
        zoo: folder with a `manifest.json`, beside the scenario if relative, or in a scenario the name of one that comes with
            placid; left out: the first of those.
        variants: names to take, or patterns such as ``split-*``; none means all.
        heads: variants whose first parts the nodes where requests enter hold for good, for all tasks, as many as fit
            the memory of the processor class together, in this order; none means all of `variants`, the smallest first.
        plans: place every part of a variant in several; for policies that can.
        processors: classes to give profiles for; none means all that are declared.
        measured_on: the class that the zoo was measured on; an x86-server has the same cores.
        response_bytes: an answer on its way back; declared.

    Raises:
        InputError: no zoo lies there, or nothing of it can be placed.
        UnknownNameError: a variant or processor class is not known.
    """
    told = read_zoo(zoo)
    chosen = _chosen(told, variants)
    for name in heads:
        if name not in {v.name for v in chosen}:
            told.variant(name)  # says so if there is none at all
            raise InputError(f"'heads' names '{name}', which 'variants' leaves out", where=str(told.folder))
    pricing = SegmentPricing(
        tuple(processor_class(name) for name in (processors or PROCESSORS)), processor_class(measured_on)
    )
    split = [v for v in chosen if plans and _networks(v) > 1]
    if heads and plans:
        raise InputError(
            "'heads' have a fixed place, and with 'plans' nothing has: leave one of them out",
            where=str(told.folder),
        )
    held = _held(pricing, _order(told, chosen, heads), tasks)
    models = [m for v in chosen if v not in split for m in _models(v, pricing, held)]
    laid = [found for v in split if (found := _plan(v, pricing)) is not None]
    if not models:
        raise InputError(
            f"nothing of it fits the processor classes {', '.join(p.name for p in pricing.processors)}",
            where=str(told.folder),
        )
    names = (told.task,) if tasks == 1 else task_names(tasks)
    catalog = with_replicas(
        for_tasks(
            models,
            tuple(Task(name, told.input_bytes, response_bytes) for name in names),
            "measured",
            _notes(told, pricing, tasks, response_bytes),
            [part for parts, _ in laid for part in parts],
            [plan for _, plan in laid],
        ),
        replicas,
    )
    return replace(catalog, zoo=told.folder)


def _chosen(zoo: Zoo, patterns: Sequence[str]) -> tuple[Variant, ...]:
    """The variants that `patterns` name, each once, in their order."""
    if not patterns:
        return zoo.variants
    found: dict[str, Variant] = {}
    for pattern in patterns:
        fitting = [v for v in zoo.variants if fnmatchcase(v.name, pattern)] or [zoo.variant(pattern)]
        found |= {v.name: v for v in fitting}
    return tuple(found.values())


def _order(zoo: Zoo, chosen: Sequence[Variant], heads: Sequence[str]) -> list[tuple[Variant, int]]:
    """(variant, parts) of which the first parts may be held where requests enter, those to be held first in front."""
    named = [zoo.variant(name) for name in heads] or chosen
    found = [(v, parts) for v in named for parts in range(1, len(v.segments))]
    if not heads:
        # so that a small device holds many
        found.sort(key=lambda part: sum(s.size_bytes for s in part[0].segments[: part[1]]))
    return found


def _held(
    pricing: SegmentPricing, order: Sequence[tuple[Variant, int]], tasks: int
) -> Mapping[tuple[str, int], frozenset[str]]:
    """(variant, parts) -> classes of which a node where requests enter holds these first parts for good.

    In order, as long as they fit the memory of the class together; files of several variants that are the same count once.
    """
    fits: dict[tuple[str, int], set[str]] = {}
    for processor in pricing.processors:
        files: dict[str, int] = {}
        peak_bytes = 0
        for v, parts in order:
            head = v.segments[:parts]
            more = {s.sha256 or f"{v.name}/{s.file}": s.size_bytes for s in head if s.file}
            peak = max(peak_bytes, *(s.peak_bytes for s in head))
            if processor.holds(tasks * sum((files | more).values()), peak):
                files |= more
                peak_bytes = peak
                fits.setdefault((v.name, parts), set()).add(processor.name)
    return {key: frozenset(classes) for key, classes in fits.items()}


def _models(
    variant: Variant, pricing: SegmentPricing, held: Mapping[tuple[str, int], frozenset[str]]
) -> Iterator[Model]:
    """Every run of parts of `variant` that can be placed."""
    count = len(variant.segments)
    for first in range(count):
        for last in range(first + 1, count + 1):
            if variant.reach(first) <= 0:
                continue
            # all parts in one place are worth a model only where exits spare some of them: else the whole network is better
            if count > 1 and (first, last) == (0, count) and not variant.exits:
                continue
            placed = variant.segments[first:last]
            if not placed[0].size_bytes:
                continue  # compressing the picture belongs where it is taken
            size_bytes = sum(s.size_bytes for s in placed)
            peak_bytes = max(s.peak_bytes for s in placed)
            profiles = {
                p.name: pricing.run(variant, first, last, p)
                for p in pricing.processors
                if p.holds(size_bytes, peak_bytes)
            }
            if not profiles:
                continue
            before = after = None
            if first:
                by_class = {
                    p.name: pricing.run(variant, 0, first, p)
                    for p in pricing.processors
                    if p.name in held.get((variant.name, first), ())
                }
                if not by_class:
                    continue
                answered = max(0.0, 1.0 - variant.reach(first))
                before = AtIngress(by_class, variant.crossings[first - 1].mean_bytes, answered)
            if last < count:
                rest = variant.segments[last:]
                by_class = {
                    p.name: pricing.run(variant, last, count, p)
                    for p in pricing.processors
                    if variant.reach(last) > 0
                    and p.holds(sum(s.size_bytes for s in rest), max(s.peak_bytes for s in rest))
                }
                share = variant.reach(last) / variant.reach(first)
                after = AtRepository(by_class, variant.crossings[last - 1].mean_bytes, max(0.0, share))
            yield Model(
                name="",
                task="",
                size_bytes=size_bytes + peak_bytes,
                quality=variant.accuracy,
                profiles=profiles,
                variant=_name(variant, first, last),
                before=before,
                after=after,
                segments=Segments(variant.name, first, last),
            )


def _networks(variant: Variant) -> int:
    """How many of its parts are networks: what only compresses the picture is none."""
    return sum(s.size_bytes > 0 for s in variant.segments)


def _plan(variant: Variant, pricing: SegmentPricing) -> tuple[list[Part], Plan] | None:
    """`variant` with every part to be placed; None if some part fits no processor class."""
    count = len(variant.segments)
    last = next((i for i in range(count) if variant.reach(i) <= 0), count)
    first = next(i for i, s in enumerate(variant.segments) if s.size_bytes)
    parts = []
    for i in range(first, last):
        segment = variant.segments[i]
        profiles = {
            p.name: pricing.profile(pricing.segment_s(segment, p), p)
            for p in pricing.processors
            if p.holds(segment.size_bytes, segment.peak_bytes)
        }
        if not profiles:
            return None
        name = f"{variant.name}/part-{i - first + 1}"
        parts.append(
            Part(
                name,
                "",
                segment.size_bytes + segment.peak_bytes,
                profiles,
                name,
                Segments(variant.name, i, i + 1),
            )
        )
    before = None
    if first:
        by_class = {p.name: pricing.run(variant, 0, first, p) for p in pricing.processors}
        before = AtIngress(by_class, variant.crossings[first - 1].mean_bytes)
    reach = [variant.reach(i) for i in range(first, last)]
    plan = Plan(
        name=variant.name,
        task="",
        parts=tuple(p.name for p in parts),
        handovers=tuple(
            Handover(
                c.mean_bytes,
                {p.name: pricing.profile(pricing.codec_s(c.encode, p), p) for p in pricing.processors},
                {p.name: pricing.profile(pricing.codec_s(c.decode, p), p) for p in pricing.processors},
            )
            for c in variant.crossings[first : last - 1]
        ),
        reach=tuple(r / reach[0] for r in reach),
        quality=variant.accuracy,
        before=before,
    )
    return parts, plan


def _name(variant: Variant, first: int, last: int) -> str:
    count = len(variant.segments)
    # what only compresses the picture has no part in names
    start = next((i for i, s in enumerate(variant.segments) if s.size_bytes), 0)
    several = count - start > 2
    if first <= start and last == count:
        return variant.name
    if first <= start:
        return f"{variant.name}/head" + (f"-{last - start}" if several else "")
    if last == count:
        return f"{variant.name}/tail" + (f"-{count - first}" if several else "")
    return f"{variant.name}/middle-{first - start + 1}" + (f"-{last - start}" if last > first + 1 else "")


def _notes(zoo: Zoo, pricing: SegmentPricing, tasks: int, response_bytes: int) -> tuple[str, ...]:
    others = [p.name for p in pricing.processors if not pricing.is_measured(p)]
    return (
        f"Accuracy, bytes and sizes are measured on {zoo.dataset}; latency on {zoo.processor}, one thread, which stands for "
        f"class {pricing.measured_on.name}.",
        *([f"Latency on {', '.join(others)} is modelled: a declared roofline."] if others else []),
        "Energy is modelled: declared power while busy times latency.",
        *(
            [f"The {tasks} tasks stand for the same networks trained on other pictures: an assumption."]
            if tasks > 1
            else []
        ),
        f"An answer of {response_bytes:,} bytes is declared. A part with a fixed place never runs out of capacity.",
        *zoo.notes,
    )
