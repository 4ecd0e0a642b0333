"""From a scenario to a live network: what every node is told, who decides, and where it is all written down."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import numpy as np

from placid.errors import InputError, RunError, UnknownNameError
from placid.experiments.provenance import provenance
from placid.experiments.run import slug
from placid.experiments.scenario import Built, Scenario, build
from placid.inference.ladder import ladder_of
from placid.network.graph import Network
from placid.placement.online.distributed import DistributedInfida
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.runtime.certificates import Certificates
from placid.runtime.control.controller import Controller, Live, Slot
from placid.runtime.control.keeping import Kept
from placid.runtime.control.onlooker import Onlooker
from placid.runtime.control.ways import Ways
from placid.runtime.engines.base import Engine, Running
from placid.runtime.engines.local import LocalEngine
from placid.runtime.http.server import HttpServer
from placid.runtime.page.serve import serve_page
from placid.runtime.page.watcher import Watcher
from placid.runtime.spec import Address, AgentSpec, NodeSpec, Offload, TaskSpec
from placid.runtime.tracing.target import Target
from placid.version import __version__

__all__ = ["LiveFolder", "NetworkUp", "live_of", "network_up"]

Pace = Literal["profile", "real"]


@dataclass(frozen=True)
class LiveFolder:
    """What a live network writes.

    nodes.json    where every node listens; gone when the network is
    token         the secret of this start, for its owner alone; likewise
    slots.jsonl   a line for every slot
    state.npz     the policy's state: what the next start goes on from
    agents/       likewise, of each node, where nodes decide by themselves
    logs/         what each node had to say
    """

    path: Path

    @property
    def nodes(self) -> Path:
        return self.path / "nodes.json"

    @property
    def token(self) -> Path:
        return self.path / "token"

    @property
    def slots(self) -> Path:
        return self.path / "slots.jsonl"

    @property
    def state(self) -> Path:
        return self.path / "state.npz"

    @property
    def agents(self) -> Path:
        return self.path / "agents"

    @property
    def logs(self) -> Path:
        return self.path / "logs"


def live_of(
    built: Built,
    *,
    policy: str | None = None,
    seed: int | None = None,
    slot_s: float | None = None,
    pace: Pace = "profile",
    batch: int = 8,
    token: str = "",
    tls: str = "",
    grpc: bool = False,
    agents: Path | None = None,
    traces: str = "",
    trace_ratio: float = 0.1,
    offload: str | None = None,
) -> Live:
    """The live network of `built`: the first policy of the scenario unless `policy` names another one.

    Args:
        agents: folder for the states of nodes that run the policy by themselves; None to keep none.
        offload: a variant with fitted exits; nodes that hold parts of it decide by themselves whether they answer.

    Raises:
        UnknownNameError: the scenario has no such policy.
        InputError: the scenario needs what a live network cannot do: preferences that change in mid-run, a catalog of
            figures, limits with a policy that nodes run by themselves.
    """
    labels = [label for label, _ in built.policies]
    label = policy or labels[0]
    if label not in labels:
        raise UnknownNameError("policy", label, labels)
    if built.limited and isinstance(dict(built.policies)[label], DistributedInfida):
        raise InputError(
            f"'{label}' knows no hard 'rate', 'processors' or 'budgets', whose prices the controller learns: choose another "
            "policy, or leave them out of the scenario"
        )
    if len(built.preferences) > 1:
        raise InputError(
            "a live network does not know 'prefer' in 'changes' yet: leave it out of the scenario"
        )
    used_slot_s = slot_s or built.slot_s

    @lru_cache(maxsize=1)  # here, and again where the controller begins
    def compiled(network: Network) -> Problem:
        return compile_problem(
            network,
            built.catalog,
            built.requests,
            built.weights,
            used_slot_s,
            [budget for _, budget in built.limits.budgets],
            built.limits.terms,
        )

    problem = compiled(built.network)
    chosen, chosen_seed = dict(built.policies)[label], built.seeds[0] if seed is None else seed
    ways = Ways(problem, built.catalog)
    models = ways.models

    def agent(node: str) -> AgentSpec | None:
        if not isinstance(chosen, DistributedInfida):
            return None
        file = "" if agents is None else str(agents.absolute() / f"{problem.node_names.index(node)}.npz")
        return AgentSpec(asdict(chosen), chosen_seed, used_slot_s, file, ways.runs)

    tasks = tuple(TaskSpec(t.name, t.response_bytes) for t in built.catalog.tasks)
    decides = None if offload is None else _offload(built, offload)
    specs = {
        node.name: NodeSpec(
            name=node.name,
            tier=node.tier,
            processor=node.processor,
            memory_bytes=node.memory_bytes,
            repository=node.repository,
            zoo=str(built.catalog.zoo),
            measured_on="x86-core",
            tasks=tasks,
            models=models[node.name],
            pace=pace,
            batch=batch,
            token=token,
            grpc_port=0 if grpc else None,
            tls=tls,
            processors=node.processors if isfinite(node.processors) else None,
            agent=agent(node.name),
            traces=traces,
            trace_ratio=trace_ratio,
            offload=decides,
        )
        for node in built.network.nodes
    }
    return Live(
        built.network,
        built.catalog,
        compiled,
        specs,
        chosen,
        label,
        chosen_seed,
        used_slot_s,
        built.timeline,
    )


def _offload(built: Built, variant: str) -> Offload:
    """What an error costs beside a second, as the scenario has it."""
    if built.catalog.zoo is None:
        raise InputError("only networks that exist can be offloaded: 'catalog: {family: measured}'")
    objective = built.objective
    if not objective.get("latency", 0.0) > 0:
        raise InputError("nodes weigh accuracy against seconds: the objective needs a 'latency' above 0")
    return Offload(
        ladder_of(Path(built.catalog.zoo), variant), objective.get("error", 0.0) / objective["latency"]
    )


@dataclass(frozen=True)
class NetworkUp:
    """A network that is up.

    Attributes:
        running: node -> where it listens.
        page: where the live page is.
    """

    live: Live
    folder: LiveFolder
    controller: Controller
    running: Mapping[str, Running]
    page: str

    async def play(
        self, slots: int | None = None, hears: Callable[[Slot], None] = lambda _: None
    ) -> list[Slot]:
        """So many slots, or for ever; each is written to slots.jsonl when it is over."""
        played: list[Slot] = []
        with self.folder.slots.open("a", encoding="utf-8") as file:
            while slots is None or len(played) < slots:
                slot = await self.controller.play()
                file.write(json.dumps(_row(self.live, slot)) + "\n")
                file.flush()
                if slots is not None:
                    played.append(slot)
                hears(slot)
        return played


@contextlib.asynccontextmanager
async def network_up(
    scenario: Scenario,
    out: Path | None = None,
    *,
    policy: str | None = None,
    seed: int | None = None,
    slot_s: float | None = None,
    pace: Pace = "profile",
    grpc: bool = False,
    tls: Path | None = None,
    engine: Literal["local", "ray", "static"] = "local",
    nodes: Path | None = None,
    links: Literal["process", "namespaces"] = "process",
    address: str | None = None,
    port: int = 0,
    fresh: bool = False,
    traces: str = "",
    trace_ratio: float = 0.1,
    offload: str | None = None,
    hears: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[NetworkUp]:
    """The live network of `scenario`, while the block lasts; afterwards no process of it is left.

    Args:
        out: default ``runs/live-<name of the scenario>``.
        grpc: whether nodes speak gRPC to clients too.
        tls: folder of certificates (`placid.runtime.certificates`); None for plain text.
        engine: what starts the nodes: processes of this machine, or actors of a Ray cluster at `address`, or, static,
            others, who know the secret in the environment, PLACID_TOKEN.
        nodes: with the engine static: a file that says where nodes listen (`placid.runtime.engines.static.addresses_of`).
        links: what imposes the rate of links: the nodes, or the kernel on links between network namespaces (needs root).
        port: of the live page; 0 for any that is free.
        fresh: forget what the policy learned in earlier starts.
        traces: where spans of requests go (`placid.runtime.tracing.target`); empty for nowhere.
        trace_ratio: of the requests that come without a trace, the share that begin one.
        offload: variant of which nodes decide by themselves whether they answer or forward.

    Raises:
        RunError: a network is up in the folder already, or holds the state of another scenario.
        InputError: links in namespaces are not possible here, or not with this engine.
    """
    if not 0 <= trace_ratio <= 1:
        raise InputError(f"the share of requests that are traced is from 0 to 1, got {trace_ratio:g}")
    target = str(Target.parse(traces)) if traces else ""
    built = build(scenario)
    token = _token(engine)
    folder = LiveFolder(Path(out) if out is not None else Path("runs") / f"live-{slug(scenario.name)}")
    live = live_of(
        built,
        policy=policy,
        seed=seed,
        slot_s=slot_s,
        pace=pace,
        token=token,
        tls="" if tls is None else str(Certificates(tls.absolute()).folder),
        grpc=grpc,
        agents=folder.agents,
        traces=target,
        trace_ratio=trace_ratio,
        offload=offload,
    )
    _check_free(folder)
    folder.path.mkdir(parents=True, exist_ok=True)
    if fresh:
        for file in (folder.state, folder.slots, *folder.agents.glob("*.npz")):
            file.unlink(missing_ok=True)
    mark = hashlib.sha256(f"{__version__}\n{scenario.text}\n{live.label}\n{live.seed}".encode()).hexdigest()
    chosen: Engine
    if links == "namespaces":
        if len(built.timeline) > 1:
            raise InputError(
                "the kernel's links do not change in mid-run: leave 'changes' out, or use '--links process'"
            )
        if engine != "local":
            raise InputError(
                f"links in namespaces are this machine's: they go with '--engine local', not '{engine}'"
            )
        from placid.runtime.engines.namespaces import NamespaceEngine

        chosen = NamespaceEngine(folder.logs, built.network)
    elif engine == "ray":
        from placid.runtime.engines.ray_nodes import RayNodes

        chosen = RayNodes(address)
    elif engine == "static":
        from placid.runtime.engines.static import StaticNodes, addresses_of

        if nodes is None:
            raise InputError("it is not said where the nodes listen: '--engine static' needs '--nodes FILE'")
        chosen = StaticNodes(addresses_of(nodes))
    else:
        chosen = LocalEngine(folder.logs)
    watchers: list[Watcher] = []

    def tell(line: str) -> None:
        hears(line)
        for watcher in watchers:
            watcher.happened(line)

    by_themselves = isinstance(live.policy, DistributedInfida)
    controller = (Onlooker if by_themselves else Controller)(
        live, chosen, kept=Kept(folder.state, mark), hears=tell
    )
    page: HttpServer | None = None
    try:
        running = await controller.begin()
        _write_token(folder, token)
        watchers.append(Watcher(controller, live.network, f"{scenario.name}, policy {live.label}"))
        watchers[0].begin()
        page = await serve_page(watchers[0], port=port)
        _write_nodes(folder, live, running, controller.problem)
        yield NetworkUp(live, folder, controller, running, f"http://127.0.0.1:{page.port}/")
    finally:
        for file in (folder.nodes, folder.token):
            file.unlink(missing_ok=True)
        for watcher in watchers:
            await watcher.end()
        if page is not None:
            await page.close(grace_s=0.2)
        await controller.end()


def _token(engine: str) -> str:
    """The secret of this start; of nodes that others started, theirs."""
    if engine != "static":
        return secrets.token_urlsafe(24)
    try:
        return os.environ["PLACID_TOKEN"]
    except KeyError:
        raise InputError("set PLACID_TOKEN to the secret that the nodes were started with") from None


def _row(live: Live, slot: Slot) -> dict[str, Any]:
    served = {name: sum(told["tally"]["answered"].values()) for name, told in slot.tallies.items()}
    return {
        "slot": slot.slot,
        "requests": int(np.sum(slot.demand)),
        "predicted_gain": slot.predicted_gain,
        "bytes_loaded": slot.bytes_loaded,
        "changed_s": round(slot.changed_s, 4),
        "decided_s": round(slot.decided_s, 4),
        "down": list(slot.down),
        "refused": dict(slot.refused),
        "answered_so_far": served,
    }


def _write_nodes(folder: LiveFolder, live: Live, running: Mapping[str, Running], problem: Problem) -> None:
    entered = {problem.node_names[v] for v in np.unique(problem.type_ingress)}
    told = {
        "pid": os.getpid(),
        "slot_s": live.slot_s,
        "policy": live.label,
        "tasks": [t.name for t in live.catalog.tasks],
        "tls": next(iter(live.specs.values())).tls,
        "nodes": [
            {
                "name": node.name,
                "tier": node.tier,
                "host": running[node.name].clients.host,
                "port": running[node.name].clients.port,
                "peers": running[node.name].peers.port,
                "grpc": _port(running[node.name].grpc),
                "ingress": node.name in entered,
                "pid": running[node.name].pid,
            }
            for node in live.network.nodes
        ],
    } | {"made": provenance()}
    scratch = folder.nodes.with_suffix(".tmp")
    scratch.write_text(json.dumps(told, indent=1) + "\n")
    scratch.replace(folder.nodes)


def _port(address: Address | None) -> int | None:
    return None if address is None else address.port


def _write_token(folder: LiveFolder, token: str) -> None:
    folder.token.unlink(missing_ok=True)
    with os.fdopen(os.open(folder.token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)


def _check_free(folder: LiveFolder) -> None:
    if not folder.nodes.exists():
        return
    try:
        pid = int(json.loads(folder.nodes.read_text())["pid"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError):
        return  # what is left of a network that was killed
    raise RunError(
        f"{folder.path}: a network is up here already (process {pid}); end it, or choose another folder with --out"
    )
