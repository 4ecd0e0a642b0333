"""Fits the ladders of the shipped networks with two exits, and records what their exits say of the test images.

    python papers/seifeddine-2021-hierarchical/calibrate.py [--zoo FOLDER] [--recorded FILE]

Needs CIFAR-10 (`placid data fetch cifar10`); a minute or two. The ladders come from the 5,000 calibration images alone and
go to offloading.json beside the zoo; recorded.npz holds, for each of the 10,000 test images and each exit, the calibrated
confidence and whether the answer is right, with what crosses coded as it travels.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from placid.catalog.variants import shipped_zoo
from placid.inference.scores import confidence
from placid.runtime.node.networks import Networks
from placid.splitting.data import load_dataset
from placid.splitting.exits.ladders import fit_ladder

HERE = Path(__file__).resolve().parent
VARIANTS = ("exits-stage1-stage2-joint", "exits-stage1-stage2-heads-only")


def logits_of(networks: Networks, variant: str, images: np.ndarray) -> list[np.ndarray]:
    """Of every exit and of the end, as they are where stages lie on different nodes."""
    found: list[list[np.ndarray]] = [[], [], []]
    for i in range(0, len(images), 50):
        given = list(images[i : i + 50])
        for place in range(3):
            crossed, logits = networks.outputs(variant, place, given)
            found[place].append(logits)
            if place < 2:
                chain = networks.runnable(variant)
                given = [chain.decode(place + 1, chain.encode(place + 1, t)) for t in crossed]
    return [np.concatenate(one) for one in found]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--zoo", type=Path, default=shipped_zoo())
    parser.add_argument("--recorded", type=Path, default=HERE / "recorded.npz")
    asked = parser.parse_args()
    data, networks = load_dataset("cifar10"), Networks(asked.zoo)
    ladders, recorded = [], {}
    for variant in VARIANTS:
        ladder = fit_ladder(
            variant, logits_of(networks, variant, data.calibration.images), data.calibration.labels
        )
        ladders.append(ladder.as_dict())
        tested = logits_of(networks, variant, data.test.images)
        recorded[f"{variant}/confidence"] = np.array(
            [confidence(x / t) for x, t in zip(tested, ladder.temperatures, strict=True)], np.float32
        )
        recorded[f"{variant}/right"] = np.array([x.argmax(1) == data.test.labels for x in tested])
        print(variant, ladder.temperatures, recorded[f"{variant}/right"].mean(1), file=sys.stderr)
    made = {"command": "python papers/seifeddine-2021-hierarchical/calibrate.py", "images": 5000}
    (asked.zoo / "offloading.json").write_text(json.dumps({"made": made, "ladders": ladders}) + "\n")
    np.savez_compressed(asked.recorded, **recorded)


if __name__ == "__main__":
    main()
