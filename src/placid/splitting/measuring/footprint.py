"""What running an ONNX file takes, counted from its graph: operations, bytes moved, bytes alive."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, shape_inference

from placid.errors import RunError
from placid.inference.session import first_line, session_of

__all__ = ["Footprint", "footprint"]


@dataclass(frozen=True)
class Footprint:
    """What one input takes.

    Attributes:
        multiply_adds: of convolutions and matrix products; biases, activations and pooling are not counted.
        moved_bytes: weights read, and tensors read and written, by every operation that is not a mere view, nor an
            activation or normalisation computed where its input lies.
        peak_bytes: most bytes of tensors alive at once, inputs and outputs among them, weights not; operations in the
            order of the file, buffers reused as soon as nobody reads them any more.
        parameter_bytes: of all weights, as they are kept in the file.
    """

    multiply_adds: int
    moved_bytes: int
    peak_bytes: int
    parameter_bytes: int


#: the same bytes under another shape
_VIEWS = {"Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"}
#: computed where their input lies, or in the loop of the operation before
_IN_PLACE = {
    *(
        "BatchNormalization",
        "Clip",
        "Elu",
        "Erf",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "LeakyRelu",
        "Mish",
        "PRelu",
    ),
    *("QuantizeLinear", "Relu", "Selu", "Sigmoid", "Softplus", "Tanh"),
}
#: can write their result over an operand that nobody reads any more
_OVERWRITES = {"Add", "Ceil", "Div", "Exp", "Floor", "Mul", "Neg", "Pow", "Round", "Softmax", "Sqrt", "Sub"}
#: compute much, and are not counted here: better no figure than a wrong one
_UNCOUNTED = {"Attention", "DeformConv", "Einsum", "GRU", "If", "LSTM", "Loop", "RNN", "STFT", "Scan"}

_Shape = tuple[int, ...]


def footprint(file: Path) -> Footprint:
    """Count what the network in `file` takes at batch 1.

    Quantised networks are counted as ONNX Runtime runs them: a tensor between a quantisation and a dequantisation has the
    bytes of its integers, and neither of the two moves anything.

    Raises:
        RunError: the file is no ONNX model, has an input of open shape besides the batch, or an operation that is not
            counted.
    """
    try:
        model = onnx.load(str(file))
    except Exception as error:
        raise RunError(f"{file}: is no ONNX model: {first_line(error)}") from error
    graph = model.graph
    for node in graph.node:
        if node.op_type in _UNCOUNTED:
            raise RunError(f"{file}: {node.op_type} occurs, of which operations are not counted")
    constants = _constants(graph)
    tensors = _tensors(model, constants, file)
    kept_bytes = sum(constants.values())
    _widen(graph, constants, tensors)
    return Footprint(
        multiply_adds=sum(_multiply_adds(node, tensors) for node in graph.node),
        parameter_bytes=kept_bytes,
        **_memory(graph, constants, tensors),
    )


def _widen(graph: onnx.GraphProto, constants: dict[str, int], tensors: dict[str, _Tensor]) -> None:
    """Weights kept in few bits are made wide once, when the file is opened: take the wide ones for the weights."""
    for node in list(graph.node):
        if node.op_type in ("Cast", "Mul") and all(name in constants for name in node.input):
            for name in node.input:
                del constants[name]
            constants[node.output[0]] = tensors[node.output[0]].size_bytes
            graph.node.remove(node)


@dataclass(frozen=True)
class _Tensor:
    shape: _Shape
    size_bytes: int


def _constants(graph: onnx.GraphProto) -> dict[str, int]:
    """Bytes of every weight and constant."""
    found = {w.name: numpy_helper.to_array(w).nbytes for w in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            value = next((a for a in node.attribute if a.name == "value"), None)
            found[node.output[0]] = numpy_helper.to_array(value.t).nbytes if value is not None else 8
    return found


def _tensors(model: onnx.ModelProto, constants: dict[str, int], file: Path) -> dict[str, _Tensor]:
    """Shape and bytes of every tensor at batch 1: inferred, or where that fails, looked at while running."""
    for told in model.graph.input:
        dims = told.type.tensor_type.shape.dim
        for place, dim in enumerate(dims):
            if not dim.HasField("dim_value"):
                if place:
                    raise RunError(f"{file}: input {told.name} has an open dimension besides the batch")
                dim.dim_value = 1
        if dims:
            dims[0].dim_value = 1
    for told in model.graph.output:  # say `batch`, which the input does not any more
        told.type.tensor_type.ClearField("shape")
    inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    found: dict[str, _Tensor] = {}
    for told in (*inferred.input, *inferred.value_info, *inferred.output):
        kind = told.type.tensor_type
        dims = kind.shape.dim
        if kind.HasField("shape") and kind.elem_type and all(d.HasField("dim_value") for d in dims):
            shape = tuple(d.dim_value for d in dims)
            item = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).itemsize
            found[told.name] = _Tensor(shape, math.prod(shape) * item)
    for weight in model.graph.initializer:
        found[weight.name] = _Tensor(tuple(weight.dims), constants[weight.name])
    unknown = [name for node in model.graph.node for name in node.output if name and name not in found]
    return found | (_looked_at(model, unknown) if unknown else {})


def _looked_at(model: onnx.ModelProto, names: Sequence[str]) -> dict[str, _Tensor]:
    """Of tensors whose shape cannot be inferred: run once with each of them put out."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    given = {o.name for o in shown.graph.output}
    shown.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in given)
    session = session_of(shown.SerializeToString())
    feed = {}
    for told in model.graph.input:
        kind = told.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        feed[told.name] = np.zeros([d.dim_value for d in kind.shape.dim], dtype)
    values = session.run(list(names), feed)
    return {n: _Tensor(np.shape(v), np.asarray(v).nbytes) for n, v in zip(names, values, strict=True)}


