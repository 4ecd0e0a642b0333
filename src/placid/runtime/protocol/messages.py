"""What is said in the Open Inference Protocol, version 2, whatever carries it: requests, responses, tensors, metadata.

A tensor's content is kept as the bytes that travel: little-endian, row after row, as in the binary tensor extension and in
``raw_input_contents`` of gRPC. An element of ``BYTES`` is four bytes of length, then its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from placid.errors import PlacidError

__all__ = [
    "DATATYPES",
    "MOST_DIMENSIONS",
    "InferRequest",
    "InferResponse",
    "ModelMetadata",
    "Origin",
    "Parameter",
    "ProtocolError",
    "Tensor",
    "TensorMetadata",
]

#: what a parameter may be
Parameter = bool | int | float | str

#: datatype of the protocol -> little-endian numpy type; BYTES has no fixed width
DATATYPES: Mapping[str, np.dtype] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
_NAMES = {dtype: name for name, dtype in DATATYPES.items()}
_LENGTH = struct.Struct("<I")
#: of a shape; a million of them would keep the event loop busy for seconds with their product alone
MOST_DIMENSIONS = 32


class ProtocolError(PlacidError):
    """A request that is answered with an error: `status` is HTTP's, the message goes to the client."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named tensor: `data` are the bytes that travel.

    Raises:
        ProtocolError: the datatype is unknown, the shape negative or of more than 32 dimensions, or the bytes are not as
            many as both ask for.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: bytes | memoryview

    def __post_init__(self) -> None:
        if len(self.shape) > MOST_DIMENSIONS:
            raise ProtocolError(
                f"tensor '{self.name}' has {len(self.shape)} dimensions, at most {MOST_DIMENSIONS} are taken"
            )
        if any(s < 0 for s in self.shape):
            raise ProtocolError(f"tensor '{self.name}' has a negative size in its shape {list(self.shape)}")
        if self.datatype == "BYTES":
            return
        dtype = DATATYPES.get(self.datatype)
        if dtype is None:
            known = ", ".join((*DATATYPES, "BYTES"))
            raise ProtocolError(
                f"tensor '{self.name}' has the unknown datatype '{self.datatype}'. Known: {known}"
            )
        due = prod(self.shape) * dtype.itemsize
        if len(self.data) != due:
            raise ProtocolError(
                f"tensor '{self.name}' of {self.datatype} {list(self.shape)} needs {due} bytes, got {len(self.data)}"
            )

    @classmethod
    def of(cls, name: str, array: np.ndarray) -> Tensor:
        """The tensor of `array`, of a type that the protocol knows."""
        dtype = array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype
        known = _NAMES.get(dtype)
        if known is None:
            raise ProtocolError(
                f"tensor '{name}': the protocol has no datatype for {array.dtype}", status=500
            )
        return cls(name, known, array.shape, np.ascontiguousarray(array, dtype).tobytes())

    @classmethod
    def of_bytes(cls, name: str, elements: Sequence[bytes]) -> Tensor:
        """A tensor of BYTES [n]."""
        data = b"".join(part for e in elements for part in (_LENGTH.pack(len(e)), e))
        return cls(name, "BYTES", (len(elements),), data)

    def array(self) -> np.ndarray:
        """The content as an array that shares the bytes (read only); not for BYTES."""
        if self.datatype == "BYTES":
            raise ProtocolError(f"tensor '{self.name}' is of BYTES, numbers are due")
        try:
            return np.frombuffer(self.data, DATATYPES[self.datatype]).reshape(self.shape)
        except ValueError as error:  # no bytes, but sizes beside the 0 that no array can have
            raise ProtocolError(f"tensor '{self.name}' of {list(self.shape)}: {error}") from None

    def elements(self) -> list[bytes]:
        """The elements of a tensor of BYTES, in order.

        Raises:
            ProtocolError: it is of another datatype, or its lengths do not add up.
        """
        if self.datatype != "BYTES":
            raise ProtocolError(f"tensor '{self.name}' is of {self.datatype}, BYTES are due")
        found, at, data = [], 0, self.data
        while at + 4 <= len(data):
            (length,) = _LENGTH.unpack_from(data, at)
            at += 4 + length
            if at > len(data):
                break
            found.append(bytes(data[at - length : at]))
        if at != len(data) or len(found) != prod(self.shape):
            raise ProtocolError(
                f"tensor '{self.name}' of BYTES {list(self.shape)}: its {len(data)} bytes do not hold "
                f"{prod(self.shape)} elements"
            )
        return found


@dataclass(frozen=True, slots=True)
class Origin:
    """What a request came with beside the protocol.

    Attributes:
        traceparent: W3C trace context, as it was sent; `tracestate` likewise.
        over: "http" or "grpc".
    """

    traceparent: str = ""
    tracestate: str = ""
    over: str = "http"


@dataclass(frozen=True, slots=True)
class InferRequest:
    """What is asked of one model.

    Attributes:
        outputs: names of the outputs that are wanted; empty for all.
        parameters: of the request; what placid adds begins with ``placid_``.
        origin: None if nothing is told of it; it does not make another request of one that is equal otherwise.
    """

    model: str
    inputs: tuple[Tensor, ...]
    version: str = ""
    id: str = ""
    outputs: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class InferResponse:
    """What a model answered."""

    model: str
    outputs: tuple[Tensor, ...]
    version: str = "1"
    id: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TensorMetadata:
    """A tensor that a model takes or gives; -1 in `shape` where any size does."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    @property
    def config_datatype(self) -> str:
        """As Triton's model configuration has it, which calls BYTES otherwise than metadata do."""
        return "TYPE_STRING" if self.datatype == "BYTES" else f"TYPE_{self.datatype}"


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What can be told of a model."""

    name: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]
    versions: tuple[str, ...] = ("1",)
    platform: str = "onnxruntime_onnx"
