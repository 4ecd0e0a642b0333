"""Writes pictures.npz of the shipped zoo: the first 1,000 test images of CIFAR-10, as they are, and their labels.

placid data fetch cifar10
python scripts/make_pictures.py
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from placid.catalog.variants import shipped_zoo
from placid.splitting.data import load_dataset

COUNT = 1000


def main() -> None:
    test = load_dataset("cifar10").test
    images, labels = test.images[:COUNT], test.labels[:COUNT]
    # one tall picture: PNG packs neighbouring pixels better than zip does
    out = io.BytesIO()
    Image.fromarray(images.reshape(-1, *images.shape[2:])).save(out, "PNG", optimize=True)
    file = shipped_zoo() / "pictures.npz"
    np.savez(file, png=np.frombuffer(out.getvalue(), np.uint8), labels=labels)


if __name__ == "__main__":
    main()
