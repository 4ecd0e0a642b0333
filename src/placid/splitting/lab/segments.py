"""The ONNX files of a variant: from trained weights to what nodes store and run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from placid.inference.inputs import network_input
from placid.splitting.bottlenecks.network import DeviceSide, ServerSide, SplitNetwork
from placid.splitting.lab.outcome import Run
from placid.splitting.measuring import compact_weights, export_onnx, open_session, quantise_static, run

if TYPE_CHECKING:
    from torch import nn

    from placid.splitting.data import Images

__all__ = ["Files", "runner"]

#: calibration images that int8 ranges and codec ranges are chosen from
SAMPLE = 512


def runner(file: Path) -> Run:
    """The network in `file` as a function."""
    session = open_session(file)
    return lambda *arrays: run(session, *arrays)


@dataclass(frozen=True)
class Files:
    """Writes segments into one folder; what is written twice under one name is written once.

    Weights are kept in 16 bits; those of a bottleneck's server side in 8, since every bottleneck has its own. Accuracies
    are measured on these very files.
    """

    folder: Path
    calibration: Images

    @property
    def sample(self) -> np.ndarray:
        """float32 [n, channels, height, width]: calibration images."""
        return network_input(self.calibration.images[:SAMPLE])

    def whole(self, name: str, network: nn.Module) -> Path:
        """A network that takes images and gives logits."""
        return self._write(name, network, self.sample[:2], ["logits"], 16)

    def parts(self, name: str, modules: Sequence[nn.Module]) -> list[Path]:
        """Segments that take what the one before gives; those with an exit give logits beside."""
        files: list[Path] = []
        given = self.sample[:64]
        for place, module in enumerate(modules):
            last = place == len(modules) - 1
            with torch.no_grad():
                out = module.eval()(torch.from_numpy(given))
            outputs = (
                ["logits"] if last else ["crossing", "logits"][: len(out) if isinstance(out, tuple) else 1]
            )
            files.append(self._write(f"{name}-{place + 1}", module, given[:2], outputs, 16))
            given = (out[0] if isinstance(out, tuple) else out).numpy()
        return files

    def sides(self, name: str, network: SplitNetwork) -> tuple[Path, Path]:
        """Device and server of a bottleneck: images to symbols, symbols to logits."""
        device, server = DeviceSide(network).eval(), ServerSide(network).eval()
        outputs = ["symbols"] if network.early is None else ["symbols", "logits"]
        first = self._write(f"{name}-device", device, self.sample[:8], outputs, 16)
        symbols = runner(first)(self.sample[:8])[0]
        return first, self._write(f"{name}-server", server, symbols, ["logits"], 8)

    def int8(self, name: str, module: nn.Module, outputs: Sequence[str]) -> Path:
        """`module`, which takes images, with whole numbers of eight bits inside."""
        file = self.folder / f"{name}.onnx"
        exact = self.folder / f"{name}-exact.onnx"
        self._export(exact, module, self.sample[:8], outputs)
        try:
            quantise_static(exact, file, self.sample)
        finally:
            exact.unlink(missing_ok=True)
        return file

    def _write(
        self, name: str, module: nn.Module, example: np.ndarray, outputs: Sequence[str], bits: int
    ) -> Path:
        file = self.folder / f"{name}.onnx"
        self._export(file, module, example, outputs)
        compact_weights(file, bits)
        return file

    def _export(self, file: Path, module: nn.Module, example: np.ndarray, outputs: Sequence[str]) -> None:
        taken = "images" if example.shape[1:] == self.sample.shape[1:] else "crossing"
        if example.dtype == np.uint8:
            taken = "symbols"
        names = [taken if taken not in outputs else f"{taken}_in"]
        export_onnx(
            module, torch.from_numpy(example).clone(), file, input_names=names, output_names=list(outputs)
        )
