"""The one loss of all bottleneck methods: a weighted sum whose weights are the method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from placid.splitting.codecs import Variational
from placid.splitting.training.classifier import distillation_loss

if TYPE_CHECKING:
    from placid.splitting.bottlenecks.early import GaussianLabels
    from placid.splitting.bottlenecks.network import SplitNetwork
    from placid.splitting.bottlenecks.teacher import Teacher

__all__ = ["BottleneckLearner", "LossWeights"]


@dataclass(frozen=True)
class LossWeights:
    """What a stage of training minimises; a weight of 0 leaves a term out, with all that it would cost to compute.

    Attributes:
        features: squared error of the decoder's output and of each later part's, each relative to the mean square of the
            teacher's.
        labels: cross-entropy of the last exit, beside the teacher's answers if `distilled`.
        distilled: share of the teacher's answers in `labels` (temperature 1).
        bits: each bit that an input takes, by the codec's own account.
        divergence: nats of the latent from the early classifier's Gaussian of the true class.
        early: cross-entropy of the early label.
    """

    features: float = 0.0
    labels: float = 0.0
    distilled: float = 0.0
    bits: float = 0.0
    divergence: float = 0.0
    early: float = 0.0


class BottleneckLearner(nn.Module):
    """A `SplitNetwork` with its loss, for `training.fit`.

    Args:
        network: what is trained; freeze what shall not be (`requires_grad_(False)`): it then also stays in evaluation mode.
        teacher: whom to imitate; needed for `features` and `distilled`.
    """

    def __init__(self, network: SplitNetwork, weights: LossWeights, teacher: Teacher | None = None) -> None:
        super().__init__()
        self.network = network
        self.weights = weights
        self._teacher = (teacher,)  # in a tuple, so that its weights are not this module's

    def train(self, mode: bool = True) -> BottleneckLearner:
        super().train(mode)
        for part in self.network.children():
            trained = [p.requires_grad for p in part.parameters()]
            if trained and not any(trained):
                part.eval()
        return self

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        w, network = self.weights, self.network
        latents = network.encoder(images).float()
        with _exactly(latents):
            sent, bits = network.codec(latents)
        total = sent.new_zeros(())
        if w.features or w.labels:
            features = [network.decoder(sent)]
            # parts after the decoder are run only if something is asked of them
            wanted = len(network.tail) - (0 if w.labels else 1)
            for part in list(network.tail)[:wanted]:
                features.append(part(features[-1]))
            if w.features:
                pairs = list(zip(features, self._asked().answers(images), strict=False))[: len(network.tail)]
                total = total + w.features * torch.stack([_relative_error(a, b) for a, b in pairs]).sum()
            if w.labels and w.distilled:
                answer = self._asked().logits(images)
                total = total + w.labels * distillation_loss(
                    features[-1].float(), answer.float(), labels, w.distilled
                )
            elif w.labels:
                total = total + w.labels * F.cross_entropy(features[-1].float(), labels)
        if w.bits:
            total = total + w.bits * bits.mean()
        early: GaussianLabels | None = network.early  # type: ignore[assignment]
        if w.divergence and early is not None and isinstance(network.codec, Variational):
            centre = early.centres()[labels].view_as(latents)
            total = total + w.divergence * network.codec.divergence(latents, centre).mean()
        if w.early and early is not None:
            with _exactly(sent):
                total = total + w.early * F.cross_entropy(early(sent), labels)
        return total

    def _asked(self) -> Teacher:
        if self._teacher[0] is None:
            raise ValueError("this loss imitates a teacher, and none was given")
        return self._teacher[0]


def _exactly(numbers: Tensor) -> torch.autocast:
    """In 32 bits whatever the training's precision: what is rounded to symbols must be what the device will round."""
    return torch.autocast(numbers.device.type, enabled=False)


def _relative_error(found: Tensor, wanted: Tensor) -> Tensor:
    found, wanted = found.float(), wanted.float()
    return F.mse_loss(found, wanted) / wanted.square().mean().clamp_min(1e-8)
