"""The live page, served."""

from __future__ import annotations

from importlib.resources import files

import orjson

from placid.runtime.http.connection import Limits, Reply, Request, error_reply
from placid.runtime.http.server import HttpServer, listen
from placid.runtime.page.watcher import Watcher

__all__ = ["serve_page"]


async def serve_page(watcher: Watcher, host: str = "127.0.0.1", port: int = 0) -> HttpServer:
    """Listen; ``/`` is the page, ``/live.json`` what it shows.

    Raises:
        OSError: the port is taken.
    """
    page = files("placid.runtime.page").joinpath("live.html").read_bytes()
    # nothing of other hosts: the page opens without a network
    guarded = (
        ("content-security-policy", "default-src 'self' 'unsafe-inline'; img-src data:"),
        ("cache-control", "no-store"),
    )

    async def answer(request: Request) -> Reply:
        path = request.target.partition("?")[0]
        if request.method not in ("GET", "HEAD"):
            return error_reply(405, "this takes GET", ("allow", "GET"))
        if path == "/":
            return Reply(200, page, "text/html; charset=utf-8", guarded)
        if path == "/live.json":
            return Reply(200, orjson.dumps(watcher.told()), headers=guarded)
        return error_reply(404, "there is nothing here")

    return await listen(answer, host, port, Limits(body_bytes=1024))
