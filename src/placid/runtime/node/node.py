"""A node: what it does with a request, from where it enters to the answer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic, time_ns
from typing import TYPE_CHECKING

import numpy as np

from placid.catalog.processors import processor_class
from placid.catalog.variants import shipped_zoo
from placid.errors import InputError, PlacidError
from placid.runtime.alarm import Alarm
from placid.runtime.certificates import Certificates
from placid.runtime.http.client import HttpClient
from placid.runtime.http.connection import Pending
from placid.runtime.node.choosing import Turns
from placid.runtime.node.held import Held
from placid.runtime.node.metrics import Metrics
from placid.runtime.node.networks import Answer, Left, Networks
from placid.runtime.node.offloading import Offloading
from placid.runtime.node.pace import pace_of
from placid.runtime.node.shaped import Shaped
from placid.runtime.node.tally import Tally
from placid.runtime.node.travel import (
    WAY,
    Travelling,
    answer_of,
    answered,
    client_response,
    picture_of,
    travelling,
)
from placid.runtime.node.worker import Ran, Worker
from placid.runtime.protocol.messages import (
    InferRequest,
    InferResponse,
    ModelMetadata,
    ProtocolError,
    TensorMetadata,
)
from placid.runtime.spec import NodeSpec, Orders, Stage, Uplink, Way
from placid.version import __version__

if TYPE_CHECKING:
    from placid.runtime.node.agent import Agent
    from placid.runtime.tracing.trace import Trace
    from placid.runtime.tracing.tracer import Traces

__all__ = ["BINARY", "Node"]

#: what letters between nodes are
BINARY = "application/octet-stream"

#: what an event loop can be kept from its messages by
_AT_ONCE_S = 2e-3
#: variant, first and last segment, whether what comes is coded, whether what goes is; whether exits only offer answers
_Key = tuple[str, int, int, bool, bool, bool]


class Node:
    """Answers requests of the protocol: its own clients', and what nodes below pass on.

    A client's request is given a way (`Way`); each of its stages runs on the node that the way names, and nodes between
    pass it on. An item that is not there, or for which a request would have to wait too long, leaves the rest of the
    network to the repository, which holds everything and never refuses. Make it inside a running event loop.
    """

    def __init__(self, spec: NodeSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.version = __version__
        self.born = secrets.token_hex(8)
        self.certificates = Certificates(Path(spec.tls)) if spec.tls else None
        self.tally = Tally()
        self.networks = Networks(Path(spec.zoo) if spec.zoo else shipped_zoo())
        self.alarm = Alarm()
        self.held = Held(spec, self.networks, self.tally, processor_class(spec.processor).side_by_side)
        self.shaped: Shaped | None = None
        self.offloading = None if spec.offload is None else Offloading(spec.offload)
        self.in_flight = 0
        self.orders_seen = -1
        self._client: HttpClient | None = None
        self._turns: dict[str, Turns] = {}
        self._fixed: dict[tuple[str, int, int], frozenset[str]] = {}
        self._tasks = {t.name: t for t in spec.tasks}
        self.pending = Pending()
        self.exhausted = asyncio.Event()
        self._worker: Worker[_Key, bytes | np.ndarray, Left] = Worker(
            self._compute, spec.batch, at_once_s=_AT_ONCE_S, alone=lambda: self.pending.count <= 1
        )
        self._takes_s = pace_of(self.networks, spec.processor, spec.measured_on)
        self._labels = self.networks.zoo.classes
        self._models = {m.name: m for m in self._described()}
        self.agent: Agent | None = None
        if spec.agent is not None:
            from placid.runtime.node.agent import Agent  # brings Numba

            self.agent = Agent(
                spec.agent,
                spec.name,
                repository=spec.repository,
                entered=lambda: self.tally.entered,
                write=self._write,
                hold=self._hold,
                turn=self._take_turns,
            )
        self.metrics = Metrics(self)
        self.traces: Traces | None = None

    # what the protocol asks

    def live(self) -> bool:
        """Whether the process works."""
        return True

    def ready(self) -> bool:
        """Whether it knows where it stands in the network."""
        return self.orders_seen >= 0

    def models(self) -> Sequence[ModelMetadata]:
        """The tasks: clients ask for a task, the network chooses the model."""
        return list(self._models.values())

    def _described(self) -> list[ModelMetadata]:
        shape = (1, *self.networks.picture_shape)
        return [
            ModelMetadata(
                t.name,
                (TensorMetadata("image", "UINT8", shape),),
                (TensorMetadata("label", "INT64", (1,)), TensorMetadata("class", "BYTES", (1,))),
                platform="placid",
            )
            for t in self.spec.tasks
        ]

    def model(self, name: str, version: str = "") -> ModelMetadata:
        """Raises ProtocolError 404 if there is no such task."""
        found = self._models.get(name)
        if found is not None and version in ("", *found.versions):
            return found
        known = ", ".join(self._tasks) or "none"
        raise ProtocolError(
            f"unknown model '{name}'{f' version {version}' if version else ''}. Known: {known}", status=404
        )

    async def infer(self, request: InferRequest) -> InferResponse:
        """The answer to a client, given here or further up."""
        if WAY in request.parameters:
            raise ProtocolError(f"'{WAY}' is between nodes: clients leave it out", status=403)
        if self.traces is not None:
            return await self.traces.enter(request, self._counted)
        return await self._counted(request)

    async def pass_on(self, request: InferRequest) -> InferResponse:
        """The answer to a node below, which gave the request its way."""
        if WAY not in request.parameters:
            raise ProtocolError(f"'{WAY}' is missing: clients ask at another port")
        if self.traces is not None:
            return await self.traces.go_on(request, self._counted)
        return await self._counted(request)

    async def _counted(self, request: InferRequest, trace: Trace | None = None) -> InferResponse:
        came = monotonic()
        if self.in_flight >= self.spec.most_in_flight:
            self.tally.refused["no room"] += 1
            raise ProtocolError(f"node '{self.name}' has {self.in_flight} requests under way", status=429)
        self.in_flight += 1
        try:
            passing = travelling(request)
            if passing is not None:
                if trace is not None:
                    passing = replace(passing, trace=trace)
                answer, node, variant = await self._advance(passing, came)
                response = answered(request, answer, node, variant, monotonic() - came)
                return response if self.offloading is None else self._with_state(response, self.offloading)
            answer, node, variant = await self._enter(request, came, trace)
            took_s = monotonic() - came
            self.metrics.request_s.observe(took_s)
            self.tally.done += 1
            self.tally.done_s += took_s
            self.tally.sure += answer.sureness
            return client_response(request, answer, node, variant, took_s, self._labels)
        except ProtocolError as error:
            self.tally.refused[_REASONS.get(error.status, "malformed")] += 1
            raise
        except MemoryError:
            # what a process does without memory is anybody's guess: it answers what it can, ends, and is started anew
            self.exhausted.set()
            self.tally.refused["failed"] += 1
            raise ProtocolError(
                f"node '{self.name}' has no memory left, and starts anew", status=503
            ) from None
        except InputError as error:
            self.tally.refused["malformed"] += 1
            raise ProtocolError(str(error)) from None
        except PlacidError as error:
            self.tally.refused["failed"] += 1
            raise ProtocolError(str(error), status=500) from None
        finally:
            self.in_flight -= 1

    # what the controller asks

    async def obey(self, orders: Orders) -> None:
        """Take up `orders`: where to forward, what to hold, how requests that enter here are answered, in this order.

        Raises:
            InfeasiblePlacementError: the items are more than the budget; nothing of the orders is done then.
            UnknownNameError: an item or a task is not known here.
        """
        for task in orders.ways or {}:
            self.model(task)
        if orders.memory_bytes is not None:
            self.held.budget_bytes = orders.memory_bytes
        if orders.items is not None:
            await self._hold(orders.items)
        if self.shaped is None or orders.uplink != self.shaped.uplink:
            await self._link(orders.uplink)
        if self.agent is not None:
            self.agent.see(orders.view, orders.ways)
        elif orders.ways is not None:
            self._take_turns(orders.ways)
        if orders.offload is not None and (self.offloading is None or orders.offload != self.offloading.told):
            self.offloading = Offloading(orders.offload)  # what was heard under other settings is forgotten
        self.orders_seen = max(self.orders_seen, orders.slot)

    async def close(self) -> None:
        """Answer nobody any more."""
        if self.agent is not None:
            await self.agent.close()
        if self._client is not None:
            await self._client.close()
        self._worker.close()
        self.alarm.close()

    def _take_turns(self, ways: Mapping[str, tuple[Way, ...]]) -> None:
        self._turns = {task: Turns(found) for task, found in ways.items() if found}

    async def _hold(self, items: Mapping[str, int]) -> None:
        await self.held.change(items, lambda: frozenset().union(*self._fixed.values()))

    async def _write(self, letter: bytes) -> bytes:
        """Carry a letter to the node above, and its answer back, as the link between them has it."""
        shaped, client = self.shaped, self._client
        if shaped is None or client is None:
            raise ProtocolError(f"node '{self.name}' has no way up", status=503)
        await shaped.carry(shaped.up, len(letter), control=True)
        status, answer = await client.post("/placid/letter", letter, content_type=BINARY)
        if status != 200:
            raise ProtocolError(answer.decode(errors="replace"), status=status)
        await shaped.carry(shaped.down, len(answer), control=True)
        return answer

    # a request's way

    async def _enter(
        self, request: InferRequest, came: float, trace: Trace | None
    ) -> tuple[Answer, str, str]:
        self.model(request.model, request.version)
        picture = picture_of(request, self.networks.picture_shape)
        self.tally.entered[request.model] += 1
        turns = self._turns.get(request.model)
        if turns is None:
            raise ProtocolError(f"no repository can be reached from node '{self.name}' now", status=503)
        told = request.parameters.get("placid_deadline_s")
        try:
            left_s = None if told is None else float(told)
        except ValueError:
            raise ProtocolError(f"'placid_deadline_s' is a number of seconds, got '{told}'") from None
        way = turns.next()
        if not way.stages:
            raise ProtocolError("links or processors can carry no more of these requests", status=429)
        trip = Travelling(request.model, way.variant, way.stages, 0, picture, left_s, request.id, trace)
        try:
            return await self._advance(trip, came)
        except ProtocolError as error:
            here = self._here(turns) if error.status == 503 else None
            if here is None:
                raise
            if trace is not None:
                trace.failed_above(str(error))
            # the network above is gone, and what stands here can answer alone
            return await self._advance(replace(trip, variant=here.variant, stages=here.stages), came)

    def _here(self, turns: Turns) -> Way | None:
        """A way that needs no other node."""
        for way in turns.ways:
            if all(s.node == self.name and (not s.item or s.item in self.held.copies) for s in way.stages):
                return way
        return None

    async def _advance(self, trip: Travelling, came: float) -> tuple[Answer, str, str]:
        """Run the stages that are here, pass on the rest."""
        while trip.stages[trip.at].node == self.name or self.spec.repository:
            stage = trip.stages[trip.at]
            copy = self.held.copies.get(stage.item)
            if stage.item and not self.spec.repository:
                self.tally.reached[stage.item] += 1
                full = copy is not None and copy.wait_s() > self.spec.most_wait_s
                if copy is None or full:
                    self.tally.passed_on["full" if full else "not here"] += 1
                    if trip.trace is not None:
                        trip.trace.happened(
                            "passed_on", item=stage.item, reason="full" if full else "not here"
                        )
                    trip = replace(trip, stages=self._to_repository(trip))
                    break
            self._check_time(trip, came)
            if not stage.item or self.spec.repository:
                self._keep(trip.variant, stage)
            last = trip.at == len(trip.stages) - 1
            code = not last and trip.stages[trip.at + 1].node != self.name and not self.spec.repository
            coded = isinstance(trip.content, bytes)
            begun = monotonic()
            offloading = self.offloading
            if offloading is not None and offloading.ladder.variant != trip.variant:
                offloading = None
            offers = offloading is not None
            key = (trip.variant, stage.first, stage.last, coded, code and not offers, offers)
            ran = None if trip.trace is None else Ran(time_ns())
            left = await self._worker.do(key, trip.content, ran)
            # who decides at the end of a stage has what would cross ready by then
            await self._pace(trip, stage, left, begun, coded, code and (offers or left.answer is None))
            if trip.trace is not None and ran is not None:
                trip.trace.stage(trip, stage, ran, left)
            if offloading is not None:
                offloading.item = stage.item
                offloading.takes_s = self._work_s(trip, stage, left, begun, coded, code)
                if left.crossing is not None and (not code or self._goes_up(offloading, trip, left)):
                    trip = replace(trip, at=trip.at + 1, content=left.crossing)
                    if not code:
                        continue
                    return await self._pass_on_or(left.answer, trip, came, offloading)
            if left.answer is not None:
                self.tally.answered[f"{trip.variant}#{left.answer.exit}"] += 1
                return left.answer, self.name, trip.variant
            assert left.crossing is not None
            trip = replace(trip, at=trip.at + 1, content=left.crossing)
        return await self._pass_on(trip, came)

    async def _pace(
        self, trip: Travelling, stage: Stage, left: Left, begun: float, coded: bool, code: bool
    ) -> None:
        """Return when the processor that this node stands for would have been done."""
        if self.spec.pace != "profile":
            return
        takes_s = self._takes_s(trip.variant, stage.first, left.ran, coded, code)
        copy = self.held.copies.get(stage.item) if stage.item else self.held.shared
        await self.alarm.until(copy.done_at(begun, takes_s) if copy is not None else begun + takes_s)

    def _work_s(
        self, trip: Travelling, stage: Stage, left: Left, begun: float, coded: bool, code: bool
    ) -> float:
        """What this stage takes, without waiting; at the pace of this machine with what it waited."""
        if self.spec.pace == "profile":
            return self._takes_s(trip.variant, stage.first, left.ran, coded, code)
        return monotonic() - begun

    def _goes_up(self, offloading: Offloading, trip: Travelling, left: Left) -> bool:
        if self.shaped is None:
            return left.answer is None
        if left.answer is None:  # no exit on the way, nothing to decide
            return True
        crossing = self.networks.runnable(trip.variant).variant.crossings[left.ran - 1]
        return offloading.goes_up(left.answer, crossing.mean_bytes, self.shaped.uplink.rtt_s, monotonic())

    async def _pass_on_or(
        self, own: Answer | None, trip: Travelling, came: float, offloading: Offloading
    ) -> tuple[Answer, str, str]:
        """What comes back from above; `own` if nothing does."""
        try:
            return await self._pass_on(trip, came, offloading)
        except ProtocolError as error:
            if own is None or error.status not in (429, 502, 503):
                raise
            self.tally.answered[f"{trip.variant}#{own.exit}"] += 1
            return own, self.name, trip.variant

    def _with_state(self, response: InferResponse, offloading: Offloading) -> InferResponse:
        """With what the node below has to know for its decisions."""
        copy = self.held.copies.get(offloading.item)
        told = offloading.tells(0.0 if copy is None else copy.wait_s(), self.shaped is not None)
        return replace(response, parameters={**response.parameters, **told})

    def _keep(self, variant: str, stage: Stage) -> None:
        """What has a fixed place here stays loaded once it was asked for."""
        key = (variant, stage.first, stage.last)
        if key not in self._fixed:
            self._fixed[key] = frozenset(self.networks.files(*key))

    async def _pass_on(
        self, trip: Travelling, came: float, offloading: Offloading | None = None
    ) -> tuple[Answer, str, str]:
        shaped, client = self.shaped, self._client
        if shaped is None or client is None:
            raise ProtocolError(f"node '{self.name}' has no way up: no repository can be reached", status=503)
        self._check_time(trip, came)
        first = trip.stages[trip.at].first
        if first and not isinstance(trip.content, bytes):
            # it stayed on this node so far, and was not coded
            trip = replace(trip, content=self.networks.runnable(trip.variant).encode(first, trip.content))
        link = shaped if trip.trace is None else trip.trace.ask(shaped, trip)
        begun, ahead = monotonic(), 0.0
        if offloading is not None:
            offloading.queued_bytes += trip.size_bytes
            ahead = offloading.queued_bytes
        try:
            await link.carry(shaped.up, trip.size_bytes)
        finally:
            if offloading is not None:
                offloading.queued_bytes -= trip.size_bytes
        self._check_time(trip, came)
        left_s = None if trip.left_s is None else trip.left_s - (monotonic() - came)
        sent = monotonic()
        asked = replace(trip, left_s=left_s).request()
        if trip.trace is not None:
            asked = trip.trace.sent(asked)
        response = await client.infer(asked, timeout_s=left_s)
        answer, node, variant, spent_s = answer_of(response)
        size_bytes = self._tasks[trip.task].response_bytes if trip.task in self._tasks else 0
        await link.carry(shaped.down, size_bytes, took_s=max(0.0, monotonic() - sent - spent_s))
        if offloading is not None:
            now = monotonic()
            offloading.hears(response.parameters, ahead + size_bytes, now - begun, spent_s, now)
        return answer, node, variant

    def _to_repository(self, trip: Travelling) -> tuple[Stage, ...]:
        """What is left of the way, all of it in the repository."""
        first, last = trip.stages[trip.at].first, trip.stages[-1].last
        return (*trip.stages[: trip.at], Stage("", first, last))

    def _check_time(self, trip: Travelling, came: float) -> None:
        if trip.left_s is not None and monotonic() - came > trip.left_s:
            raise ProtocolError(f"the deadline passed at node '{self.name}'", status=504)

    async def _link(self, uplink: Uplink | None) -> None:
        old, before, self._client, self.shaped = self._client, self.shaped, None, None
        if uplink is not None:
            self.shaped = Shaped(uplink, self.alarm)
            if before is not None and before.uplink.node == uplink.node:
                # a link that changes keeps what is under way on it
                self.shaped.up, self.shaped.down = before.up, before.down
            self._client = HttpClient(
                uplink.at.host,
                uplink.at.port,
                token=self.spec.token or None,
                tls=None if self.certificates is None else self.certificates.asking,
            )
        if old is not None:
            # requests that are out on it come back yet
            asyncio.get_running_loop().call_later(30.0, lambda: asyncio.ensure_future(old.close()))

    def _compute(self, key: _Key, given: Sequence[bytes | np.ndarray]) -> Sequence[Left]:
        variant, first, last, _, code, offers = key
        try:
            if offers and self.offloading is not None:
                return self.networks.offer(variant, first, last, given, self.offloading.ladder.temperatures)
            return self.networks.run(variant, first, last, given, code)
        except (PlacidError, MemoryError):
            raise
        except Exception as error:
            # ONNX Runtime has no error of its own for it
            if "alloc" in str(error):
                raise MemoryError(str(error)) from None
            raise


_REASONS: Mapping[int, str] = {
    404: "unknown model",
    429: "no room",
    502: "failed",
    503: "unreachable",
    504: "too late",
    500: "failed",
}
