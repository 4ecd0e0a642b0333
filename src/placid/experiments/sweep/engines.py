"""The engines by name. The rows are the same from each."""

from __future__ import annotations

import os

from placid.errors import InputError, UnknownNameError
from placid.experiments.sweep.engine import Engine
from placid.experiments.sweep.local_engine import LocalEngine
from placid.experiments.sweep.ray_engine import RayEngine

__all__ = ["ENGINES", "engine_named"]

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (LocalEngine, RayEngine)}


def engine_named(name: str, workers: int | None = None, address: str | None = None) -> Engine:
    """The engine called `name`.

    Args:
        workers: cells played at a time; None for the processors that there are.
        address: of a cluster, for an engine that joins one.

    Raises:
        UnknownNameError: there is no such engine.
        InputError: it joins no cluster, but an address is given.
    """
    if name not in ENGINES:
        raise UnknownNameError("engine", name, ENGINES)
    if name == RayEngine.name:
        return RayEngine(address, workers)
    if address is not None:
        raise InputError(
            "the local engine joins no cluster; leave it out, or add --engine ray", where="--address"
        )
    return LocalEngine(workers or os.cpu_count() or 1)
