"""Each call of the service, from its request message to its response message."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter_ns
from typing import Any

from placid.runtime.protocol.messages import Origin, ProtocolError
from placid.runtime.protocol.serving import Serving
from placid.runtime.rpc.schema import message
from placid.runtime.rpc.statistics import Statistics
from placid.runtime.rpc.translation import read_request, write_config, write_metadata, write_response

__all__ = ["Calls"]

_EXTENSIONS = ("model_configuration", "model_repository", "statistics")


class Calls:
    """The service in front of `serving`; a method has the name that its call has in the protocol.

    Raises:
        ProtocolError: every method, if the request is refused.
    """

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._statistics = Statistics()

    async def ServerLive(self, request: Any) -> Any:
        return message("ServerLiveResponse")(live=self._serving.live())

    async def ServerReady(self, request: Any) -> Any:
        return message("ServerReadyResponse")(ready=self._serving.ready())

    async def ModelReady(self, request: Any) -> Any:
        """A model that there is not is not ready: clients take an error for a server that is broken."""
        ready = self._serving.ready() and self._knows(request.name, request.version)
        return message("ModelReadyResponse")(ready=ready)

    async def ServerMetadata(self, request: Any) -> Any:
        return message("ServerMetadataResponse")(
            name=self._serving.name, version=self._serving.version, extensions=_EXTENSIONS
        )

    async def ModelMetadata(self, request: Any) -> Any:
        return write_metadata(self._serving.model(request.name, request.version))

    async def ModelConfig(self, request: Any) -> Any:
        model = self._serving.model(request.name, request.version)
        return message("ModelConfigResponse")(config=write_config(model))

    async def ModelStatistics(self, request: Any) -> Any:
        serving = self._serving
        models = [serving.model(request.name, request.version)] if request.name else serving.models()
        return message("ModelStatisticsResponse")(model_stats=[self._statistics.of(m) for m in models])

    async def RepositoryIndex(self, request: Any) -> Any:
        told = message("RepositoryIndexResponse")()
        ready = self._serving.ready()
        if not ready and request.ready:
            return told
        for model in self._serving.models():
            state = "READY" if ready else "UNAVAILABLE"
            told.models.add(name=model.name, version=model.versions[-1], state=state)
        return told

    async def ModelInfer(self, request: Any, origin: Origin | None = None) -> Any:
        asked = read_request(request)
        if origin is not None:
            asked = replace(asked, origin=origin)
        begun_ns = perf_counter_ns()
        try:
            answer = await self._serving.infer(asked)
        except BaseException:  # a client that hangs up too
            if self._knows(asked.model, asked.version):
                self._statistics.count(asked.model, perf_counter_ns() - begun_ns, failed=True)
            raise
        self._statistics.count(asked.model, perf_counter_ns() - begun_ns, failed=False)
        return write_response(answer)

    def _knows(self, model: str, version: str) -> bool:
        try:
            self._serving.model(model, version)
        except ProtocolError:
            return False
        return True
