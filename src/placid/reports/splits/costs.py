"""What each way to answer costs and how well it answers: the numbers that table, charts and maps share.

A *way* is a variant and the number of its segments that run on the device. Everything here is read or summed from the
manifest, measured; nothing is modelled but `Cost.device_operations`, which says how.
"""

from __future__ import annotations

from dataclasses import dataclass

from placid.catalog.variants import Segment, Variant, Zoo
from placid.errors import InputError
from placid.reports.splits.families import LOCAL, Family, family_of

__all__ = ["CODEC_OPERATIONS_PER_S", "Cost", "costs", "risk_coverage", "whole_network"]

#: what a codec's measured time is counted at: plain work, not in vectors, of one core of the zoo's processor (declared)
CODEC_OPERATIONS_PER_S = 1e9


@dataclass(frozen=True)
class Cost:
    """One way to answer. What depends on exits is expected over the test images: a part counts by the share that reaches it.

    Attributes:
        name: of the variant; with the place of the cut in words where it is not the variant's first.
        variant: the manifest's.
        device_segments: how many of its segments the device runs.
        sent_share: of inputs for which anything is sent.
        bytes_mean: sent for an input, those answered on the device counted as 0.
        bytes_p95: of those inputs for which something is sent; 0 if never.
        device_multiply_adds: with the exits' heads.
        server_multiply_adds: likewise, of what runs beyond the cut.
        device_moved_bytes: weights and tensors read and written on the device.
        server_moved_bytes: likewise beyond the cut.
        encoder_bytes: of the files that the device must keep.
        encode_s: measured time of the codec on the device (median). A part that is no network, as taking a picture, takes
            nothing beyond it.
        decode_s: measured time of the codec beyond the cut (median).
        derived: true if no variant was built so: the whole network of a remote variant, run on the device.
    """

    name: str
    variant: Variant
    family: Family
    device_segments: int
    sent_share: float
    bytes_mean: float
    bytes_p95: float
    device_multiply_adds: float
    server_multiply_adds: float
    device_moved_bytes: float
    server_moved_bytes: float
    encoder_bytes: int
    encode_s: float
    decode_s: float
    derived: bool = False

    @property
    def accuracy(self) -> float:
        return self.variant.accuracy

    @property
    def accuracy_low(self) -> float:
        return self.variant.accuracy_low

    @property
    def accuracy_high(self) -> float:
        return self.variant.accuracy_high

    @property
    def device_operations(self) -> float:
        """Multiply-adds, and what codecs take beyond them: their measured time, counted at `CODEC_OPERATIONS_PER_S`.

        A part that is no network but counts multiply-adds, as compressing a picture, has its codec in them already.
        """
        counted = any(not s.file and s.multiply_adds for s in self.variant.segments[: self.device_segments])
        codec = 0.0 if counted else self.encode_s * CODEC_OPERATIONS_PER_S
        return self.device_multiply_adds + codec

    def device_measured_s(self) -> float:
        """Time of the device's part as measured on the zoo's processor, codecs included, expected over inputs."""
        parts = self.variant.segments[-1:] if self.derived else self.variant.segments[: self.device_segments]
        return self.encode_s + sum(_reach(self.variant, s) * s.latency.p50_s for s in parts if s.file)

    def server_measured_s(self) -> float:
        """Likewise beyond the cut."""
        parts = () if self.derived else self.variant.segments[self.device_segments :]
        return self.decode_s + sum(_reach(self.variant, s) * s.latency.p50_s for s in parts if s.file)


def costs(zoo: Zoo) -> list[Cost]:
    """Every way to answer that the zoo holds, in its order.

    A variant is cut after its first segment, where what crosses was measured; one with exits also after each later
    segment, and run on the device whole. The network of a remote variant is also run on the device, unless a variant does
    so already: nobody should send what can be answered at home.
    """
    found = []
    for variant in zoo.variants:
        last = len(variant.segments) if variant.exits else 1
        found += [_cost(variant, k) for k in range(1, last + 1)]
    whole = whole_network(zoo)
    if whole is not None and not any(
        v.technique == "local" and v.network == whole.network for v in zoo.variants
    ):
        found.append(_at_home(whole))
    return found


