"""How often each model was asked over one server, and how long that took."""

from __future__ import annotations

from dataclasses import dataclass
from time import time
from typing import Any

from placid.runtime.protocol.messages import ModelMetadata
from placid.runtime.rpc.schema import message

__all__ = ["Statistics"]


@dataclass(slots=True)
class _Counts:
    answered: int = 0
    answered_ns: int = 0
    failed: int = 0
    failed_ns: int = 0
    last_ms: int = 0


class Statistics:
    """Counts by the name that clients ask for; give it names that are known only, each stays."""

    def __init__(self) -> None:
        self._counts: dict[str, _Counts] = {}

    def count(self, model: str, took_ns: int, *, failed: bool) -> None:
        """One request that is done."""
        counts = self._counts.setdefault(model, _Counts())
        counts.last_ms = int(time() * 1e3)
        if failed:
            counts.failed += 1
            counts.failed_ns += took_ns
        else:
            counts.answered += 1
            counts.answered_ns += took_ns

    def of(self, model: ModelMetadata) -> Any:
        """The `ModelStatistics` of `model`; an answer is one inference and one execution, whatever shares its batch."""
        counts = self._counts.get(model.name, _Counts())
        return message("ModelStatistics")(
            name=model.name,
            version=model.versions[-1],
            last_inference=counts.last_ms,
            inference_count=counts.answered,
            execution_count=counts.answered,
            inference_stats={
                "success": {"count": counts.answered, "ns": counts.answered_ns},
                "fail": {"count": counts.failed, "ns": counts.failed_ns},
            },
        )
