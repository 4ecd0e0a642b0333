"""What segments of a zoo take on a class of processor: measured where the zoo was, modelled elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from placid.catalog.models import Profile
from placid.catalog.processors import Processor, modelled_codec_s, modelled_latency_s
from placid.catalog.variants import Segment, Timing, Variant

__all__ = ["SegmentPricing"]

#: no request takes less: keeps capacities finite
_LEAST_S = 1e-9


@dataclass(frozen=True)
class SegmentPricing:
    """What running parts of a variant takes, by processor class.

    Attributes:
        measured_on: the class whose latencies the zoo holds; others are modelled.
    """

    processors: tuple[Processor, ...]
    measured_on: Processor

    def is_measured(self, processor: Processor) -> bool:
        """Whether latencies of the zoo hold there: the class itself, or several of its cores."""
        return self.measured_on.name in (processor.name, processor.cores_of)

    def segment_s(self, segment: Segment, processor: Processor) -> float:
        """Of running `segment` once."""
        if self.is_measured(processor):
            return segment.latency.mean_s
        return modelled_latency_s(segment, processor)

    def codec_s(self, timing: Timing, processor: Processor) -> float:
        """Of a codec that took `timing` where the zoo was measured."""
        return modelled_codec_s(timing, processor, self.measured_on)

    def profile(self, latency_s: float, processor: Processor) -> Profile:
        """Of what keeps `processor` busy for `latency_s`."""
        how = (
            f"measured: ONNX Runtime, one thread, as class {self.measured_on.name}"
            if self.is_measured(processor)
            else f"modelled: roofline of class {processor.name} ({processor.about})"
        )
        return Profile(
            latency_s,
            processor.side_by_side / max(latency_s, _LEAST_S),
            processor.busy_w * latency_s,
            f"{how}; energy modelled: {processor.busy_w:g} W while busy x latency",
        )

    def run(self, variant: Variant, first: int, last: int, processor: Processor) -> Profile:
        """Of parts `first` up to but not `last`, for one request that reaches `first`: expected over the exits."""
        reached = variant.reach(first)
        latency_s = sum(
            variant.reach(i) / reached * self.segment_s(variant.segments[i], processor)
            for i in range(first, last)
        )
        if first > 0:
            latency_s += self.codec_s(variant.crossings[first - 1].decode, processor)
        if last < len(variant.segments):
            encode = variant.crossings[last - 1].encode
            latency_s += variant.reach(last) / reached * self.codec_s(encode, processor)
        return self.profile(latency_s, processor)
