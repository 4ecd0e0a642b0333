"""Zoos of the shape and the spread that a lab's has. Nothing in them is measured."""

from __future__ import annotations

from pathlib import Path

from placid.catalog.variants import Crossing, Exit, Segment, Timing, Variant, Zoo


def timing(seconds: float) -> Timing:
    return Timing(1.05 * seconds, seconds, 1.3 * seconds, 0.05 * seconds, 200)


def part(
    name: str, operations: float, size: float = 0, seconds: float | None = None, arithmetic: str = "float32"
) -> Segment:
    """A network, or with a size of 0 what is none."""
    seconds = operations / 2e10 + 5e-5 if seconds is None else seconds
    return Segment(
        name, f"{name}.onnx" if size else "", "ab" * 32 if size else "", int(size), int(operations),
        int(size + operations / 100), 65_536, timing(seconds), arithmetic,
    )  # fmt: skip


def sent(codec: str, mean: float, spread: float = 0.0, seconds: float = 1e-5) -> Crossing:
    return Crossing(
        codec,
        mean,
        mean * (1 + spread),
        int(mean * (1 + 2 * spread)) + 1,
        timing(seconds),
        timing(0.7 * seconds),
    )


def made(name: str, technique: str, accuracy: float, *parts: Segment | Crossing | Exit, network: str = "airbench",
         cut: str = "", told: dict[str, object] | None = None) -> Variant:  # fmt: skip
    return Variant(
        name=name,
        technique=technique,
        network=network,
        cut=cut,
        segments=tuple(p for p in parts if isinstance(p, Segment)),
        crossings=tuple(p for p in parts if isinstance(p, Crossing)),
        exits=tuple(p for p in parts if isinstance(p, Exit)),
        accuracy=accuracy,
        accuracy_low=accuracy - 0.005,
        accuracy_high=accuracy + 0.005,
        seed_accuracies=(accuracy,),
        made=told or {"seed": 0},
    )


def example_zoo(folder: Path) -> Zoo:
    """29 variants of every family."""
    whole, stage2 = part("whole", 250e6, 8.8e6), part("tail2", 130e6, 6.6e6)
    variants = [
        made("local-resnet8", "local", 0.821, part("all", 12.5e6, 330e3), network="resnet8"),
        made("remote-raw", "remote-raw", 0.925, part("take", 0), sent("raw", 3074, seconds=2e-6), whole),
        made("remote-png", "remote-png", 0.925, part("png", 153_600), sent("png", 2318, 0.12, 2e-4), whole),
        made("remote-webp-lossless", "remote-webp", 0.925, part("webp", 177_000), sent("webp", 1830, 0.2, 9e-4), whole),
    ]  # fmt: skip
    for quality, size, accuracy in (
        (10, 412, 0.748), (25, 498, 0.842), (50, 602, 0.887), (75, 741, 0.909), (90, 1079, 0.9205),
    ):  # fmt: skip
        name = f"remote-jpeg-{quality}"
        variants.append(
            made(name, "remote-jpeg", accuracy, part("jpeg", 27_600), sent("jpeg", size, 0.15, 4e-5), whole)
        )
    for quality, size, accuracy in ((10, 132, 0.71), (30, 226, 0.829), (50, 303, 0.873), (75, 421, 0.899)):
        name = f"remote-webp-{quality}"
        variants.append(
            made(name, "remote-webp", accuracy, part("webp", 150_000), sent("webp", size, 0.2, 2e-4), whole)
        )
    for stage, operations, places in (("stage1", 52e6, 12_288), ("stage2", 120e6, 12_288)):
        for bits, loss in ((32, 0.0), (8, 0.0005), (4, 0.011)):
            name, crossing = f"split-{stage}-{bits}bit", sent(f"{bits}bit", places * bits / 8 + 2)
            head, tail = (
                part("head", operations, operations / 60),
                part("tail", 250e6 - operations, 8.8e6 - operations / 60),
            )
            variants.append(made(name, "split", 0.925 - loss, head, crossing, tail, cut=stage))
    for name, technique, operations, size, spread, accuracy in (
        ("bottlefit-free-4x4bit", "bottlefit-free", 9.8e6, 130, 0.0, 0.9192),
        ("bottlefit-4x4bit", "bottlefit", 9.8e6, 130, 0.0, 0.9141),
        ("plain-4x4bit", "plain", 9.8e6, 130, 0.0, 0.9087),
        ("rebel-3x8bit", "rebel", 9.8e6, 194, 0.0, 0.9105),
        ("entropic-8x3e-4", "entropic", 9.9e6, 98, 0.3, 0.9197),
        ("entropic-8x1e-3", "entropic", 9.9e6, 61, 0.35, 0.9079),
        ("bottlefit-free-2x4bit", "bottlefit-free", 9.7e6, 66, 0.0, 0.9103),
        ("bottlefit-free-1x4bit", "bottlefit-free", 9.6e6, 34, 0.0, 0.884),
        ("bottlefit-free-4x4bit-tiny", "bottlefit-free", 1.3e6, 130, 0.0, 0.893),
        ("bottlefit-free-12x8bit", "bottlefit-free", 10.2e6, 770, 0.0, 0.9223),
    ):
        encoder = part("encoder", operations, 180e3)
        seconds = 4e-5 if technique == "entropic" else 1e-5
        crossing = sent("range" if technique == "entropic" else "packed", size, spread, seconds)
        variants.append(made(name, technique, accuracy, encoder, crossing, stage2, cut="stage2"))
    curve = [[0.2, 0.002], [0.4, 0.008], [0.6, 0.02], [0.8, 0.052], [1.0, 0.124]]
    late = [[0.2, 0.001], [0.4, 0.003], [0.6, 0.012], [0.8, 0.04], [1.0, 0.16]]
    variants += [
        made(
            "exits-stage1-stage2", "exits", 0.923, part("a", 53e6, 1e6), sent("8bit", 12_290),
            part("b", 70e6, 2e6), sent("8bit", 12_290), part("c", 130e6, 6e6),
            Exit(0, "learned", 0.9, 0.34, 0.985), Exit(1, "learned", 0.85, 0.33, 0.972),
            cut="stage1, stage2", told={"risk_coverage": [curve, late]},
        ),
        made(
            "bottlefit-early-exit", "bottlefit", 0.9165, part("encoder", 10.1e6, 190e3), sent("packed", 130), stage2,
            Exit(0, "confidence", 0.97, 0.41, 0.979), cut="stage2", told={"risk_coverage": [curve]},
        ),
    ]  # fmt: skip
    return Zoo(
        folder, "recognise", "cifar10", "a synthetic processor", 3072, tuple("abcdefghij"), tuple(variants)
    )


