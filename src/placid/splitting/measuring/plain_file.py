"""ONNX files that hold the network and nothing else, the same bytes for the same network."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import MutableSequence
from dataclasses import dataclass
from pathlib import Path

import onnx

from placid.errors import RunError

__all__ = ["Written", "strip", "write"]


@dataclass(frozen=True)
class Written:
    """An ONNX file as it was written.

    Attributes:
        largest_difference: from what it was made of, on random inputs; 0 if it was not compared.
    """

    file: Path
    size_bytes: int
    sha256: str
    opset: int
    largest_difference: float = 0.0


def write(model: onnx.ModelProto, file: Path, largest_difference: float = 0.0) -> Written:
    """Check `model`, take from it what is no network, and write it as `file` (all of it or nothing).

    Raises:
        RunError: it is no valid ONNX model, or cannot be written.
    """
    strip(model)
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        raise RunError(f"{file}: is no valid ONNX model: {str(error).strip().splitlines()[0]}") from error
    data = model.SerializeToString(deterministic=True)
    scratch = file.with_name(file.name + ".tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(data)
        os.replace(scratch, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise RunError(f"{file}: cannot be written: {error.strerror or error}") from error
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    return Written(file, len(data), hashlib.sha256(data).hexdigest(), opset, largest_difference)


def strip(model: onnx.ModelProto) -> None:
    """Remove stack traces, module paths and other notes of the exporter, and number the intermediate tensors.

    The notes hold paths of the machine that exported, and are a third of a small file.
    """
    graph = model.graph
    model.doc_string = ""
    graph.doc_string = ""
    graph.name = "segment"
    del model.metadata_props[:]
    del graph.metadata_props[:]
    del graph.quantization_annotation[:]
    del graph.value_info[:]
    kept = {i.name for group in (graph.input, graph.output, graph.initializer) for i in group}
    numbered: dict[str, str] = {}
    for place, node in enumerate(graph.node):
        node.doc_string = ""
        node.name = f"{node.op_type.lower()}_{place}"
        del node.metadata_props[:]
        _rename(node.input, numbered)
        for name in node.output:
            if name and name not in kept:
                numbered[name] = f"t{len(numbered)}"
        _rename(node.output, numbered)
        for attribute in node.attribute:
            attribute.doc_string = ""
    for group in (graph.input, graph.output, graph.initializer):
        for each in group:
            each.doc_string = ""
            del each.metadata_props[:]


def _rename(names: MutableSequence[str], numbered: dict[str, str]) -> None:
    for i, name in enumerate(names):
        names[i] = numbered.get(name, name)
