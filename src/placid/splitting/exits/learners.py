"""Ways to train exits: all together with the network, or the heads alone on a network that stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from placid.errors import InputError
from placid.splitting.training.classifier import Frozen, distillation_loss

if TYPE_CHECKING:
    from torch import Tensor

    from placid.splitting.exits.branched import Branched

__all__ = ["HeadsOnly", "JointExits", "early_heavy", "serving_weights"]


def early_heavy(exits: int) -> tuple[float, ...]:
    """1 for the first exit, 0.3 for each other: what BranchyNet found about a point better than equal weights."""
    return (1.0,) + (0.3,) * (exits - 1)


def serving_weights(shares: Sequence[float], *, floor: float = 0.05) -> tuple[float, ...]:
    """Each exit weighted by the share of inputs it answers, at least `floor`; they sum to the number of exits.

    After the inference-aware training of Kaplan et al. (arXiv 2405.04249, 2024). Without a floor an exit that serves nobody
    learns nothing, and will never serve anybody.
    """
    if any(not 0 <= s <= 1 for s in shares) or abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"shares of exits lie in [0, 1] and sum to 1, got {list(shares)}")
    raised = [max(floor, s) for s in shares]
    return tuple(len(shares) * r / sum(raised) for r in raised)


class JointExits(nn.Module):
    """All exits and the network learn together, for `training.fit`: sum over exits of weight x cross-entropy.

    BranchyNet (Teerapittayanon et al., ICPR 2016, eq. 1): start from the trained network without exits.

    Args:
        weights: of each exit's loss, the network's own end last; `early_heavy` if not given.
        teacher: the network as it was, whom every exit imitates beside its labels; it is left as it is. Not in BranchyNet.
        distilled: share of each loss that imitates the teacher.
        temperature: of that imitation.
    """

    def __init__(
        self,
        network: Branched,
        weights: Sequence[float] | None = None,
        *,
        teacher: nn.Module | None = None,
        distilled: float = 0.0,
        temperature: float = 2.0,
    ) -> None:
        super().__init__()
        if not 0 <= distilled <= 1 or (distilled > 0 and teacher is None):
            raise InputError(
                f"the distilled share lies in [0, 1], and above 0 needs a teacher, got {distilled}",
                where="exits",
            )
        self.network = network
        self.teacher = None if teacher is None else Frozen(teacher)
        self.distilled, self.temperature = distilled, temperature
        self.weights = tuple(early_heavy(len(network)) if weights is None else weights)
        if len(self.weights) != len(network) or min(self.weights) < 0:
            raise InputError(
                f"{len(network)} exits need as many weights of at least 0, got {list(self.weights)}",
                where="exits",
            )

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        given = [logits.float() for logits in self.network(images)]
        if self.teacher is None or not self.distilled:
            losses = [F.cross_entropy(logits, labels) for logits in given]
        else:
            asked = self.teacher(images).float()
            losses = [
                distillation_loss(logits, asked, labels, self.distilled, self.temperature) for logits in given
            ]
        return torch.stack([w * part for w, part in zip(self.weights, losses, strict=True)]).sum()


class HeadsOnly(nn.Module):
    """The heads learn, the network stays as it is to the bit, normalisation statistics too; for `training.fit`.

    Shallow-Deep Networks (Kaya et al., ICML 2019). Every head has a loss of its own, so they learn as if each were alone.
    The full network's answer and its accuracy do not change: what is deployed already stays untouched.

    Args:
        distilled: share of each head's loss that imitates the network's own end; 0 leaves the rest of the network out, and
            saves its time.
        temperature: of that imitation.
    """

    def __init__(self, network: Branched, distilled: float = 0.0, temperature: float = 2.0) -> None:
        super().__init__()
        if not 0 <= distilled <= 1:
            raise InputError(f"the distilled share lies in [0, 1], got {distilled}", where="exits")
        self.network = network
        self.distilled, self.temperature = distilled, temperature
        network.network.requires_grad_(False)

    def train(self, mode: bool = True) -> HeadsOnly:
        super().train(mode)
        self.network.network.eval()
        return self

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        given, teacher = self._frozen(images)
        losses = []
        for name, features in given.items():
            logits = self.network.heads[name](features).float()
            if teacher is None:
                losses.append(F.cross_entropy(logits, labels))
            else:
                losses.append(distillation_loss(logits, teacher, labels, self.distilled, self.temperature))
        return torch.stack(losses).sum()

    @torch.no_grad()
    def _frozen(self, images: Tensor) -> tuple[dict[str, Tensor], Tensor | None]:
        """What reaches each head, and the network's own answer if it is imitated."""
        given, features = {}, images
        for name, child in self.network.network.named_children():
            features = child(features)
            if name in self.network.heads:
                given[name] = features
                if not self.distilled and len(given) == len(self.network.after):
                    return given, None
        return given, features.float()
