"""What is said to a node, and what is read from its answer."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from echo_server import Echo

from placid.errors import UnknownNameError
from placid.runtime.event_loop import run
from placid.runtime.http.server import serve_http
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import Answered, play
from placid.runtime.load.schedule import Schedule
from placid.runtime.protocol.messages import InferRequest, InferResponse, ProtocolError, Tensor
from placid.runtime.spec import Address

PICTURES = np.arange(4 * 2 * 3 * 1, dtype=np.uint8).reshape(4, 2, 3, 1)


class Node(Echo):
    """Answers with a label, after a while."""

    def __init__(self, parameters: dict[str, Any], takes_s: float = 0.0, label: Any = 7) -> None:
        super().__init__()
        self.parameters, self.takes_s, self.label = parameters, takes_s, label
        self.out = self.most = 0

    async def infer(self, request: InferRequest) -> InferResponse:
        self.asked.append(request)
        self.out += 1
        self.most = max(self.most, self.out)
        await asyncio.sleep(self.takes_s)
        self.out -= 1
        outputs = () if self.label is None else (Tensor.of("label", np.array([self.label], np.int64)),)
        return InferResponse(request.model, outputs, parameters=dict(self.parameters))


def answers(node: Node, kinds: list[int], **settings: Any) -> list[Answered]:
    async def main() -> list[Answered]:
        server = await serve_http(node)
        ask = OverHttp(
            ["a", "a"], ["cats", "dogs"], {"a": Address("127.0.0.1", server.port)}, PICTURES, **settings
        )
        try:
            return [await ask(kind, 2) for kind in kinds]
        finally:
            await ask.close()
            await server.close()

    return run(main())


def test_a_picture_goes_to_the_task_and_the_answer_is_read() -> None:
    node = Node(
        {
            "placid_answered_by": "bs-1",
            "placid_variant": "small",
            "placid_exit": 1,
            "placid_estimated_quality": 0.5,
            "placid_spent_s": 0.25,
        }
    )
    found = answers(node, [1], deadline_s=0.5)
    assert found == [Answered(7, "bs-1", "small", 1, 0.5, 0.25)]
    (request,) = node.asked
    assert request.model == "dogs"
    (image,) = request.inputs
    assert (image.name, image.datatype, tuple(image.shape)) == ("image", "UINT8", (1, 2, 3, 1))
    np.testing.assert_array_equal(image.array(), PICTURES[2:3])
    assert request.parameters["placid_deadline_s"] == 0.5


def test_what_an_answer_does_not_say_is_left_open() -> None:
    node = Node({})
    (found,) = answers(node, [0])
    assert (found.label, found.node, found.exit) == (7, "", -1)
    assert np.isnan(found.sureness)
    assert "placid_deadline_s" not in node.asked[0].parameters


def test_an_answer_that_cannot_be_read_is_a_refusal() -> None:
    for node in (Node({}, label=None), Node({"placid_exit": "none"})):
        with pytest.raises(ProtocolError, match="cannot be read") as caught:
            answers(node, [0])
        assert caught.value.status == 502


def test_requests_enter_at_nodes_that_are_up() -> None:
    with pytest.raises(UnknownNameError, match="node"):
        OverHttp(["b"], ["cats"], {"a": Address("127.0.0.1", 1)}, PICTURES)


def test_a_node_that_stalls_gets_every_request_all_the_same() -> None:
    """400 requests in 0.2 s to a node that takes a second for each: nearly all are there before any is answered."""
    node, count = Node({}, takes_s=1.0), 400

    async def main() -> np.ndarray:
        server = await serve_http(node)
        ask = OverHttp(["a"], ["cats"], {"a": Address("127.0.0.1", server.port)}, PICTURES)
        n = np.arange(count)
        records = await play(Schedule(n * 0.2 / count, n * 0, n * 0, n % 4), ask)
        await ask.close()
        await server.close()
        return records.status

    assert (run(main()) == 200).all()
    # all, but that a busy machine may be late; as many as a client keeps connections by default would be 256
    assert node.most > 350
