"""A request between nodes: the protocol's own request, with the way it takes in its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from placid.runtime.node.networks import Answer
from placid.runtime.protocol.messages import InferRequest, InferResponse, ProtocolError, Tensor
from placid.runtime.spec import Stage

if TYPE_CHECKING:
    from placid.runtime.tracing.trace import Trace

__all__ = ["WAY", "Travelling", "answer_of", "answered", "client_response", "picture_of", "travelling"]

#: the parameter by which nodes know their own requests from clients'
WAY = "placid_way"
_AT, _LEFT_S = "placid_variant", "placid_deadline_s"
_NODE, _VARIANT, _EXIT = "placid_answered_by", "placid_variant", "placid_exit"
_SURE, _SPENT = "placid_estimated_quality", "placid_spent_s"


@dataclass(frozen=True, slots=True)
class Travelling:
    """A request on its way.

    Attributes:
        at: position in `stages` of the stage that runs next.
        content: what that stage takes, as bytes that crossed; a picture as an array.
        trace: what is told of it here, if it is sampled.
    """

    task: str
    variant: str
    stages: tuple[Stage, ...]
    at: int
    content: bytes | np.ndarray
    left_s: float | None = None
    id: str = ""
    trace: Trace | None = None

    @property
    def size_bytes(self) -> int:
        """What it weighs on a link."""
        return len(self.content) if isinstance(self.content, bytes) else int(self.content.nbytes)

    def request(self) -> InferRequest:
        """As the protocol carries it from one node to the next."""
        stages = ";".join(f"{s.node}|{s.first}|{s.last}|{s.item}" for s in self.stages[self.at :])
        parameters: dict[str, bool | int | float | str] = {WAY: stages, _AT: self.variant}
        if self.left_s is not None:
            parameters[_LEFT_S] = self.left_s
        if isinstance(self.content, bytes):
            tensor = Tensor("crossing", "UINT8", (len(self.content),), self.content)
        else:
            tensor = Tensor("image", "UINT8", (1, *self.content.shape), self.content.tobytes())
        return InferRequest(self.task, (tensor,), id=self.id, parameters=parameters)


def travelling(request: InferRequest) -> Travelling | None:
    """What `Travelling.request` made; None if it is a client's request.

    Raises:
        ProtocolError: it is neither.
    """
    told = request.parameters.get(WAY)
    if told is None:
        return None
    try:
        stages = tuple(
            Stage(node, int(first), int(last), item)
            for node, first, last, item in (part.split("|", 3) for part in str(told).split(";"))
        )
    except ValueError:
        raise ProtocolError(f"parameter {WAY} is no way: {str(told)[:200]!r}") from None
    if len(request.inputs) != 1:
        raise ProtocolError(f"one input travels from node to node, got {len(request.inputs)}")
    (tensor,) = request.inputs
    content: bytes | np.ndarray = bytes(tensor.data)
    if tensor.name == "image":
        content = tensor.array()[0]
    left = request.parameters.get(_LEFT_S)
    return Travelling(
        request.model,
        str(request.parameters.get(_AT, "")),
        stages,
        0,
        content,
        None if left is None else float(left),
        request.id,
    )


def picture_of(request: InferRequest, shape: tuple[int, ...]) -> np.ndarray:
    """The picture that a client sent, uint8 of `shape`.

    Raises:
        ProtocolError: it is none, or several.
    """
    if len(request.inputs) != 1 or request.inputs[0].name != "image":
        names = ", ".join(t.name for t in request.inputs) or "none"
        raise ProtocolError(f"one input 'image' is due, got {names}")
    tensor = request.inputs[0]
    if tensor.datatype != "UINT8" or tensor.shape not in ((1, *shape), shape):
        raise ProtocolError(
            f"'image' must be UINT8 {[1, *shape]} (height, width, channels), got {tensor.datatype} {list(tensor.shape)}"
        )
    return tensor.array().reshape(shape)


def answered(request: InferRequest, answer: Answer, node: str, variant: str, spent_s: float) -> InferResponse:
    """The protocol's response, as it travels back."""
    return InferResponse(
        request.model,
        (_label(answer.label),),
        id=request.id,
        parameters={
            _NODE: node,
            _VARIANT: variant,
            _EXIT: answer.exit,
            _SURE: round(answer.sureness, 6),
            _SPENT: spent_s,
        },
    )


@lru_cache(maxsize=4096)
def _label(label: int) -> Tensor:
    return Tensor.of("label", np.array([label], np.int64))


def answer_of(response: InferResponse) -> tuple[Answer, str, str, float]:
    """The answer in `response`, who gave it, by which variant, and how long the node that sent it had the request."""
    try:
        told = response.parameters
        label = int(response.outputs[0].array()[0])
        answer = Answer(label, int(told[_EXIT]), float(told[_SURE]))
        return answer, str(told[_NODE]), str(told[_VARIANT]), float(told[_SPENT])
    except (KeyError, IndexError, ValueError) as error:
        raise ProtocolError(f"the node above answered what is no answer: {error!r}", status=502) from None


def client_response(
    request: InferRequest, answer: Answer, node: str, variant: str, spent_s: float, labels: tuple[str, ...]
) -> InferResponse:
    """What a client gets: the label, its name if there are names, and what the network adds."""
    response = answered(request, answer, node, variant, spent_s)
    if request.outputs == ("label",):
        return response
    outputs = [*response.outputs]
    if labels and 0 <= answer.label < len(labels):
        outputs.append(Tensor.of_bytes("class", [labels[answer.label].encode()]))
    wanted = set(request.outputs)
    if wanted:
        unknown = wanted - {"label", "class"}
        if unknown:
            raise ProtocolError(f"unknown output '{min(unknown)}'. Known: label, class")
        outputs = [o for o in outputs if o.name in wanted]
    return InferResponse(request.model, tuple(outputs), id=request.id, parameters=response.parameters)
