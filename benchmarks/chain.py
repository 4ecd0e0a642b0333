"""Segments run one after another against the whole network, in one process, in ONNX Runtime on one thread."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import nn

from benchmarks.table import Row
from placid.randomness import stream
from placid.splitting.measuring import Chain, export_onnx, quantise_static, time_together
from placid.splitting.nets import network_named

__all__ = ["run"]

BAR = 1.10
#: network -> name in `NETWORKS`, settings
NETWORKS: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "resnet9": ("resnet9", {}),
    "resnet20": ("resnet", {"depth": 20}),
}
#: the segments begin after these
CUTS: tuple[tuple[str, ...], ...] = (
    ("stem",),
    ("stage1",),
    ("stage2",),
    ("stage3",),
    ("stem", "stage2"),
    ("stage1", "stage2"),
    ("stage1", "stage3"),
    ("stage2", "stage3"),
)


def run(quick: bool) -> Iterator[Row]:
    """For every network and cut: the sum of its segments' latencies, and the chain, each over the whole network's."""
    torch.set_num_threads(1)
    runs = 8 if quick else 800
    images = stream(0, "chain").random((64, 3, 32, 32), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("resnet20",) if quick else tuple(NETWORKS):
            kind, settings = NETWORKS[name]
            made = _Files(Path(folder) / name, network_named(kind, settings, 0), images)
            cuts = (CUTS[1], CUTS[5]) if quick else CUTS
            yield from _rows(name, made, cuts, images[:1], runs, int8=False)
            yield from _rows(f"{name} in int8", made, cuts, images[:1], runs, int8=True)
            if not quick:
                yield _by_hand(name, made, ("stage1", "stage2"), images[:1], runs)


def _rows(
    name: str, made: _Files, cuts: Sequence[tuple[str, ...]], image: np.ndarray, runs: int, *, int8: bool
) -> Iterator[Row]:
    whole = Chain(made.files((), int8=int8))
    (alone,) = whole.steps(image)
    wanted = whole.run(image)[0]
    for cut in cuts:
        chain = Chain(made.files(cut, int8=int8))
        if not int8:  # in int8 a border is in floats, inside there are integers: near, not the same
            np.testing.assert_allclose(chain.run(image)[0], wanted, rtol=1e-3, atol=1e-4)
        works = {f"{i}": step for i, step in enumerate(chain.steps(image))}
        took = time_together(
            {
                "whole": alone,
                "whole run": partial(whole.run, image),
                "run": partial(chain.run, image),
                **works,
            },
            runs=runs,
        )
        total, one = sum(took[i].p50_s for i in works), took["whole"].p50_s
        together = took["run"].p50_s / took["whole run"].p50_s
        yield Row(
            f"{name} in {len(works)} segments, cut after {' and '.join(cut)}: sum of the segments "
            f"(one after another {together:.3f} of the whole)",
            f"{1e3 * total:.3f} ms",
            f"{1e3 * one:.3f} ms",
            "the whole network",
            one / total,
            "at most 10 % over the whole",
            total <= BAR * one,
        )


def _by_hand(name: str, made: _Files, cut: tuple[str, ...], image: np.ndarray, runs: int) -> Row:
    """What comes out without care: sessions as ONNX Runtime makes them, arrays from one to the next."""
    whole, *parts = (
        ort.InferenceSession(str(f), providers=["CPUExecutionProvider"])
        for f in (*made.files((), int8=False), *made.files(cut, int8=False))
    )

    def one_after_another() -> np.ndarray:
        tensor = image
        for part in parts:
            tensor = part.run(None, {part.get_inputs()[0].name: tensor})[0]
        return tensor

    works = {"whole": partial(whole.run, None, {"images": image}), "chain": one_after_another}
    took = time_together(works, runs=runs)
    total, one = took["chain"].p50_s, took["whole"].p50_s
    return Row(
        f"{name} in {len(parts)} segments without care: sessions with ONNX Runtime's own settings, whose pools of threads "
        f"spin beside each other",
        f"{1e3 * total:.3f} ms",
        f"{1e3 * one:.3f} ms",
        "the whole network, likewise",
        one / total,
    )


@dataclass
class _Files:
    """ONNX files of a network's segments, each made once."""

    folder: Path
    network: nn.Module
    images: np.ndarray

    def files(self, cut: tuple[str, ...], *, int8: bool) -> list[Path]:
        """Of the segments, in order."""
        children = [name for name, _ in self.network.named_children()]
        ends = [0, *(children.index(name) + 1 for name in cut), len(children)]
        return [self._file(start, end, int8) for start, end in pairwise(ends)]

    def _file(self, start: int, end: int, int8: bool) -> Path:
        assert isinstance(self.network, nn.Sequential)
        plain, small = (self.folder / f"{start}-{end}{kind}.onnx" for kind in ("", "-int8"))
        self.network.eval()
        with torch.no_grad():
            given = self.network[:start](torch.from_numpy(self.images)).contiguous()
        if not plain.exists():
            names = {0: "images", len(self.network): "logits"}
            export_onnx(
                self.network[start:end],
                given[:2],
                plain,
                input_names=[names.get(start, f"after {start}")],
                output_names=[names.get(end, f"after {end}")],
            )
        if int8 and not small.exists():
            quantise_static(plain, small, given.numpy())
        return small if int8 else plain
