"""A zoo of few variants with numbers that are easy to reckon with. Nothing in it was trained or measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from placid.catalog.variants import Crossing, Exit, Segment, Timing, Variant, Zoo, write_zoo

__all__ = ["CURVE", "paper_zoo"]

#: of REBEL's early label: share answered, error rate of it
CURVE = [[0.1, 0.0], [0.3, 0.01], [0.5, 0.05], [1.0, 0.25]]


def timing(seconds: float) -> Timing:
    return Timing(seconds, 0.9 * seconds, 1.3 * seconds, 0.05 * seconds, 200)


def part(name: str, operations: int, size: int, seconds: float) -> Segment:
    return Segment(name, f"{name}.onnx", f"{name}{size}", size, operations, 2 * size, 65_536, timing(seconds))


def sent(size: float, spread: float = 0.0, seconds: float = 2e-5) -> Crossing:
    most = size * (1 + 2 * spread)
    return Crossing("a codec", size, size * (1 + spread), int(most), timing(seconds), timing(seconds / 2))


def variant(
    name: str,
    technique: str,
    accuracies: Sequence[float],
    segments: Sequence[Segment],
    crossings: Sequence[Crossing] = (),
    exits: Sequence[Exit] = (),
    **made: Any,
) -> Variant:
    mean = sum(accuracies) / len(accuracies)
    told = {
        "seeds": list(range(len(accuracies))),
        "built": {"command": "placid catalog build a-lab.yaml"},
    } | made
    return Variant(
        name, technique, "airbench", "stage2" if crossings else "", tuple(segments), tuple(crossings), tuple(exits),
        mean, mean - 0.005, mean + 0.005, tuple(accuracies), told,
    )  # fmt: skip


def paper_zoo(folder: Path, *, early: bool = True) -> Zoo:
    """Written into `folder`; without `early` REBEL's label is not in use."""
    whole = part("network", 33_000_000, 1_000_000, 1.5e-3)
    camera = Segment("camera", "", "", 0, 0, 0, 0, timing(0.0))
    encoder, tail = part("encoder", 8_000_000, 190_000, 4e-4), part("tail", 17_000_000, 900_000, 9e-4)
    variants = [
        variant("remote-raw", "remote-raw", (0.93, 0.94, 0.92), (camera, whole), (sent(3072, seconds=1e-6),)),
        variant("remote-png", "remote-png", (0.93, 0.94, 0.92), (camera, whole), (sent(2300, 0.1, 3e-4),)),
        variant("remote-jpeg-50", "remote-jpeg", (0.88, 0.89, 0.87), (camera, whole), (sent(600, 0.1, 6e-5),)),
        variant("remote-jpeg-75", "remote-jpeg", (0.908, 0.918, 0.898), (camera, whole), (sent(740, 0.1, 6e-5),)),
        variant("remote-jpeg-75-bare", "remote-jpeg", (0.908, 0.918, 0.898), (camera, whole), (sent(392, 0.2, 9e-5),)),
        # better than the widest bottleneck on the mean of three seeds, worse on the one that both have
        variant("remote-jpeg-90", "remote-jpeg", (0.9259, 0.9365, 0.9165), (camera, whole), (sent(1080, 0.1, 7e-5),)),
        variant("remote-webp-10", "remote-webp", (0.65, 0.66, 0.64), (camera, whole), (sent(132, 0.3, 4e-4),)),
        variant("split-stage2-8bit", "split", (0.9295, 0.9395, 0.9195), (part("head", 24_000_000, 740_000, 1e-3),
                part("rest", 9_000_000, 260_000, 4e-4)), (sent(6274),)),
        variant("split-stage3-8bit", "split", (0.93, 0.94, 0.92), (part("most", 32_967_000, 999_000, 1.4e-3),
                part("last", 33_000, 1_000, 1e-5)), (sent(1154),)),
    ]  # fmt: skip
    for name, technique, size, accuracies, epochs in (
        ("bottlefit-free-5x4bit", "bottlefit-free", 125, (0.925, 0.93, 0.917), 10),
        ("bottlefit-5x4bit", "bottlefit", 125, (0.916,), 8),
        ("plain-5x4bit", "plain", 125, (0.909,), 10),
        ("bottlefit-free-1x4bit", "bottlefit-free", 27, (0.87,), 8),
        ("bottlefit-free-12x8bit", "bottlefit-free", 590, (0.926,), 8),
    ):
        spec = {"epochs": epochs, "encoder": "medium"}
        variants.append(variant(name, technique, accuracies, (encoder, tail), (sent(size),), spec=spec))
    for name, size, accuracy in (("entropic-8x1e-3", 58, 0.905), ("entropic-8x1e-4", 188, 0.9265)):
        variants.append(variant(name, "entropic", (accuracy,), (encoder, tail), (sent(size, 0.3, 2e-4),)))
    exits = (Exit(0, "learned", 0.97, 0.4, 0.99),) if early else ()
    about = {"risk_coverage": [CURVE], "accuracy_without_exits": 0.913} if early else {}
    variants.append(variant("rebel-3x8bit", "rebel", (0.912,), (encoder, tail), (sent(149),), exits, **about))
    folder.mkdir(parents=True, exist_ok=True)
    classes = tuple("abcdefghij")
    zoo = Zoo(folder, "recognise", "cifar10", "a made-up processor", 3072, classes, tuple(variants))
    write_zoo(zoo)
    return zoo
