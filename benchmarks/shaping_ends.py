"""The two ends of a link, each a process, in a namespace if it is given one: one answers, one sends as a node does.

    python -m benchmarks.shaping_ends receive '{"namespace": "", "host": "127.0.0.1"}'
    python -m benchmarks.shaping_ends send '{"namespace": "", "link": {...}, "sends": [size_bytes, ...]}'

What they tell is on standard output, as JSON; times are of the clock that all processes of the machine share.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any

from placid.runtime.alarm import Alarm
from placid.runtime.event_loop import run
from placid.runtime.http.client import HttpClient
from placid.runtime.http.server import serve_http
from placid.runtime.namespaces.enter import enter
from placid.runtime.node.networks import Answer
from placid.runtime.node.shaped import Shaped
from placid.runtime.node.travel import Travelling, answer_of, answered
from placid.runtime.protocol.messages import InferRequest, InferResponse, ModelMetadata
from placid.runtime.spec import Address, Stage, Uplink

__all__ = ["ANSWER_BYTES", "main"]

#: payload of an answer: a label
ANSWER_BYTES = 8
#: as long as a network's, so that requests weigh what they weigh there
_TOKEN = "t" * 32


class _Receiver:
    """Answers at once, and says when what it answers had arrived."""

    name, version = "receiver", "1"

    def live(self) -> bool:
        return True

    def ready(self) -> bool:
        return True

    def models(self) -> Sequence[ModelMetadata]:
        return []

    def model(self, name: str, version: str = "") -> ModelMetadata:
        return ModelMetadata(name, (), ())

    async def infer(self, request: InferRequest) -> InferResponse:
        # where a node says how long it had the request, and just as long
        return answered(request, Answer(3, 0, 0.912345), self.name, "exits-stage1-joint", monotonic())


async def _receive(told: dict[str, Any]) -> None:
    server = await serve_http(_Receiver(), told["host"], 0, token=_TOKEN)
    print(json.dumps(server.port), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.close(grace_s=0.1)


async def _send(told: dict[str, Any]) -> None:
    """Rows of when a message began, arrived, and its answer was back.

    `times` says when messages begin, from the start on; without it `at_once` messages are always out, for `for_s`.
    """
    link = dict(told["link"])
    uplink = Uplink("receiver", Address(link.pop("host"), link.pop("port")), **link)
    alarm, client = Alarm(), HttpClient(uplink.at.host, uplink.at.port, token=_TOKEN, timeout_s=600)
    shaped, size = Shaped(uplink, alarm), int(told["size_bytes"])
    request = Travelling("task-1", "exits-stage1-joint", (Stage("receiver", 0, 1),), 0, bytes(size)).request()
    rows: list[tuple[float, float, float]] = []

    async def one() -> None:
        # as `Node._pass_on` does
        began = monotonic()
        await shaped.carry(shaped.up, size)
        sent = monotonic()
        response = await client.infer(request)
        await shaped.carry(shaped.down, ANSWER_BYTES, took_s=monotonic() - sent)
        rows.append((began, answer_of(response)[3], monotonic()))

    for _ in range(int(told["warm"])):
        await one()
    rows.clear()
    start = monotonic() + 0.05
    if "times" in told:

        async def at(time_s: float) -> None:
            await alarm.until(start + time_s)
            await one()

        await asyncio.gather(*(at(t) for t in told["times"]))
    else:

        async def again() -> None:
            while monotonic() < start + told["for_s"]:
                await one()

        await asyncio.gather(*(again() for _ in range(told["at_once"])))
    await client.close()
    alarm.close()
    print(json.dumps(rows), flush=True)


def main() -> None:
    told = json.loads(sys.argv[2])
    if told["namespace"]:
        enter(told["namespace"])
    run({"receive": _receive, "send": _send}[sys.argv[1]](told))


if __name__ == "__main__":
    main()
