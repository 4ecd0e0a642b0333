"""`inference.GRPCInferenceService`, in the event loop of whoever serves."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from placid.runtime.certificates import Certificates
from placid.runtime.http.connection import Pending
from placid.runtime.protocol.messages import Origin, ProtocolError
from placid.runtime.protocol.serving import Serving
from placid.runtime.protocol.token import check_token
from placid.runtime.rpc.calls import Calls
from placid.runtime.rpc.schema import CALLS, SERVICE, message

__all__ = ["CODES", "GrpcServer", "credentials", "serve_grpc"]

_LOG = logging.getLogger("placid.grpc")
#: status of a refusal, in HTTP's terms -> gRPC's
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_HEALTH = ("ServerLive", "ServerReady")
#: characters of an error; they travel as a header, of which clients take 8 KiB, a character being up to 12 bytes there
_MOST_TOLD = 500


class GrpcServer:
    """A server that listens; `close` it."""

    def __init__(self, server: Any, port: int) -> None:
        self._server = server
        self.port = port

    async def close(self, grace_s: float = 5.0) -> None:
        """Take no more requests, answer those that came, for at most `grace_s`; then end the work on them."""
        await self._server.stop(grace_s)


def credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """What a server shows its clients."""
    return grpc.ssl_server_credentials(
        [(certificates.key.read_bytes(), certificates.certificate.read_bytes())]
    )


async def serve_grpc(
    serving: Serving,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    token: str | None = None,
    tls: grpc.ServerCredentials | None = None,
    most_bytes: int = 16 << 20,
    pending: Pending | None = None,
    traced: bool = False,
) -> GrpcServer:
    """Listen. A client that hangs up, or whose deadline passes, cancels `serving.infer`.

    Args:
        port: 0 for any that is free.
        token: if given, everything but health needs the metadata ``authorization: Bearer <token>``.
        tls: as `grpc.ssl_server_credentials` makes them; none for plain text.
        most_bytes: of a request, packed and unpacked.
        pending: counts what waits for an answer, for whoever wants to know.
        traced: whether requests bring their W3C trace context along, if they have one.

    Raises:
        OSError: the port is taken, or there is no such host.
    """
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", most_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ]
    )
    calls, counted = Calls(serving), pending or Pending()
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _guarded(
                getattr(calls, name),
                message(asked),
                None if name in _HEALTH else token,
                counted,
                traced and name == "ModelInfer",
            ),
            response_serializer=message(answered).SerializeToString,
        )
        for name, (asked, answered) in CALLS.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        bound = server.add_secure_port(address, tls) if tls else server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen at {address}: {error}") from None
    await server.start()
    return GrpcServer(server, bound)


def _guarded(
    call: Callable[..., Awaitable[Any]], kind: Any, token: str | None, pending: Pending, traced: bool
) -> Callable[[bytes, Any], Awaitable[Any]]:
    """`call`, from the bytes of a request of `kind`, with errors as gRPC tells them."""

    async def asked(data: bytes, context: Any) -> Any:
        pending.count += 1
        try:
            if token is not None:
                _check_token(context, token)
            if traced:
                return await call(kind.FromString(data), _origin(context))
            return await call(kind.FromString(data))
        except DecodeError as error:
            code, told = grpc.StatusCode.INVALID_ARGUMENT, f"this is no {kind.DESCRIPTOR.name}: {error}"
        except ProtocolError as error:
            code, told = CODES.get(error.status), str(error)
            if code is None:
                code, told = _failed()
        except Exception:
            code, told = _failed()
        finally:
            pending.count -= 1
        await context.abort(code, told if len(told) <= _MOST_TOLD else f"{told[:_MOST_TOLD]} …")
        raise AssertionError("abort raises")

    return asked


def _failed() -> tuple[Any, str]:
    """What is told of the exception that is being handled; the log has the rest."""
    _LOG.exception("a call failed")
    return grpc.StatusCode.INTERNAL, "this failed inside the server; its log says more"


def _origin(context: Any) -> Origin:
    told = dict(context.invocation_metadata() or ())
    parent, state = (told.get(key, "") for key in ("traceparent", "tracestate"))
    return Origin(parent if isinstance(parent, str) else "", state if isinstance(state, str) else "", "grpc")


def _check_token(context: Any, token: str) -> None:
    given = dict(context.invocation_metadata() or ()).get("authorization", "")
    check_token(given if isinstance(given, bytes) else given.encode(), token)
