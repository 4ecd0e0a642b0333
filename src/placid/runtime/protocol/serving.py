"""What whoever speaks the protocol to clients asks of what stands behind it: a node, or anything that can answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from placid.runtime.protocol.messages import InferRequest, InferResponse, ModelMetadata

__all__ = ["Serving"]


class Serving(Protocol):
    """Answers requests of the protocol. All verbs are called from one event loop; only `infer` may wait."""

    #: of the server, as metadata has it
    name: str
    version: str

    def live(self) -> bool:
        """Whether the process works."""

    def ready(self) -> bool:
        """Whether it can answer now."""

    def models(self) -> Sequence[ModelMetadata]:
        """Of all models that can be asked for."""

    def model(self, name: str, version: str = "") -> ModelMetadata:
        """Of one model.

        Raises:
            ProtocolError: 404, there is none of this name and version.
        """

    async def infer(self, request: InferRequest) -> InferResponse:
        """The answer to `request`.

        Raises:
            ProtocolError: it is refused; the status says why in HTTP's terms (400 malformed, 404 unknown model, 413 too
                large, 429 too many waiting, 503 cannot be answered now, 504 too late).
        """
