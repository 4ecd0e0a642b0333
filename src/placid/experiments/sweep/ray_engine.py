"""Cells on a Ray cluster, or on a Ray of this machine's own.

Only what `ray.init`, `ray.remote`, `ray.put`, `ray.wait`, `ray.get`, `ray.cancel` and `ray.shutdown` document is used:
https://docs.ray.io/en/latest/ray-core/api/core.html
"""

from __future__ import annotations

import importlib
import os
import re
import socket
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from placid.errors import InputError, PlacidError, RunError
from placid.experiments.pool import Tell
from placid.experiments.sweep.digest import code_digest
from placid.experiments.sweep.engine import Engine
from placid.experiments.sweep.files import laid_out
from placid.experiments.sweep.folder import SweepFolder, as_bytes
from placid.experiments.sweep.threads import ONE_THREAD
from placid.experiments.sweep.unit import Unit

__all__ = ["RayEngine"]

#: how often the driver looks for Ctrl-C, seconds
_PULSE_S = 0.5
#: how long a cluster may take to answer at all, seconds
_PATIENCE_S = 10.0
#: names and contents of the files that scenarios name
Files = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class RayEngine(Engine):
    """One task of one processor for each cell and seed; the files that scenarios name go along.

    Every node needs the same placid, and whatever a policy of a person's own imports. A node that is lost has its cells
    played elsewhere; an interrupted cell begins anew.

    Attributes:
        address: of a cluster that runs, as `ray.init` takes it ("auto", "ray://head:10001"); None for RAY_ADDRESS, else
            a Ray of this machine that ends with the sweep.
        workers: cells played at a time; None for the processors of the cluster.
    """

    name: ClassVar[str] = "ray"
    address: str | None = None
    workers: int | None = None

    def play(self, units: Sequence[Unit], folder: SweepFolder, tell: Tell) -> None:
        ray = ray_module()
        ours = self._join(ray)
        try:
            self._play(ray, units, folder, tell)
        finally:
            if ours:
                ray.shutdown()

    def _join(self, ray: ModuleType) -> bool:
        """Join the cluster; False if this process was in one already."""
        if ray.is_initialized():
            return False
        address, local = self.address, dict[str, Any]()
        if address is None and "RAY_ADDRESS" not in os.environ:
            # "local" and not None: that would join whatever cluster was last begun on this machine
            address, local = "local", {"num_cpus": self.workers, "include_dashboard": False}
        _check_answers(address)
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", **local)
        except (
            Exception
        ) as error:  # Ray says with whatever class that nobody answers, or that it cannot start
            raise _no_cluster(address, error) from error
        return True

    def _play(self, ray: ModuleType, units: Sequence[Unit], folder: SweepFolder, tell: Tell) -> None:
        play = ray.remote(num_cpus=1, runtime_env={"env_vars": ONE_THREAD})(play_there)
        workers = self.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting = list(reversed(units))
        files: dict[tuple[tuple[str, Path], ...], Any] = {}
        running: dict[Any, Unit] = {}
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    unit = waiting.pop()
                    # absolute names are looked for where they point, on every node
                    named = tuple(
                        (name, path) for name, path in unit.files.items() if not os.path.isabs(name)
                    )
                    if named not in files:
                        files[named] = ray.put(tuple((name, path.read_bytes()) for name, path in named))
                    running[play.remote(unit, files[named], code_digest())] = unit
                    tell(unit.title, 0, unit.step_count)
                for reference in ray.wait(list(running), num_returns=1, timeout=_PULSE_S)[0]:
                    unit = running.pop(reference)
                    folder.keep(unit.digest, self._fetched(ray, reference, unit))
                    tell(unit.title, unit.step_count, unit.step_count)
        except BaseException:
            for reference in running:
                with suppress(Exception):  # one that has just ended cannot be cancelled
                    ray.cancel(reference, force=True)
            raise

    def _fetched(self, ray: ModuleType, reference: Any, unit: Unit) -> bytes:
        try:
            return bytes(ray.get(reference))
        except ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, PlacidError):
                raise RunError(str(cause)) from None
            raise RunError(f"the cell {unit.title} failed on the cluster: {error}") from error


def _check_answers(address: str | None) -> None:
    """That somebody listens at an address of host and port: Ray itself would try for many minutes."""
    found = re.fullmatch(r"(?:ray://)?([^/:]+):(\d+)", address or os.environ.get("RAY_ADDRESS", ""))
    if found is None:
        return
    try:
        socket.create_connection((found[1], int(found[2])), timeout=_PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str | None, error: Exception) -> InputError:
    if address == "local":
        return InputError(
            f"no Ray can be started on this machine: {error}; try again, or leave --engine ray out",
            where="--engine ray",
        )
    return InputError(
        f"no Ray cluster answers: {error}; give the address of one that runs, or none for a Ray of this machine",
        where=f"--address {address}" if address else "RAY_ADDRESS",
    )


def ray_module() -> ModuleType:
    """Ray, which tells nobody that it is used.

    Raises:
        InputError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise InputError(
            f"needs Ray ({error}): pip install 'placid[cluster]'", where="--engine ray"
        ) from error


def play_there(unit: Unit, files: Files, made_by: str) -> bytes:
    """What a node of the cluster does: the rows of `unit`, as the content of a Parquet file.

    Raises:
        RunError: the node has another placid than the one that asks, or the unit cannot be played.
    """
    if code_digest() != made_by:
        raise RunError(
            "a node of the cluster has another placid, or other versions of what it computes with, so that its rows would "
            "differ; install the same on every node"
        )
    with tempfile.TemporaryDirectory(prefix="placid-") as scratch:
        return as_bytes(replace(unit, folder=laid_out(files)).rows(Path(scratch) / "run"))
