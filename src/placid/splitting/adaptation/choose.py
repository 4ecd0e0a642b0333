"""Learning rates, chosen on calibration pictures of nodes that are not those of the study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from placid.splitting.adaptation.adapt import Effort, NodeSeen, adapt
from placid.splitting.adaptation.methods import Method
from placid.splitting.adaptation.mixes import Node
from placid.splitting.adaptation.pieces import Seen
from placid.splitting.data import Images

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ChoiceNode", "choice_node", "choose_rate", "rate_for"]


@dataclass(frozen=True)
class ChoiceNode:
    """A node that is there to choose on.

    Attributes:
        seen: what it adapts on.
        judged, answers: other calibration pictures of it, and their labels [n].
    """

    seen: NodeSeen
    judged: Seen
    answers: np.ndarray


def choice_node(network: nn.Module, node: Node, unlabelled: int) -> ChoiceNode:
    """`node` with its first `unlabelled` calibration pictures to adapt on, and the others to judge by."""
    pictures, labels = node.calibration.images, node.calibration.labels
    own = replace(node, calibration=Images(pictures[:unlabelled], labels[:unlabelled]))
    return ChoiceNode(NodeSeen(network, own), Seen(network, pictures[unlabelled:]), labels[unlabelled:])


def choose_rate(
    network: nn.Module,
    method: Method,
    nodes: Sequence[ChoiceNode],
    labels: int,
    effort: Effort,
    told: Callable[[float, float], None] = lambda rate, accuracy: None,
) -> float:
    """The one of ``method.rates`` with which the nodes answer best in the mean; the lowest of equals.

    An operator chooses once and then adapts many nodes: none of them has to spare labels for a choice, and no test
    picture is looked at.

    Args:
        told: called with each rate and its accuracy.
    """
    means = []
    for rate in method.rates:
        found = []
        for node in nodes:
            made = adapt(network, method, node.seen, labels, rate, effort, 0)
            given = node.judged.logits(made.network, made.first).argmax(1).numpy()
            found.append(float((given == node.answers).mean()))
        means.append(float(np.mean(found)))
        told(rate, means[-1])
    return method.rates[int(np.argmax(means))]


def rate_for(chosen: Mapping[int, float], labels: int) -> float:
    """Of the rates chosen (labels -> rate) that for the most labels which are no more than `labels`; 0 if there are none."""
    if not chosen:
        return 0.0
    return chosen[max((n for n in chosen if n <= labels), default=min(chosen))]
