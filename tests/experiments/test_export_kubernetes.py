"""Manifests: valid by Kubernetes' own schemas, always the same, and what they start answers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from placid.catalog.variants import shipped_zoo
from placid.cli.app import app
from placid.errors import InputError, RunError
from placid.experiments.export import export_kubernetes, selection_of
from placid.experiments.live import network_up
from placid.experiments.scenario import load_scenario
from placid.inference.samples import read_samples
from placid.runtime.kubernetes.manifests import CLIENTS, GRPC, PEERS, Cluster
from placid.runtime.kubernetes.names import dns_names
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import play
from placid.runtime.load.schedule import Schedule

SCENARIO = Path(__file__).parents[2] / "scenarios" / "live.yaml"
VERSION = "1.31.0"


def documents(folder: Path) -> list[dict[str, Any]]:
    return [
        document
        for file in sorted(folder.rglob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text())
        if file.name != "kustomization.yaml"
    ]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "cluster"
    found = CliRunner().invoke(
        app,
        ["export", "kubernetes", str(SCENARIO), "--out", str(out), "--grpc", "--image", "here/placid:1",
         "--select", "device=placid/tier=device", "--slot", "5 s"],
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "kubectl apply -k" in found.output
    return out


def test_every_manifest_is_valid(exported: Path) -> None:
    found = documents(exported)
    kinds = [document["kind"] for document in found]
    assert {k: kinds.count(k) for k in set(kinds)} == {
        "Namespace": 1, "ConfigMap": 13, "Deployment": 13, "Service": 24, "NetworkPolicy": 12, "PersistentVolumeClaim": 1,
    }  # fmt: skip
    for document in found:
        kubernetes_validate.validate(document, VERSION, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(found[-1] | {"unknown": 1}, VERSION, strict=True)


def test_names_agree_with_each_other(exported: Path) -> None:
    found = documents(exported)
    services = {d["metadata"]["name"] for d in found if d["kind"] == "Service"}
    (controller,) = (
        d for d in found if d["kind"] == "ConfigMap" and d["metadata"]["name"] == "controller-config"
    )
    addresses = json.loads(controller["data"]["nodes.json"])
    assert {at["host"] for at in addresses.values()} <= services
    kustomization = yaml.safe_load((exported / "kustomization.yaml").read_text())
    assert all((exported / name).is_file() for name in kustomization["resources"])
    deployments = {d["metadata"]["name"]: d["spec"] for d in found if d["kind"] == "Deployment"}
    for name, spec in deployments.items():
        pod = spec["template"]
        assert spec["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
        (container,) = pod["spec"]["containers"]
        assert container["image"] == "here/placid:1"
        if name.startswith(("ble", "camera", "phone")):
            assert pod["spec"]["nodeSelector"] == {"placid/tier": "device"}
        else:
            assert "nodeSelector" not in pod["spec"]
    # a node takes orders from neighbours and the controller alone
    (policy,) = (d for d in found if d["kind"] == "NetworkPolicy" and d["metadata"]["name"] == "gateway-1")
    peers = policy["spec"]["ingress"][1]
    labels = [one["podSelector"]["matchLabels"] for one in peers["from"]]
    assert peers["ports"] == [{"port": "peers"}]
    assert {"placid/role": "controller"} in labels
    assert {"placid/node": "bs-1"} in labels
    assert len(labels) < 6


def test_the_secret_is_in_no_manifest_and_stays(exported: Path) -> None:
    secret = exported / "token"
    assert secret.stat().st_mode & 0o077 == 0
    assert len(secret.read_text()) >= 32
    assert all(
        secret.read_text() not in f.read_text() for f in exported.rglob("*") if f.is_file() and f != secret
    )
    before = {f: f.read_text() for f in exported.rglob("*") if f.is_file()}
    again = [
        "export",
        "kubernetes",
        str(SCENARIO),
        "--out",
        str(exported),
        "--grpc",
        "--image",
        "here/placid:1",
    ]
    chosen = ["--select", "device=placid/tier=device", "--slot", "5 s"]
    assert CliRunner().invoke(app, [*again, *chosen]).exit_code == 0
    assert {f: f.read_text() for f in exported.rglob("*") if f.is_file()} == before


def test_what_they_start_answers(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The containers' own commands and files, with this machine's ports for the cluster's addresses."""
    found = documents(exported)
    configs = {d["metadata"]["name"]: d["data"] for d in found if d["kind"] == "ConfigMap"}
    nodes = [d for d in found if d["kind"] == "Deployment" and d["metadata"]["name"] != "controller"]
    token = (exported / "token").read_text()
    started: list[subprocess.Popen[str]] = []
    told: dict[str, Any] = {}
    try:
        for deployment in nodes:
            name = deployment["metadata"]["name"]
            (container,) = deployment["spec"]["template"]["spec"]["containers"]
            spec = json.loads(configs[f"{name}-config"]["node.json"])
            assert (spec["port"], spec["peers_port"], spec["grpc_port"]) == (CLIENTS, PEERS, GRPC)
            spec |= {"host": "127.0.0.1", "port": 0, "peers_port": 0, "grpc_port": 0}
            (tmp_path / f"{name}.json").write_text(json.dumps(spec))
            command = [
                {"python": sys.executable, "/etc/placid/node.json": str(tmp_path / f"{name}.json")}.get(c, c)
                for c in container["command"]
            ]
            environment = {e["name"]: e.get("value", token) for e in container["env"]}
            environment = {k: v for k, v in environment.items() if k != "NUMBA_CACHE_DIR"}
            started.append(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
            )
        for process in started:
            assert process.stdout is not None
            one = json.loads(process.stdout.readline())
            told[one["name"]] = {key: one[key] for key in ("host", "port", "peers", "grpc")}
        (tmp_path / "nodes.json").write_text(json.dumps(told))
        for name, text in configs["controller-config"].items():
            if name != "nodes.json":
                (tmp_path / name).write_text(text)
        asyncio.run(_answers(tmp_path, token, monkeypatch))
        for process in started:
            assert process.poll() is None, "nodes go on when the controller ends"
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.communicate(timeout=20)


