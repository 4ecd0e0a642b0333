"""Measuring trained segments: ONNX files, what running them takes, how sure an accuracy is."""

from __future__ import annotations

from placid.inference.intervals import Interval, accuracy_interval, over_images, over_seeds
from placid.inference.session import open_session, run
from placid.splitting.measuring.chain import Chain
from placid.splitting.measuring.compact import compact_weights
from placid.splitting.measuring.footprint import Footprint, footprint
from placid.splitting.measuring.int8 import METHODS, quantise_static
from placid.splitting.measuring.measure import measure_segment
from placid.splitting.measuring.onnx_export import export_onnx
from placid.splitting.measuring.plain_file import Written
from placid.splitting.measuring.timing import time_run, time_together

__all__ = [
    "METHODS",
    "Chain",
    "Footprint",
    "Interval",
    "Written",
    "accuracy_interval",
    "compact_weights",
    "export_onnx",
    "footprint",
    "measure_segment",
    "open_session",
    "over_images",
    "over_seeds",
    "quantise_static",
    "run",
    "time_run",
    "time_together",
]
