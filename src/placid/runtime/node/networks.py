"""The networks of a zoo in one node: sessions that are there, wires and exits of every variant, what running them gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime as ort

from placid.catalog.variants import Variant, Zoo, read_zoo
from placid.errors import InputError
from placid.inference.digest import digest_of
from placid.inference.inputs import network_input
from placid.inference.pictures import PictureCodec, picture_codec
from placid.inference.scores import Score
from placid.inference.session import open_session
from placid.inference.wire import Wire, wire_from

__all__ = ["Answer", "Left", "Networks", "Runnable", "zoo_in"]


@lru_cache(maxsize=4)
def zoo_in(folder: Path) -> Zoo:
    """The zoo in `folder`, read once in a process and those forked from it."""
    return read_zoo(folder)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an exit, or the end of a network, says of one picture.

    Attributes:
        exit: position of the exit among the variant's; -1 for the end.
        sureness: score of the exit's own rule, of confidence at the end.
    """

    label: int
    exit: int
    sureness: float


@dataclass(frozen=True, slots=True)
class Left:
    """What running a stage left of one request: an answer, or what crosses to the next stage.

    Attributes:
        ran: position after the last segment that ran.
        crossing: bytes if it was coded, else an array.
        doubts: exits that were not sure enough, with what they said of it, if `Networks.tells_doubts`.
    """

    ran: int
    answer: Answer | None = None
    crossing: bytes | np.ndarray | None = None
    doubts: tuple[tuple[int, float], ...] = ()


class Runnable:
    """A variant with all that is needed to run it but the sessions."""

    def __init__(self, variant: Variant, picture_shape: tuple[int, ...]) -> None:
        self.variant = variant
        self.count = len(variant.segments)
        self.first_network = next(i for i, s in enumerate(variant.segments) if s.file)
        self._shape = picture_shape
        self._scores = [Score(**s) for s in variant.made.get("scores", ())]

    @cached_property
    def wires(self) -> tuple[Wire | PictureCodec, ...]:
        """What makes bytes of each crossing."""
        return tuple(
            wire_from(c.wire) if s.file else picture_codec(c.codec, self._shape)
            for s, c in zip(self.variant.segments, self.variant.crossings, strict=False)
        )

    @cached_property
    def exits(self) -> dict[int, tuple[int, Score, float]]:
        """Segment -> (position of its exit, score, threshold)."""
        return {
            e.segment: (i, score, e.threshold)
            for i, (e, score) in enumerate(zip(self.variant.exits, self._scores, strict=False))
        }

    def decode(self, place: int, data: bytes) -> np.ndarray:
        """What crossed before segment `place`, without a batch.

        Raises:
            InputError: the bytes are no such crossing.
        """
        return self.wires[place - 1].decode(data)

    def encode(self, place: int, tensor: np.ndarray) -> bytes:
        """The bytes of what crosses before segment `place`."""
        return self.wires[place - 1].encode(tensor)


