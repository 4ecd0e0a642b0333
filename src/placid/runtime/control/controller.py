"""The controller: every slot it asks the nodes what came, lets the policy learn, and tells the nodes what to hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import numpy as np

from placid.catalog.models import Catalog
from placid.errors import RunError
from placid.network.graph import Network
from placid.network.routing import Routes
from placid.placement.base import Feedback, Policy
from placid.placement.prices import PriceView
from placid.problem.arrays import Problem
from placid.problem.placement import bytes_loaded, check_feasible, empty_placement
from placid.problem.serving import serve
from placid.problem.within import serve_within
from placid.randomness import stream
from placid.runtime.certificates import Certificates
from placid.runtime.control.keeping import Kept
from placid.runtime.control.network_now import NetworkNow
from placid.runtime.control.ways import Ways
from placid.runtime.engines.base import Engine, Running
from placid.runtime.http.client import HttpClient
from placid.runtime.protocol.messages import ProtocolError
from placid.runtime.spec import NodeSpec, Orders, Uplink, Way

__all__ = ["Controller", "Live", "Slot"]

#: for a node to do what it is told; loading is the slow part
_OBEY_S = 30.0
#: for nodes that are being started when the controller leaves
_LEAVE_S = 10.0
#: between two tries to start a node that does not start
_LONGEST_S = 30.0


@dataclass(frozen=True)
class Live:
    """All that is fixed while a network is live.

    Attributes:
        compiled: from a network to its problem.
        specs: of every node, by name.
        slot_s: of real time.
        timeline: (first slot, network from then on), the first at slot 0; nodes are the same in all.
    """

    network: Network
    catalog: Catalog
    compiled: Callable[[Network], Problem]
    specs: Mapping[str, NodeSpec]
    policy: Policy
    label: str
    seed: int
    slot_s: float
    timeline: Sequence[tuple[int, Network]]


@dataclass(frozen=True)
class Slot:
    """What a slot came to, as the controller saw it.

    Attributes:
        demand: int64 [R]; requests by type that entered.
        placed: bool [N]; the placement that was in force.
        predicted_gain: of these requests under this placement, by the model.
        bytes_loaded: for this slot; `changed_s` what it took until all nodes had done it.
        down: nodes that were down at some time of it.
        refused: requests refused, by node and reason.
        prices: float64 [M]; of limits, with which ways were chosen; None if nothing is limited.
    """

    slot: int
    demand: np.ndarray
    placed: np.ndarray
    predicted_gain: float
    bytes_loaded: int
    changed_s: float
    decided_s: float
    down: tuple[str, ...]
    refused: Mapping[str, int]
    tallies: Mapping[str, Any]
    prices: np.ndarray | None = None


class Controller:
    """Drives a policy over the nodes of an engine. `begin`, then `play` slot after slot, then `end`.

    A node that ends is marked as down at once: requests go round it, the policy sees the problem without it, and it is
    started again, empty.

    Args:
        kept: where the state is saved after each slot, and found again; None to keep nothing.
        hears: called with a line about what happened.
    """

    def __init__(
        self,
        live: Live,
        engine: Engine,
        *,
        kept: Kept | None = None,
        hears: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._live, self._engine, self._kept, self._hears = live, engine, kept, hears
        self._now = NetworkNow(live.network, live.compiled)
        self._ways: dict[tuple[int, frozenset[str]], Ways] = {}
        self._clients: dict[str, HttpClient] = {}
        self._seen: dict[str, dict[str, int]] = {}
        self._tallies: dict[str, Any] = {}
        self._watching: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._failed: set[str] = set()
        self._ending = False
        self._restarting: set[asyncio.Task[None]] = set()
        problem = self._now.problem
        self.slot = 0
        self.running: dict[str, Running] = {}
        self._scene = live.network
        self.placed = empty_placement(problem)
        self.demand = np.zeros(problem.type_count, np.int64)
        self._limits = problem.limits
        self._prices = PriceView().at(problem, None)
        self._state: Any = live.policy.start(
            self._prices.problem(problem), stream(live.seed, "policy", "start")
        )
        if not live.policy.chains:
            problem.check_one_item_each(f"policy '{live.label}'")
        if kept is not None and (found := kept.load(self._state)) is not None:
            self.slot, self._state, self.demand = found.slot, found.state, found.demand
            self._prices = found.prices
            hears(f"goes on at slot {self.slot}")

    @property
    def problem(self) -> Problem:
        """As the network is now."""
        return self._now.problem

    @property
    def network(self) -> Network:
        """As it is now."""
        return self._now.network

    @property
    def tallies(self) -> Mapping[str, Any]:
        """What every node told last."""
        return self._tallies

    @property
    def routes(self) -> Routes:
        """Where each node forwards now."""
        return self._now.routes

    async def ask_all(self) -> dict[str, Any]:
        """What every node tells of itself now; those that do not answer are left out."""
        answers = await self._asked(list(self._clients), timeout_s=2.0)
        return {name: told for name, told in answers.items() if not isinstance(told, BaseException)}

    async def begin(self, running: Mapping[str, Running] | None = None) -> Mapping[str, Running]:
        """Start the nodes and connect them; where they listen comes back.

        Args:
            running: the nodes, if they run already, as a controller that is no more left them: they go on answering, and
                keep what they hold.

        Raises:
            RunError: a node did not start.
            InputError: models of the catalog cannot be run.
        """
        self._ways_now()  # says so now if nothing can be run
        await self._changes()
        if running is None:
            self.running = dict(await self._engine.start(list(self._live.specs.values())))
        else:
            self.running = dict(running)
        for name, one in self.running.items():
            self._connect(name, one)
        take_stock = running is not None or self._engine.attaches
        if take_stock:
            self._tallies.update(await self.ask_all())
            self.placed = self._up(self._held())
            await self._collect()  # what came before is nobody's slot
        silent = [name for name in self.running if take_stock and name not in self._tallies]
        for name in silent:
            await self._is_gone(name, f"{name} does not answer")
        await self._tell_all()
        self._watching = asyncio.create_task(self._watch())
        return self.running

    async def play(self, in_force: Callable[[np.ndarray], None] = lambda _: None) -> Slot:
        """One slot: place, `slot_s` seconds from when all nodes have done that, see, learn.

        Args:
            in_force: called with the placement once it is in force.
        """
        live, slot = self._live, self.slot
        await self._changes()
        begun = perf_counter()
        problem = self._now.problem
        # where there are limits a policy sees the problem at their prices, as in a simulation
        self._prices, self._limits = self._prices.at(problem, self._limits), problem.limits
        seen = self._prices.problem(problem)
        state, placed = await asyncio.to_thread(
            live.policy.place, self._state, seen, slot, stream(live.seed, "policy", "place", slot)
        )
        check_feasible(problem, placed, f"policy '{live.label}' in slot {slot}")
        decided_s = perf_counter() - begun
        async with self._changing:
            before = self.placed
            begun = perf_counter()
            await self._change(placed)
            changed_s = perf_counter() - begun
            placed = self.placed  # where a node could not load what it was told, it is not there
        ends = monotonic() + live.slot_s
        in_force(placed)
        self._failed = set(self._now.down)
        await asyncio.sleep(max(0.0, ends - monotonic()))
        demand, refused = await self._collect()
        # a node may have ended meanwhile: the policy learns from what the slot was planned with
        outcome = serve(seen, placed, demand)
        self._state = await asyncio.to_thread(
            live.policy.learn,
            state,
            seen,
            Feedback(slot, demand, placed, outcome),
            stream(live.seed, "policy", "learn", slot),
        )
        prices = self._prices_now
        if prices is not None:
            within = serve_within(problem, placed, demand, prices)
            outcome, self._prices = within.outcome, replace(self._prices, now=within.prices)
        self.demand, self.slot = demand, slot + 1
        if self._kept is not None:
            self._kept.save(self.slot, self._state, demand, self._prices)
        return Slot(
            slot,
            demand,
            placed,
            outcome.gain,
            bytes_loaded(problem, before, placed),
            changed_s,
            decided_s,
            tuple(sorted(self._failed)),
            refused,
            dict(self._tallies),
            prices,
        )

    @property
    def _prices_now(self) -> np.ndarray | None:
        """Of the limits of the problem as it is now; None if there are none, or they are new."""
        limits = self._now.problem.limits
        return self._prices.now if limits is not None and len(limits) == len(self._prices.now) else None

    async def becomes(self, network: Network) -> None:
        """The network is `network` from now on: links are cut or slower, nodes failed or back, budgets others. Nodes are the
        same. What is placed where a budget has shrunk below it stays until the next slot."""
        async with self._changing:
            if network is not self._now.whole:
                self._now.becomes(network)
                self.placed = self._up(self.placed)
                if self.running:
                    await self._tell_all()

    async def end(self) -> None:
        """Stop watching, and end all nodes."""
        self._ending = True
        await self.leave()
        await self._engine.close()

    async def leave(self) -> None:
        """Stop watching, and leave the nodes to themselves."""
        if self._restarting and not self._ending:
            await asyncio.wait(self._restarting, timeout=_LEAVE_S)
        if self._watching is not None:
            for task in (self._watching, *self._restarting):
                task.cancel()
            await asyncio.gather(self._watching, *self._restarting, return_exceptions=True)
        await asyncio.gather(*(c.close() for c in self._clients.values()))

    # what nodes are told

    async def _changes(self) -> None:
        """What the scenario has happen before this slot."""
        network = [n for first, n in self._live.timeline if first <= self.slot][-1]
        if network is not self._scene:
            self._scene = network
            await self.becomes(network)
            self._hears(f"slot {self.slot}: the network changes")

    async def _change(self, placed: np.ndarray) -> None:
        """Put `placed` in place. Requests first use only what stays, then nodes drop and load, then all is used."""
        ways = self._ways_now()
        old, new = ways.items(self.placed), ways.items(placed)
        changed = {name for name in new if set(old[name]) != set(new[name])} - self._now.down
        changed |= {
            name
            for name, told in self._tallies.items()
            if told["budget_bytes"] != self.network.node(name).memory_bytes and name in new
        } - self._now.down
        if changed:
            kept = frozenset((name, item) for name in new for item in set(old[name]) & set(new[name]))
            whole = ways.of(self.placed, self.demand, self._prices_now)
            await self._tell(self._with_ways(ways.within(whole, kept)))
            await self._tell({name: self._orders(name, items=new[name]) for name in changed})
            # a node may not have been able to load what it was told
            placed = placed & (self._held() | ~np.isin(self._names_of_items(), list(changed)))
        self.placed = placed
        await self._tell_all()

    async def _tell_all(self) -> None:
        """To every node that is up where it forwards, and how requests that enter there are answered."""
        found = self._ways_now().of(self._up(self.placed), self.demand, self._prices_now)
        orders = {name: self._orders(name) for name in self.running if name not in self._now.down}
        await self._tell(orders | self._with_ways(found))

    def _with_ways(self, ways: Mapping[str, Mapping[str, tuple[Way, ...]]]) -> dict[str, Orders]:
        return {
            name: replace(self._orders(name), ways=by_task)
            for name, by_task in ways.items()
            if name not in self._now.down
        }

    def _orders(self, name: str, items: Mapping[str, int] | None = None) -> Orders:
        node = self._now.network.node(name)
        memory_bytes = None if items is None or node.repository else node.memory_bytes
        return Orders(self.slot, items, None, self._uplink(name), memory_bytes=memory_bytes)

    def _uplink(self, name: str) -> Uplink | None:
        network, routes = self._now.network, self._now.routes
        v = network.index[name]
        if routes.next_hop[v] < 0:
            return None
        link = network.links[routes.link[v]]
        up = network.nodes[routes.next_hop[v]].name
        return Uplink(
            up,
            self.running[up].peers_from(name),
            link.rtt_s,
            link.bandwidth_bytes_per_s if isfinite(link.bandwidth_bytes_per_s) else None,
            link.rate_bytes_per_s if isfinite(link.rate_bytes_per_s) else None,
            name in self.running[up].links,
        )

    async def _tell(self, orders: Mapping[str, Orders]) -> None:
        """Give `orders`; a node that cannot be reached is about to be found ended."""
        results = await asyncio.gather(
            *(self._post(name, told) for name, told in orders.items()), return_exceptions=True
        )
        for name, result in zip(orders, results, strict=True):
            if isinstance(result, ProtocolError):
                self._hears(f"{name} does not hear: {result}")
            elif isinstance(result, BaseException):
                raise result

    async def _post(self, name: str, orders: Orders) -> None:
        status, body = await asyncio.wait_for(
            self._clients[name].post("/placid/orders", orders.to_json().encode()), _OBEY_S
        )
        told = json.loads(body)
        if status >= 500:
            raise ProtocolError(str(told.get("error", status)), status=status)
        if status != 200:
            raise RunError(
                f"node '{name}' refuses its orders for slot {orders.slot}: {told.get('error', status)}"
            )
        self._tallies[name] = told
        if told["lacks"]:
            self._hears(f"{name} could not load {', '.join(told['lacks'])}")

    # what nodes tell

    def _held(self) -> np.ndarray:
        """bool [N]; what nodes said they hold."""
        problem = self._now.problem
        held = {name: told["held"] for name, told in self._tallies.items()}
        return np.array(
            [
                problem.model_names[m] in held.get(problem.node_names[v], ())
                for v, m in zip(problem.item_node, problem.item_model, strict=True)
            ],
            bool,
        )

    def _names_of_items(self) -> np.ndarray:
        problem = self._now.problem
        return np.array(problem.node_names)[problem.item_node]

    async def _collect(self) -> tuple[np.ndarray, dict[str, int]]:
        """Requests by type since it was asked last, int64 [R], and refusals by node and reason."""
        names = [n for n in self.running if n not in self._now.down]
        problem = self._now.problem
        demand = np.zeros(problem.type_count, np.int64)
        refused: dict[str, int] = {}
        number = {
            (problem.node_names[v], problem.task_names[t]): r
            for r, (v, t) in enumerate(zip(problem.type_ingress, problem.type_task, strict=True))
        }
        for name, told in (await self._asked(names)).items():
            if isinstance(told, BaseException):
                self._hears(f"{name} does not tell: {told}")
                continue
            self._tallies[name] = told
            for task, count in self._new(f"{name}/entered", told["tally"]["entered"]).items():
                if (name, task) in number:
                    demand[number[name, task]] = count
            for reason, count in self._new(f"{name}/refused", told["tally"]["refused"]).items():
                refused[f"{name}: {reason}"] = count
        return demand, refused

    async def _asked(self, names: Sequence[str], timeout_s: float | None = None) -> dict[str, Any]:
        """What each of `names` tells of itself, or the error that came instead."""
        results = await asyncio.gather(
            *(self._clients[n].get("/placid/tally", timeout_s=timeout_s) for n in names),
            return_exceptions=True,
        )
        found: dict[str, Any] = {}
        for name, result in zip(names, results, strict=True):
            if isinstance(result, BaseException):
                found[name] = result
            else:
                status, body = result
                found[name] = (
                    json.loads(body) if status == 200 else RunError(f"it answers with status {status}")
                )
        return found

    def _new(self, key: str, now: Mapping[str, int]) -> dict[str, int]:
        """What came to the counts `now` since they were last seen; a process that is new counts from 0 again."""
        last = self._seen.get(key, {})
        again = any(now.get(k, 0) < v for k, v in last.items())
        self._seen[key] = dict(now)
        return {
            k: v - (0 if again else last.get(k, 0)) for k, v in now.items() if again or v > last.get(k, 0)
        }

    # nodes that end

    async def _watch(self) -> None:
        while True:
            ended = await self._engine.ended.get()
            if self._live.network.node(ended.name).repository:
                line = f"repository {ended.name} ended with code {ended.code}: what it answered is refused meanwhile"
            else:
                line = f"{ended.name} ended with code {ended.code}"
            await self._is_gone(ended.name, line)

    async def _is_gone(self, name: str, line: str) -> None:
        self._hears(line)
        async with self._changing:
            await self._go_round(name)
        task = asyncio.create_task(self._restart(name))
        self._restarting.add(task)
        task.add_done_callback(self._restarting.discard)

    async def _go_round(self, name: str) -> None:
        self._failed.add(name)
        await self._clients[name].close()
        if not self._live.network.node(name).repository:
            self._now.fails(name)
            self.placed = self._up(self.placed)
            await self._tell_all()

    async def _restart(self, name: str) -> None:
        wait_s = 1.0
        while True:
            try:
                running = (await self._engine.start([self._live.specs[name]]))[name]
                break
            except RunError as error:
                self._hears(f"{name} does not start again, next try in {wait_s:g} s: {error}")
                await asyncio.sleep(wait_s)
                wait_s = min(_LONGEST_S, 2 * wait_s)
        async with self._changing:
            self.running[name] = running
            self._connect(name, running)
            self._now.is_back(name)
            await self._tell_all()
        self._hears(f"{name} is back, empty")

    def _up(self, placed: np.ndarray) -> np.ndarray:
        """`placed` without what lies on nodes that are down."""
        problem = self._now.problem
        return placed & (problem.budget_bytes[problem.item_node] > 0)

    def _connect(self, name: str, running: Running) -> None:
        spec = self._live.specs[name]
        tls = Certificates(Path(spec.tls)).asking if spec.tls else None
        self._clients[name] = HttpClient(
            running.peers.host, running.peers.port, token=spec.token or None, tls=tls
        )

    def _ways_now(self) -> Ways:
        key = self._now.key
        if key not in self._ways:
            self._ways = {k: w for k, w in self._ways.items() if k[0] == key[0]}
            self._ways[key] = Ways(self._now.problem, self._live.catalog)
        return self._ways[key]
