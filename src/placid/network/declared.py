"""What a run assumes of its network beyond what the topology gives, in plain sentences for its page."""

from __future__ import annotations

from dataclasses import fields

from placid.network.graph import Link, Network
from placid.network.hub import declared_lengths, topology_names

__all__ = ["declarations"]


def declarations(bare: Network, dressed: Network) -> tuple[str, ...]:
    """What `dressed` has that `bare` does not give, one plain sentence each."""
    said = list(declared_lengths(bare.name)) if bare.name in topology_names() and bare != dressed else []
    old = bare.index
    hosts = [n for n in dressed.nodes if not n.repository]
    if any(n.name not in old or bare.node(n.name).memory_bytes != n.memory_bytes for n in hosts):
        by_tier: dict[str, set[int]] = {}
        for n in hosts:
            by_tier.setdefault(n.tier, set()).add(n.memory_bytes)
        spans = [
            f"{tier} {_size(min(sizes))}" + (f" to {_size(max(sizes))}" if len(sizes) > 1 else "")
            for tier, sizes in by_tier.items()
        ]
        said.append(f"Memory budgets are declared, the topology gives none: {', '.join(spans)}.")
    if any(n.name not in old or bare.node(n.name).processor != n.processor for n in dressed.nodes):
        classes = {f"{n.tier} {n.processor}" for n in dressed.nodes}
        said.append(f"Processor classes are declared: {', '.join(sorted(classes))}.")
    if any(n.name in old and bare.node(n.name).tier != n.tier for n in dressed.nodes):
        said.append("Tiers are declared; the topology has none.")
    for n in dressed.nodes:
        if n.repository and n.name not in old:
            ends = [e for e in dressed.links if n.name in (e.a, e.b)]
            gates = ", ".join(e.a if e.b == n.name else e.b for e in ends)
            said.append(
                f"The repository '{n.name}' is declared: joined at {gates} over {1e3 * ends[0].rtt_s:g} ms of round trip."
            )
        elif n.repository and not bare.node(n.name).repository:
            said.append(f"That '{n.name}' is a repository is declared.")
    for field, what in (
        ("bandwidth_bytes_per_s", "Link rates"),
        ("energy_j_per_byte", "Energy per byte on links"),
    ):
        default = next(f.default for f in fields(Link) if f.name == field)
        if any(getattr(e, field) != default for e in dressed.links) and all(
            getattr(e, field) == default for e in bare.links
        ):
            values = sorted({getattr(e, field) for e in dressed.links} - {default})
            shown = (
                ", ".join(f"{8 * v / 1e9:g} Gbit/s" for v in values)
                if field.startswith("bandwidth")
                else ", ".join(f"{1e9 * v:g} nJ/B" for v in values)
            )
            said.append(f"{what} are declared, the topology gives none: {shown}.")
    return tuple(said)


def _size(count: int) -> str:
    return f"{count / 2**30:g} GiB" if count >= 2**30 else f"{count / 2**20:g} MiB"
