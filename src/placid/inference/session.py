"""An ONNX file in ONNX Runtime, on one thread: how everything here is run and timed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort

from placid.errors import RunError

__all__ = ["first_line", "open_session", "run", "session_of"]


def open_session(file: Path) -> ort.InferenceSession:
    """A session of `file` on the processor: one thread, all optimisations of the graph, one node after another.

    One thread is not only what a small node has. With ONNX Runtime's default every session keeps a pool of threads that spin
    for work, and the pools of the segments of one chain take the cores from each other.

    Raises:
        RunError: there is no such file, or ONNX Runtime cannot run it.
    """
    if not file.is_file():
        raise RunError(f"{file}: there is no such file; export the segment first")
    try:
        return session_of(str(file))
    except Exception as error:  # ONNX Runtime has a dozen classes of errors without a common base
        raise RunError(f"{file}: ONNX Runtime cannot run it: {first_line(error)}") from error


def session_of(model: str | bytes) -> ort.InferenceSession:
    """The same of a file's name or of its content; errors are ONNX Runtime's own."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3  # errors only
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(session: ort.InferenceSession, *arrays: np.ndarray) -> list[np.ndarray]:
    """All outputs of `session` for `arrays`, one for each input in order.

    Raises:
        RunError: there are too few or too many, or one has another type or shape than the file says.
    """
    names = [i.name for i in session.get_inputs()]
    if len(names) != len(arrays):
        raise RunError(f"takes {len(names)} inputs ({', '.join(names)}), got {len(arrays)}")
    try:
        return list(session.run(None, dict(zip(names, arrays, strict=True))))
    except Exception as error:
        raise RunError(f"cannot be run on what it was given: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What it says, shortly."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
