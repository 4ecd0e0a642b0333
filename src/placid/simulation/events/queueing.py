"""How what is placed serves, and where requests wait: the settings of a compiled system."""

from __future__ import annotations

from dataclasses import dataclass

from placid.errors import InputError

__all__ = ["Queueing"]


@dataclass(frozen=True)
class Queueing:
    """How what is placed serves, and where requests wait.

    Attributes:
        per: ``"item"``: every placed copy has servers and a queue of its own; ``"node"``: a node's copies share them.
        servers: of a copy (or node). None: as many as the copy's capacity takes, ``ceil(capacity x latency)``, each of
            which rests after a service so that together they answer exactly the capacity; not with a queue per node.
        limit: an option is closed while one of its copies has all servers held and so many requests waiting: 0 lets nobody
            wait who has another choice; None lets everybody wait for the cheapest. The repository never closes.
        law: of service times, repository included: ``"fixed"``, ``"exponential"``, or factors to draw from.
        batch, batch_wait_s: up to so many requests are answered together, and a free server waits so long for a batch to
            fill; see `play`. Needs `servers`, and a queue per item.
        batch_fixed: share of a copy's latency that a service takes however many requests it has: n requests together take
            ``latency x (batch_fixed + (1 - batch_fixed) x n)``.
        queued_links: links of finite rate send one request after another, each way by itself; otherwise a request only takes
            its time and meets nobody.
    """

    per: str = "item"
    servers: int | None = None
    limit: int | None = 1
    law: str | tuple[float, ...] = "fixed"
    batch: int = 1
    batch_wait_s: float = 0.0
    batch_fixed: float = 0.0
    queued_links: bool = False

    def __post_init__(self) -> None:
        if self.per not in ("item", "node"):
            raise InputError(f"queues are per 'item' or per 'node', got '{self.per}'")
        if self.per == "node" and self.servers is None:
            raise InputError("with a queue per node say how many servers a node has")
        if (self.batch > 1 or self.batch_fixed > 0) and (self.servers is None or self.per == "node"):
            raise InputError("with batches say how many servers a copy has, and let each copy have its queue")
        if not 0 <= self.batch_fixed <= 1:
            raise InputError(f"'batch_fixed' is a share, got {self.batch_fixed}")
