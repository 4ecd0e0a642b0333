"""Your network: a networkx graph in, a networkx graph that says what each node holds out.

python examples/02_bring_your_network.py
"""

from __future__ import annotations

import networkx as nx
import polars as pl

import placid
from placid.network import Network, write_graph

GIB = 1 << 30


def my_graph() -> nx.Graph:
    """Eight towns on a ring, a city in the middle, a cloud behind it."""
    graph = nx.Graph(name="eight towns")
    graph.add_node("cloud", tier="cloud", processor="gpu", repository=True)
    graph.add_node("city", tier="city", processor="gpu", memory_bytes=2 * GIB)
    graph.add_edge("city", "cloud", rtt_s=0.040)
    for i in range(8):
        graph.add_node(f"town-{i}", tier="town", processor="gpu", memory_bytes=GIB // 4)
        graph.add_edge(f"town-{i}", "city", rtt_s=0.008)
        graph.add_edge(f"town-{i}", f"town-{(i + 1) % 8}", rtt_s=0.005)
    return graph


def main() -> None:
    graph = my_graph()
    write_graph(Network.from_networkx(graph), "towns.json")
    scenario = {
        "name": "eight towns",
        "slots": 30,
        "network": {"file": "towns.json", "ingress": ["town"]},
        "catalog": {"family": "parametric"},
        "workload": {"process": "poisson", "rate": "200 /s"},
        "objective": {"latency": 1, "error": 0.2},
        "policies": ["infida-adaptive"],
    }
    folder = placid.run(scenario, "runs/example-2", fresh=True)

    # what came and went, played to the end
    holds: dict[str, set[str]] = {name: set() for name in graph}
    for event in pl.read_parquet(folder / "placements.parquet").iter_rows(named=True):
        if event["policy"] == "infida-adaptive":
            (holds[event["node"]].add if event["loaded"] else holds[event["node"]].discard)(event["model"])
    nx.set_node_attributes(
        graph, {name: ", ".join(sorted(models)) for name, models in holds.items()}, "holds"
    )
    nx.write_graphml(graph, "towns-placed.graphml")
    print(f"{sum(map(len, holds.values()))} models are in place; wrote towns-placed.graphml")


if __name__ == "__main__":
    main()
