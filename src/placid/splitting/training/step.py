"""One step of training: the loss, its gradients, and the optimiser's move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import torch

from placid.splitting.training.muon import Muon

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Learner", "Step"]

#: steps before the recording: what libraries choose and set aside at first must be there by then
_BEFORE = 3


class Learner(Protocol):
    """Something that can be trained: a module that knows its own loss.

    What of it is trained is what requires a gradient. `loss` takes images float32 [batch, channels, height, width] in [0, 1]
    and labels int64 [batch]. What it draws it draws where the images are, and it asks for no number from there: its work on
    a GPU may be recorded (`Step`).
    """

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """A scalar, to be made small."""
        ...


class Step:
    """A step of one training, taken again and again on batches of one size.

    On a GPU the kernels of a step are recorded once and then replayed together (a CUDA graph), where the optimiser allows
    for it (`Muon`): networks as small as these are computed in less time than it takes to ask for it kernel by kernel.

    Args:
        learner: a `Learner`, on `device`.
        precision: as in `Recipe`.
    """

    def __init__(
        self, learner: nn.Module, optimiser: torch.optim.Optimizer, precision: str, device: torch.device
    ) -> None:
        self.learner, self.optimiser, self.precision, self.device = learner, optimiser, precision, device
        self._graph: torch.cuda.CUDAGraph | None = None
        self._taken = 0
        self._recorded = device.type == "cuda" and isinstance(optimiser, Muon)
        if self._recorded:
            for group in optimiser.param_groups:
                # a number would be recorded as it is now
                group["lr"] = torch.as_tensor(group["lr"], dtype=torch.float32, device=device)

    def __call__(self, images: Tensor, labels: Tensor, rate: float) -> Tensor:
        """The loss before the step, a scalar on the device; the next call overwrites it."""
        for group in self.optimiser.param_groups:
            if self._recorded:
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        if not self._recorded:
            return self.now(images, labels)
        self._taken += 1
        if self._taken <= _BEFORE:
            return self._beside(images, labels)
        if self._graph is None:
            self._images, self._labels = images.clone(), labels.clone()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._loss = self.now(self._images, self._labels)
        self._images.copy_(images)
        self._labels.copy_(labels)
        self._graph.replay()
        return self._loss

    def now(self, images: Tensor, labels: Tensor) -> Tensor:
        """The step with the rate as it is, kernel by kernel."""
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(
            self.device.type,
            torch.bfloat16,
            enabled=self.precision == "bfloat16",
            cache_enabled=not self._recorded,
        ):
            loss = cast("Learner", self.learner).loss(images, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return loss.detach()

    def _beside(self, images: Tensor, labels: Tensor) -> Tensor:
        """On a stream of its own, as everything that is to be recorded later must have run before."""
        stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream):
            loss = self.now(images, labels)
        torch.cuda.current_stream(self.device).wait_stream(stream)
        return loss
