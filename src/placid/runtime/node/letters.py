"""What nodes write to each other once a slot while they learn where models go: one letter up a link, one back.

A letter is a line of JSON and then numbers, little-endian, 8 bytes each: as many as the line says. What a node may not rely
on is checked where a letter is read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from placid.errors import InputError
from placid.placement.online.agents import Climbing, Reply

__all__ = ["Answered", "Asked", "Offers"]

#: of one letter: a line of a neighbour's, and numbers for a million options
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Asked:
    """The letter up: what came in the slot, and what the fractions below could take of it.

    Attributes:
        sender: name of the node.
    """

    slot: int
    sender: str
    messages: Climbing

    def to_bytes(self) -> bytes:
        """As `from_bytes` reads it."""
        m = self.messages
        head = {"slot": self.slot, "from": self.sender, "types": len(m.type), "options": len(m.saving)}
        return _written(head, m.type, m.demand, m.ptr, m.saving, m.part)

    @classmethod
    def from_bytes(cls, data: bytes) -> Asked:
        """Raises InputError if it is no such letter."""
        head, numbers = _head(data)
        m, k = _count(head, "types"), _count(head, "options")
        kind, demand, ptr, saving, part = _read(numbers, "i", m, "f", m, "i", m + 1, "f", k, "f", k)
        _check_sorted(kind)
        _check_ptr(ptr, k)
        _check_finite(demand, saving, part)
        if (demand <= 0).any() or (part < 0).any():
            raise InputError("demand is above 0, and parts are not below it")
        return cls(_count(head, "slot"), str(head.get("from", "")), Climbing(kind, demand, ptr, saving, part))


@dataclass(frozen=True)
class Offers:
    """What is placed on the way up, for a number of request types; CSR by type, best first.

    Attributes:
        ptr: int64 [m + 1].
        saving: float64; against the repository.
        part: float64 in [0, 1]; of the type's demand, what the item takes.
        node: int64, among `names`; `model` int64, the model's number.
    """

    ptr: np.ndarray
    saving: np.ndarray
    part: np.ndarray
    node: np.ndarray
    model: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Answered:
    """The letter back: the saving at which each type's demand is met, and what is placed further up from now on."""

    slot: int
    reply: Reply
    offers: Offers

    def to_bytes(self) -> bytes:
        """As `from_bytes` reads it."""
        o = self.offers
        head = {"slot": self.slot, "types": len(self.reply.type), "options": len(o.saving), "names": o.names}
        return _written(head, self.reply.type, self.reply.met, o.ptr, o.saving, o.part, o.node, o.model)

    @classmethod
    def from_bytes(cls, data: bytes) -> Answered:
        """Raises InputError if it is no such letter."""
        head, numbers = _head(data)
        m, k = _count(head, "types"), _count(head, "options")
        kind, met, ptr, saving, part, node, model = _read(
            numbers, "i", m, "f", m, "i", m + 1, "f", k, "f", k, "i", k, "i", k
        )
        names = head.get("names")
        if not isinstance(names, list):
            raise InputError("the letter's names are missing")
        _check_sorted(kind)
        _check_ptr(ptr, k)
        _check_finite(met, saving, part)
        if k and not (node.min() >= 0 and node.max() < len(names) and model.min() >= 0):
            raise InputError("the letter offers what is on no node")
        offers = Offers(ptr, saving, part, node, model, tuple(str(n) for n in names))
        return cls(_count(head, "slot"), Reply(kind, met), offers)


def _written(head: dict[str, Any], *arrays: np.ndarray) -> bytes:
    numbers = b"".join(
        a.astype("<i8" if a.dtype.kind in "iu" else "<f8", copy=False).tobytes() for a in arrays
    )
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + numbers


def _head(data: bytes) -> tuple[dict[str, Any], bytes]:
    line, newline, numbers = data.partition(b"\n")
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        head = None
    if not newline or not isinstance(head, dict):
        raise InputError("this is no letter of a node: its first line is not JSON")
    return head, numbers


def _count(head: dict[str, Any], what: str) -> int:
    value = head.get(what)
    if type(value) is not int or not 0 <= value <= _MOST_BYTES:
        raise InputError(f"the letter's '{what}' is no count: {value!r:.80}")
    return value


def _read(numbers: bytes, *what: str | int) -> list[np.ndarray]:
    kinds, counts = what[::2], [int(n) for n in what[1::2]]
    if len(numbers) != 8 * sum(counts):
        raise InputError(f"the letter has {len(numbers)} bytes of numbers where {8 * sum(counts)} are due")
    found, at = [], 0
    for kind, count in zip(kinds, counts, strict=True):
        found.append(np.frombuffer(numbers, "<i8" if kind == "i" else "<f8", count, 8 * at))
        at += count
    return found


def _check_sorted(kind: np.ndarray) -> None:
    if len(kind) and (kind[0] < 0 or (np.diff(kind) <= 0).any()):
        raise InputError("the letter's request types do not rise")


def _check_ptr(ptr: np.ndarray, count: int) -> None:
    if ptr[0] != 0 or ptr[-1] != count or (np.diff(ptr) < 0).any():
        raise InputError("the letter's options are not told apart by type")


def _check_finite(*arrays: np.ndarray) -> None:
    if not all(np.isfinite(a).all() for a in arrays):
        raise InputError("the letter has numbers that are none")
