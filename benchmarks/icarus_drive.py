"""Has Icarus play its GEANT case and tells what it did: run in Icarus's own environment, never imported here.

    python icarus_drive.py CHECKOUT STRATEGY REQUESTS OUT.npz

The requests are drawn before the clock starts. Written are the seconds of processor time, every request's path and content,
the room of every node, and where Icarus answered.
"""

from __future__ import annotations

import random
import sys
from itertools import pairwise
from time import process_time

import networkx as nx
import numpy as np

CONTENTS, EXPONENT, SHARE, SEED = 30_000, 0.8, 0.05, 0


def main(checkout: str, strategy: str, requests: int, out: str) -> None:
    # what networkx called `node` when Icarus was written
    nx.Graph.node = property(lambda graph: graph.nodes)
    sys.path.insert(0, checkout)
    from icarus.execution import NetworkController, NetworkModel, NetworkView
    from icarus.registry import CACHE_PLACEMENT, CONTENT_PLACEMENT, STRATEGY, TOPOLOGY_FACTORY, WORKLOAD

    random.seed(SEED)
    topology = TOPOLOGY_FACTORY["GEANT"]()
    workload = WORKLOAD["STATIONARY"](
        topology, CONTENTS, EXPONENT, n_warmup=0, n_measured=requests, rate=100.0, seed=SEED
    )
    CACHE_PLACEMENT["UNIFORM"](topology, SHARE * CONTENTS)
    CONTENT_PLACEMENT["UNIFORM"](topology, workload.contents, seed=SEED)
    view = NetworkView(model := NetworkModel(topology, {"name": "LRU"}))
    controller = NetworkController(model)

    class Answers:
        """In the place of Icarus's collectors: who answered, and nothing else."""

        def __init__(self) -> None:
            self.by: list[object] = []

        def cache_hit(self, node: object) -> None:
            self.by.append(node)

        server_hit = cache_hit

        def __getattr__(self, name: str) -> object:
            return lambda *given, **named: None

    answers = Answers()
    controller.attach_collector(answers)
    playing = STRATEGY[strategy](view, controller)
    events = [(time, {**event, "log": True}) for time, event in workload]
    begun = process_time()
    for time, event in events:
        playing.process_event(time, **event)
    took_s = process_time() - begun

    number = {v: i for i, v in enumerate(topology.nodes())}
    paths: dict[tuple[object, object], int] = {}
    nodes, delays, of_request, content = [], [], [], []
    for _, event in events:
        ends = event["receiver"], view.content_source(event["content"])
        if ends not in paths:
            way = view.shortest_path(*ends)
            paths[ends] = len(nodes)
            nodes.append([number[v] for v in way])
            delays.append([view.link_delay(a, b) / 1e3 for a, b in pairwise(way)])
        of_request.append(paths[ends])
        content.append(event["content"])
    room = np.zeros(len(number), np.int64)
    for v, size in view.cache_nodes(size=True).items():
        room[number[v]] = size
    np.savez(
        out,
        took_s=took_s,
        lengths=[len(p) for p in nodes],
        nodes=np.concatenate(nodes),
        delays=np.concatenate(delays),
        path=of_request,
        content=content,
        room=room,
        answered=[number[v] for v in answers.by],
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
