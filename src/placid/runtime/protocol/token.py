"""The secret that a request has to carry where one is asked for, whatever carries the request."""

from __future__ import annotations

import hmac

from placid.runtime.protocol.messages import ProtocolError

__all__ = ["check_token"]


def check_token(given: bytes, token: str) -> None:
    """Nothing, if the ``authorization`` that came with a request, `given`, is ``Bearer <token>``. In constant time.

    Raises:
        ProtocolError: 401, it is not.
    """
    if not hmac.compare_digest(given, f"Bearer {token}".encode()):
        raise ProtocolError("the token is missing or wrong", status=401)
