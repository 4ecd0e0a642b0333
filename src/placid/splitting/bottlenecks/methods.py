"""The published ways to train a bottleneck, as stages of one training: which parts learn, from what, how long."""

from __future__ import annotations

from dataclasses import dataclass

from placid.splitting.bottlenecks.learner import LossWeights

__all__ = ["METHODS", "Method", "Stage"]


@dataclass(frozen=True)
class Stage:
    """Some epochs with one loss.

    Attributes:
        trains: parts of the `SplitNetwork` that learn: "encoder", "codec", "decoder", "tail", "early"; the others are frozen
            and in evaluation mode.
        share: of the method's epochs.
    """

    trains: tuple[str, ...]
    weights: LossWeights
    share: float
    optimiser: str
    peak_rate: float
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Method:
    """How a bottleneck is trained.

    Attributes:
        early: the device gives a label of its own.
        source: where it comes from, and what differs there from here.
    """

    name: str
    stages: tuple[Stage, ...]
    early: bool = False
    source: str = ""

    @property
    def imitates(self) -> bool:
        """Whether it learns from the teacher's features."""
        return any(stage.weights.features > 0 for stage in self.stages)


_IMITATE = ("encoder", "codec", "decoder")
_EVERYTHING = (*_IMITATE, "tail")


def _imitation(weights: LossWeights, *more: str) -> Stage:
    return Stage((*_IMITATE, *more), weights, 0.3, "muon", 0.05)


def _finish(trains: tuple[str, ...], distilled: float, bits: float = 0.0) -> Stage:
    return Stage(trains, LossWeights(labels=1.0, distilled=distilled, bits=bits), 0.7, "muon", 0.05)


def plain() -> Method:
    """Cross-entropy of the labels through everything, from beginning to end: no teacher."""
    return Method(
        "plain",
        (Stage(_EVERYTHING, LossWeights(labels=1.0), 1.0, "muon", 0.1),),
        source="the baseline of BottleFit and SC2",
    )


def bottlefit(encoder_frozen: bool = True) -> Method:
    """Imitate the teacher's features, then learn the labels: BottleFit (Matsubara et al., WoWMoM 2022).

    ``Differs from the paper:`` fewer epochs, from an encoder that imitated without a bottleneck before; each feature error
    is relative to the teacher's mean square, so that one block does not outweigh another; the rates suit CIFAR-10.
    """
    return Method(
        "bottlefit" if encoder_frozen else "bottlefit-free",
        (
            _imitation(LossWeights(features=1.0)),
            _finish(("decoder", "tail") if encoder_frozen else _EVERYTHING, 0.5),
        ),
        source="Matsubara et al., BottleFit, WoWMoM 2022",
    )


def entropic(beta: float, encoder_frozen: bool = True) -> Method:
    """Imitate features and save bits; then encoder and prior are fixed and the rest learns: Entropic Student.

    Matsubara et al. (WACV 2022). ``Differs from the paper:`` as `bottlefit`, and `beta` weighs bits against the relative
    error of the features, so its size does not compare with theirs. With an encoder that is not frozen, which is ours, the
    second stage weighs bits against the labels.
    """
    return Method(
        "entropic" if encoder_frozen else "entropic-free",
        (
            _imitation(LossWeights(features=1.0, bits=beta)),
            _finish(("decoder", "tail"), 0.5) if encoder_frozen else _finish(_EVERYTHING, 0.5, beta),
        ),
        source="Matsubara et al., Supervised compression, WACV 2022",
    )


def rebel(features: float = 1.0, divergence: float = 2e-3, early: float = 0.2) -> Method:
    """A variational latent pulled to the Gaussian of its class, which labels early: REBEL (Castellano et al., 2022).

    ``Differs from the paper:`` as `bottlefit`; a second stage trains the receiver on what really crosses. The authors'
    weights (.01, 2, 2) stand on sums over other features; these are relative to ours.
    """
    return Method(
        "rebel",
        (
            _imitation(LossWeights(features=features, divergence=divergence, early=early), "early"),
            _finish(("decoder", "tail"), 0.5),
        ),
        early=True,
        source="Castellano et al., REBEL, ITC 2022",
    )


#: every method by name, with its usual settings
METHODS = {
    m.name: m
    for m in (
        plain(),
        *(bottlefit(encoder_frozen=frozen) for frozen in (True, False)),
        *(entropic(1e-3, encoder_frozen=frozen) for frozen in (True, False)),
        rebel(),
    )
}
