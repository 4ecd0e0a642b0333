"""What a node is told when it starts, and in every slot: plain values that JSON can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from placid.errors import InputError
from placid.inference.ladder import Ladder

__all__ = [
    "Address",
    "AgentSpec",
    "NodeSpec",
    "Offload",
    "Orders",
    "Stage",
    "TaskSpec",
    "Uplink",
    "View",
    "Way",
]


@dataclass(frozen=True)
class Address:
    """Where a node listens."""

    host: str
    port: int


@dataclass(frozen=True)
class Uplink:
    """The link to the node that this one forwards to.

    Attributes:
        rtt_s: there and back, without a byte.
        bandwidth_bytes_per_s: each way; None for no limit.
        rate_bytes_per_s: what all requests together may move, each way; None for no limit.
        kernel: whether the kernel imposes the bandwidth; the delay is imposed by the node either way.
    """

    node: str
    at: Address
    rtt_s: float
    bandwidth_bytes_per_s: float | None = None
    rate_bytes_per_s: float | None = None
    kernel: bool = False


@dataclass(frozen=True)
class Stage:
    """Segments of a variant, from `first` up to but not `last`, on one node.

    Attributes:
        item: the placed model or part that they are; empty for what has a fixed place.
    """

    node: str
    first: int
    last: int
    item: str = ""


@dataclass(frozen=True)
class Way:
    """One way of answering requests that enter at one node for one task: an option of the problem, as it runs.

    Attributes:
        stages: from where requests enter on, never going back down; together they run all segments of `variant`. None at
            all: requests are refused, as links or processors can carry no more.
        share: of the requests that should take it.
    """

    variant: str
    stages: tuple[Stage, ...]
    share: float = 1.0


@dataclass(frozen=True)
class TaskSpec:
    """A task that can be asked for.

    Attributes:
        response_bytes: what an answer weighs on a link.
    """

    name: str
    response_bytes: int


@dataclass(frozen=True)
class AgentSpec:
    """What a node needs to run its part of a policy that nodes run by themselves (`placid.runtime.node.agent`).

    Attributes:
        settings: of `placid.placement.online.distributed.DistributedInfida`.
        seed: of the streams that all nodes know.
        state_file: where its state is kept after every slot, and found again; empty for nowhere.
        models: of every model that may be placed anywhere, by number: its name, variant, first and last segment, and how
            many segments of the variant there are to run.
    """

    settings: Mapping[str, Any]
    seed: int
    slot_s: float
    state_file: str
    models: tuple[tuple[str, str, int, int, int], ...]


@dataclass(frozen=True)
class View:
    """What such a node knows of itself as the network is now; numbers as in `placid.placement.online.agents.local_of`.

    Attributes:
        node: its number.
        items: what may be placed here, numbers among `AgentSpec.models`.
        enters: task -> number of the request type that enters here for it.
        below: nodes that forward to this one; `height` the hops to the farthest node below.
        begins_s: when slot `first_slot` begins, in seconds of Unix time; every node knows the time.
    """

    node: int
    items: tuple[int, ...]
    size_bytes: tuple[int, ...]
    capacity: tuple[float, ...]
    budget_bytes: int
    types: tuple[int, ...]
    option_ptr: tuple[int, ...]
    option_item: tuple[int, ...]
    option_saving: tuple[float, ...]
    enters: Mapping[str, int]
    below: tuple[str, ...]
    height: int
    begins_s: float
    first_slot: int


@dataclass(frozen=True)
class Offload:
    """How a node decides by itself whether it answers or forwards, of requests that run the ladder's variant.

    Attributes:
        value_s: what an answer that is right is worth, seconds.
        thresholds: of every exit; a request whose calibrated confidence is below goes up, whatever that costs. None: the
            rule of `placid.inference.offloading`.
        forget_s: time constant with which it forgets what it heard from above.
        probe_every_s: after which it asks again if nothing went up.
    """

    ladder: Ladder
    value_s: float
    thresholds: tuple[float, ...] | None = None
    forget_s: float = 1.0
    probe_every_s: float = 1.0

    def __post_init__(self) -> None:
        if not (self.value_s >= 0 and self.forget_s > 0 and self.probe_every_s > 0):
            raise InputError("the value is 0 s at least, and times are above 0", where="offloading")
        if self.thresholds is not None and len(self.thresholds) != len(self.ladder.knots):
            raise InputError(
                f"needs a threshold for each of {len(self.ladder.knots)} exits, got {len(self.thresholds)}",
                where="offloading",
            )


@dataclass(frozen=True)
class Orders:
    """What a node is told for a slot.

    Attributes:
        items: what it holds: item -> bytes, as the budget counts them. None: what it holds stays.
        ways: task -> how requests that enter here are answered, cheapest first. None: they stay.
        uplink: where it forwards; None at a repository or where none can be reached.
        view: for a node that runs its part of the policy: what it knows of itself from now on. `ways` then are those to the
            repository, to which the node adds what is placed. None: it stays.
        offload: how it decides for itself. None: that stays.
        memory_bytes: its budget from now on. None: it stays.
    """

    slot: int
    items: Mapping[str, int] | None = None
    ways: Mapping[str, tuple[Way, ...]] | None = None
    uplink: Uplink | None = None
    view: View | None = None
    offload: Offload | None = None
    memory_bytes: int | None = None

    def to_json(self) -> str:
        """As `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Orders:
        """Raises InputError if it is not what `to_json` writes."""
        try:
            told = json.loads(text)
            ways, items = told["ways"], told["items"]
            return cls(
                slot=int(told["slot"]),
                items=None if items is None else {str(k): int(v) for k, v in items.items()},
                ways=None
                if ways is None
                else {t: tuple(_way(w) for w in found) for t, found in ways.items()},
                uplink=_uplink(told["uplink"]),
                view=_view(told.get("view")),
                offload=_offload(told.get("offload")),
                memory_bytes=None if told.get("memory_bytes") is None else int(told["memory_bytes"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"these are no orders: {error!r}") from None


@dataclass(frozen=True)
class NodeSpec:
    """A node of the live network, as it starts.

    Attributes:
        zoo: folder of the networks; empty for those that come with placid.
        measured_on: processor class that the zoo was measured on.
        memory_bytes: budget of what is placed; of no account at a repository.
        pace: "profile": work takes as long as the profile of `processor` says, where this machine is quicker; "real": as
            long as it takes here.
        models: item -> [variant, first, last], of all that may be placed here.
        tasks: all of the network; requests for them enter here if there are `ways`.
        namespace: the network namespace that it runs in, by name; empty for that of whoever starts it.
        port: where it listens to clients, and `peers_port` to other nodes and the controller; 0 for any that is free.
        grpc_port: where it speaks gRPC to clients; 0 for any that is free, None for not at all.
        most_wait_s: for which a request may have to wait for an item; if it were longer the repository runs the rest.
        most_in_flight: requests that may be under way here; more are refused.
        batch: most requests that are run together.
        tls: folder of `placid.runtime.certificates`; empty for plain text.
        processors: that all it runs shares; None: every item has its own.
        agent: for a node that decides by itself what it holds; None if it is told.
        traces: where spans go (`placid.runtime.tracing.target`); empty for nowhere.
        trace_ratio: of the requests that enter here without a trace, the share that begin one.
        offload: how it decides for itself whether it answers or forwards. None: by the exits of the manifest.
    """

    name: str
    tier: str
    processor: str
    memory_bytes: int
    repository: bool
    zoo: str
    measured_on: str
    tasks: tuple[TaskSpec, ...] = ()
    models: Mapping[str, tuple[str, int, int]] = field(default_factory=dict)
    pace: Literal["profile", "real"] = "profile"
    host: str = "127.0.0.1"
    port: int = 0
    peers_port: int = 0
    namespace: str = ""
    grpc_port: int | None = None
    most_wait_s: float = 1.0
    most_in_flight: int = 10_000
    batch: int = 8
    token: str = ""
    tls: str = ""
    processors: float | None = None
    agent: AgentSpec | None = None
    traces: str = ""
    trace_ratio: float = 0.1
    offload: Offload | None = None

    def to_json(self) -> str:
        """As `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> NodeSpec:
        """Raises InputError if it is not what `to_json` writes."""
        try:
            told = json.loads(text)
            told["tasks"] = tuple(TaskSpec(**t) for t in told["tasks"])
            told["models"] = {k: (str(v), int(a), int(b)) for k, (v, a, b) in told["models"].items()}
            if told.get("agent") is not None:
                models = tuple((str(m), str(v), *map(int, at)) for m, v, *at in told["agent"]["models"])
                told["agent"] = AgentSpec(**{**told["agent"], "models": models})
            told["offload"] = _offload(told.get("offload"))
            return cls(**told)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"this is no description of a node: {error!r}") from None


def _way(told: Mapping[str, Any]) -> Way:
    return Way(str(told["variant"]), tuple(Stage(**s) for s in told["stages"]), float(told["share"]))


def _uplink(told: Mapping[str, Any] | None) -> Uplink | None:
    return None if told is None else Uplink(**{**told, "at": Address(**told["at"])})


def _view(told: Mapping[str, Any] | None) -> View | None:
    if told is None:
        return None
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
    return View(**values)


def _offload(told: Mapping[str, Any] | None) -> Offload | None:
    if told is None:
        return None
    fixed = told["thresholds"]
    return Offload(
        Ladder.from_dict(told["ladder"]),
        float(told["value_s"]),
        None if fixed is None else tuple(float(t) for t in fixed),
        float(told["forget_s"]),
        float(told["probe_every_s"]),
    )
