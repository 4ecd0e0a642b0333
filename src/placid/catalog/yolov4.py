"""The YOLOv4 family of object detectors, from published figures.

``data/yolov4.csv`` holds what was published, and what was counted in the published network descriptions:

- `ap50`, `ap50_95` (COCO test-dev, fractions), `bflops`, `weights_mb`, speeds on RTX 2070, V100, GTX 1080 Ti, RTX 2080
  Ti: README of https://github.com/AlexeyAB/darknet at commit 59596d7, an empty cell where it is silent. Earlier
  versions state less for yolov4-csp-640 and yolov4x-mish-640, whose weights were replaced since;
- speeds on the Jetson boards: README of https://github.com/ceccocats/tkDNN at commit c95c2db;
- `parameters`, `layer_outputs` (numbers that all layers together put out for one image): counted in ``cfg/*.cfg`` of the
  same commit of darknet. The count is right where it can be checked: twice the multiply-adds are the published BFLOPs,
  and 4 bytes a parameter and 20 of header are the published size of the weights file, read in MiB.

What a scenario needs beyond that (a class on which a variant was not run, energy, memory of activations) is modelled,
and the profile's source, or a note of the catalog, says so. yolov4-tiny-3l is left out: that README states no figures
for it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from placid.catalog.models import Catalog, Model, Profile, Task
from placid.catalog.replicas import for_tasks, task_names, with_replicas
from placid.errors import InputError, UnknownNameError

__all__ = ["BOARD_POWER_W", "MEMORIES", "QUALITIES", "TEN", "yolov4"]

#: processor class -> board power in watts as its vendor states it; energy is this times latency, an upper estimate.
#: Which V100 was used is not said: 300 W is the SXM2 module, 250 W the PCIe card. Jetson boards: a power mode's limit
BOARD_POWER_W = {
    "v100": 300.0,
    "rtx2080ti": 250.0,
    "gtx1080ti": 250.0,
    "rtx2070": 175.0,
    "agx-xavier": 30.0,
    "xavier-nx": 15.0,
    "tx2": 15.0,
    "nano": 10.0,
}
#: figures of merit: COCO average precision at an overlap of 0.5, or averaged over 0.5 to 0.95
QUALITIES = ("ap50", "ap50_95")
#: what a loaded model is taken to need: its weights, or also every layer's output, which Darknet keeps in FP32
MEMORIES = ("weights", "weights+activations")
#: the variants taken unless others are named
TEN = (
    "yolov4-tiny-416",
    "enet-coco",
    "yolov4-320",
    "yolov4-416",
    "yolov4-512",
    "yolov4-csp-512",
    "csresnext50-panet-spp",
    "yolov4-608",
    "yolov4-csp-640",
    "yolov4x-mish-640",
)
#: what the README calls MB is 2^20 bytes, as the count of parameters shows (tests/catalog/test_families.py)
_BYTES_PER_MB = 1 << 20
_BYTES_PER_NUMBER = 4
_HEADER_BYTES = 20  # of a Darknet weights file

_SOURCES = {
    "darknet": "AlexeyAB/darknet README, section 'Pre-trained models' and table 'GeForce RTX 2080 Ti' (Darknet, batch 1)",
    "tkdnn": "ceccocats/tkDNN README, section 'FPS Results' (TensorRT, FP32, batch 1)",
}
_TKDNN = ("agx-xavier", "xavier-nx", "tx2", "nano")


def yolov4(
    tasks: int = 20,
    replicas: int = 3,
    *,
    variants: Sequence[str] = (),
    processors: Sequence[str] = ("v100", "rtx2070"),
    quality: str = "ap50",
    scaled: bool = True,
    relative_speed: Mapping[str, float] | None = None,
    memory: str = "weights",
    size_scale: float = 1.0,
    request_bytes: int = 60_000,
    response_bytes: int = 1_000,
) -> Catalog:
    """Detectors around YOLOv4 for each task, ten unless you name them, with published accuracy, speed and size.

    A task stands for the same family trained on other classes, as in Si Salem et al. (IEEE/ACM ToN 2024); that their
    accuracy and speed stay those on COCO is an assumption, and the catalog's notes say so.

    Args:
        tasks: how many.
        replicas: copies of each model that one node may hold.
        variants: names of data/yolov4.csv; none means ten of its fourteen, those up to 640 pixels without the swish ones.
        processors: classes to give profiles for, of `BOARD_POWER_W`.
        quality: "ap50" (published for all) or "ap50_95" (variants without it are left out).
        scaled: where a variant was not run on a class, take its speed on another class times the mean ratio of the two
            classes over the variants published for both ("modelled"); otherwise it cannot run there.
        relative_speed: classes of your own -> their speed in speeds of the first of `processors` ("modelled … as declared");
            without published power, their energy is 0.
        memory: what a loaded model takes: "weights", the published size of the weights file, or "weights+activations":
            4 bytes for each parameter and each number that a layer puts out ("modelled"), as Darknet allocates; a larger
            input then takes more memory.
        size_scale: times that.
        request_bytes: an image on its way to the model; declared, about a JPEG of 416 x 416.
        response_bytes: boxes and classes on their way back; declared.

    Raises:
        UnknownNameError: an unknown variant, processor, quality or memory.
        InputError: a number is out of range, or a variant runs on none of the processors.

    Example:
        >>> catalog = yolov4(tasks=2, replicas=1)
        >>> len(catalog.models), catalog.models[0].name
        (20, 'task-1/yolov4-tiny-416')
    """
    table = _table()
    known = [row["variant"] for row in table]
    for v in variants:
        if v not in known:
            raise UnknownNameError("variant of yolov4", v, known)
    for p in processors:
        if p not in BOARD_POWER_W:
            raise UnknownNameError("processor class with published figures", p, BOARD_POWER_W)
    if not processors:
        raise InputError(f"'processors' is empty; name at least one of {', '.join(BOARD_POWER_W)}")
    if quality not in QUALITIES:
        raise UnknownNameError("quality", quality, QUALITIES)
    if memory not in MEMORIES:
        raise UnknownNameError("memory", memory, MEMORIES)
    if not 0 < size_scale < math.inf:
        raise InputError(f"'size_scale' must be above 0 and finite, got {size_scale}")
    declared = dict(relative_speed or {})
    for name, factor in declared.items():
        if name in BOARD_POWER_W:
            raise InputError(
                f"'relative_speed' names '{name}', which has published figures; list it in 'processors', "
                "or call your class something else"
            )
        if not 0 < factor < math.inf:
            raise InputError(f"'relative_speed' of '{name}' must be above 0 and finite, got {factor}")
    chosen = [row for row in table if row["variant"] in (variants or TEN) and row[quality]]
    if not chosen:
        raise InputError(f"'{quality}' was not published for {', '.join(variants)}; name other 'variants'")
    models = []
    for row in chosen:
        profiles = {p: found for p in processors if (found := _profile(row, p, scaled)) is not None}
        if (first := profiles.get(processors[0])) is not None:
            profiles |= {name: _declared(first, factor, processors[0]) for name, factor in declared.items()}
        if not profiles:
            raise InputError(
                f"'{row['variant']}' was not run on {', '.join(processors)}; add a processor, or leave it out of 'variants'"
            )
        size = round(_memory_bytes(row, memory) * size_scale)
        models.append(Model(row["variant"], "", size, float(row[quality]), profiles, row["variant"]))
    return with_replicas(
        for_tasks(
            models,
            tuple(Task(name, request_bytes, response_bytes) for name in task_names(tasks)),
            "yolov4",
            _notes(quality, memory, size_scale, request_bytes, response_bytes),
        ),
        replicas,
    )


@cache
def _table() -> tuple[dict[str, str], ...]:
    with (resources.files("placid.catalog") / "data" / "yolov4.csv").open(encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def _fps(row: dict[str, str], processor: str) -> float | None:
    cell = row[f"{processor.replace('-', '_')}_fps"]
    return float(cell) if cell else None


def _profile(row: dict[str, str], processor: str, scaled: bool) -> Profile | None:
    fps = _fps(row, processor)
    source = f"published: {_SOURCES['tkdnn' if processor in _TKDNN else 'darknet']}"
    if fps is None:
        if not scaled:
            return None
        found = _scaled(row, processor)
        if found is None:
            return None
        fps, ratio, other = found
        source = f"modelled: {ratio:.3g} x the published speed on {other}, the mean ratio of the two classes"
    # batch 1: what a frame takes is also what keeps the next one waiting
    power = BOARD_POWER_W[processor]
    return Profile(
        1.0 / fps, fps, power / fps, f"{source}; energy modelled: {power:g} W of board power x latency"
    )


def _declared(first: Profile, factor: float, processor: str) -> Profile:
    """The profile on a class that is `factor` times as fast as `processor`."""
    source = f"modelled: {factor:g} x the speed on {processor}, as declared; no energy is known"
    return Profile(first.latency_s / factor, first.capacity_per_s * factor, 0.0, source)


def _memory_bytes(row: dict[str, str], memory: str) -> int:
    if memory == "weights":
        return round(_BYTES_PER_MB * float(row["weights_mb"]))
    return _BYTES_PER_NUMBER * (int(row["parameters"]) + int(row["layer_outputs"])) + _HEADER_BYTES


def _scaled(row: dict[str, str], processor: str) -> tuple[float, float, str] | None:
    """(speed, ratio, class it was scaled from), from the class that shares most variants with `processor`."""
    best: tuple[int, float, float, str] | None = None
    for other in BOARD_POWER_W:
        here = _fps(row, other)
        if here is None or other == processor:
            continue
        ratios = [
            a / b
            for r in _table()
            if (a := _fps(r, processor)) is not None and (b := _fps(r, other)) is not None
        ]
        if ratios and (best is None or len(ratios) > best[0]):
            ratio = sum(ratios) / len(ratios)
            best = (len(ratios), here * ratio, ratio, other)
    return None if best is None else best[1:]


def _notes(
    quality: str, memory: str, size_scale: float, request_bytes: int, response_bytes: int
) -> tuple[str, ...]:
    what = "at an overlap of 0.5" if quality == "ap50" else "averaged over overlaps of 0.5 to 0.95"
    scale = f", times {size_scale:g} as declared" if size_scale != 1 else ""
    size = (
        f"A model's size is that of its weights file in MB, as published{scale or '; a loaded model takes more'}."
        if memory == "weights"
        else "A model's size is modelled: 4 bytes for each parameter and for each number that its layers put out for one "
        f"image, counted in the network descriptions of AlexeyAB/darknet{scale}."
    )
    return (
        f"Quality is COCO average precision {what}, as published ({_SOURCES['darknet']}); "
        "that it holds for every task is an assumption.",
        size,
        f"A request of {request_bytes:,} bytes and an answer of {response_bytes:,} bytes are declared, not measured.",
    )
