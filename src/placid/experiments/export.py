"""A scenario's live network, written as manifests for a cluster."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from placid.catalog.variants import shipped_zoo
from placid.errors import InputError, RunError
from placid.experiments.live import live_of
from placid.experiments.scenario import Scenario, build
from placid.runtime.kubernetes.manifests import Cluster, manifests_of

__all__ = ["export_kubernetes", "selection_of"]

_DOCKERFILE = """# An image for the nodes and the controller. From the folder of placid's sources:
#   docker build -f {file} -t {image} .
FROM python:3.11-slim
COPY . /src
RUN pip install --no-cache-dir "/src[serve]" && rm -rf /src
USER 65532
"""


def export_kubernetes(
    scenario: Scenario, out: Path, cluster: Cluster, *, zoo: str = "", token: str = "", grpc: bool = False
) -> list[Path]:
    """Write the manifests of `scenario` into `out`; the files come back.

    Args:
        zoo: where the catalog's zoo lies in the image; needed unless it is the one that comes with placid.
        token: the secret that nodes and the controller share; made anew if empty.

    Raises:
        RunError: the folder holds other files.
        InputError: the scenario needs files that are not said to be in the image, or cannot be live.
    """
    built = build(scenario)
    live = live_of(built, policy=cluster.policy or None, agents=Path("/var/lib/placid"), grpc=grpc)
    if Path(built.catalog.zoo or "") != shipped_zoo() and not zoo:
        raise InputError(
            f"the nodes need the zoo in {built.catalog.zoo}: put it into the image, and say where it lies there (--zoo)"
        )
    specs = {name: replace(spec, zoo=zoo) for name, spec in live.specs.items()}
    files = manifests_of(built.network, specs, _told(scenario, zoo), cluster)
    made = ["Dockerfile", "token", *files]
    strange = (
        [p.name for p in out.iterdir() if p.name not in {Path(f).parts[0] for f in made}]
        if out.is_dir()
        else []
    )
    if strange:
        raise RunError(f"{out} holds other files ({', '.join(sorted(strange)[:5])}): choose another folder")
    for old in (out / "nodes").glob("*.yaml") if (out / "nodes").is_dir() else ():
        old.unlink()
    written = []
    for name, documents in files.items():
        file = out / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("---\n".join(_dumped(document) for document in documents))
        written.append(file)
    (out / "Dockerfile").write_text(_DOCKERFILE.format(file=out / "Dockerfile", image=cluster.image))
    secret = out / "token"
    if token or not secret.exists():  # exported again, a cluster keeps its secret
        secret.unlink(missing_ok=True)
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(token or secrets.token_urlsafe(24))
    return [*written, out / "Dockerfile", secret]


def _told(scenario: Scenario, zoo: str) -> dict[str, str]:
    """What the controller reads: the scenario, and the network's file beside it."""
    data: dict[str, Any] = yaml.safe_load(scenario.text)
    base = scenario.path.parent if scenario.path is not None else Path()
    beside: dict[str, str] = {}
    if zoo:
        data["catalog"] = {**data["catalog"], "zoo": zoo}
    network = data.get("network")
    if isinstance(network, dict) and "file" in network:
        file = base / network["file"]
        beside[file.name] = file.read_text()
        data["network"] = {**network, "file": file.name}
    for section, key in (("workload", "file"), ("catalog", "file")):
        part = data.get(section)
        if isinstance(part, dict) and key in part and not Path(part[key]).is_absolute():
            raise InputError(
                f"the controller needs {base / part[key]}: put it into the image, and name it by its absolute path there",
                where=f"{section}.{key}",
            )
    return {"scenario.yaml": yaml.safe_dump(data, sort_keys=False, allow_unicode=True), **beside}


class _Readable(yaml.SafeDumper):
    """Texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def _dumped(document: dict[str, Any]) -> str:
    return str(yaml.dump(document, Dumper=_Readable, sort_keys=False, width=200, allow_unicode=True))


def selection_of(options: Sequence[str]) -> dict[str, dict[str, str]]:
    """From ``tier=label=value`` to tier -> labels.

    Raises:
        InputError: it is not of that form.
    """
    found: dict[str, dict[str, str]] = {}
    for option in options:
        parts = option.split("=")
        if len(parts) != 3 or not all(parts):
            raise InputError(f"--select is tier=label=value, got '{option}'")
        found.setdefault(parts[0], {})[parts[1]] = parts[2]
    return found
