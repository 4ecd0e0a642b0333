"""The bytes of what crosses a cut: packed, range coded, or plain numbers, each behind the same two bytes of header.

Encoder segments put out symbols, small whole numbers; a wire form turns those of one input into bytes and back, exactly.
numpy only, but for range coding, which needs the package constriction.
"""

from __future__ import annotations

import math
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from placid.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["HEADER_BYTES", "WIRES", "Packed", "Plain", "RangeCoded", "Rounded", "Wire", "wire_from"]

#: a 16-bit tag: which variant this is, so that the receiver knows the tail that goes on with it
HEADER_BYTES = 2
_HEADER = struct.Struct(">H")


class Wire(ABC):
    """Turns the tensor that crosses a cut, for one input, into bytes and back.

    Attributes:
        shape: of the tensor, without the batch.
        tag: of the variant, in the header.
    """

    kind: ClassVar[str]
    #: whether what arrives is what was sent, to the last bit
    exact: ClassVar[bool] = True

    def __init__(self, shape: Sequence[int], tag: int = 0) -> None:
        if not 0 <= tag < 1 << 16:
            raise InputError(f"a tag has 16 bits, got {tag}")
        self.shape = tuple(int(s) for s in shape)
        self.tag = tag

    def encode(self, tensor: np.ndarray) -> bytes:
        """The bytes of `tensor`, header included.

        Raises:
            InputError: it has another shape, or holds what this form has no code for.
        """
        if tensor.shape != self.shape:
            raise InputError(f"a tensor of shape {self.shape} crosses here, got {tensor.shape}")
        return _HEADER.pack(self.tag) + self._pack(tensor)

    def decode(self, data: bytes) -> np.ndarray:
        """The tensor that `encode` was given.

        Raises:
            InputError: the bytes are of another variant, too few, or not such a tensor.
        """
        if len(data) < HEADER_BYTES:
            raise InputError(f"{len(data)} bytes are too few to hold a header of {HEADER_BYTES}")
        (tag,) = _HEADER.unpack(data[:HEADER_BYTES])
        if tag != self.tag:
            raise InputError(f"these bytes are of variant {tag}, not of variant {self.tag}")
        return self._unpack(data[HEADER_BYTES:]).reshape(self.shape)

    def about(self) -> dict[str, Any]:
        """What `wire_from` needs to make this form again; JSON can hold it."""
        return {"kind": self.kind, "shape": list(self.shape), "tag": self.tag} | self._about()

    @property
    def size(self) -> int:
        """How many numbers the tensor has."""
        return math.prod(self.shape)

    @abstractmethod
    def _pack(self, tensor: np.ndarray) -> bytes: ...

    @abstractmethod
    def _unpack(self, data: bytes) -> np.ndarray: ...

    @abstractmethod
    def _about(self) -> dict[str, Any]: ...


