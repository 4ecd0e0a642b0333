"""The sections `network` and `changes`: where nodes and links come from, what they are given, what happens to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Annotated, Any

from pydantic import Field

from placid.catalog.radios import RADIOS
from placid.experiments.scenario.changes import read_changes
from placid.experiments.scenario.kinds import (
    Choice,
    Listed,
    Name,
    Number,
    PerName,
    Quantity,
    Text,
    Whole,
    described,
    either,
)
from placid.experiments.scenario.mistakes import Mistakes
from placid.experiments.scenario.reading import Made, fields_of, read_section, unknown_field
from placid.experiments.scenario.settings import Section, Setting, model_of, settings_of
from placid.network import NETWORKS, TIERINGS, Cloud, Devices, dress, topology_names
from placid.yaml_lines import Key

__all__ = [
    "NetworkChoice",
    "Override",
    "cloud_model",
    "devices_model",
    "network_model",
    "read_network",
    "tiered_model",
]

_AT: Key = ("network",)


class Override(Section):
    """What one node has instead of what its tier has."""

    tier: Annotated[Any, Name("tier")] = Field(None, description="its tier.")
    memory_bytes: Annotated[Any, Quantity("size", whole=True)] = Field(
        None, alias="memory", description="its memory budget."
    )
    processor: Annotated[Any, Name("processor")] = Field(None, description="its processor class.")
    processors: Annotated[Any, Number(0, above_low=True)] = Field(
        None, description="how many processors all its copies share."
    )


@dataclass(frozen=True)
class NetworkChoice:
    """A network as written.

    Attributes:
        source: what gives nodes and links.
        dressing: arguments of `dress`.
        devices: what hangs below its nodes, by kind.
        ingress: nodes or tiers; empty for the usual ones.
        changes: in the order of the file, each with the place where it stands.
    """

    source: Made
    dressing: Mapping[str, Any]
    ingress: tuple[str, ...]
    changes: tuple[Made, ...]
    devices: Mapping[str, Devices] = field(default_factory=dict)


@cache
def network_model(source: str) -> type[Section]:
    """The fields of `network` for a source of `NETWORKS`."""
    extra: dict[str, Any] = {
        "ingress": (
            Annotated[Any, either(Listed(Name("node or tier"), least=1, unique=True), None)],
            Field(None, description=_INGRESS),
        ),
        "overrides": (
            Any,
            Field(
                {},
                description="what single nodes have instead, by node name: `tier`, `memory`, `processor`, `processors`.",
            ),
        ),
        "devices": (
            Any,
            Field({}, description="devices that hang below its nodes, by the name of their kind: see below."),
        ),
    }
    if source == "tiered":
        about = "the tiered network of an Internet service provider: see below; `{}` for the defaults."
        return model_of("network", (), {"tiered": (Any, Field(..., description=about))} | extra)
    extra["cloud"] = (Any, Field(None, description="a repository to add: see below."))
    return model_of("network", _settings(source), extra)


_INGRESS = (
    "where requests enter: names of nodes or tiers, or `all`. Left out: the devices if there are any, else the base "
    "stations of a tiered network, every node that is no repository of any other."
)


def _settings(source: str) -> tuple[Setting, ...]:
    """What `network` says of a topology or file, and of what it is dressed with."""
    found = []
    for s in settings_of(NETWORKS[source]):
        if s.parameter == "topology":
            s = replace(s, description="its id, such as `sndlib/geant`; `placid list topologies` shows all.")
        if s.parameter == "path":
            s = replace(
                s,
                field="file",
                kind=Text(),
                description="a `.graphml` file, or `.json` in networkx' node-link form.",
            )
        if s.parameter == "detour":
            s = replace(
                s,
                description="how much longer cables are than the lengths given; about 1.5 for great circles.",
            )
        if s.parameter == "hop_s":
            s = replace(s, description="what forwarding at the far end adds to a link's round-trip time.")
        found.append(s)
    for s in settings_of(dress):
        if s.parameter in ("network", "cloud", "overrides"):
            continue
        if s.parameter == "memory_bytes":
            # a file may know the memory of its nodes
            s = replace(s, required=source != "file", default=None)
            s = replace(s, description="memory budget for models: one for all nodes, or by tier.")
        if s.parameter == "processor":
            s = replace(s, description="processor class: one for all nodes, or by tier.")
        if s.parameter == "tiers":
            s = replace(
                s, kind=either(Choice(TIERINGS, "way to assign tiers"), PerName(Name("tier"), "node"))
            )
        if s.parameter == "bandwidth_bytes_per_s":
            s = replace(
                s, description="rate of every link, each way; left out: as the source says, else unlimited."
            )
        if s.parameter == "energy_j_per_byte":
            s = replace(
                s,
                description="energy to move a byte across any link; left out: as the source says, else none.",
            )
        if s.parameter == "rate_bytes_per_s":
            s = replace(
                s,
                kind=either(
                    Quantity("data rate", infinite=True), PerName(Quantity("data rate"), "link"), None
                ),
                description="hard limit of what all requests together move over a link, each way: of every link, or by "
                "link, `a-b`; left out: as the source says, else none.",
            )
        if s.parameter == "processors":
            s = replace(
                s,
                description="how many processors the copies at a node share, a hard limit: one number, or by tier; left "
                "out: as the source says, else one for every copy.",
            )
        found.append(s)
    return tuple(found)


@cache
def tiered_model() -> type[Section]:
    """The fields of `network.tiered`."""
    return model_of("tiered", _tiered_settings())


def _tiered_settings() -> tuple[Setting, ...]:
    about = {
        "bandwidth_bytes_per_s": "rate of every link, each way.",
        "energy_j_per_byte": "energy to move a byte across any link.",
    }
    counts = ("base_stations", "stations_per_office", "offices_per_region")
    most = dict.fromkeys(counts, Whole(1, 100_000))
    return tuple(
        replace(s, description=about.get(s.parameter, s.description), kind=most.get(s.parameter, s.kind))
        for s in settings_of(NETWORKS["tiered"])
    )


@cache
def cloud_model() -> type[Section]:
    """The fields of `network.cloud`."""
    about = {
        "bandwidth_bytes_per_s": "rate of the links to it, each way.",
        "energy_j_per_byte": "energy to move a byte over the links to it.",
        "rate_bytes_per_s": "hard limit of what all requests together move over each of the links to it, each way.",
        "name": "what it is called.",
        "tier": "its tier.",
    }
    settings = (replace(s, description=about.get(s.parameter, s.description)) for s in settings_of(Cloud))
    return model_of("cloud", settings)


@cache
def devices_model() -> type[Section]:
    """The fields of one kind of `network.devices`."""
    link = (
        Annotated[Any, either(Choice(tuple(RADIOS), "kind of link"), None)],
        Field(
            None,
            description="a declared kind of link, such as `wifi`, which gives `rtt`, `bandwidth` and `energy` unless "
            "they are written.",
        ),
    )
    # with a kind of link nothing is missing
    settings = (
        replace(s, required=False, default=None) if s.parameter == "rtt_s" else s
        for s in settings_of(Devices)
    )
    return model_of("devices", settings, {"link": link})


def read_network(mistakes: Mistakes, data: object, changes: object) -> NetworkChoice | None:
    """The sections `network` and `changes` as written."""
    happening = read_changes(mistakes, changes)
    if not isinstance(data, Mapping):
        mistakes.add(
            _AT, f"expected fields such as 'topology: sndlib/geant', got {described(data)}", of_value=True
        )
        return None
    sources = [s for s in NETWORKS if s in data]
    if len(sources) != 1:
        if sources:
            mistakes.add(
                (*_AT, sources[1]), f"stands beside '{sources[0]}'; write exactly one of {_any(NETWORKS)}"
            )
            return None
        strange = [f for f in data if f not in fields_of(network_model("topology"))]
        near = [(f, m) for f in strange if "did you mean" in (m := unknown_field(f, NETWORKS))]
        if near:
            mistakes.add((*_AT, near[0][0]), near[0][1])
        else:
            mistakes.add(_AT, f"says not where it comes from; write exactly one of {_any(NETWORKS)}")
        return None
    source = sources[0]
    section = read_section(mistakes, _AT, data, network_model(source))
    overrides = _read_overrides(mistakes, data.get("overrides"))
    devices = _read_devices(mistakes, data.get("devices"))
    ingress = getattr(section, "ingress", None) or ()
    if source == "tiered":
        at: Key = (*_AT, "tiered")
        # `tiered:` with nothing after it is the default network
        inner = read_section(
            mistakes, at, data["tiered"] if data["tiered"] is not None else {}, tiered_model()
        )
        if section is None or inner is None or overrides is None or devices is None:
            return None
        made = Made.of(source, at, NETWORKS[source], inner, _tiered_settings())
        return NetworkChoice(made, {"overrides": overrides}, ingress, happening, devices)
    cloud = None
    if data.get("cloud") is not None:
        at = (*_AT, "cloud")
        inner = read_section(mistakes, at, data["cloud"], cloud_model())
        cloud = Made.of("cloud", at, Cloud, inner, settings_of(Cloud)).build(mistakes) if inner else None
        if cloud is None:
            return None
    topology = data.get("topology")
    if source == "topology" and isinstance(topology, str) and topology not in topology_names():
        mistakes.add_unknown((*_AT, "topology"), "topology", topology, topology_names())
        return None
    if section is None or overrides is None or devices is None:
        return None
    known = {s.parameter for s in settings_of(NETWORKS[source])}
    given = section.given()
    settings = _settings(source)
    fields = {s.parameter: s.field for s in settings}
    made = Made(source, _AT, NETWORKS[source], {p: v for p, v in given.items() if p in known}, fields)
    dressing = {p: v for p, v in given.items() if p in fields and p not in known}
    dressing |= {"cloud": cloud, "overrides": overrides}
    return NetworkChoice(made, dressing, ingress, happening, devices)


def _any(names: Mapping[str, object]) -> str:
    return ", ".join(f"'{n}'" for n in names)


def _read_overrides(mistakes: Mistakes, data: object) -> dict[str, dict[str, Any]] | None:
    at: Key = (*_AT, "overrides")
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        mistakes.add(at, f"expected a mapping, node: fields, got {described(data)}", of_value=True)
        return None
    found = {name: read_section(mistakes, (*at, name), one, Override) for name, one in data.items()}
    if any(one is None for one in found.values()):
        return None
    return {
        n: {p: getattr(one, p) for p in one.model_fields_set} for n, one in found.items() if one is not None
    }


def _read_devices(mistakes: Mistakes, data: object) -> dict[str, Devices] | None:
    at: Key = (*_AT, "devices")
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        mistakes.add(at, f"expected a mapping, kind: fields, got {described(data)}", of_value=True)
        return None
    found: dict[str, Devices | None] = {}
    for kind, fields in data.items():
        section = read_section(mistakes, (*at, kind), fields, devices_model())
        found[str(kind)] = None
        if section is None:
            continue
        given = section.given()
        radio = RADIOS.get(getattr(section, "link", None) or "")
        if radio is not None:
            given = {
                "rtt_s": radio.rtt_s,
                "bandwidth_bytes_per_s": radio.bytes_per_s,
                "energy_j_per_byte": radio.energy_j_per_byte,
            } | given
        if given.get("rtt_s") is None:
            mistakes.add(
                (*at, kind), f"says not how far they are: write 'rtt', or one of 'link: {'|'.join(RADIOS)}'"
            )
            continue
        names = {s.parameter: s.field for s in settings_of(Devices)}
        with mistakes.at((*at, kind), names):
            found[str(kind)] = Devices(**given)
    if any(one is None for one in found.values()):
        return None
    return {kind: one for kind, one in found.items() if one is not None}
