"""How good the roofline is: fitted to the processor that a zoo was measured on, and held against what was measured there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from placid.catalog.processors import Processor, modelled_latency_s
from placid.catalog.variants import Segment, Zoo
from placid.errors import InputError

__all__ = ["Calibration", "calibrate"]

#: what is fitted: overhead, rate, bandwidth
_UNKNOWNS = 3


@dataclass(frozen=True)
class Calibration:
    """The roofline of one class against what was measured on it. A ratio is modelled / measured; 1 is right.

    Attributes:
        declared: the class as declared.
        fitted: the same with overhead, rate and bandwidth as they fit the measured latencies best.
        segments: what was compared, by ``variant/segment``; a file that several variants share stands once.
        measured_s: median latency of each, float64 [n].
        declared_ratio: of the class as declared, float64 [n].
        fitted_ratio: of the fitted one, which has seen them all, float64 [n].
        held_out_ratio: of one that was fitted to all the others, float64 [n]: what to expect of a new segment.
    """

    declared: Processor
    fitted: Processor
    segments: tuple[str, ...]
    measured_s: np.ndarray
    declared_ratio: np.ndarray
    fitted_ratio: np.ndarray
    held_out_ratio: np.ndarray

    def __str__(self) -> str:
        told = [
            f"{name}: median ratio modelled / measured {np.median(r):.2f}, 90 % of segments within "
            f"{np.quantile(r, 0.05):.2f} to {np.quantile(r, 0.95):.2f}"
            for name, r in (
                ("as declared", self.declared_ratio),
                ("fitted", self.fitted_ratio),
                ("fitted to the others", self.held_out_ratio),
            )
        ]
        f = self.fitted
        return (
            f"{self.declared.name}, {len(self.segments)} segments\n  "
            + "\n  ".join(told)
            + f"\n  fitted: {1e6 * f.overhead_s:.0f} us a segment, {f.multiply_adds_per_s() / 1e9:.1f} G multiply-adds/s, "
            f"{f.bytes_per_s / 1e9:.1f} GB/s"
        )


def calibrate(zoo: Zoo, declared: Processor) -> Calibration:
    """Fit the roofline of `declared` to the segments of `zoo`, which were measured on it. Milliseconds a segment.

    Overhead, rate and bandwidth minimise the squared logarithm of the ratio; each segment is also predicted from all the
    others, so that the figure which a reader should expect of new segments is among those given. Segments of 8-bit
    arithmetic are left out: the zoo's other numbers are of float32.

    Raises:
        InputError: fewer than four segments with a file and a latency are there.
    """
    found: dict[str, tuple[str, Segment]] = {}
    for v in zoo.variants:
        for s in v.segments:
            timed = s.file and s.latency.p50_s > 0 and s.multiply_adds + s.moved_bytes > 0
            if timed and s.arithmetic == "float32":
                found.setdefault(s.sha256 or f"{v.name}/{s.file}", (f"{v.name}/{s.name}", s))
    if len(found) <= _UNKNOWNS:
        raise InputError(
            f"{len(found)} measured segments are too few to fit a roofline to; it takes {_UNKNOWNS + 1}",
            where=str(zoo.folder),
        )
    segments = [s for _, s in found.values()]
    measured_s = np.array([s.latency.p50_s for s in segments])
    fitted = _fit(segments, measured_s, declared)
    held_out = [
        modelled_latency_s(s, _fit(segments[:i] + segments[i + 1 :], np.delete(measured_s, i), fitted))
        for i, s in enumerate(segments)
    ]
    return Calibration(
        declared,
        fitted,
        tuple(name for name, _ in found.values()),
        measured_s,
        _modelled(segments, declared) / measured_s,
        _modelled(segments, fitted) / measured_s,
        np.array(held_out) / measured_s,
    )


def _modelled(segments: Sequence[Segment], processor: Processor) -> np.ndarray:
    return np.array([modelled_latency_s(s, processor) for s in segments])


def _fit(segments: Sequence[Segment], measured_s: np.ndarray, start: Processor) -> Processor:
    """`start` with the overhead, rate and bandwidth of least squared logarithm of the ratio, found in logarithms."""
    from scipy.optimize import minimize

    multiply_adds = np.array([s.multiply_adds for s in segments], np.float64)
    moved_bytes = np.array([s.moved_bytes for s in segments], np.float64)
    # no part of the sum can exceed what was measured, so a fit that starts below the least is sound
    least_s = float(measured_s.min())

    def misfit(unknown: np.ndarray) -> float:
        overhead_s, rate, bandwidth = np.exp(unknown)
        told = overhead_s + np.maximum(multiply_adds / rate, moved_bytes / bandwidth)
        return float(np.mean(np.log(told / measured_s) ** 2))

    best = None
    for overhead_s in (least_s / 2, least_s / 50, max(start.overhead_s, 1e-9)):
        at = np.log([overhead_s, start.multiply_adds_per_s(), start.bytes_per_s])
        tried = minimize(misfit, at, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-9})
        if best is None or tried.fun < best.fun:
            best = tried
    assert best is not None
    overhead_s, rate, bandwidth = (float(x) for x in np.exp(np.clip(best.x, -60, 60)))
    scale = rate / start.multiply_adds_per_s()
    return replace(
        start,
        overhead_s=overhead_s,
        float32_per_s=start.float32_per_s * scale,
        int8_per_s=start.int8_per_s * scale,
        bytes_per_s=bandwidth,
    )
