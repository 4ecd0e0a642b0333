"""Everything a manifest says of one segment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from placid.catalog.variants import Segment
from placid.inference.digest import digest_of
from placid.inference.session import open_session, run
from placid.splitting.measuring.footprint import footprint
from placid.splitting.measuring.timing import time_run

__all__ = ["measure_segment"]


def measure_segment(
    name: str, file: Path, example_inputs: Sequence[np.ndarray], *, runs: int = 200, warmup: int = 20
) -> Segment:
    """Measure the ONNX `file`: its size, operations and bytes, and its latency at batch 1 on one thread.

    Takes a second or so, most of it the runs.

    Args:
        example_inputs: [batch, …] each, of which the first is run; real ones, since tiny numbers take other times.

    Raises:
        RunError: the file cannot be read or run, or has an operation that cannot be counted.
    """
    session = open_session(file)
    inputs = [np.ascontiguousarray(a[:1]) for a in example_inputs]
    run(session, *inputs)  # says what is wrong with the inputs, if anything
    feed = {i.name: a for i, a in zip(session.get_inputs(), inputs, strict=True)}
    told = footprint(file)
    return Segment(
        name=name,
        file=file.name,
        sha256=digest_of(file),
        size_bytes=file.stat().st_size,
        multiply_adds=told.multiply_adds,
        moved_bytes=told.moved_bytes,
        peak_bytes=told.peak_bytes,
        latency=time_run(lambda: session.run(None, feed), runs=runs, warmup=warmup),
    )
