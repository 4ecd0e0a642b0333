"""A node that decides for itself whether it answers or forwards: what it heard from above, and what it tells below."""

from __future__ import annotations

from collections.abc import Mapping

from placid.inference import offloading as rule
from placid.runtime.node.networks import Answer
from placid.runtime.protocol.messages import Parameter
from placid.runtime.spec import Offload

__all__ = ["Offloading"]

#: parameters of a reply: what the stage here takes now, its queue included; what going up from here takes
_HERE_S, _UP_S = "placid_here_s", "placid_up_s"


class Offloading:
    """`Offload` at work in one node.

    Attributes:
        item: that ran here last, `takes_s` what it took without waiting.
        queued_bytes: on their way up now.
    """

    def __init__(self, told: Offload) -> None:
        self.told = told
        self.ladder = told.ladder
        self.item = ""
        self.takes_s = 0.0
        self.queued_bytes = 0.0
        self._seen = list(rule.UNHEARD)
        self._size_bytes = 0.0
        self._rtt_s = 0.0

    def goes_up(self, answer: Answer, size_bytes: float, rtt_s: float, now_s: float) -> bool:
        """Whether a request with this answer in hand is forwarded all the same.

        Args:
            size_bytes: of what would cross.
            rtt_s: of the link up, without a byte.
        """
        told, ladder, seen = self.told, self.ladder, self._seen
        self._size_bytes, self._rtt_s = size_bytes, rtt_s
        if told.thresholds is not None:
            up = answer.sureness < told.thresholds[answer.exit]
        else:
            penalty = seen[rule.UP] / told.value_s if told.value_s else 1.0
            above = rule.expected_above(
                ladder.knots[answer.exit],
                ladder.penalties,
                ladder.above[answer.exit],
                answer.sureness,
                penalty,
            )
            price_s = rule.price_s(seen, rtt_s, self.queued_bytes + size_bytes)
            up = rule.goes_up(seen, now_s, told.value_s, above - answer.sureness, price_s, told.probe_every_s)
        if up:
            seen[rule.ASKED] = now_s
        return up

    def hears(
        self, told: Mapping[str, Parameter], ahead_bytes: float, took_s: float, spent_s: float, now_s: float
    ) -> None:
        """A reply came from above.

        Args:
            ahead_bytes: that were queued on the link when the request was, itself and the answer included.
            took_s: since then; `spent_s` of it the node above had the request.
        """
        link_s = took_s - spent_s
        here_s, up_s = float(told.get(_HERE_S, spent_s)), float(told.get(_UP_S, 0.0))
        per_byte_s = max(0.0, link_s - self._rtt_s) / ahead_bytes
        rule.learn(self._seen, now_s, self.told.forget_s, per_byte_s, here_s, up_s, link_s + here_s)

    def tells(self, wait_s: float, forwards: bool) -> dict[str, Parameter]:
        """What a reply to the node below says of here.

        Args:
            wait_s: of a request that came now.
            forwards: whether there is a link up.
        """
        up_s = (
            rule.price_s(self._seen, self._rtt_s, self.queued_bytes + self._size_bytes) if forwards else 0.0
        )
        return {_HERE_S: wait_s + self.takes_s, _UP_S: up_s}