def _convolution(node: onnx.NodeProto, shapes: Callable[[str], _Shape], weight: int) -> int:
    # each number of the output sums over a kernel in all channels of its group: what a filter holds
    return math.prod(shapes(node.output[0])) * math.prod(shapes(node.input[weight])[1:])


def _transposed(node: onnx.NodeProto, shapes: Callable[[str], _Shape], weight: int) -> int:
    # each number of the input is spread by a kernel over all channels of its group
    return math.prod(shapes(node.input[0])) * math.prod(shapes(node.input[weight])[1:])


def _product(node: onnx.NodeProto, shapes: Callable[[str], _Shape], weight: int) -> int:
    return math.prod(shapes(node.output[0])) * shapes(node.input[0])[-1]


def _gemm(node: onnx.NodeProto, shapes: Callable[[str], _Shape], weight: int) -> int:
    turned = any(a.name == "transA" and a.i for a in node.attribute)
    return math.prod(shapes(node.output[0])) * shapes(node.input[0])[0 if turned else -1]


#: operation -> how it is counted, and which of its inputs holds the weights
_COUNTED: dict[str, tuple[Callable[[onnx.NodeProto, Callable[[str], _Shape], int], int], int]] = {
    "Conv": (_convolution, 1),
    "ConvInteger": (_convolution, 1),
    "FusedConv": (_convolution, 1),
    "QLinearConv": (_convolution, 3),
    "ConvTranspose": (_transposed, 1),
    "Gemm": (_gemm, 1),
    "QGemm": (_gemm, 3),
    "MatMul": (_product, 1),
    "FusedMatMul": (_product, 1),
    "MatMulInteger": (_product, 1),
    "QLinearMatMul": (_product, 3),
}


def _multiply_adds(node: onnx.NodeProto, tensors: dict[str, _Tensor]) -> int:
    if node.op_type not in _COUNTED:
        return 0
    count, weight = _COUNTED[node.op_type]
    return count(node, lambda name: tensors[name].shape, weight)


def _memory(graph: onnx.GraphProto, constants: dict[str, int], tensors: dict[str, _Tensor]) -> dict[str, int]:
    """`moved_bytes` and `peak_bytes`."""
    ends = len(graph.node)
    outputs = {o.name for o in graph.output}
    last = dict.fromkeys(outputs, ends)
    readers: Counter[str] = Counter(outputs)
    for place, node in enumerate(graph.node):
        for name in {*node.input} - {""}:
            last[name] = max(last.get(name, -1), place)
            readers[name] += 1
    # every tensor has a place; those that share one are one after another in the same bytes
    given = [i.name for i in graph.input if i.name not in constants]
    where = {name: name for name in (*given, *constants)}
    bytes_of = {name: tensors[name].size_bytes for name in given} | constants
    born = dict.fromkeys(given, 0)
    dies = {name: last.get(name, 0) for name in given}
    fixed = {*given, *constants}
    moves: list[list[str]] = []
    for place, node in enumerate(graph.node):
        takes = [name for name in dict.fromkeys(node.input) if name]
        if node.op_type == "Constant":
            continue
        # what it computes on; a weight is that only for what dequantises it
        main = next((n for n in takes if n not in constants), takes[0] if takes else "")
        home = where.get(main, "")
        viewed = bool(main) and (
            node.op_type in _VIEWS
            or (node.op_type == "DequantizeLinear" and node.output[0] not in outputs)
            or (
                node.op_type in _IN_PLACE and home not in fixed and readers[main] == 1 and dies[home] == place
            )
        )
        shares = viewed
        if node.op_type in _OVERWRITES:
            size = tensors[node.output[0]].size_bytes
            spent = [where[n] for n in takes if where[n] not in fixed and dies[where[n]] == place]
            fitting = [s for s in spent if bytes_of[s] == size]
            if fitting:
                shares, home = True, fitting[0]
        for i, name in enumerate(n for n in node.output if n):
            if shares and i == 0:
                where[name] = home
                bytes_of[home] = min(bytes_of[home], tensors[name].size_bytes)
            else:
                where[name] = name
                bytes_of[name] = tensors[name].size_bytes
                born[name] = place
            dies[where[name]] = max(dies.get(where[name], place), last.get(name, place))
        if viewed:  # nothing moves but its scales or slopes
            moves.append([n for n in takes if n in constants and n != main])
        else:
            moves.append([where[n] for n in (*takes, *node.output) if n])
    alive = np.zeros(ends + 1, np.int64)
    for home, start in born.items():
        alive[start : dies[home] + 1] += bytes_of[home]
    return {
        "moved_bytes": sum(bytes_of[home] for move in moves for home in move),
        "peak_bytes": int(alive.max()),
    }
