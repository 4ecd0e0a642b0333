"""Distributed networks over devices, edges and the cloud: many devices see a part each, and some of them fail.

    from placid.splitting.ddnn import DDNN, Design, JointTraining, tiles_of
    network = DDNN(Design(tiles_of((28, 28), rows=3, columns=2, overlap=4), classes=10))

A re-implementation from the published method of Teerapittayanon, McDanel, Kung: Distributed deep neural networks over the
cloud, the edge and end devices (ICDCS 2017).
"""

from __future__ import annotations

from placid.splitting.ddnn.aggregation import SCHEMES, Aggregation
from placid.splitting.ddnn.cascade import Outcome, choose_thresholds, normalised_entropy, outcome
from placid.splitting.ddnn.evaluation import answers_of, sent_by, sets_of_failed
from placid.splitting.ddnn.learner import JointTraining
from placid.splitting.ddnn.messages import DeviceMessages, bytes_by_formula
from placid.splitting.ddnn.network import DDNN, Design, Sent
from placid.splitting.ddnn.tiles import Tiles, tiles_of

__all__ = [
    "DDNN",
    "SCHEMES",
    "Aggregation",
    "Design",
    "DeviceMessages",
    "JointTraining",
    "Outcome",
    "Sent",
    "Tiles",
    "answers_of",
    "bytes_by_formula",
    "choose_thresholds",
    "normalised_entropy",
    "outcome",
    "sent_by",
    "sets_of_failed",
    "tiles_of",
]
