"""A segment with whole numbers of eight bits in place of floats: a quarter of the size, and faster where processors help."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from placid.errors import InputError, RunError, UnknownNameError
from placid.inference.session import first_line, open_session
from placid.splitting.measuring.plain_file import Written, write
from placid.splitting.measuring.quiet import quiet

__all__ = ["METHODS", "quantise_static"]

#: how the range of a tensor is chosen from what it was on the calibration inputs
METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "percentile": CalibrationMethod.Percentile,
    "entropy": CalibrationMethod.Entropy,
}


def quantise_static(
    source: Path,
    file: Path,
    calibration: np.ndarray | Mapping[str, np.ndarray],
    *,
    method: str = "minmax",
    batch: int = 50,
) -> Written:
    """Write the network in `source` with weights and inner tensors in eight bits; inputs and outputs stay as they are.

    Weights are signed with a scale for each output channel, tensors unsigned with one scale (quantise and dequantise
    nodes, from which ONNX Runtime makes integer layers). Weights use seven of their eight bits: without VNNI the
    processor's product of unsigned and signed bytes overflows otherwise, silently. Costs accuracy: measure it; nothing
    here compares the two files. Takes seconds for 500 small images, most of it the calibration run.

    Args:
        calibration: [n, …], never of the test images; by input name if there are several. What enters the segment,
            which for a later segment is what the one before gives.
        method: of `METHODS`. "minmax" keeps all; "percentile" (99.999 %) and "entropy" cut rare extremes off, and hold
            histograms of every tensor. Compare them on the calibration split.
        batch: calibration inputs run at once.

    Raises:
        UnknownNameError: there is no such method.
        InputError: `calibration` does not fit the inputs.
        RunError: it cannot be quantised or written.
    """
    if method not in METHODS:
        raise UnknownNameError("calibration method", method, METHODS)
    arrays = _by_name(source, calibration)
    with tempfile.TemporaryDirectory() as folder, quiet():
        prepared, made = Path(folder) / "prepared.onnx", Path(folder) / "made.onnx"
        try:
            # fuses what can be fused before scales are chosen, and notes shapes
            quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
            quantize_static(
                str(prepared),
                str(made),
                _Batches(arrays, batch),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                calibrate_method=METHODS[method],
            )
            model = onnx.load(str(made))
        except Exception as error:  # the quantiser raises whatever comes
            raise RunError(f"{source}: cannot be quantised: {first_line(error)}") from error
    written = write(model, file)
    open_session(file)
    return written


class _Batches(CalibrationDataReader):  # type: ignore[misc]
    """Calibration inputs a few at a time."""

    def __init__(self, arrays: Mapping[str, np.ndarray], batch: int) -> None:
        self._batches: Iterator[dict[str, np.ndarray]] = iter(
            [
                {name: np.ascontiguousarray(a[start : start + batch]) for name, a in arrays.items()}
                for start in range(0, len(next(iter(arrays.values()))), batch)
            ]
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)


def _by_name(source: Path, calibration: np.ndarray | Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Calibration inputs of every input of the network, as many of each."""
    names = [i.name for i in open_session(source).get_inputs()]
    if isinstance(calibration, np.ndarray):
        calibration = {names[0]: calibration}
    if set(calibration) != set(names):
        raise InputError(
            f"calibration inputs are needed for {', '.join(names)}, given for {', '.join(calibration)}",
            where=str(source),
        )
    lengths = {len(a) for a in calibration.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise InputError(
            f"every input needs as many calibration inputs, at least one; got {sorted(lengths)}",
            where=str(source),
        )
    return dict(calibration)
