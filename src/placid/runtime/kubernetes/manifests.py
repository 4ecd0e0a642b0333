"""The manifests of a live network: every node a Deployment of one replica, with its services, and a controller beside them.

A Deployment, not a StatefulSet: a node that comes back is empty and is told anew what to hold, so there is nothing that
would have to follow it. It is recreated, never rolled: two of a node would answer for one budget.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from placid.errors import InputError
from placid.network.graph import Network
from placid.runtime.kubernetes.names import dns_names
from placid.runtime.spec import NodeSpec

__all__ = ["ALLOWANCE_BYTES", "CLIENTS", "GRPC", "PEERS", "Cluster", "manifests_of"]

#: ports of every node
CLIENTS, PEERS, GRPC = 8000, 8001, 8002
#: of a node's process beside what it holds: Python, ONNX Runtime, requests on their way
ALLOWANCE_BYTES = 256 << 20
#: what a ConfigMap may hold
_MOST_BYTES = 1 << 20
_CONFIG, _STATE, _SECRET = "/etc/placid", "/var/lib/placid", "placid-token"

Document = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """What a user chooses.

    Attributes:
        image: with placid and its extra ``serve``.
        namespace: that everything goes into.
        select: tier -> labels of machines that its nodes run on.
        repository_bytes: for what a repository holds, which has no budget.
        policy, slot: for the controller; empty for the scenario's.
    """

    image: str
    namespace: str = "placid"
    select: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    repository_bytes: int = 512 << 20
    policy: str = ""
    slot: str = ""


def manifests_of(
    network: Network, specs: Mapping[str, NodeSpec], scenario: Mapping[str, str], cluster: Cluster
) -> dict[str, list[Document]]:
    """File -> its documents, in an order that is always the same. The secret is not among them.

    Args:
        specs: of every node; ports, host and secret are put in here.
        scenario: files that the controller reads, by name; the first one is the scenario.

    Raises:
        InputError: a tier is selected that there is not; a file is larger than a ConfigMap may be.
    """
    tiers = set(network.tiers)
    for tier in cluster.select:
        if tier not in tiers:
            raise InputError(
                f"there is no tier '{tier}' to select machines for. Tiers: {', '.join(sorted(tiers))}"
            )
    names = dns_names([node.name for node in network.nodes])
    beside: dict[str, set[str]] = {node.name: set() for node in network.nodes}
    for link in network.links:
        beside[link.a].add(link.b)
        beside[link.b].add(link.a)
    files: dict[str, list[Document]] = {
        "namespace.yaml": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace}}]
    }
    for node in network.nodes:
        files[f"nodes/{names[node.name]}.yaml"] = _node(
            _placed(specs[node.name]), names, sorted(beside[node.name]), cluster
        )
    addresses = {
        node.name: {
            "host": _peers_host(names[node.name]),
            "port": CLIENTS,
            "peers": PEERS,
            "grpc": None if specs[node.name].grpc_port is None else GRPC,
        }
        for node in network.nodes
    }
    files["controller.yaml"] = _controller(scenario, addresses, cluster)
    files["kustomization.yaml"] = [
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": cluster.namespace,
            "resources": [name for name in files if name != "kustomization.yaml"],
            "secretGenerator": [
                {"name": _SECRET, "files": ["token"], "options": {"disableNameSuffixHash": True}}
            ],
        }
    ]
    return files


def _placed(spec: NodeSpec) -> NodeSpec:
    agent = spec.agent
    return replace(
        spec,
        host="0.0.0.0",
        port=CLIENTS,
        peers_port=PEERS,
        grpc_port=None if spec.grpc_port is None else GRPC,
        token="",
        agent=None if agent is None else replace(agent, state_file=f"{_STATE}/agent.npz"),
    )


def _node(
    spec: NodeSpec, names: Mapping[str, str], beside: Sequence[str], cluster: Cluster
) -> list[Document]:
    name = names[spec.name]
    labels = {"app.kubernetes.io/name": "placid", "placid/node": name}
    told = json.dumps(asdict(spec), indent=1)
    _check_size(told, f"node '{spec.name}'")
    budget_bytes = cluster.repository_bytes if spec.repository else spec.memory_bytes
    memory = f"{-(-(budget_bytes + ALLOWANCE_BYTES) // (1 << 20))}Mi"
    ports = [
        ("clients", CLIENTS),
        ("peers", PEERS),
        *([("grpc", GRPC)] if spec.grpc_port is not None else []),
    ]
    container = {
        "name": "node",
        "image": cluster.image,
        "command": ["python", "-m", "placid.runtime.node", f"{_CONFIG}/node.json"],
        "env": _environment(),
        "ports": [{"name": port, "containerPort": number} for port, number in ports],
        "resources": {"requests": {"cpu": "100m", "memory": memory}, "limits": {"memory": memory}},
        "startupProbe": _probe("live", "clients", failureThreshold=60, periodSeconds=2),
        "livenessProbe": _probe("live", "clients", periodSeconds=10),
        # a node is ready once the controller has told it where it stands
        "readinessProbe": _probe("ready", "clients", periodSeconds=2),
        "volumeMounts": [
            {"name": "config", "mountPath": _CONFIG, "readOnly": True},
            {"name": "state", "mountPath": _STATE},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
        "securityContext": _SECURE,
    }
    pod = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "securityContext": _POD_SECURE,
        "terminationGracePeriodSeconds": 10,
        "volumes": [
            {"name": "config", "configMap": {"name": f"{name}-config"}},
            {"name": "state", "emptyDir": {}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    if spec.tier in cluster.select:
        pod["nodeSelector"] = dict(cluster.select[spec.tier])
    open_ports = [{"port": port} for port, _ in ports if port != "peers"]
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"{name}-config", "labels": labels},
            "data": {"node.json": told},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": name,
                "labels": {**labels, "placid/tier": dns_names([spec.tier])[spec.tier]},
            },
            "spec": {
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": {"placid/node": name}},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        _service(name, labels, [(p, n) for p, n in ports if p != "peers"]),
        # neighbours and the controller reach a node before it is ready: it is they who make it so
        _service(_peers_host(name), labels, ports, ready=False),
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "podSelector": {"matchLabels": {"placid/node": name}},
                "policyTypes": ["Ingress"],
                "ingress": [
                    {"ports": open_ports},
                    {
                        "ports": [{"port": "peers"}],
                        "from": [
                            {"podSelector": {"matchLabels": {"placid/node": names[other]}}}
                            for other in beside
                        ]
                        + [{"podSelector": {"matchLabels": {"placid/role": "controller"}}}],
                    },
                ],
            },
        },
    ]


def _controller(
    scenario: Mapping[str, str], addresses: Mapping[str, Mapping[str, Any]], cluster: Cluster
) -> list[Document]:
    first = next(iter(scenario))
    data = {**scenario, "nodes.json": json.dumps(addresses, indent=1)}
    _check_size("".join(data.values()), "the controller's files")
    labels = {"app.kubernetes.io/name": "placid", "placid/role": "controller"}
    chosen = [*(["--policy", cluster.policy] if cluster.policy else [])]
    chosen += ["--slot", cluster.slot] if cluster.slot else []
    container = {
        "name": "controller",
        "image": cluster.image,
        "command": [
            *("placid", "up", f"{_CONFIG}/{first}", "--engine", "static", "--nodes", f"{_CONFIG}/nodes.json"),
            *("--out", f"{_STATE}/live", "--port", "8080", *chosen),
        ],
        "env": _environment(),
        "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        "volumeMounts": [
            {"name": "config", "mountPath": _CONFIG, "readOnly": True},
            {"name": "state", "mountPath": _STATE},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
        "securityContext": _SECURE,
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "controller-config", "labels": labels},
            "data": data,
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "controller-state", "labels": labels},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "controller", "labels": labels},
            "spec": {
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": {"placid/role": "controller"}},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "automountServiceAccountToken": False,
                        "containers": [container],
                        "securityContext": _POD_SECURE,
                        "volumes": [
                            {"name": "config", "configMap": {"name": "controller-config"}},
                            {"name": "state", "persistentVolumeClaim": {"claimName": "controller-state"}},
                            {"name": "scratch", "emptyDir": {}},
                        ],
                    },
                },
            },
        },
    ]


def _service(
    name: str, labels: Mapping[str, str], ports: Sequence[tuple[str, int]], *, ready: bool = True
) -> Document:
    spec: dict[str, Any] = {
        "selector": {"placid/node": labels["placid/node"]},
        "ports": [{"name": port, "port": number, "targetPort": port} for port, number in ports],
    }
    if not ready:
        spec |= {"clusterIP": "None", "publishNotReadyAddresses": True}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": spec,
    }


def _peers_host(name: str) -> str:
    return f"{name}-peers"


def _environment() -> list[dict[str, Any]]:
    return [
        {
            "name": "PLACID_TOKEN",
            "valueFrom": {"secretKeyRef": {"name": _SECRET, "key": "token"}},
        },
        # the rest of the file system is read-only
        {"name": "HOME", "value": "/tmp"},
        {"name": "NUMBA_CACHE_DIR", "value": "/tmp"},
        *({"name": f"{library}_NUM_THREADS", "value": "1"} for library in ("OMP", "OPENBLAS", "NUMBA")),
    ]


def _probe(what: str, port: str, **settings: int) -> dict[str, Any]:
    return {"httpGet": {"path": f"/v2/health/{what}", "port": port}, "timeoutSeconds": 2, **settings}


def _check_size(text: str, of: str) -> None:
    if len(text.encode()) > _MOST_BYTES:
        raise InputError(
            f"what {of} is told takes {len(text.encode()):,} bytes; a ConfigMap holds {_MOST_BYTES:,}. Such networks are "
            "for machines of their own (python -m placid.runtime.node), or for a smaller catalog"
        )


_SECURE = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_POD_SECURE = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "fsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
