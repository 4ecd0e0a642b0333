"""Where a network can be cut, what crosses there, and the segments that a cut makes.

traced = trace(network, example)
for cut in traced.cuts:
    print(cut.name, cut.size_bytes, cut.head.multiply_adds)
head, tail = traced.segments(["stage2"])
"""

from placid.splitting.cutting.cuts import Crossed, Cut, Side
from placid.splitting.cutting.dataflow import Dataflow, dataflow
from placid.splitting.cutting.trace import Traced, segments, trace

__all__ = ["Crossed", "Cut", "Dataflow", "Side", "Traced", "dataflow", "segments", "trace"]
