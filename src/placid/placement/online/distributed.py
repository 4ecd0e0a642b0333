"""INFIDA as the nodes run it: every node alone, with messages along the paths of the requests and nothing else.

It decides exactly what the central form decides. It is here to show that, to count what is really sent, and to be the code
that a live node runs (`placid.placement.online.agents`).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from placid.errors import InputError
from placid.placement.base import Feedback
from placid.placement.online.agents import (
    Climbing,
    Heard,
    Local,
    Reply,
    gradient,
    hear,
    local_view,
    meet,
    report,
)
from placid.placement.online.ascent import AscentState
from placid.placement.online.infida import AdaptiveInfida
from placid.placement.online.memo import once_a_problem
from placid.placement.online.steps import StepMemory
from placid.problem.arrays import Problem

__all__ = ["DistributedInfida", "Wire"]


@dataclass
class Wire:
    """The links between neighbours: delivers messages up and down one hop, and counts them.

    Attributes:
        next_hop: int32 [V].
        messages, message_bytes: sent so far.
    """

    next_hop: np.ndarray
    messages: int = 0
    message_bytes: int = 0
    _up: dict[int, list[tuple[int, Climbing]]] = field(default_factory=dict)
    _down: dict[int, Reply] = field(default_factory=dict)

    def send_up(self, node: int, messages: Climbing) -> None:
        """From `node` to its next hop."""
        self._count(len(messages.type), messages.size_bytes)
        self._up.setdefault(int(self.next_hop[node]), []).append((node, messages))

    def send_down(self, node: int, neighbour: int, reply: Reply) -> None:
        """From `node` to a `neighbour` whose next hop it is."""
        assert self.next_hop[neighbour] == node, f"node {neighbour} is not below node {node}"
        self._count(len(reply.type), reply.size_bytes)
        self._down[neighbour] = reply

    def come_up(self, node: int) -> list[tuple[int, Climbing]]:
        """What came up to `node`, with the neighbour that sent it."""
        return self._up.pop(node, [])

    def come_down(self, node: int) -> Reply:
        """What came down to `node`."""
        return self._down.pop(node)

    def _count(self, messages: int, size_bytes: int) -> None:
        self.messages += messages
        self.message_bytes += size_bytes


@dataclass(frozen=True)
class DistributedInfida(AdaptiveInfida):
    """`AdaptiveInfida` run node by node, by messages: the same decisions, each taken from what a node can know.

    When to use it: to see or count the messages; it is slower to simulate than the central form, with which it agrees in
    every slot: with ``AdaptiveInfida(coordinate=False)``, that is, as nodes fill up by their own fractions here, which
    needs no message. Settings and guarantee are those of `AdaptiveInfida`.

    Every node has its own fractions, learning rate, account of the regret and rounding; random numbers come from a stream
    that all nodes know and expand by their own number (`placid.placement.rounding.draws`), so none are sent. The state
    is that of the central form: the nodes' states, one after the other.
    """

    name: ClassVar[str] = "infida-distributed"
    coordinate: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.coordinate:
            raise InputError("infida-distributed does not fill together: coordinate must be false")

    def place(
        self,
        state: AscentState,
        problem: Problem,
        slot: int,
        rng: np.random.Generator,
        nodes: np.ndarray | None = None,
    ) -> tuple[AscentState, np.ndarray]:
        parts = [
            self.place_at(self._split(state, problem, local.node), local, slot, rng)[0]
            for local in _locals(problem)
        ]
        state = self._merge(state, problem, parts)
        return state, state.placed

    def start_at(self, local: Local, rng: np.random.Generator) -> AscentState:
        """A node's part of `start`, worked out by the node."""
        return self._started(local.own, deepcopy(rng), np.array([local.node]))

    def place_at(
        self, state: AscentState, local: Local, slot: int, rng: np.random.Generator
    ) -> tuple[AscentState, np.ndarray]:
        """A node's part of `place`: its own state, and bool [n] over its items.

        Args:
            rng: the stream of the slot, which every node knows; the node draws from its own copy.
        """
        return super().place(state, local.own, slot, deepcopy(rng), np.array([local.node]))

    def learn_at(self, state: AscentState, local: Local, gradient: np.ndarray) -> AscentState:
        """A node's part of `learn`, from its part of the supergradient."""
        return self._learned(state, local.own, gradient)

    def learn(
        self, state: AscentState, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> AscentState:
        wire = Wire(problem.next_hop)
        nodes = _locals(problem)
        states = [self._split(state, problem, local.node) for local in nodes]
        heard: dict[int, Heard] = {}
        below: list[list[tuple[int, Climbing]]] = [[] for _ in nodes]
        active = np.flatnonzero((feedback.demand > 0) & (problem.type_hops > 0))
        order = _leaves_first(problem.next_hop)
        replies: dict[int, Reply] = {}
        for v in order:
            # a node counts the requests that enter at itself; those a repository answers on the spot need no message
            entered = active[problem.type_ingress[active] == v]
            below[v] = wire.come_up(v)
            arrived = [messages for _, messages in below[v]]
            known = hear(nodes[v], arrived, entered, feedback.demand[entered].astype(np.float64))
            heard[v] = known
            if not len(known.messages.type):
                continue
            if problem.next_hop[v] >= 0:
                wire.send_up(v, report(nodes[v], known, states[v].y))
            else:
                replies[v] = meet(known.messages)
        for v in reversed(order):
            known = heard[v]
            if len(known.messages.type):
                reply = replies[v] if v in replies else wire.come_down(v)
                for neighbour, messages in below[v]:
                    wire.send_down(v, neighbour, reply.for_types(messages.type))
                g = gradient(nodes[v], known, reply)
            else:
                g = np.zeros(nodes[v].own.item_count)
            states[v] = self.learn_at(states[v], nodes[v], g)
        merged = self._merge(state, problem, states)
        return replace(
            merged,
            messages=state.messages + wire.messages,
            message_bytes=state.message_bytes + wire.message_bytes,
        )

    def _split(self, state: AscentState, problem: Problem, v: int) -> AscentState:
        """The part of `state` that node v holds."""
        mine = slice(int(problem.node_ptr[v]), int(problem.node_ptr[v + 1]))
        steps = state.steps
        return replace(
            state,
            y=state.y[mine],
            gradient=state.gradient[mine],
            placed=state.placed[mine],
            rounding=self.drawing.split(state.rounding, problem.node_ptr, v),
            steps=StepMemory(*(a[v : v + 1] for a in (steps.curvature, steps.rate, steps.spent))),
            budget_bytes=state.budget_bytes[v : v + 1],
        )

    def _merge(self, state: AscentState, problem: Problem, parts: list[AscentState]) -> AscentState:
        """The nodes' states together; the regret bound is the sum of theirs."""
        steps = [part.steps for part in parts]
        last = parts[0]
        return replace(
            state,
            y=np.concatenate([part.y for part in parts]),
            gradient=np.concatenate([part.gradient for part in parts]),
            placed=np.concatenate([part.placed for part in parts]),
            rounding=self.drawing.merge([part.rounding for part in parts], problem.node_ptr),
            steps=StepMemory(
                np.concatenate([s.curvature for s in steps]),
                np.concatenate([s.rate for s in steps]),
                np.concatenate([s.spent for s in steps]),
            ),
            budget_bytes=np.concatenate([part.budget_bytes for part in parts]),
            learned=last.learned,
            next_refresh=last.next_refresh,
            interval=last.interval,
            steady=all(part.steady for part in parts),
            regret_bound=float(sum(part.regret_bound for part in parts)),
        )


def _leaves_first(next_hop: np.ndarray) -> list[int]:
    """All nodes, each before its next hop."""
    depth = np.zeros(len(next_hop), np.int64)
    for v in range(len(next_hop)):
        u = int(next_hop[v])
        while u >= 0:
            depth[v] += 1
            u = int(next_hop[u])
    return [int(v) for v in np.argsort(-depth, kind="stable")]


@once_a_problem
def _locals(problem: Problem) -> list[Local]:
    return [local_view(problem, v) for v in range(problem.node_count)]
