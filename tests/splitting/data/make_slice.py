"""Writes cifar10-test-1000.npz: the first 1,000 test images, as they are, and their labels.

placid data fetch cifar10
python tests/splitting/data/make_slice.py
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from placid.splitting.data import load_dataset

COUNT = 1000


def main() -> None:
    test = load_dataset("cifar10").test
    images, labels = test.images[:COUNT], test.labels[:COUNT]
    # one tall picture: PNG packs neighbouring pixels better than zip does
    out = io.BytesIO()
    Image.fromarray(images.reshape(-1, *images.shape[2:])).save(out, "PNG", optimize=True)
    file = Path(__file__).with_name("cifar10-test-1000.npz")
    np.savez(file, png=np.frombuffer(out.getvalue(), np.uint8), labels=labels)


if __name__ == "__main__":
    main()
