"""What a scenario comes to, said before it is run."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from placid.experiments.scenario import Built
from placid.units import format_quantity

__all__ = ["outline"]


def outline(built: Built) -> RenderableType:
    """Counts, budgets, policies, and what the scenario declares."""
    network, catalog = built.network, built.catalog
    hosts = [n for n in network.nodes if not n.repository]
    memory = sum(n.memory_bytes for n in hosts)
    sizes = [m.size_bytes for m in catalog.models]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(
        "network",
        f"{network.name}: {len(network.nodes)} nodes ({len(network.nodes) - len(hosts)} repository), "
        f"{len(network.links)} links, {format_quantity(memory, 'size')} of memory in all",
    )
    table.add_row(
        "catalog",
        f"{catalog.name}: {len(catalog.tasks)} tasks, {len(catalog.models)} models of "
        f"{format_quantity(min(sizes), 'size')} to {format_quantity(max(sizes), 'size')}",
    )
    table.add_row("workload", f"{built.workload.name}: {len(built.requests)} request types")
    table.add_row(
        "horizon",
        f"{built.slots} slots of {format_quantity(built.slot_s, 'time')}, {len(built.seeds)} seeds",
    )
    if changes := built.changes():
        table.add_row("changes", "; ".join(f"slot {slot}: {what}" for slot, what in changes))
    table.add_row("policies", ", ".join(label for label, _ in built.policies))
    notes = [Text(f"declared: {sentence}", style="dim") for sentence in built.declared]
    return Group(Text("The scenario is valid.", style="green"), table, *notes)