class Networks:
    """Sessions of the segments that are here, and how to run them.

    Loading and running may happen in different threads; a session that is dropped lives until the last run of it ends.

    Args:
        picture_shape: of what clients send: (height, width, channels).
    """

    def __init__(self, folder: Path, picture_shape: tuple[int, ...] = (32, 32, 3)) -> None:
        self.zoo = zoo_in(folder)
        self.picture_shape = picture_shape
        #: whether `run` tells of exits that were not sure; for traces
        self.tells_doubts = False
        self._runnables: dict[str, Runnable] = {}
        self._sessions: dict[str, _Loaded] = {}
        self._lock = Lock()

    def runnable(self, variant: str) -> Runnable:
        """Raises UnknownNameError if the zoo has no such variant."""
        if variant not in self._runnables:
            self._runnables[variant] = Runnable(self.zoo.variant(variant), self.picture_shape)
        return self._runnables[variant]

    def files(self, variant: str, first: int, last: int) -> list[str]:
        """Names of the files of these segments."""
        return [s.file for s in self.runnable(variant).variant.segments[first:last] if s.file]

    @property
    def loaded(self) -> frozenset[str]:
        """Files that there is a session of."""
        return frozenset(self._sessions)

    def load(self, files: Iterable[str]) -> None:
        """Sessions of `files`, each run once so that the first request does not wait for it.

        Raises:
            RunError: a file is missing or cannot be run.
            InputError: it is not the file that the manifest speaks of.
        """
        for file in files:
            with self._lock:
                if file in self._sessions:
                    continue
                path = self.zoo.folder / file
                _check_sum(path, self._sums[file])
                session = open_session(path)
                takes = session.get_inputs()[0]
                loaded = _Loaded(session, takes.name, _TYPES[takes.type])
                _warm(loaded)
                self._sessions[file] = loaded

    def drop(self, files: Iterable[str]) -> None:
        """No sessions of `files` any more."""
        with self._lock:
            for file in files:
                self._sessions.pop(file, None)

    def run(
        self, variant: str, first: int, last: int, given: Sequence[bytes | np.ndarray], code: bool
    ) -> list[Left]:
        """Segments `first` up to but not `last` for each of `given`, together; those that an exit answers go no further.

        Args:
            given: one request each: bytes that crossed, an array that did not have to, or a picture (uint8) if `first` is 0.
            code: whether what is left crosses to another node.

        Raises:
            InputError: what is given is not what these segments take.
        """
        chain = self.runnable(variant)
        held = [chain.decode(first, g) if isinstance(g, bytes) else g for g in given]
        left: list[Left | None] = [None] * len(held)
        still = list(range(len(held)))
        doubts: list[tuple[tuple[int, float], ...]] = [()] * len(held)
        for place in range(first, last):
            segment = chain.variant.segments[place]
            if not segment.file:
                continue
            outputs = self._ran(chain, place, held)
            if place == chain.count - 1:
                for i, logits in zip(still, outputs[-1], strict=True):
                    left[i] = Left(place + 1, _answer(logits, -1, _LAST(logits[None])[0]), None, doubts[i])
                still, held = [], []
                break
            crossing = list(outputs[0])
            if place in chain.exits:
                number, score, threshold = chain.exits[place]
                sure = score(outputs[1])
                stays = []
                for k, i in enumerate(still):
                    if sure[k] >= threshold:
                        left[i] = Left(place + 1, _answer(outputs[1][k], number, sure[k]), None, doubts[i])
                    else:
                        stays.append(k)
                        if self.tells_doubts:
                            doubts[i] = (*doubts[i], (number, float(sure[k])))
                still, crossing = [still[k] for k in stays], [crossing[k] for k in stays]
            held = crossing
            if not still:
                break
        for i, tensor in zip(still, held, strict=True):
            left[i] = Left(last, None, chain.wires[last - 1].encode(tensor) if code else tensor, doubts[i])
        return [one for one in left if one is not None]

    def offer(
        self,
        variant: str,
        first: int,
        last: int,
        given: Sequence[bytes | np.ndarray],
        temperatures: Sequence[float],
    ) -> list[Left]:
        """The same, but no exit decides: each of `given` leaves the last answer on its way *and*, unless that is the
        network's, what crosses, not coded. Whoever asks decides which of both counts.

        Args:
            temperatures: of every exit and of the end; sureness is the confidence at that temperature.

        Raises:
            InputError: what is given is not what these segments take.
        """
        chain = self.runnable(variant)
        held = [chain.decode(first, g) if isinstance(g, bytes) else g for g in given]
        answers: list[Answer | None] = [None] * len(held)
        for place in range(first, last):
            if not chain.variant.segments[place].file:
                continue
            outputs = self._ran(chain, place, held)
            end = place == chain.count - 1
            if end or place in chain.exits:
                number = -1 if end else chain.exits[place][0]
                logits = outputs[-1] if end else outputs[1]
                sure = _LAST(logits / temperatures[number])
                answers = [_answer(one, number, s) for one, s in zip(logits, sure, strict=True)]
            if end:
                return [Left(place + 1, answer) for answer in answers]
            held = list(outputs[0])
        return [Left(last, answer, tensor) for answer, tensor in zip(answers, held, strict=True)]

    def outputs(
        self, variant: str, place: int, given: Sequence[np.ndarray]
    ) -> tuple[Sequence[np.ndarray], np.ndarray]:
        """What segment `place` makes of `given`: what crosses to the next, and the logits of its exit, or of the end."""
        outputs = self._ran(self.runnable(variant), place, given)
        return list(outputs[0]), outputs[-1]

    def _ran(self, chain: Runnable, place: int, held: Sequence[np.ndarray]) -> list[np.ndarray]:
        loaded = self._loaded(chain.variant.segments[place].file)
        stacked = held[0][None] if len(held) == 1 else np.stack(held)
        if place == chain.first_network and stacked.dtype == np.uint8:
            stacked = network_input(stacked)  # pictures, just before the first that takes them
        return list(loaded.session.run(None, {loaded.takes: np.ascontiguousarray(stacked, loaded.dtype)}))

    @cached_property
    def _sums(self) -> dict[str, str]:
        return {s.file: s.sha256 for v in self.zoo.variants for s in v.segments if s.file}

    def _loaded(self, file: str) -> _Loaded:
        found = self._sessions.get(file)
        if found is None:  # evicted a moment ago, or a fixed part asked for the first time
            self.load([file])
            found = self._sessions[file]
        return found


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A session, and what it takes: asking it costs more than it should."""

    session: ort.InferenceSession
    takes: str
    dtype: Any


_TYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int64)": np.int64}
_LAST = Score("confidence")


def _answer(logits: np.ndarray, exit_: int, sure: float) -> Answer:
    return Answer(int(logits.argmax()), exit_, float(sure))


def _warm(loaded: _Loaded) -> None:
    shape = [s if isinstance(s, int) else 1 for s in loaded.session.get_inputs()[0].shape]
    loaded.session.run(None, {loaded.takes: np.zeros(shape, loaded.dtype)})


def _check_sum(path: Path, due: str) -> None:
    if due and path.is_file() and digest_of(path) != due:
        raise InputError(
            "is not the file that the manifest of its zoo speaks of: its SHA-256 differs", where=str(path)
        )
