"""The sections `limits` and `budgets`: what a refusal costs, how prices are found, what may be used in the long run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from placid.experiments.scenario.kinds import (
    Listed,
    Name,
    Number,
    PerName,
    Quantity,
    Whole,
    described,
    either,
)
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.reading import read_section
from placid.experiments.scenario.settings import Section
from placid.network.graph import Network
from placid.problem.limits import Terms
from placid.problem.uses import Budget
from placid.yaml_lines import Key

__all__ = ["BudgetSection", "LimitsChoice", "LimitsSection", "limits_told", "read_limits"]

_UNLIMITED = float("inf")


class LimitsSection(Section):
    """What a refusal costs, and how prices are found, where links have a `rate` or nodes `processors`."""

    refusal: Annotated[
        Any, either(Number(0, above_low=True), PerName(Number(0, above_low=True), "task"), None)
    ] = Field(
        None,
        description="cost of refusing a request, in the objective's unit: one number, or by task. Left out: twice the cost "
        "of the dearest way in which it could be answered anywhere on its path.",
    )
    rounds: Annotated[Any, Whole(2, 10_000)] = Field(
        20,
        description="how often the prices of a slot are tried at most; more is nearer the best, and slower.",
    )
    patience_slots: Annotated[Any, Number(0, above_low=True)] = Field(
        50.0,
        description="how many slots' worth a budget may be overdrawn before what takes of it is worth no more than "
        "refusing.",
    )


class BudgetSection(Section):
    """What may be used in the long run. A budget has `energy` or `bytes`."""

    energy: Annotated[Any, either(Quantity("energy", above_zero=True), None)] = Field(
        None, description="of everything, or of one node's processors."
    )
    bytes: Annotated[Any, either(Quantity("size", above_zero=True), None)] = Field(
        None, description="over one link, both ways together, or of all links, counted on each."
    )
    every_s: Annotated[Any, Quantity("time", above_zero=True)] = Field(
        86400.0, alias="every", description="the time that this is for."
    )
    node: Annotated[Any, either(Name("node"), None)] = Field(None, description="whose energy.")
    link: Annotated[Any, either(Listed(Name("node"), 2, 2, unique=True), None)] = Field(
        None, description="whose bytes: the two ends of the link."
    )


@dataclass(frozen=True)
class LimitsChoice:
    """Limits and budgets as written; each budget with the place where it stands."""

    terms: Terms
    budgets: tuple[tuple[Key, Budget], ...]

    def check_fit(self, mistakes: Mistakes, network: Network, tasks: Sequence[str]) -> None:
        """Notes what they name and is not there."""
        refusal = self.terms.refusal
        for name in refusal if isinstance(refusal, Mapping) else ():
            if name not in tasks:
                mistakes.add_unknown(("limits", "refusal", name), "task", name, tasks)
        joined = {frozenset((e.a, e.b)) for e in network.links}
        for at, budget in self.budgets:
            for name in (*budget.link, *([budget.node] if budget.node else ())):
                if name not in network.index:
                    mistakes.add_unknown(
                        (*at, "link" if budget.link else "node"), "node", name, network.index
                    )
                    break
            else:
                if budget.link and frozenset(budget.link) not in joined:
                    first = budget.link[0]
                    beside = sorted(
                        {e.b if e.a == first else e.a for e in network.links if first in (e.a, e.b)}
                    )
                    mistakes.add(
                        (*at, "link"),
                        f"there is no link {'-'.join(budget.link)}; '{first}' is linked to {', '.join(beside) or 'nobody'}",
                    )


def read_limits(mistakes: Mistakes, limits: object, budgets: object) -> LimitsChoice | None:
    """Both sections as written."""
    section = read_section(mistakes, ("limits",), limits if limits is not None else {}, LimitsSection)
    found: list[tuple[Key, Budget]] = []
    if not isinstance(budgets, list | tuple):
        mistakes.add(
            ("budgets",),
            f"expected a list such as '- {{energy: 5 kJ, every: 1 d}}', got {described(budgets)}",
            of_value=True,
        )
        return None
    for i, one in enumerate(budgets):
        at: Key = ("budgets", i)
        read = read_section(mistakes, at, one, BudgetSection)
        if read is None:
            continue
        if (read.energy is None) == (read.bytes is None):
            how = "neither 'energy' nor 'bytes'" if read.energy is None else "both 'energy' and 'bytes'"
            mistakes.add(at, f"has {how}; write exactly one of the two")
            continue
        kind = "bytes" if read.energy is None else "energy"
        amount = read.bytes if read.energy is None else read.energy
        budget = None
        with mistakes.at(at):
            budget = Budget(kind, amount / read.every_s, read.node or "", tuple(read.link or ()))
        if budget is None:
            continue
        if budget.name in {b.name for _, b in found}:
            mistakes.add(at, f"the budget of {budget.name} stands twice; keep one of the two")
            continue
        found.append((at, budget))
    if section is None:
        return None
    terms = Terms(section.refusal, section.patience_slots, section.rounds)
    return LimitsChoice(terms, tuple(found))


def limits_told(network: Network, choice: LimitsChoice) -> tuple[str, ...]:
    """What a run is limited by, in plain sentences for its page."""
    told = []
    rates = sorted({e.rate_bytes_per_s for e in network.links} - {_UNLIMITED})
    if rates:
        limited = sum(e.rate_bytes_per_s < _UNLIMITED for e in network.links)
        span = " to ".join(dict.fromkeys(f"{8 * r / 1e6:g} Mbit/s" for r in (rates[0], rates[-1])))
        told.append(f"Hard limits of links are declared: {limited} of {len(network.links)}, {span} each way.")
    by_tier: dict[str, list[float]] = {}
    for n in network.nodes:
        if n.processors < _UNLIMITED:
            by_tier.setdefault(n.tier, []).append(n.processors)
    if by_tier:
        spans = (
            f"{tier} " + " to ".join(dict.fromkeys(f"{c:g}" for c in (min(found), max(found))))
            for tier, found in by_tier.items()
        )
        told.append(f"Processors that the copies at a node share are declared: {', '.join(spans)}.")
    for _, budget in choice.budgets:
        unit = ("J" if budget.of == "energy" else "B") + " a second"
        told.append(
            f"A long-run budget is declared: {budget.name}, {budget.most_per_s:.4g} {unit} on average."
        )
    return tuple(told)
