"""A client of Triton that asks an echo server over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import grpc
import numpy as np
import tritonclient.grpc as triton
from echo_server import Echo
from tritonclient.utils import np_to_triton_dtype

from placid.runtime.rpc.schema import SERVICE, message
from placid.runtime.rpc.server import serve_grpc


def with_client(
    work: Callable[[Any, int], Any],
    *,
    echo: Echo | None = None,
    run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run,
    client: dict[str, Any] | None = None,
    **given: Any,
) -> tuple[Any, Echo]:
    """What `work` makes of a client and the port it asks, in a thread of its own."""
    asked = echo or Echo()

    async def main() -> Any:
        server = await serve_grpc(asked, **given)

        def asking() -> Any:
            with triton.InferenceServerClient(f"127.0.0.1:{server.port}", **(client or {})) as one:
                return work(one, server.port)

        try:
            return await asyncio.to_thread(asking)
        finally:
            await server.close(grace_s=0.2)

    return run(main()), asked


def tensor(array: np.ndarray, name: str = "x") -> Any:
    made = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    made.set_data_from_numpy(array)
    return made


def raw_call(channel: Any, name: str = "ModelInfer") -> Any:
    """A call that takes a message, or bytes as they are."""
    return channel.unary_unary(
        f"/{SERVICE}/{name}",
        request_serializer=lambda asked: asked if isinstance(asked, bytes) else asked.SerializeToString(),
        response_deserializer=message(f"{name}Response").FromString,
    )


def channel_to(port: int) -> Any:
    return grpc.insecure_channel(f"127.0.0.1:{port}")
