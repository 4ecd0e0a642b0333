"""The YOLOv4 family of object detectors, from published figures.

``data/yolov4.csv`` holds what was published, nothing else. What a scenario needs beyond that (a class on which a variant
was not run, energy) is modelled, and the profile's source says so in its first word.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib import resources

from placid.catalog.models import Catalog, Model, Profile, Task
from placid.catalog.replicas import for_tasks, task_names, with_replicas
from placid.errors import InputError, UnknownNameError

__all__ = ["BOARD_POWER_W", "QUALITIES", "yolov4"]

#: processor class -> board power in watts as its vendor states it; energy is this times latency, an upper estimate
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
    size_scale: float = 1.0,
    request_bytes: int = 60_000,
    response_bytes: int = 1_000,
) -> Catalog:
    """Ten detectors around YOLOv4 for each task, with published accuracy, speed and size.

    A task stands for the same family trained on other classes, as in Si Salem et al. (IEEE/ACM ToN 2024); that their
    accuracy and speed stay those on COCO is an assumption, and the catalog's notes say so.

    Args:
        tasks: how many.
        replicas: copies of each model that one node may hold.
        variants: names of data/yolov4.csv; none means all ten.
        processors: classes to give profiles for, of `BOARD_POWER_W`.
        quality: "ap50" (published for all ten) or "ap50_95" (variants without it are left out).
        scaled: where a variant was not run on a class, take its speed on another class times the mean ratio of the two
            classes over the variants published for both ("modelled"); otherwise it cannot run there.
        size_scale: memory that a loaded model takes, in sizes of its weights file. 1 is the least possible; frameworks add
            buffers, which no source gives for all variants.
        request_bytes: an image on its way to the model; declared, about a JPEG of 416 x 416.
        response_bytes: boxes and classes on their way back; declared.

    Raises:
        UnknownNameError: an unknown variant, processor or quality.
        InputError: a count below 1, or a variant that runs on none of the processors.

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
    if not size_scale > 0:
        raise InputError(f"'size_scale' must be above 0, got {size_scale}")
    chosen = [row for row in table if (not variants or row["variant"] in variants) and row[quality]]
    models = []
    for row in chosen:
        profiles = {p: found for p in processors if (found := _profile(row, p, scaled)) is not None}
        if not profiles:
            raise InputError(
                f"'{row['variant']}' was not run on {', '.join(processors)}; add a processor, or leave it out of 'variants'"
            )
        size = round(int(row["weights_bytes"]) * size_scale)
        models.append(Model(row["variant"], "", size, float(row[quality]), profiles, row["variant"]))
    return with_replicas(
        for_tasks(
            models,
            tuple(Task(name, request_bytes, response_bytes) for name in task_names(tasks)),
            "yolov4",
            _notes(quality, size_scale, request_bytes, response_bytes),
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


def _notes(quality: str, size_scale: float, request_bytes: int, response_bytes: int) -> tuple[str, ...]:
    what = "at an overlap of 0.5" if quality == "ap50" else "averaged over overlaps of 0.5 to 0.95"
    return (
        f"Quality is COCO average precision {what}, as published ({_SOURCES['darknet']}); "
        "that it holds for every task is an assumption.",
        "A model's size is that of its weights file, as published"
        + (f", times {size_scale:g} as declared." if size_scale != 1 else "; a loaded model takes more."),
        f"A request of {request_bytes:,} bytes and an answer of {response_bytes:,} bytes are declared, not measured.",
    )
