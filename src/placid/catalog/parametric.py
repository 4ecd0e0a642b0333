"""A family of models made from a few numbers, for studies of what matters: how many, how large, how accurate, how fast."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from placid.catalog.models import Catalog, Model, Profile, Task
from placid.catalog.replicas import for_tasks, task_names, with_replicas
from placid.errors import InputError
from placid.randomness import stream

__all__ = ["parametric"]


def parametric(
    tasks: int = 10,
    variants: int = 5,
    replicas: int = 1,
    *,
    size_min_bytes: int = 5_000_000,
    size_max_bytes: int = 500_000_000,
    gflops_per_mb: float = 0.3,
    quality_min: float = 0.55,
    quality_max: float = 0.85,
    gflops_per_s: Mapping[str, float] | None = None,
    power_w: Mapping[str, float] | None = None,
    overhead_s: float = 0.002,
    saturation: float = 0.0,
    jitter: float = 0.0,
    request_bytes: int = 60_000,
    response_bytes: int = 1_000,
    seed: int = 0,
) -> Catalog:
    """`variants` models per task, from small and poor to large and good.

    Sizes are spaced evenly on a log scale. Work is proportional to size. Quality rises with the logarithm of size, which is
    how accuracy grows with compute in published families; with a `saturation` k above 0 it levels off at the largest:
    ``least + (largest - least) (1 - exp(-k u)) / (1 - exp(-k))``, u in [0, 1] the place of the model on the log scale, which
    is a power law of compute with a ceiling. Latency is ``overhead + work / speed``; capacity is its inverse.

    Args:
        tasks: how many.
        variants: models per task.
        replicas: copies of each model that one node may hold.
        size_min_bytes, size_max_bytes: of the smallest and the largest.
        gflops_per_mb: work of one inference per 10^6 bytes of model.
        quality_min, quality_max: of the smallest and the largest.
        gflops_per_s: processor class -> what it sustains; default ``{"cpu": 50, "gpu": 2000}``.
        power_w: processor class -> watts while busy; default ``{"cpu": 30, "gpu": 200}``; a class left out counts as 0.
        overhead_s: of every inference, whatever the model.
        saturation: how much quality levels off towards the largest model; 0: not on the log scale, 3: strongly.
        jitter: standard deviation of the logarithm of size, and a tenth of that of quality, drawn per task and variant.
        request_bytes: what a request carries to the model.
        response_bytes: what an answer carries back.
        seed: what the jitter is drawn from.

    Raises:
        InputError: a number is out of range.

    Example:
        >>> catalog = parametric(tasks=2, variants=3)
        >>> [m.size_bytes for m in catalog.models[:3]]
        [5000000, 50000000, 500000000]
    """
    speed = dict(gflops_per_s or {"cpu": 50.0, "gpu": 2000.0})
    usual = {"cpu": 30.0, "gpu": 200.0}
    power = {name: usual[name] for name in usual if name in speed} if power_w is None else dict(power_w)
    if variants < 1:
        raise InputError(f"'variants' must be at least 1, got {variants}")
    if not 0 < size_min_bytes <= size_max_bytes:
        raise InputError(
            f"sizes must satisfy 0 < least <= largest, got {size_min_bytes} and {size_max_bytes}"
        )
    if not 0 <= quality_min <= quality_max <= 1:
        raise InputError(
            f"qualities must satisfy 0 <= least <= largest <= 1, got {quality_min} and {quality_max}"
        )
    if not 0 < gflops_per_mb < math.inf:
        raise InputError(f"'gflops_per_mb' must be above 0 and finite, got {gflops_per_mb}")
    for name, value in (("overhead", overhead_s), ("saturation", saturation), ("jitter", jitter)):
        if not 0 <= value < math.inf:
            raise InputError(f"'{name}' must be at least 0 and finite, got {value}")
    for name, value in speed.items():
        if not 0 < value < math.inf:
            raise InputError(f"the speed of '{name}' must be above 0 and finite, got {value}")
    for name, watts in power.items():
        if not 0 <= watts < math.inf:
            raise InputError(f"the 'power' of '{name}' must be at least 0 and finite, got {watts}")
        if name not in speed:
            raise InputError(
                f"'power' names '{name}', which has no speed; the classes are {', '.join(speed)}"
            )
    named = tuple(Task(name, request_bytes, response_bytes) for name in task_names(tasks))
    rank = np.linspace(0.0, 1.0, variants) if variants > 1 else np.ones(1)
    # below 1e-6 the bend is lost in rounding
    level = np.expm1(-saturation * rank) / np.expm1(-saturation) if saturation > 1e-6 else rank
    catalogs = []
    for i, task in enumerate(named):
        rng = stream(seed, "parametric", i)
        bend = np.exp(jitter * rng.standard_normal(variants))
        size = size_min_bytes * (size_max_bytes / size_min_bytes) ** rank * bend
        quality = (
            quality_min + (quality_max - quality_min) * level + 0.1 * jitter * rng.standard_normal(variants)
        )
        models = []
        for j in range(variants):
            gflops = gflops_per_mb * size[j] / 1e6
            latency = {name: overhead_s + gflops / value for name, value in speed.items()}
            profiles = {
                name: Profile(
                    t, 1.0 / t, power.get(name, 0.0) * t, "modelled: parametric family, no measurement"
                )
                for name, t in latency.items()
            }
            q = float(np.clip(quality[j], 0.0, 1.0))
            models.append(Model("", "", max(1, round(size[j])), q, profiles, f"v{j + 1}"))
        catalogs.append(for_tasks(models, (task,), "parametric"))
    return with_replicas(
        Catalog(
            named,
            tuple(m for c in catalogs for m in c.models),
            "parametric",
            ("All figures of the parametric family are modelled: none was measured.",),
        ),
        replicas,
    )
