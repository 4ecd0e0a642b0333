"""Something that answers, for tests of what speaks the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from placid.runtime.protocol.messages import (
    InferRequest,
    InferResponse,
    ModelMetadata,
    ProtocolError,
    TensorMetadata,
)


class Echo:
    """Gives back what it gets; model ``slow`` takes its time, ``broken`` fails, ``full`` refuses."""

    name, version = "echo", "1"

    def __init__(self) -> None:
        self.asked: list[InferRequest] = []
        self.cancelled = 0

    def live(self) -> bool:
        return True

    def ready(self) -> bool:
        return True

    def models(self) -> Sequence[ModelMetadata]:
        tensor = TensorMetadata("x", "FP32", (-1, 3))
        return [ModelMetadata(name, (tensor,), (tensor,)) for name in ("echo", "slow", "broken", "full")]

    def model(self, name: str, version: str = "") -> ModelMetadata:
        for found in self.models():
            if found.name == name and version in ("", "1"):
                return found
        raise ProtocolError(f"unknown model '{name}'", status=404)

    async def infer(self, request: InferRequest) -> InferResponse:
        self.model(request.model, request.version)
        self.asked.append(request)
        if request.model == "slow":
            try:
                await asyncio.sleep(float(request.parameters.get("seconds", 0.1)))
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if request.model == "broken":
            raise RuntimeError("the secret of the house")
        if request.model == "full":
            raise ProtocolError("too many are waiting", status=429)
        outputs = tuple(t for t in request.inputs if not request.outputs or t.name in request.outputs)
        return InferResponse(request.model, outputs, id=request.id, parameters=dict(request.parameters))
