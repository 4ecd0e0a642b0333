"""A node's part of a policy that nodes run by themselves: INFIDA in its distributed form, from what the node really saw.

A slot ends at the same time everywhere, by the clock. Then every node writes one letter to the next one on the way to the
repository, once it has those of the nodes below, and gets one back (Si Salem et al., ToN 2024, section IV). From it the
node learns, draws what it holds in the slot that begins, loads that, and only then answers those below: what is offered
to them is in place. Letters travel on the links of the requests, over the same connections, and take the links' time.

Differs from the paper: the letter back also says what is placed further up from now on, as requests choose their way where
they enter. Each type is kept to its own part of an item's capacity, which is what the guarantee speaks of.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from time import time

import numpy as np

from placid.errors import InputError, PlacidError, RunError
from placid.placement.checkpoint import flatten, restore
from placid.placement.online.agents import Climbing, Local, gradient, hear, local_of, meet, report
from placid.placement.online.ascent import AscentState
from placid.placement.online.distributed import DistributedInfida
from placid.randomness import stream
from placid.runtime.node.letters import Answered, Asked, Offers
from placid.runtime.protocol.messages import ProtocolError
from placid.runtime.spec import AgentSpec, Stage, View, Way

__all__ = ["Agent", "Learned", "Offer", "warm", "ways_of"]

#: of a slot, for which a node at the top of an endless chain waits for letters before it goes on without them; each node
#: waits a little longer than those below, so that what they wrote without a node that is silent still comes in time
_PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class Offer:
    """A model in place on a request's way up.

    Attributes:
        part: of the requests, what it takes.
    """

    saving: float
    part: float
    node: str
    model: int


@dataclass
class Learned:
    """What came of it so far, for whoever watches.

    Attributes:
        slots: learned from; `alone` slots without a letter from above.
        messages: request types in letters written and answered; `message_bytes` of all letters that left this node.
        regret_bound: of this node's part, by now.
    """

    slots: int = 0
    alone: int = 0
    messages: int = 0
    message_bytes: int = 0
    regret_bound: float = 0.0


@dataclass
class _Below:
    """A letter from a node below, and where its answer is waited for."""

    asked: Asked
    answer: asyncio.Future[bytes] = field(repr=False)


class Agent:
    """Runs a node's part. Give it a view to begin with; make it inside a running event loop.

    Args:
        entered: task -> requests that entered here so far.
        write: carries a letter up, and brings the answer.
        hold: what is to be in place (model name -> bytes); returns when it is.
        turn: hears the ways of the requests that enter here, by task.
    """

    def __init__(
        self,
        spec: AgentSpec,
        name: str,
        *,
        repository: bool,
        entered: Callable[[], Mapping[str, int]],
        write: Callable[[bytes], Awaitable[bytes]],
        hold: Callable[[Mapping[str, int]], Awaitable[None]],
        turn: Callable[[Mapping[str, tuple[Way, ...]]], None],
    ) -> None:
        self._spec, self._name, self._repository = spec, name, repository
        self._entered, self._write, self._hold, self._turn = entered, write, hold, turn
        self._policy = DistributedInfida(**spec.settings)
        self._file = Path(spec.state_file) if spec.state_file else None
        self._view: View | None = None
        self._local: Local | None = None
        self._base: Mapping[str, tuple[Way, ...]] = {}
        self._above: dict[int, tuple[Offer, ...]] = {}
        self._seen: dict[str, int] = {}
        self._waiting: dict[int, dict[str, _Below]] = {}
        self._came = asyncio.Event()
        self._closed = -1
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._share = np.zeros(0)
        self._placed = np.zeros(0, bool)
        self._state: AscentState | None = None
        self.slot = -1
        self.learned = Learned()

    def see(self, view: View | None, base: Mapping[str, tuple[Way, ...]] | None) -> None:
        """From now on the node is as `view` has it, and `base` are the ways to the repository; None: they stay.

        Raises:
            RunError: the state that was kept is another policy's, or damaged.
        """
        if base is not None:
            self._base = base
        if view is not None:
            self._view = view
            self._local = _local(view)
            self._came.set()
            if self._state is None:
                self._state = self._found(self._local)
                self._share = np.ones(self._local.own.item_count)
                self._placed = np.zeros(self._local.own.item_count, bool)
        if self._local is not None and self._task is None:
            self._seen = dict(self._entered())
            self._task = asyncio.create_task(self._live())
        if self._local is not None:
            self._turn(self._ways())

    async def asked(self, data: bytes) -> bytes:
        """The answer to a letter from below, once it is there.

        Raises:
            InputError: it is no letter, or from a node that is not below.
            ProtocolError: 409, it comes too late, or for the second time; 503, nothing came from above.
        """
        letter = Asked.from_bytes(data)
        if self._view is None or letter.sender not in self._view.below:
            raise InputError(f"node '{letter.sender}' is not below node '{self._name}'")
        mine = self._waiting.setdefault(letter.slot, {})
        if letter.slot <= self._closed or letter.slot > self.slot + 2 or letter.sender in mine:
            if not mine:
                del self._waiting[letter.slot]
            raise ProtocolError(
                f"letter of '{letter.sender}' for slot {letter.slot}: node '{self._name}' is at {self.slot}, or has one",
                status=409,
            )
        below = mine[letter.sender] = _Below(letter, asyncio.get_running_loop().create_future())
        self._came.set()
        return await below.answer

    async def close(self) -> None:
        """Learn no more."""
        self._closing = True  # a cancellation may be lost where something else ends at the same moment
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for mine in self._waiting.values():
            for below in mine.values():
                below.answer.cancel()

    # slot by slot

    async def _live(self) -> None:
        self.slot = max(self._now(), self.slot)
        await self._take_up({})
        while not self._closing:
            await asyncio.sleep(max(0.0, self._ends_at(self.slot) - time()))
            await self._end_slot()

    async def _end_slot(self) -> None:
        slot, view, local = self.slot, self._view, self._local
        assert view is not None
        assert local is not None
        assert self._state is not None
        types, demand = self._new_requests(view)
        letters = await self._letters(slot, view)
        heard = hear(local, [below.asked.messages for below in letters], types, demand)
        above = await self._answer_of(slot, report(local, heard, self._state.y), heard.messages)
        if above is None:
            self.learned.alone += 1
        else:
            self._state = self._policy.learn_at(self._state, local, gradient(local, heard, above.reply))
            self.learned.slots += 1
            self.learned.regret_bound = self._state.regret_bound
            self._above |= _offered(above)
        # what the node could take of each type by the requests of the slot that ended, it offers for the next one
        self._share = heard.share
        self.slot = max(slot + 1, self._now())
        await self._take_up({} if above is None else _offered(above))
        for below in letters:
            self._answer(below, slot, above)

    async def _take_up(self, above: Mapping[int, tuple[Offer, ...]]) -> None:
        """Draw what this node holds in the slot, and have it in place."""
        view, local = self._view, self._local
        assert view is not None
        assert local is not None
        assert self._state is not None
        rng = stream(self._spec.seed, "policy", "place", self.slot)
        self._state, placed = self._policy.place_at(self._state, local, self.slot, rng)
        names = [self._spec.models[m][0] for m in view.items]
        try:
            await self._hold({names[i]: view.size_bytes[i] for i in np.flatnonzero(placed)})
            self._placed = placed
        except PlacidError as error:
            # a file that is gone or does not fit: the node answers with what it has, and says so
            print(f"slot {self.slot}: {error}", flush=True)
        self._turn(self._ways())
        if self._file is not None:
            await asyncio.to_thread(_keep, self._file, self._state)

    def _new_requests(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        now = dict(self._entered())
        new = {task: now.get(task, 0) - self._seen.get(task, 0) for task in view.enters}
        self._seen = now
        came = sorted((r, new[task]) for task, r in view.enters.items() if new[task] > 0)
        return np.array([r for r, _ in came], np.int64), np.array([n for _, n in came], np.float64)

    async def _letters(self, slot: int, view: View) -> list[_Below]:
        """Those of the nodes below for `slot`; from now on it is too late for more."""
        until = self._ends_at(slot) + _PATIENCE * (1 - 0.5**view.height) * self._spec.slot_s
        # a node below may end meanwhile, and the view then be another one
        while not set((self._view or view).below) <= set(self._waiting.get(slot, ())):
            self._came.clear()
            try:
                async with asyncio.timeout(max(0.0, until - time())):
                    await self._came.wait()
            except TimeoutError:
                break
        self._closed = slot
        found = self._waiting.pop(slot, {})
        for old in [s for s in self._waiting if s <= slot]:
            for below in self._waiting.pop(old).values():
                _refuse(below, "its slot is over")
        # by name, so that what is added up is added in the same order in every run
        return [found[name] for name in sorted(found)]

    async def _answer_of(self, slot: int, up: Climbing, messages: Climbing) -> Answered | None:
        """The letter from above; None if none came."""
        if self._repository:
            none = np.zeros(0)
            ptr = np.zeros(len(messages.type) + 1, np.int64)
            return Answered(
                slot,
                meet(messages),
                Offers(ptr, none, none, none.astype(np.int64), none.astype(np.int64), ()),
            )
        data = Asked(slot, self._name, up).to_bytes()
        self._count(len(up.type), len(data))
        try:
            answer = Answered.from_bytes(await self._write(data))
        except (ProtocolError, InputError):
            return None
        return answer if np.isin(messages.type, answer.reply.type).all() else None

    def _answer(self, below: _Below, slot: int, above: Answered | None) -> None:
        if below.answer.done():
            return
        if above is None:
            _refuse(below, f"nothing came from above node '{self._name}'")
            return
        types = below.asked.messages.type
        data = Answered(slot, above.reply.for_types(types), self._offers(types)).to_bytes()
        self._count(len(types), len(data))
        below.answer.set_result(data)

    def _count(self, messages: int, size_bytes: int) -> None:
        self.learned.messages += messages
        self.learned.message_bytes += size_bytes

    # what is open to requests

    def _here(self, r: int) -> tuple[Offer, ...]:
        """What is in place here for requests of type `r`, best first."""
        local, view = self._local, self._view
        assert local is not None
        assert view is not None
        row = int(np.searchsorted(local.types, r))
        if row == len(local.types) or local.types[row] != r:
            return ()
        own = local.own
        return tuple(
            Offer(float(own.option_saving[o]), float(self._share[e]), self._name, view.items[e])
            for o in range(own.option_ptr[row], own.option_ptr[row + 1])
            if self._placed[e := int(own.option_item[o])]
        )

    def _all(self, r: int) -> list[Offer]:
        found = [*self._here(r), *self._above.get(r, ())]
        return sorted(found, key=lambda offer: -offer.saving)

    def _offers(self, types: np.ndarray) -> Offers:
        by_type = [self._all(int(r)) for r in types]
        flat = [offer for found in by_type for offer in found]
        names = tuple(sorted({offer.node for offer in flat}))
        number = {name: i for i, name in enumerate(names)}
        return Offers(
            np.concatenate(([0], np.cumsum([len(f) for f in by_type]))).astype(np.int64),
            np.array([offer.saving for offer in flat], np.float64),
            np.array([offer.part for offer in flat], np.float64),
            np.array([number[offer.node] for offer in flat], np.int64),
            np.array([offer.model for offer in flat], np.int64),
            names,
        )

    def _ways(self) -> dict[str, tuple[Way, ...]]:
        assert self._view is not None
        found = {}
        for task, base in self._base.items():
            r = self._view.enters.get(task)
            offers = self._all(r) if r is not None else []
            found[task] = ways_of(offers, base, self._name, self._spec.models) if base else base
        return found

    # time and state

    def _now(self) -> int:
        assert self._view is not None
        return self._view.first_slot + max(0, int((time() - self._view.begins_s) // self._spec.slot_s))

    def _ends_at(self, slot: int) -> float:
        assert self._view is not None
        return self._view.begins_s + (slot - self._view.first_slot + 1) * self._spec.slot_s

    def _found(self, local: Local) -> AscentState:
        fresh = self._policy.start_at(local, stream(self._spec.seed, "policy", "start"))
        if self._file is None or not self._file.exists():
            return fresh
        try:
            with np.load(self._file, allow_pickle=False) as data:
                state = restore(fresh, dict(data))
        except (OSError, ValueError, EOFError, KeyError) as error:
            raise RunError(
                f"{self._file} is damaged, or of another policy ({error}): delete it to start anew"
            ) from None
        if len(state.y) != local.own.item_count:
            raise RunError(f"{self._file} is of another scenario: delete it to start anew")
        return state


def ways_of(
    offers: list[Offer], base: tuple[Way, ...], here: str, models: tuple[tuple[str, str, int, int, int], ...]
) -> tuple[Way, ...]:
    """The ways of requests that enter at node `here`: through each of `offers` (best first) as far as its part goes, the
    rest as `base`, the way to the repository, has it."""
    found, room = [], 1.0
    top = base[-1].stages[-1].node
    for offer in offers:
        name, variant, first, last, end = models[offer.model]
        head = (Stage(here, 0, first),) if first else ()
        share = min(room, offer.part)
        room -= share
        tail = (Stage(top, last, end),) if last < end else ()
        found.append(Way(variant, (*head, Stage(offer.node, first, last, name), *tail), share))
    return (*found, *(replace(way, share=way.share * max(room, 0.0)) for way in base))


def _offered(above: Answered) -> dict[int, tuple[Offer, ...]]:
    o = above.offers
    return {
        int(r): tuple(
            Offer(float(o.saving[k]), float(o.part[k]), o.names[o.node[k]], int(o.model[k]))
            for k in range(o.ptr[i], o.ptr[i + 1])
        )
        for i, r in enumerate(above.reply.type)
    }


def _refuse(below: _Below, why: str) -> None:
    if not below.answer.done():
        below.answer.set_exception(ProtocolError(why, status=503))


def _local(view: View) -> Local:
    return local_of(
        view.node,
        item_size_bytes=np.array(view.size_bytes, np.int64),
        item_capacity=np.array(view.capacity, np.float64),
        budget_bytes=view.budget_bytes,
        types=np.array(view.types, np.int64),
        option_ptr=np.array(view.option_ptr, np.int64),
        option_item=np.array(view.option_item, np.int32),
        option_saving=np.array(view.option_saving, np.float64),
    )


def _keep(file: Path, state: AscentState) -> None:
    """Replace what was there, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".tmp.npz")
    np.savez(scratch, allow_pickle=False, **flatten(state))
    os.replace(scratch, file)


@cache
def warm() -> None:
    """Have what nodes compile compiled: for a process that nodes are forked from."""
    one = np.array([1], np.int64)
    local = local_of(
        0,
        item_size_bytes=np.array([2, 3]),
        item_capacity=np.array([1.0, 2.0]),
        budget_bytes=4,
        types=one,
        option_ptr=np.array([0, 2]),
        option_item=np.array([0, 1], np.int32),
        option_saving=np.array([2.0, 1.0]),
    )
    policy = DistributedInfida()
    state, _ = policy.place_at(policy.start_at(local, stream(0)), local, 0, stream(0))
    heard = hear(local, [], one, np.array([3.0]))
    report(local, heard, state.y)
    state = policy.learn_at(state, local, gradient(local, heard, meet(heard.messages)))
    policy.place_at(state, local, 1, stream(0))
