"""The segments of one network, run one after another in one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort

from placid.errors import InputError
from placid.inference.session import open_session, run

__all__ = ["Chain"]


class Chain:
    """Runs segments as if they were one network, with what crosses kept in buffers that both neighbours know.

    A segment takes what the one before gives: by name if that gives all that it asks for, else in order. Buffers are
    made for the shape of the first inputs, and again when another shape comes. Against handing arrays from session to
    session this saves, at every border, the allocation and the wrapping of arrays: some 10 microseconds.

    Not safe to use from two threads at once.

    Raises:
        RunError: a file cannot be run.
        InputError: a segment asks for more or fewer tensors than the one before gives.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        if not files:
            raise InputError("a chain needs at least one segment")
        self.sessions = tuple(open_session(file) for file in files)
        self._wiring: list[list[int]] = []
        for before, after, file in zip(self.sessions, self.sessions[1:], files[1:], strict=False):
            gives = [o.name for o in before.get_outputs()]
            takes = [i.name for i in after.get_inputs()]
            if set(takes) <= set(gives):
                self._wiring.append([gives.index(name) for name in takes])
            elif len(takes) == len(gives):
                self._wiring.append(list(range(len(takes))))
            else:
                raise InputError(
                    f"takes {', '.join(takes)}, but the segment before gives {', '.join(gives)}",
                    where=str(file),
                )
        self._given: list[tuple[tuple[int, ...], np.dtype]] = []

    def run(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """All outputs of the last segment; they are yours, the next run does not change them.

        Raises:
            RunError: `arrays` do not fit the first segment.
        """
        if [(a.shape, a.dtype) for a in arrays] != self._given:
            self._prepare(arrays)
        for buffer, array in zip(self._inputs, arrays, strict=True):
            np.copyto(buffer, array)
        for session, binding in self._steps:
            session.run_with_iobinding(binding)
        return [buffer.copy() for buffer in self._outputs]

    def steps(self, *arrays: np.ndarray) -> list[Callable[[], object]]:
        """Each segment as something to time, with the inputs that it has for `arrays`."""
        self.run(*arrays)
        return [partial(session.run_with_iobinding, binding) for session, binding in self._steps]

    def _prepare(self, arrays: Sequence[np.ndarray]) -> None:
        """Buffers and bindings for inputs of these shapes."""
        self._given = []  # in case this fails half-way
        self._steps: list[tuple[ort.InferenceSession, ort.IOBinding]] = []
        taken = [np.array(a, order="C") for a in arrays]
        self._inputs = taken
        for place, session in enumerate(self.sessions):
            given = [np.ascontiguousarray(a) for a in run(session, *taken)]
            binding = session.io_binding()
            for told, array in zip(session.get_inputs(), taken, strict=True):
                binding.bind_ortvalue_input(told.name, ort.OrtValue.ortvalue_from_numpy(array))
            for told, array in zip(session.get_outputs(), given, strict=True):
                binding.bind_ortvalue_output(told.name, ort.OrtValue.ortvalue_from_numpy(array))
            self._steps.append((session, binding))
            self._outputs = given
            if place < len(self._wiring):
                taken = [given[i] for i in self._wiring[place]]
        self._given = [(a.shape, a.dtype) for a in arrays]
