"""From the section `network` to the network of a run: loaded, dressed, with its ingress nodes and what happens to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from placid.errors import InputError
from placid.experiments.scenario.changes import build_timeline
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.networks import NetworkChoice
from placid.experiments.scenario.settings import settings_of
from placid.network import Network, declarations, dress, hang, traffic_matrix
from placid.yaml_lines import Document, Key

__all__ = ["BuiltNetwork", "build_network"]

_AT: Key = ("network",)
#: where the topologies of topohub come from
_ORIGINS = {
    "sndlib": "SNDlib",
    "topozoo": "the Internet Topology Zoo",
    "caida": "CAIDA",
    "gabriel": "random Gabriel graphs",
    "backbone": "published backbone maps",
}


@dataclass(frozen=True)
class BuiltNetwork:
    """The network of a run.

    Attributes:
        network: with all its links and every node up.
        timeline: (first slot, network from then on).
        ingress: names of the nodes where requests enter.
    """

    network: Network
    timeline: list[tuple[int, Network]]
    ingress: tuple[str, ...]
    declared: tuple[str, ...]
    sources: tuple[str, ...]
    choice: NetworkChoice = field(repr=False)
    document: Document = field(repr=False)

    @property
    def stands_for(self) -> Mapping[str, int]:
        """How many devices an ingress node stands for, where that is more than one."""
        kinds = {kind: d.stands_for for kind, d in self.choice.devices.items() if d.stands_for > 1}
        tier = {name: self.network.node(name).tier for name in self.ingress}
        return {name: kinds[t] for name, t in tier.items() if t in kinds}

    def matrix(self) -> Mapping[tuple[str, str], float]:
        """The traffic matrix that the topology ships.

        Raises:
            InputError: it ships none.
        """
        topology = self.choice.source.values.get("topology")
        found = traffic_matrix(topology) if isinstance(topology, str) else None
        if found is None:
            raise InputError(
                f"{topology or 'this network'} ships no traffic matrix; take a topology of sndlib, or write the numbers down"
            )
        return found

    def where(self, node: str, field: str) -> Key:
        """Where the scenario says what `field` of `node` is."""
        here = self.network.node(node) if node in self.network.index else None
        tier = here.tier if here else ""
        places: list[Key] = [("network", "overrides", node, field)]
        if here is not None and here.repository:
            places += [("network", "cloud", field)]
        for head in (("network", "tiered"), ("network",)):
            places += [(*head, field, tier), (*head, field)]
        return next((p for p in places if p in self.document.keys), _AT)


def build_network(mistakes: Mistakes, choice: NetworkChoice, folder: Path, slots: int) -> BuiltNetwork | None:
    """The network that was chosen, dressed, with what happens to it."""
    source = choice.source
    given = {"path": folder / source.values["path"]} if source.name == "file" else {}
    bare = source.build(mistakes, **given)
    if not isinstance(bare, Network):
        return None
    without = _dress(mistakes, choice, bare)
    dressed = None if without is None else _with_devices(mistakes, choice, without)
    if without is None or dressed is None:
        return None
    ingress = _ingress(mistakes, choice, dressed)
    stretches = build_timeline(mistakes, choice.changes, dressed, slots)
    if ingress is None or stretches is None:
        return None
    tiered = source.name == "tiered"
    return BuiltNetwork(
        dressed,
        stretches,
        ingress,
        (_declared_tiered(without) if tiered else declarations(bare, without)) + _declared_devices(choice),
        _sources(choice, bare),
        choice,
        mistakes.document,
    )


def _dress(mistakes: Mistakes, choice: NetworkChoice, bare: Network) -> Network | None:
    arguments = dict(choice.dressing)
    if choice.source.name == "tiered":
        if not arguments["overrides"]:
            return bare
        # dressed in what it wears already, for the overrides
        arguments |= {
            "memory_bytes": {n.tier: n.memory_bytes for n in bare.nodes},
            "processor": {n.tier: n.processor for n in bare.nodes},
        }
    elif choice.source.name == "file":
        own = {n.name: dict(arguments["overrides"].get(n.name, {})) for n in bare.nodes}
        own |= {n: o for n, o in arguments["overrides"].items() if n not in own}
        if "memory_bytes" not in arguments:
            if not any(n.memory_bytes for n in bare.nodes):
                mistakes.add(
                    _AT,
                    "the field 'memory' is missing; the file does not say what memory nodes have, so write it",
                )
                return None
            arguments["memory_bytes"] = 0
            for n in bare.nodes:
                own[n.name].setdefault("memory_bytes", n.memory_bytes)
        if "processor" not in arguments:
            for n in bare.nodes:
                own[n.name].setdefault("processor", n.processor)
        arguments["overrides"] = own
    fields = {s.parameter: s.field for s in settings_of(dress)} | {"gateways": "cloud"}
    for name in arguments["overrides"]:
        if name not in bare.index:
            mistakes.add_unknown((*_AT, "overrides", name), "node", name, bare.index)
            return None
    with mistakes.at(_AT, fields):
        return dress(bare, **arguments)
    return None


def _with_devices(mistakes: Mistakes, choice: NetworkChoice, network: Network) -> Network | None:
    if not choice.devices:
        return network
    with mistakes.at((*_AT, "devices"), {}):
        return hang(network, choice.devices)
    return None


def _ingress(mistakes: Mistakes, choice: NetworkChoice, network: Network) -> tuple[str, ...] | None:
    hosts = [n for n in network.nodes if not n.repository]
    at: Key = (*_AT, "ingress")
    if not choice.ingress:
        lowest = {network.nodes[0].tier} if choice.source.name == "tiered" else {n.tier for n in hosts}
        if choice.devices:
            lowest = set(choice.devices)
        found = [n.name for n in hosts if n.tier in lowest]
    elif choice.ingress == ("all",) and "all" not in network.index:
        found = [n.name for n in hosts]
    else:
        found = []
        for i, name in enumerate(choice.ingress):
            here: Key = (*at, i) if (*at, i) in mistakes.document.values else at
            if name in network.index:
                found.append(name)
            elif name in network.tiers:
                found += [n.name for n in network.nodes if n.tier == name]
            else:
                mistakes.add_unknown(here, "node or tier", name, [*network.index, *network.tiers])
                return None
    if not found:
        mistakes.add(at, "no request enters anywhere: every node is a repository; write 'ingress'")
        return None
    return tuple(dict.fromkeys(found))


def _declared_tiered(network: Network) -> tuple[str, ...]:
    memory: dict[str, int] = {n.tier: n.memory_bytes for n in network.nodes if not n.repository}
    rtt_s = {network.node(e.a).tier: e.rtt_s for e in network.links}
    budgets = ", ".join(f"{tier} {size / 2**30:g} GiB" for tier, size in memory.items())
    trips = ", ".join(f"{tier} {1e3 * rtt:g} ms" for tier, rtt in rtt_s.items())
    classes = ", ".join(dict.fromkeys(f"{n.tier} {n.processor}" for n in network.nodes))
    return (
        f"Memory budgets are declared: {budgets}.",
        f"Round-trip times of the links above each tier are declared: {trips}.",
        f"Processor classes are declared: {classes}.",
    )


def _declared_devices(choice: NetworkChoice) -> tuple[str, ...]:
    if not choice.devices:
        return ()
    kinds = []
    for kind, d in choice.devices.items():
        parts = [f"{kind} {d.processor}", f"{d.memory_bytes / 2**20:g} MiB", f"{1e3 * d.rtt_s:g} ms"]
        if d.stands_for > 1:
            parts.insert(1, f"{d.stands_for:,} to a node")
        if d.bandwidth_bytes_per_s < float("inf"):
            parts.append(f"{8 * d.bandwidth_bytes_per_s / 1e6:g} Mbit/s")
        kinds.append(", ".join(parts))
    return (f"Devices and their links are declared: {'; '.join(kinds)}.",)


def _sources(choice: NetworkChoice, bare: Network) -> tuple[str, ...]:
    source = choice.source
    if source.name == "topology":
        origin = _ORIGINS.get(bare.name.split("/")[0], "its public collection")
        return (
            f"Nodes, links and lengths of {bare.name}: {origin}, through topohub. Round-trip times follow from lengths "
            "at the speed of light in fibre.",
        )
    if source.name == "file":
        return (f"Nodes and links: the file {source.values['path']}.",)
    return ("Nodes and links are generated: a tiered Internet service provider.",)
