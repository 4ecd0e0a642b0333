"""The plain way to train a network: cross-entropy against the labels, or beside a teacher's answers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from placid.splitting.training.batches import as_input
from placid.splitting.training.device import placed

if TYPE_CHECKING:
    from placid.splitting.data import Images

__all__ = ["Classifier", "Distilled", "Ensemble", "Frozen", "accuracy", "distillation_loss", "logits_of"]


class Classifier(nn.Module):
    """A network that is trained on labels.

    Args:
        smoothing: share of the wanted answer that is spread evenly over all classes (Szegedy et al., 2016).
    """

    def __init__(self, network: nn.Module, smoothing: float = 0.0) -> None:
        super().__init__()
        self.network = network
        self.smoothing = smoothing

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self.network(images).float(), labels, label_smoothing=self.smoothing)


class Distilled(nn.Module):
    """A student that is trained on labels and on what a teacher, which does not change, answers.

    Args:
        share: of the teacher's part in the loss.
        temperature: both answers are softened by it (Hinton et al., 2015).
    """

    def __init__(
        self, student: nn.Module, teacher: nn.Module, share: float = 0.5, temperature: float = 1.0
    ) -> None:
        super().__init__()
        self.network = student
        self.teacher = Frozen(teacher)
        self.share, self.temperature = share, temperature

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        asked = self.teacher(images).float()
        return distillation_loss(self.network(images).float(), asked, labels, self.share, self.temperature)


class Ensemble(nn.Module):
    """Several networks that answer as one: the mean of their logits.

    A better teacher than each of them (Hinton et al., 2015), at as many times the cost.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        return torch.stack([member(images) for member in self.members]).mean(0)


class Frozen:
    """A network that is asked but neither trained, saved nor put into training mode.

    Where the images are on another device than the network, a copy there is asked; the network stays where it is.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self._elsewhere: dict[torch.device, nn.Module] = {}

    def __call__(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            answer: Tensor = self._on(images.device).eval()(images)
        return answer

    def _on(self, device: torch.device) -> nn.Module:
        if device.type == "cpu":
            return self.network
        if device not in self._elsewhere:
            self._elsewhere[device] = copy.deepcopy(self.network).to(device)
        return self._elsewhere[device]


def distillation_loss(
    student: Tensor, teacher: Tensor, labels: Tensor, share: float = 0.5, temperature: float = 1.0
) -> Tensor:
    """(1 - share) cross-entropy + share T^2 KL(teacher || student), both softened by temperature T (Hinton et al., 2015)."""
    soft = F.kl_div(
        F.log_softmax(student / temperature, 1),
        F.log_softmax(teacher / temperature, 1),
        reduction="batchmean",
        log_target=True,
    )
    return (1 - share) * F.cross_entropy(student, labels) + share * temperature**2 * soft


@torch.no_grad()
def logits_of(
    network: nn.Module, data: Images, batch: int = 500, *, device: torch.device | None = None
) -> np.ndarray:
    """float32 [n, classes]: what `network` answers to every image, in evaluation mode.

    Args:
        device: where; the network comes back on the processor, which is also the default.
    """
    there = torch.device("cpu") if device is None else device
    network.eval()
    with placed(network, there):
        answers = [
            network(as_input(torch.from_numpy(data.images[i : i + batch]).to(there))).cpu().numpy()
            for i in range(0, len(data), batch)
        ]
    return np.concatenate(answers)


def accuracy(network: nn.Module, data: Images, *, device: torch.device | None = None) -> float:
    """Share of `data` that `network` labels rightly; `device` as for `logits_of`."""
    return float((logits_of(network, data, device=device).argmax(1) == data.labels).mean())
