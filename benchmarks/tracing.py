"""What traces of requests cost a node: processor time for a request that enters, runs one stage and is answered.

What a node does about the trace is done here without the node around it, whose own time for a request (a third of a
millisecond) varies by more than what is measured. Spans go to a file, and the time of that is in it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time, time_ns

import numpy as np

from benchmarks.table import Row
from placid.catalog.variants import shipped_zoo
from placid.runtime.node.networks import Answer, Left, Networks
from placid.runtime.node.travel import Travelling, answered
from placid.runtime.node.worker import Ran
from placid.runtime.protocol.messages import InferRequest, InferResponse
from placid.runtime.spec import NodeSpec, Stage
from placid.runtime.tracing.trace import Trace

__all__ = ["run"]

_VARIANT = "exits-stage1-joint"


def run(quick: bool) -> Iterator[Row]:
    """At three ratios."""
    networks = Networks(shipped_zoo())
    with tempfile.TemporaryDirectory() as folder:
        target = f"file={Path(folder) / 'traces.jsonl'}"
        for ratio, most_s in ((0.0, 2e-6), (0.01, 5e-6), (1.0, 300e-6)):
            count = (200 if quick else 20_000) if ratio < 1 else (50 if quick else 2000)
            spec = NodeSpec(
                *("one", "cloud", "x86-core", 0, True, str(networks.zoo.folder), "x86-core"),
                traces=target,
                trace_ratio=ratio,
            )
            took_s = [asyncio.run(_over(spec, networks, count)) for _ in range(1 if quick else 5)]
            yield Row(
                f"processor time of a node for the trace of a request, at ratio {ratio:g}, export included",
                f"{1e6 * float(np.median(took_s)):.1f} µs",
                bar=f"under {1e6 * most_s:.0f} µs",
                met=bool(quick or np.median(took_s) < most_s),
            )


async def _over(spec: NodeSpec, networks: Networks, count: int) -> float:
    """Seconds of the processor for a request, beyond those without traces."""
    from placid.runtime.tracing.tracer import open_traces

    request = InferRequest("task", ())
    stage, left = Stage("one", 0, 2), Left(2, Answer(3, 0, 0.9))
    trip = Travelling("task", _VARIANT, (stage,), 0, b"")

    async def answer(request: InferRequest, trace: Trace | None = None) -> InferResponse:
        if trace is not None:
            begun_ns = time_ns()
            trace.stage(trip, stage, Ran(begun_ns, begun_ns, time_ns(), 1), left)
        return answered(request, Answer(3, 0, 0.9), "one", _VARIANT, 1e-3)

    begun = process_time()
    for _ in range(count):
        await answer(request)
    without_s = process_time() - begun
    traces = open_traces(spec, networks)
    begun = process_time()
    for _ in range(count):
        await traces.enter(request, answer)
    await traces.close()
    return (process_time() - begun - without_s) / count