async def _answers(folder: Path, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load_scenario(folder / "scenario.yaml")
    pictures = read_samples(shipped_zoo() / "pictures.npz")
    given: dict[str, Any] = {"engine": "static", "nodes": folder / "nodes.json", "slot_s": 1.5}
    monkeypatch.delenv("PLACID_TOKEN", raising=False)
    with pytest.raises(InputError, match="set PLACID_TOKEN"):
        async with network_up(scenario, folder / "live", **given):
            pass
    monkeypatch.setenv("PLACID_TOKEN", "wrong")
    with pytest.raises(RunError, match="does not know this secret"):
        async with network_up(scenario, folder / "live", **given):
            pass
    monkeypatch.setenv("PLACID_TOKEN", token)
    for first in (True, False):
        async with network_up(scenario, folder / "live", **given) as network:
            held = {name: set(t["held"]) for name, t in network.controller.tallies.items()}
            if not first:
                assert any(held.values()), "what nodes held they hold yet"
                assert network.controller.slot == 2
            names = ["camera-1", "phone-2"]
            nodes = {name: running.clients for name, running in network.running.items()}
            ask = OverHttp(names, ["task-1", "task-2"], nodes, pictures.pictures)
            playing = asyncio.create_task(network.play(2))
            await asyncio.sleep(0.3)
            n = np.arange(40)
            records = await play(Schedule(n * 0.05, n % 2, n * 0, n), ask)
            await playing
            await ask.close()
        assert (records.status == 200).all(), set(records.reason)
        assert (records.label == pictures.labels[records.schedule.picture]).mean() > 0.7


def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    scenario = load_scenario(SCENARIO)
    with pytest.raises(InputError, match="no tier 'moon'"):
        export_kubernetes(scenario, tmp_path / "a", Cluster("i", select={"moon": {"a": "b"}}))
    with pytest.raises(InputError, match="--select is tier=label=value, got 'device'"):
        selection_of(["device"])
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "letter.txt").write_text("mine")
    with pytest.raises(RunError, match=r"holds other files \(letter.txt\)"):
        export_kubernetes(scenario, tmp_path / "b", Cluster("i"))
    assert (tmp_path / "b" / "letter.txt").read_text() == "mine"


def test_names_are_labels_and_differ() -> None:
    names = ["BS 1", "bs-1", "controller", "1", "é", "x-peers", "a" * 80, "a" * 81]
    found = dns_names(names)
    assert found["bs-1"] == "bs-1"
    assert len(set(found.values())) == len(names)
    assert all(len(f"{name}-config") <= 63 and name[0].isalpha() for name in found.values())
    assert not {"controller", "x-peers"} & set(found.values())