class Plain(Wire):
    """The numbers as they are: "float32", "float16" or "uint8"."""

    kind = "plain"

    def __init__(self, shape: Sequence[int], dtype: str = "float32", tag: int = 0) -> None:
        super().__init__(shape, tag)
        if dtype not in ("float32", "float16", "uint8"):
            raise UnknownNameError("type of number on the wire", dtype, ("float32", "float16", "uint8"))
        self.dtype = np.dtype(dtype).newbyteorder("<")

    def _pack(self, tensor: np.ndarray) -> bytes:
        return tensor.astype(self.dtype).tobytes()

    def _unpack(self, data: bytes) -> np.ndarray:
        if len(data) != self.size * self.dtype.itemsize:
            raise InputError(f"{self.size * self.dtype.itemsize} bytes of tensor are due, got {len(data)}")
        return np.frombuffer(data, self.dtype).astype(self.dtype.newbyteorder("="))

    def _about(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


class Rounded(Wire):
    """Floats, each channel's rounded to 2^bits evenly spaced levels: what arrives is near to what was sent.

    The receiver gets floats, so that a network which was not trained for few bits needs no part of its own for them.

    Args:
        low: of each channel, its lowest level.
        step: of each channel, from level to level.
    """

    kind = "rounded"
    exact = False

    def __init__(
        self, shape: Sequence[int], bits: int, low: ArrayLike, step: ArrayLike, tag: int = 0
    ) -> None:
        super().__init__(shape, tag)
        self.low, self.step = np.asarray(low, np.float32), np.asarray(step, np.float32)
        if self.low.shape != (self.shape[0],) or self.step.shape != self.low.shape:
            raise InputError(f"needs a lowest level and a step for each of {self.shape[0]} channels")
        if not (np.isfinite(self.low).all() and np.isfinite(self.step).all() and (self.step > 0).all()):
            raise InputError("levels need to be finite, and steps above 0")
        self._symbols = Packed(shape, bits, tag)
        self._broad = (-1, *[1] * (len(self.shape) - 1))

    @property
    def bits(self) -> int:
        """Of a number."""
        return self._symbols.bits

    def _pack(self, tensor: np.ndarray) -> bytes:
        level = (tensor - self.low.reshape(self._broad)) / self.step.reshape(self._broad)
        return self._symbols._pack(level.round().clip(0, (1 << self.bits) - 1).astype(np.uint8))

    def _unpack(self, data: bytes) -> np.ndarray:
        level = self._symbols._unpack(data).reshape(self.shape).astype(np.float32)
        return np.asarray(self.low.reshape(self._broad) + level * self.step.reshape(self._broad))

    def _about(self) -> dict[str, Any]:
        return {
            "bits": self.bits,
            # nine digits are all that 32 bits hold
            "low": [float(f"{v:.9g}") for v in self.low],
            "step": [float(f"{v:.9g}") for v in self.step],
        }


class Packed(Wire):
    """Symbols below 2^bits, `bits` bits each, the highest first, the last byte filled up with zeros."""

    kind = "packed"

    def __init__(self, shape: Sequence[int], bits: int, tag: int = 0) -> None:
        super().__init__(shape, tag)
        if not 1 <= bits <= 8:
            raise InputError(f"symbols are packed with 1 to 8 bits, got {bits}")
        self.bits = bits

    def _pack(self, tensor: np.ndarray) -> bytes:
        symbols = tensor.ravel()
        if symbols.size and not 0 <= symbols.min() <= symbols.max() < 1 << self.bits:
            raise InputError(
                f"symbols of {self.bits} bits lie in 0 .. {(1 << self.bits) - 1}, got {symbols.min()} .. {symbols.max()}"
            )
        bits = np.unpackbits(symbols.astype(np.uint8)[:, None], axis=1)[:, 8 - self.bits :]
        return np.packbits(bits).tobytes()

    def _unpack(self, data: bytes) -> np.ndarray:
        due = -(-self.size * self.bits // 8)
        if len(data) != due:
            raise InputError(f"{due} bytes of symbols are due, got {len(data)}")
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=self.size * self.bits)
        return np.packbits(
            np.pad(bits.reshape(self.size, self.bits), ((0, 0), (8 - self.bits, 0))), axis=1
        ).ravel()

    def _about(self) -> dict[str, Any]:
        return {"bits": self.bits}


class RangeCoded(Wire):
    """Symbols coded with as many bits as they are unlikely: a range coder under one table of probabilities a channel.

    Args:
        probabilities: float [channels, symbols]; the first dimension of `shape` is the channel.
    """

    kind = "range-coded"

    def __init__(self, shape: Sequence[int], probabilities: np.ndarray, tag: int = 0) -> None:
        super().__init__(shape, tag)
        # six digits, as `about` writes them: both ends must code by the very same table
        told = np.asarray(probabilities, np.float64)
        self.probabilities: np.ndarray = np.array([float(f"{p:.6g}") for p in told.ravel()]).reshape(
            told.shape
        )
        if self.probabilities.ndim != 2 or len(self.probabilities) != self.shape[0]:
            raise InputError(
                f"needs one row of probabilities for each of {self.shape[0]} channels, got {self.probabilities.shape}"
            )
        if not (np.isfinite(self.probabilities).all() and (self.probabilities > 0).all()):
            raise InputError("every symbol needs a probability above 0")

    @cached_property
    def _models(self) -> list[Any]:
        return [
            _constriction().stream.model.Categorical(row.astype(np.float32), perfect=False)
            for row in self.probabilities
        ]

    def _pack(self, tensor: np.ndarray) -> bytes:
        symbols = tensor.reshape(self.shape[0], -1).astype(np.int32)
        if symbols.size and not 0 <= symbols.min() <= symbols.max() < self.probabilities.shape[1]:
            raise InputError(
                f"symbols lie in 0 .. {self.probabilities.shape[1] - 1}, got {symbols.min()} .. {symbols.max()}"
            )
        encoder = _constriction().stream.queue.RangeEncoder()
        for row, model in zip(symbols, self._models, strict=True):
            encoder.encode(row, model)
        # the first byte of a word weighs most: zeros at the very end say nothing
        return bytes(encoder.get_compressed().astype(">u4").tobytes().rstrip(b"\0"))

    def _unpack(self, data: bytes) -> np.ndarray:
        words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
        decoder = _constriction().stream.queue.RangeDecoder(words)
        each = self.size // self.shape[0]
        try:
            return np.concatenate([decoder.decode(model, each) for model in self._models]).astype(np.uint8)
        except (AssertionError, ValueError) as error:
            raise InputError(f"these bytes were not made by this range coder ({error})") from None

    def _about(self) -> dict[str, Any]:
        return {"probabilities": self.probabilities.tolist()}


def _constriction() -> Any:
    try:
        import constriction
    except ImportError as error:
        raise InputError(
            "range coding needs the package constriction: pip install 'placid[train]'"
        ) from error
    return constriction


#: every wire form by its kind
WIRES: dict[str, type[Wire]] = {w.kind: w for w in (Plain, Rounded, Packed, RangeCoded)}


def wire_from(about: Mapping[str, Any]) -> Wire:
    """The form that `Wire.about` described.

    Raises:
        UnknownNameError: there is no such kind.
        InputError: it lacks something.
    """
    kind = str(about.get("kind", ""))
    if kind not in WIRES:
        raise UnknownNameError("wire form", kind, WIRES)
    try:
        return WIRES[kind](**{k: v for k, v in about.items() if k != "kind"})
    except TypeError as error:
        raise InputError(f"is no description of a wire form: {error}") from None
