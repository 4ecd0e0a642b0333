"""What the kernel's token bucket is set to, and what it lets through at once.

A bucket sends a packet as soon as there is a token, and lets the packet's own time pass afterwards: of a message that finds
the link idle, the last packet arrives by its own time too early, and what the bucket holds (`BURST_S` of the rate) comes on
top. A bucket that held nothing would lose what passes until the kernel hears its timer, and never reach a fast rate.
"""

from __future__ import annotations

__all__ = ["BURST_S", "PACKET_BYTES", "burst_bytes", "forgiven_bytes"]

#: of the rate that a bucket holds
BURST_S = 0.5e-3
#: of an Ethernet frame as the kernel counts it: 1,500 and the header; of that for the protocols of IP and TCP
PACKET_BYTES, _HEADERS_BYTES = 1514, 66
#: about what HTTP and the protocol's JSON add to a message's payload
_ENVELOPE_BYTES = 435


def burst_bytes(rate_bytes_per_s: float) -> int:
    """What the bucket holds."""
    return max(1, int(BURST_S * rate_bytes_per_s))


def forgiven_bytes(size_bytes: int, rate_bytes_per_s: float) -> float:
    """Of a message with a payload of `size_bytes` on an idle link, the bytes whose time the kernel does not let pass."""
    whole = size_bytes + _ENVELOPE_BYTES
    full = PACKET_BYTES - _HEADERS_BYTES
    packets = -(-whole // full)
    last = whole - (packets - 1) * full + _HEADERS_BYTES
    return min(whole + packets * _HEADERS_BYTES, last + BURST_S * rate_bytes_per_s)
