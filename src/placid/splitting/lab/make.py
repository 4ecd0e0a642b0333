"""The networks of a lab's variants, with fresh weights: made alike for training and for what comes after."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from placid.errors import InputError
from placid.splitting.bottlenecks.early import GaussianLabels
from placid.splitting.bottlenecks.ends import decoder, encoder, latent_size
from placid.splitting.bottlenecks.methods import METHODS, Method, entropic
from placid.splitting.bottlenecks.network import SplitNetwork
from placid.splitting.bottlenecks.parting import parted
from placid.splitting.bottlenecks.teacher import Teacher
from placid.splitting.codecs import Codec, Entropic, Floats, Uniform, Variational
from placid.splitting.exits import Branched, heads_for
from placid.splitting.nets.airbench import start_from
from placid.splitting.training.batches import as_input

if TYPE_CHECKING:
    from placid.splitting.data import LabelledImages
    from placid.splitting.lab.spec import Bottleneck, Exits

__all__ = ["branched", "imitation_start", "method_of", "split_network", "teacher_parts"]

#: channels of the wide latent that every bottleneck of one cut and encoder starts from
_WIDE = 16


def method_of(variant: Bottleneck) -> Method:
    """How `variant` is trained."""
    if variant.priced:
        return entropic(variant.beta, encoder_frozen=variant.method == "entropic")
    return METHODS[variant.method]


def teacher_parts(
    network: nn.Module,
    cut: str,
    data: LabelledImages,
    folder: Path | None = None,
    answering: nn.Module | None = None,
) -> Teacher:
    """`network` in the parts that a bottleneck before `cut` imitates; see `Teacher` for `folder` and `answering`."""
    head, tail = parted(network, cut, as_input(data.train.images[:2]).contiguous())
    return Teacher(head, tail, folder, answering)


def split_network(variant: Bottleneck, network: nn.Module, data: LabelledImages, seed: int) -> SplitNetwork:
    """The bottleneck of `variant` in a copy of `network`; new weights are drawn from `seed`."""
    return _make(variant, network, data, seed, variant.channels, _codec)


def imitation_start(variant: Bottleneck, network: nn.Module, data: LabelledImages, seed: int) -> SplitNetwork:
    """`split_network` with a wide latent and nothing done to it: what all bottlenecks of this cut and encoder start from."""
    return _make(variant, network, data, seed, _WIDE, lambda *_: Floats())


def branched(variant: Exits, network: nn.Module, data: LabelledImages, seed: int) -> Branched:
    """A copy of `network` with the exits of `variant`, their weights drawn from `seed`.

    Raises:
        InputError: the network is no sequence of children, or has none of these names.
    """
    own = copy.deepcopy(network)
    if not isinstance(own, nn.Sequential):
        raise InputError(
            "exits stand after the children of an nn.Sequential", where=" ".join(variant.names())
        )
    example = as_input(data.train.images[:2]).contiguous()
    heads = heads_for(
        own, variant.after, example, len(data.dataset.classes), seed=seed, settings=variant.head
    )
    return Branched(own, heads)


def _codec(variant: Bottleneck, shape: tuple[int, int, int]) -> Codec:
    if variant.priced:
        return Entropic(shape[0])
    if variant.method == "rebel":
        return Variational(shape, variant.bits)
    return Uniform(shape[0], variant.bits)


def _make(
    variant: Bottleneck,
    network: nn.Module,
    data: LabelledImages,
    seed: int,
    channels: int,
    codec: Callable[[Bottleneck, tuple[int, int, int]], Codec],
) -> SplitNetwork:
    images = as_input(data.train.images[:2]).contiguous()
    head, tail = parted(copy.deepcopy(network), variant.cut, images)
    with torch.no_grad():
        features = head.eval()(images)
    size = (images.shape[2], images.shape[3])
    latent = latent_size(size, tuple(features.shape[2:]))
    shape = (channels, *latent)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        early = None
        if method_of(variant).early and channels == variant.channels:
            early = GaussianLabels(channels * latent[0] * latent[1], len(data.dataset.classes))
        sender = encoder(channels, variant.widths, padded=latent == (size[0] // 4, size[1] // 4))
        start_from(sender, as_input(data.train.images[:5000]).contiguous())
        return SplitNetwork(
            sender,
            codec(variant, shape),
            decoder(channels, tuple(features.shape[1:]), latent, blocks=variant.decoder_blocks),
            tail,
            early,
        )
