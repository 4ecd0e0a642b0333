"""A link's delay and rate, imposed on what travels by the process that owns the link.

What is sent waits until the link is free, takes its bytes' time at the link's bandwidth, and arrives half a round-trip time
later. The time that this machine itself took to carry it counts towards that: a link of 2 ms is one of 2 ms as long as
loopback and protocol take less.

Where the kernel imposes the rate (`placid.runtime.namespaces`), only the delay is left to do, and the time of what the
kernel's token bucket lets through at once. What carrying took does not count then: most of it is the link's own time.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from placid.runtime.alarm import Alarm
from placid.runtime.namespaces.bucket import forgiven_bytes
from placid.runtime.spec import Uplink

__all__ = ["Direction", "Shaped"]


@dataclass
class Direction:
    """One direction of a link.

    Attributes:
        bytes_sent: payload that passed; `sent` how many messages.
        control_bytes: of letters between nodes, not among `bytes_sent`.
        late_s: by how much messages arrived later than the link alone would have had them, summed.
    """

    free_at_s: float = 0.0
    bytes_sent: int = 0
    sent: int = 0
    control_bytes: int = 0
    late_s: float = 0.0


class Shaped:
    """Both directions of a link to the node that requests are forwarded to."""

    def __init__(self, uplink: Uplink, alarm: Alarm) -> None:
        self.uplink = uplink
        self._alarm = alarm
        self.up, self.down = Direction(), Direction()
        self._half_s = uplink.rtt_s / 2
        self._s_per_byte = 1 / uplink.bandwidth_bytes_per_s if uplink.bandwidth_bytes_per_s else 0.0
        # a link with a hard rate is busy for what passes; one with a bandwidth alone delays, and never fills
        self._busy_s_per_byte = 1 / uplink.rate_bytes_per_s if uplink.rate_bytes_per_s else 0.0

    async def carry(
        self, way: Direction, size_bytes: int, *, took_s: float = 0.0, control: bool = False
    ) -> None:
        """Return when a message of `size_bytes` that begins now would arrive.

        Args:
            took_s: of that, what carrying it here has taken already.
            control: whether it is a letter between nodes, not a request or an answer.
        """
        if self.uplink.kernel:
            due = monotonic() + self._forgiven_s(size_bytes) + self._half_s
        else:
            begun = monotonic() - took_s
            start = max(begun, way.free_at_s)
            way.free_at_s = start + size_bytes * self._busy_s_per_byte
            due = max(start + size_bytes * self._s_per_byte, way.free_at_s) + self._half_s
        if control:
            way.control_bytes += size_bytes
        else:
            way.sent += 1
            way.bytes_sent += size_bytes
        await self._alarm.until(due)
        if not control:
            way.late_s += monotonic() - due

    def _forgiven_s(self, size_bytes: int) -> float:
        rates = [
            r for r in (self.uplink.bandwidth_bytes_per_s, self.uplink.rate_bytes_per_s) if r is not None
        ]
        return forgiven_bytes(size_bytes, min(rates)) / min(rates) if rates else 0.0