def whole_network(zoo: Zoo) -> Variant | None:
    """The variant that answers with the whole network from the picture as it is: what every other is held against."""
    raw = [v for v in zoo.variants if v.technique == "remote-raw" and not v.exits]
    return max(raw, key=lambda v: v.accuracy, default=None)


def risk_coverage(variant: Variant) -> list[list[tuple[float, float]]]:
    """The risk-coverage curves of a variant's exits, in their order; empty if the manifest has none.

    They lie in ``made["risk_coverage"]``: for each exit a list of pairs [coverage, risk], coverage rising. Of the inputs
    that reach the exit, the share `coverage` that it is surest of has the error rate `risk`.

    Raises:
        InputError: there are more or fewer lists than exits, or a pair holds no two shares.
    """
    told = variant.made.get("risk_coverage", ())
    if not told:
        return []
    where = f"variant '{variant.name}', made.risk_coverage"
    if not isinstance(told, list | tuple) or len(told) != len(variant.exits):
        raise InputError(f"needs one list for each of its {len(variant.exits)} exits", where=where)
    curves = []
    for curve in told:
        try:
            pairs = [(float(coverage), float(risk)) for coverage, risk in curve]
        except (TypeError, ValueError):
            raise InputError("needs pairs [coverage, risk]", where=where) from None
        if any(not 0 <= x <= 1 for pair in pairs for x in pair) or pairs != sorted(pairs, key=lambda p: p[0]):
            raise InputError("needs shares from 0 to 1, coverage rising", where=where)
        curves.append(pairs)
    return curves


def _reach(variant: Variant, segment: Segment) -> float:
    return variant.reach(variant.segments.index(segment))


def _cost(variant: Variant, k: int) -> Cost:
    """`variant` with its first `k` segments on the device."""
    numbered = [(variant.reach(i), s) for i, s in enumerate(variant.segments)]
    device, server = numbered[:k], numbered[k:]
    crossing = variant.crossings[k - 1] if server else None
    sent = variant.reach(k) if crossing else 0.0
    name = variant.name
    if k > 1:
        name += ", all on device" if not server else f", {k} of {len(variant.segments)} on device"
    return Cost(
        name=name,
        variant=variant,
        family=LOCAL if len(numbered) == 1 and not variant.exits else family_of(variant),
        device_segments=k,
        sent_share=sent,
        bytes_mean=sent * crossing.mean_bytes if crossing else 0.0,
        bytes_p95=crossing.p95_bytes if crossing and sent > 0 else 0.0,
        device_multiply_adds=sum(r * s.multiply_adds for r, s in device),
        server_multiply_adds=sum(r * s.multiply_adds for r, s in server),
        device_moved_bytes=sum(r * s.moved_bytes for r, s in device),
        server_moved_bytes=sum(r * s.moved_bytes for r, s in server),
        encoder_bytes=sum(s.size_bytes for _, s in device),
        encode_s=sent * crossing.encode.p50_s if crossing else 0.0,
        decode_s=sent * crossing.decode.p50_s if crossing else 0.0,
    )


def _at_home(whole: Variant) -> Cost:
    """The network of the remote variant `whole`, run on the device: nothing is sent."""
    network = whole.segments[-1]
    return Cost(
        name=f"local-{whole.network}",
        variant=whole,
        family=LOCAL,
        device_segments=len(whole.segments),
        sent_share=0.0,
        bytes_mean=0.0,
        bytes_p95=0.0,
        device_multiply_adds=network.multiply_adds,
        server_multiply_adds=0.0,
        device_moved_bytes=network.moved_bytes,
        server_moved_bytes=0.0,
        encoder_bytes=network.size_bytes,
        encode_s=0.0,
        decode_s=0.0,
        derived=True,
    )
