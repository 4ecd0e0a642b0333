"""One training of the study and what came of it: rows of the results, kept once they are there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from settings import Training

from placid.errors import RunError
from placid.randomness import stream
from placid.splitting.data import Images, LabelledImages
from placid.splitting.ddnn import (
    DDNN,
    Design,
    DeviceMessages,
    JointTraining,
    Sent,
    answers_of,
    bytes_by_formula,
    choose_thresholds,
    outcome,
    sent_by,
    sets_of_failed,
)
from placid.splitting.training import fit

__all__ = ["COLUMNS", "LOSSES", "measure"]

COLUMNS = (
    "part", "local", "cloud", "filters", "overlap", "drop", "epochs", "seed", "lose", "failed", "split", "threshold",
    "local_accuracy", "cloud_accuracy", "accuracy", "left_locally", "bytes_formula", "bytes_wire", "bytes_wire_counts",
    "tile_bytes",
)  # fmt: skip

#: accuracy given up on the calibration images for more local answers; all rows but those of this sweep use the first
LOSSES = (0.0, 0.002, 0.005, 0.01)


def measure(
    training: Training, data: LabelledImages, out: Path, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Train it (or go on) and ask it about the test images with devices missing; rows with `COLUMNS`.

    The thresholds are chosen on calibration images with all devices there, and stay when devices fail.
    """
    folder = out / training.name
    kept = folder / "rows.json"
    about = json.loads(json.dumps(training.as_dict() | {"images": len(data.train)}))
    if kept.exists():
        found = json.loads(kept.read_text())
        if found["about"] == about:
            return [row | {"part": training.part} for row in found["rows"]]
    with torch.random.fork_rng():
        torch.manual_seed(training.recipe.seed)
        network = DDNN(training.design)

    def report(epoch: int, of: int, loss: float, seconds: float) -> None:
        say(f"{training.name}: epoch {epoch}/{of}, loss {loss:.4f}, {seconds:.0f} s")

    learner = JointTraining(network, training.weights, training.drop)
    fit(learner, data.train, training.recipe, folder, report=report)
    rows = _rows(training, network, data)
    scratch = kept.with_suffix(".tmp")
    scratch.write_text(json.dumps({"about": about, "rows": rows}))
    scratch.replace(kept)
    return [row | {"part": training.part} for row in rows]


def _rows(training: Training, network: DDNN, data: LabelledImages) -> list[dict[str, Any]]:
    on_calibration, on_test = sent_by(network, data.calibration), sent_by(network, data.test)
    _check_wire(network, on_test)
    chosen_on = answers_of(network, on_calibration)
    labels = data.calibration.labels
    (threshold,) = choose_thresholds(chosen_on, labels, lose=LOSSES[0])
    rows = [_row(training, chosen_on, data.calibration, "calibration", (), threshold, LOSSES[0])]
    whole = answers_of(network, on_test)
    for lose in LOSSES:
        (found,) = choose_thresholds(chosen_on, labels, lose=lose)
        rows.append(_row(training, whole, data.test, "test", (), found, lose))
    devices = network.design.tiles.devices
    # short trainings are compared with one device missing, the main ones with more and more
    most = devices if training.part == "main" else 2
    for count in range(1, most):
        for failed in sets_of_failed(devices, count, stream(0, "failed", count)):
            answers = answers_of(network, on_test, failed)
            rows.append(_row(training, answers, data.test, "test", failed, threshold, LOSSES[0]))
    return rows


def _row(
    training: Training,
    answers: np.ndarray,
    data: Images,
    split: str,
    failed: tuple[int, ...],
    threshold: float,
    lose: float,
) -> dict[str, Any]:
    found = outcome(answers, data.labels, [threshold])
    design = training.design
    filters, height, width = design.map_shape
    wires = {form: _sizes(design, form) for form in ("float32", "counts")}
    mean = {form: always + (1 - found.shares[0]) * asked for form, (always, asked) in wires.items()}
    return {
        "local": training.local,
        "cloud": training.cloud,
        "filters": training.filters,
        "overlap": training.overlap,
        "drop": training.drop,
        "epochs": training.recipe.epochs,
        "seed": training.recipe.seed,
        "lose": lose,
        "failed": " ".join(map(str, failed)),
        "split": split,
        "threshold": round(threshold, 6),
        "local_accuracy": round(found.exit_accuracy[0], 6),
        "cloud_accuracy": round(found.exit_accuracy[-1], 6),
        "accuracy": round(found.accuracy, 6),
        "left_locally": round(found.shares[0], 6),
        "bytes_formula": round(bytes_by_formula(design.classes, filters, height * width, found.shares[0]), 3),
        "bytes_wire": round(mean["float32"], 3),
        "bytes_wire_counts": round(mean["counts"], 3),
        "tile_bytes": design.tiles.raw_bytes,
    }


def _sizes(design: Design, form: str) -> tuple[int, int]:
    """Bytes of a device's two messages, headers included, as they are made: they do not depend on the image."""
    wire = DeviceMessages(design.classes, design.map_shape, form)
    sums, bits = np.zeros(design.classes, np.float32), np.ones(design.map_shape, np.float32)
    return len(wire.encode_sums(sums)), len(wire.encode_map(bits))


@torch.no_grad()
def _check_wire(network: DDNN, sent: Sent, images: int = 20) -> None:
    """That exits and cloud answer from real bytes as they do from tensors."""
    design = network.design
    for form in ("float32", "counts"):
        wire = DeviceMessages(design.classes, design.map_shape, form)
        sizes = _sizes(design, form)
        first = Sent(sent.sums[:images], sent.maps[:images])
        came = Sent(torch.zeros_like(first.sums), torch.zeros_like(first.maps))
        for i in range(len(first.sums)):
            for device in range(design.tiles.devices):
                said = wire.encode_sums(first.sums[i, device].numpy())
                seen = wire.encode_map(first.maps[i, device].numpy())
                if (len(said), len(seen)) != sizes:
                    raise RunError(f"messages of {len(said)} and {len(seen)} bytes, {sizes} were counted")
                came.sums[i, device] = torch.from_numpy(wire.decode_sums(said))
                came.maps[i, device] = torch.from_numpy(wire.decode_map(seen))
        if not torch.equal(network.receive(came), network.receive(first)):
            raise RunError(f"the answers from bytes ('{form}') are not those from tensors")