def lab_zoo(folder: Path) -> Zoo:
    """40 variants, named and shaped as labs/cifar10.yaml makes them; accuracies are invented."""
    network, whole = part("network", 33.1e6, 1.0e6, 1.4e-3), 0.931
    said = {"trained": {"command": "placid splits train labs/cifar10.yaml --out runs/cifar10", "commit": "0123456789ab"},
            "built": {"command": "placid catalog build labs/cifar10.yaml --trained runs/cifar10 --out zoo"},
            "seeds": [0, 1, 2]}  # fmt: skip
    variants = [
        made("local-resnet8", "local", 0.866, part("network", 12.5e6, 160e3, 5e-4), network="resnet", told=said),
        made("local-resnet8-int8", "local", 0.861, part("network", 12.5e6, 95e3, 4e-4, "int8"), network="resnet", told=said),
    ]  # fmt: skip
    for kind, size, spread, seconds, loss in (
        ("raw", 3072, 0.0, 1e-6, 0.0), ("png", 2318, 0.1, 3e-4, 0.0), ("webp-lossless", 1830, 0.2, 4e-3, 0.0),
        ("jpeg-10", 412, 0.05, 6e-5, 0.24), ("jpeg-25", 498, 0.08, 6e-5, 0.105), ("jpeg-50", 602, 0.1, 6e-5, 0.048),
        ("jpeg-75", 741, 0.12, 6e-5, 0.0231), ("jpeg-75-bare", 392, 0.2, 9e-5, 0.0231),
        ("jpeg-90", 1079, 0.15, 7e-5, 0.0072),
        ("webp-10", 132, 0.3, 4e-4, 0.28), ("webp-30", 226, 0.3, 4e-4, 0.12), ("webp-50", 303, 0.3, 5e-4, 0.066),
        ("webp-75", 421, 0.3, 5e-4, 0.035),
    ):  # fmt: skip
        technique = f"remote-{kind.partition('-')[0]}"
        camera = Segment("camera", "", "", 0, 0, 0, 0, timing(0.0))
        picture = sent(kind, size, spread, seconds)
        variants.append(made(f"remote-{kind}", technique, whole - loss, camera, picture, network, told=said))
    for cut, share, floats, losses in (
        ("stage1", 0.272, 7200, {8: 0.0003, 4: 0.0096}),
        ("stage2", 0.741, 6272, {32: 0.0, 16: 0.0, 8: 0.0001, 4: 0.0043, 2: 0.155}),
        ("stage3", 0.999, 1152, {8: 0.0, 4: 0.0007, 2: 0.0214}),
    ):
        for bits, loss in losses.items():
            head = part("head", 33.1e6 * share, 1e6 * share)
            tail = part("tail", 33.1e6 * (1 - share), 1e6 * (1 - share))
            technique, wire = (
                "split" if bits < 16 else "split-float",
                sent(f"{bits}bit", floats * bits / 8 + 2, seconds=3e-5),
            )
            variants.append(
                made(f"split-{cut}-{bits}bit", technique, whole - loss, head, wire, tail, cut=cut, told=said)
            )
    curve = [[0.001, 0.0]] + [[round(k / 50, 3), round(0.21 * (k / 50) ** 5, 5)] for k in range(1, 51)]
    late = [[0.001, 0.0]] + [[round(k / 50, 3), round(0.26 * (k / 50) ** 4, 5)] for k in range(1, 51)]
    variants.append(
        made(
            "exits-stage1-stage2-heads-only", "exits", 0.9291, part("part 1", 9.3e6, 70e3), sent("8bit", 7202),
            part("part 2", 15.7e6, 420e3), sent("8bit", 6274), part("part 3", 8.4e6, 600e3),
            Exit(0, "learned", 0.93, 0.287, 0.984), Exit(1, "learned", 0.9, 0.41, 0.991), cut="stage2",
            told=said | {"risk_coverage": [curve, late]},
        )
    )  # fmt: skip
    tail = part("decoder and tail", 17.4e6, 900e3)
    for name, operations, weights, size, spread, accuracy in (
        ("bottlefit-free-5x4bit", 8.1e6, 190e3, 125, 0.0, 0.9187),
        ("bottlefit-free-5x4bit-int8", 8.1e6, 110e3, 125, 0.0, 0.9169),
        ("entropic-8x3e-4", 8.2e6, 195e3, 101, 0.3, 0.9195), ("rebel-3x8bit", 8.1e6, 190e3, 149, 0.0, 0.9102),
        ("bottlefit-5x4bit", 8.1e6, 190e3, 125, 0.0, 0.9131), ("plain-5x4bit", 8.1e6, 190e3, 125, 0.0, 0.9088),
        ("bottlefit-free-3x4bit", 8.0e6, 189e3, 76, 0.0, 0.9117), ("bottlefit-free-1x4bit", 7.9e6, 188e3, 27, 0.0, 0.871),
        ("entropic-8x1e-3", 8.2e6, 195e3, 58, 0.35, 0.9053), ("bottlefit-free-5x4bit-small", 4.7e6, 125e3, 125, 0.0, 0.9121),
        ("bottlefit-free-5x4bit-tiny", 1.6e6, 45e3, 125, 0.0, 0.8921),
        ("bottlefit-free-12x8bit", 8.4e6, 199e3, 590, 0.0, 0.9238),
        ("bottlefit-free-10x2bit", 8.3e6, 197e3, 125, 0.0, 0.9171), ("entropic-8x1e-4", 8.2e6, 195e3, 188, 0.25, 0.9219),
    ):  # fmt: skip
        technique, seconds = (
            name[: name.rindex("-", 0, name.index("x"))],
            2.2e-4 if "entropic" in name else 2e-5,
        )
        arithmetic = "int8" if name.endswith("int8") else "float32"
        encoder = part("encoder", operations, weights, arithmetic=arithmetic)
        wire = sent("range" if technique == "entropic" else "packed", size, spread, seconds)
        variants.append(made(name, technique, accuracy, encoder, wire, tail, cut="stage2", told=said))
    return Zoo(
        folder, "cifar10-classification", "cifar10", "a synthetic processor", 3072, tuple("abcdefghij"), tuple(variants),
        ("Invented for tests: nothing here was trained or measured.",),
    )  # fmt: skip
