"""How long an answer takes between declared classes: device, link, server. Modelled, but for the class that was measured."""

from __future__ import annotations

from dataclasses import dataclass

from placid.catalog.processors import Processor, modelled_codec_s, modelled_latency_s, processor_class
from placid.catalog.radios import Radio, radio_class
from placid.catalog.variants import Segment
from placid.reports.splits.costs import Cost

__all__ = ["Journey", "Stations", "journey", "stations"]


@dataclass(frozen=True)
class Stations:
    """Between what an input travels.

    Attributes:
        measured_on: the class that the zoo's times are of; on it, and on a class of several of its cores, they are taken as
            measured, elsewhere as modelled.
    """

    device: Processor
    radio: Radio
    server: Processor
    measured_on: Processor


@dataclass(frozen=True)
class Journey:
    """Seconds of one input, expected over the test images where exits are in use.

    Attributes:
        link_s: the round trip, and the bytes at the link's rate.
    """

    device_s: float
    link_s: float
    server_s: float

    @property
    def total_s(self) -> float:
        return self.device_s + self.link_s + self.server_s


def stations(device: str, radio: str, server: str = "x86-server", measured_on: str = "x86-core") -> Stations:
    """By the names of declared classes. Raises UnknownNameError if one is not declared."""
    return Stations(
        processor_class(device), radio_class(radio), processor_class(server), processor_class(measured_on)
    )


def journey(way: Cost, between: Stations) -> Journey | None:
    """What `way` takes `between` its stations; None if the device cannot hold its part.

    A part takes its roofline (`modelled_latency_s`), codecs their measured mean times the ratio of CoreMarks, a link its
    round trip and its rate. Parts behind an exit count by the share that reaches them.
    """
    variant, k = way.variant, way.device_segments
    numbered = [(variant.reach(i), s) for i, s in enumerate(variant.segments)]
    device, server = (numbered[-1:], []) if way.derived else (numbered[:k], numbered[k:])
    if not between.device.holds(way.encoder_bytes, max(s.peak_bytes for _, s in device)):
        return None
    device_s = sum(r * _segment_s(s, between.device, between) for r, s in device)
    if not server:
        return Journey(device_s, 0.0, 0.0)
    crossing, sent = variant.crossings[k - 1], way.sent_share
    server_s = sum(r * _segment_s(s, between.server, between) for r, s in server)
    return Journey(
        device_s + sent * modelled_codec_s(crossing.encode, between.device, between.measured_on),
        sent * between.radio.transfer_s(crossing.mean_bytes),
        server_s + sent * modelled_codec_s(crossing.decode, between.server, between.measured_on),
    )


def _segment_s(segment: Segment, on: Processor, between: Stations) -> float:
    if not segment.file:
        return 0.0  # taking a picture; compressing it is its codec's time
    if between.measured_on.name in (on.name, on.cores_of):
        return segment.latency.mean_s
    return modelled_latency_s(segment, on)
