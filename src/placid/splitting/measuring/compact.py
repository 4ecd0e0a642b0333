"""Weights kept in fewer bits than they are computed with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from placid.errors import InputError
from placid.inference.session import open_session
from placid.splitting.measuring.plain_file import Written, write

__all__ = ["compact_weights"]

#: tensors below are left alone: they are not what makes a file big
_LEAST_SIZE = 512


def compact_weights(file: Path, bits: int = 16) -> Written:
    """Keep the weights in the ONNX `file` in 16 bits (floats) or 8 (whole numbers, a scale for each output channel).

    They are made 32 bits wide again when the file is opened, once; computing takes as long as before. Sixteen bits change
    answers by a thousandth; what eight change has to be measured.

    Raises:
        InputError: another number of bits.
        RunError: the file cannot be read or written.
    """
    if bits not in (8, 16):
        raise InputError(f"weights are kept in 8 or 16 bits, got {bits}", where=str(file))
    model = onnx.load(str(file))
    graph = model.graph
    made: list[onnx.NodeProto] = []
    for weight in list(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _LEAST_SIZE or values.ndim < 2:
            continue
        graph.initializer.remove(weight)
        name = weight.name
        if bits == 16:
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}_16"))
            made.append(helper.make_node("Cast", [f"{name}_16"], [name], to=TensorProto.FLOAT))
            continue
        # torch and ONNX have output channels first in convolutions and in Gemm with transB, which is how torch exports
        scale = np.maximum(np.abs(values).reshape(len(values), -1).max(1), 1e-12).astype(np.float32) / 127
        whole = (values / scale.reshape(-1, *[1] * (values.ndim - 1))).round().astype(np.int8)
        graph.initializer.append(numpy_helper.from_array(whole, f"{name}_8"))
        broad = scale.reshape(-1, *[1] * (values.ndim - 1))
        graph.initializer.append(numpy_helper.from_array(broad, f"{name}_scale"))
        # not DequantizeLinear: ONNX Runtime keeps that one for every run, in case integers follow
        made.append(helper.make_node("Cast", [f"{name}_8"], [f"{name}_wide"], to=TensorProto.FLOAT))
        made.append(helper.make_node("Mul", [f"{name}_wide", f"{name}_scale"], [name]))
    for place, node in enumerate(made):
        graph.node.insert(place, node)
    written = write(model, file)
    open_session(file)
    return written
