"""From torch to ONNX: a segment as the file that a node stores and runs."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from placid.errors import InputError, RunError
from placid.inference.session import open_session, run
from placid.splitting.measuring.plain_file import Written, write
from placid.splitting.measuring.quiet import quiet

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

__all__ = ["export_onnx"]

_OPSET = 20
#: of the outputs of rounding (symbols of a codec), the share that may fall on the other side of a half
_FLIPPED = 2e-3


def export_onnx(
    module: nn.Module,
    example: Tensor | Sequence[Tensor],
    file: Path,
    *,
    input_names: Sequence[str],
    output_names: Sequence[str],
    tolerance: float = 1e-4,
) -> Written:
    """Write `module` in evaluation mode as an ONNX file, and hold the file against it in ONNX Runtime.

    Batch normalisation is folded into the convolution before it, constants are folded, the batch is free. The file holds no
    paths and no notes, and is the same bytes whenever the same weights are exported by the same versions. Takes about a
    second, more for deep networks; `module` is left as it is.

    Args:
        example: what it takes, [batch, …] each, or one tensor; the test inputs are drawn from the same range.
        input_names: in the order of what `module` takes.
        output_names: in the order of what it returns.
        tolerance: largest difference allowed at batch 1 and 5, relative to the largest absolute value of an output (at least
            1). Whole numbers (symbols of a codec) may be one off in 2 of 1,000, since a sum in another order can fall on
            the other side of a half; rows in which that happened are not compared further.

    Raises:
        InputError: names and examples do not fit.
        RunError: it cannot be exported, the file differs by more than `tolerance`, or it cannot be written.
    """
    given = (example,) if isinstance(example, torch.Tensor) else tuple(example)
    if len(given) != len(input_names):
        raise InputError(
            f"{len(given)} example inputs but {len(input_names)} names for them", where=str(file)
        )
    # folding and checking shall leave the network as it is; memory formats of training would show in the graph
    still = copy.deepcopy(module).to(memory_format=torch.contiguous_format).float().eval()  # type: ignore[call-overload]
    for parameter in still.parameters():
        parameter.requires_grad_(False)
    examples = tuple(_two(e) for e in given)
    model = _exported(still, examples, list(input_names), list(output_names), file)
    if len(model.graph.output) != len(output_names):
        raise InputError(
            f"the module has {len(model.graph.output)} outputs but {len(output_names)} names for them",
            where=str(file),
        )
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial.onnx"
        write(model, trial)
        difference = _compare(still, trial, examples, tolerance, file)
    return write(model, file, difference)


def _two(example: Tensor) -> Tensor:
    """As a batch of two: with one, or a view of something else, torch's exporter takes the shape for fixed."""
    if example.ndim == 0 or len(example) == 0:
        raise InputError("an example needs a batch dimension with something in it")
    return torch.cat([example, example])[:2].detach().clone(memory_format=torch.contiguous_format)


def _exported(
    module: nn.Module, examples: tuple[Tensor, ...], inputs: list[str], outputs: list[str], file: Path
) -> onnx.ModelProto:
    batch = torch.export.Dim("batch", min=1)
    try:
        with quiet(), torch.no_grad():
            program = torch.onnx.export(
                module,
                examples,
                dynamo=True,
                opset_version=_OPSET,
                input_names=inputs,
                output_names=outputs,
                dynamic_shapes=tuple({0: batch} for _ in examples),
                optimize=True,
                verbose=False,
            )
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        said = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise RunError(f"{file}: torch cannot export the network to ONNX: {said}") from error
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def _compare(
    module: nn.Module, file: Path, examples: tuple[Tensor, ...], tolerance: float, named: Path
) -> float:
    """Largest relative difference between torch and ONNX Runtime."""
    session = open_session(file)
    rng = np.random.default_rng(0)
    largest = 0.0
    for batch in (1, 5):
        inputs = [_alike(e, batch, rng) for e in examples]
        with torch.no_grad():
            wanted = module(*[torch.from_numpy(i) for i in inputs])
        found = run(session, *inputs)
        wanted = [w.numpy() for w in (wanted if isinstance(wanted, tuple | list) else [wanted])]
        same = np.ones(batch, bool)  # rows whose symbols agree
        for w, f in zip(wanted, found, strict=True):
            if w.shape != f.shape or w.dtype != f.dtype:
                raise RunError(
                    f"{named}: gives {f.dtype}{list(f.shape)} in ONNX Runtime where torch gives {w.dtype}{list(w.shape)}"
                )
            if not np.issubdtype(w.dtype, np.floating):
                off = np.abs(w.astype(np.int64) - f.astype(np.int64))
                if off.max(initial=0) > 1 or np.count_nonzero(off) > max(1, _FLIPPED * off.size):
                    raise RunError(
                        f"{named}: {np.count_nonzero(off)} of {off.size} whole numbers differ between torch and ONNX "
                        f"Runtime, by up to {off.max()}"
                    )
                same &= off.reshape(batch, -1).max(1, initial=0) == 0
        for w, f in zip(wanted, found, strict=True):
            if np.issubdtype(w.dtype, np.floating):
                scale = max(1.0, float(np.abs(w).max(initial=0.0)))
                apart = float(np.abs(w[same] - f[same]).max(initial=0.0)) / scale
                if not apart <= tolerance:  # so that a NaN does not pass
                    raise RunError(
                        f"{named}: torch and ONNX Runtime differ by {apart:.3g} of the largest output, more than "
                        f"{tolerance:g}; is something in the network random, or does it keep state?"
                    )
                largest = max(largest, apart)
    return largest


def _alike(example: Tensor, batch: int, rng: np.random.Generator) -> np.ndarray:
    """Random numbers from the range of `example`."""
    shape = (batch, *example.shape[1:])
    if not example.is_floating_point():
        return rng.integers(int(example.min()), int(example.max()) + 1, shape).astype(example.numpy().dtype)
    low, high = float(example.min()), float(example.max())
    return rng.uniform(low, high if high > low else low + 1.0, shape).astype(example.numpy().dtype)
