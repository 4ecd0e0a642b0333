"""Asking the nodes where requests enter, over HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence

import numpy as np

from placid.errors import UnknownNameError
from placid.runtime.http.client import HttpClient
from placid.runtime.http.connection import Limits
from placid.runtime.load.play import Answered
from placid.runtime.protocol.messages import InferRequest, ProtocolError, Tensor
from placid.runtime.spec import Address

__all__ = ["OverHttp"]


class OverHttp:
    """An `Ask`: each request goes to the node where its type enters. Close it.

    Args:
        ingress, task: of every request type.
        nodes: where each node listens to clients.
        pictures: uint8 [n, height, width, channels].
        deadline_s: told to the network, which refuses what it cannot answer in time; None for none.
        tls: how connections are encrypted; None for not at all.
        most_connections: to each node. More requests than that wait here for their turn, so the default is as many as a node
            takes: with fewer, a node that stalls would hold back what is sent.

    Raises:
        UnknownNameError: requests enter at a node that is not up.
    """

    def __init__(
        self,
        ingress: Sequence[str],
        task: Sequence[str],
        nodes: Mapping[str, Address],
        pictures: np.ndarray,
        *,
        timeout_s: float = 60.0,
        deadline_s: float | None = None,
        tls: ssl.SSLContext | None = None,
        most_connections: int = Limits().connections,
    ) -> None:
        self._task, self._pictures = tuple(task), pictures
        self._parameters = {} if deadline_s is None else {"placid_deadline_s": deadline_s}
        self._timeout_s = timeout_s
        for name in ingress:
            if name not in nodes:
                raise UnknownNameError("node", name, nodes)
        self._clients = {
            name: HttpClient(nodes[name].host, nodes[name].port, tls=tls, most_connections=most_connections)
            for name in set(ingress)
        }
        self._client = [self._clients[name] for name in ingress]

    async def __call__(self, kind: int, picture: int) -> Answered:
        image = Tensor.of("image", self._pictures[picture : picture + 1])
        request = InferRequest(
            self._task[kind], (image,), outputs=("label",), parameters=dict(self._parameters)
        )
        response = await self._client[kind].infer(request, timeout_s=self._timeout_s)
        told = response.parameters
        try:
            return Answered(
                int(response.outputs[0].array()[0]),
                str(told.get("placid_answered_by", "")),
                str(told.get("placid_variant", "")),
                int(told.get("placid_exit", -1)),
                float(told.get("placid_estimated_quality", "nan")),
                float(told.get("placid_spent_s", "nan")),
            )
        except (IndexError, ValueError) as error:
            raise ProtocolError(f"the answer cannot be read: {error!r}", status=502) from None

    async def close(self) -> None:
        """Hang up."""
        for client in self._clients.values():
            await client.close()
