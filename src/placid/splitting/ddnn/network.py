"""A network over devices, perhaps edges, and a cloud, with an exit at each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from placid.errors import InputError, UnknownNameError
from placid.splitting.ddnn.aggregation import SCHEMES, Aggregation
from placid.splitting.ddnn.binary import BinaryConvPool, BinaryScores
from placid.splitting.ddnn.tiles import Tiles, mask_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DDNN", "Design", "Sent"]


@dataclass(frozen=True)
class Design:
    """What a DDNN consists of.

    Attributes:
        tiles: which device sees what.
        classes: of the answer.
        channels: of the images.
        filters: of each device's binary block; bits a device sends grow with it.
        local: aggregation of the devices' class scores (and of the edges').
        cloud: aggregation of feature maps, by edges and the cloud.
        shared: all devices have the same weights, as cameras that see alike may; else each its own.
        edges: devices of each edge, by number; empty for none. Every device belongs to one edge.
        edge_filters: of each edge's binary block.
        width: channels of the cloud's first convolution; its second has twice as many.
        binary_cloud: the cloud's convolutions are binary too, as in the paper; else ordinary ones.
    """

    tiles: Tiles
    classes: int = 10
    channels: int = 1
    filters: int = 4
    local: str = "max"
    cloud: str = "concat"
    shared: bool = False
    edges: tuple[tuple[int, ...], ...] = field(default=())
    edge_filters: int = 8
    width: int = 32
    binary_cloud: bool = False

    def __post_init__(self) -> None:
        for name in ("local", "cloud"):
            if getattr(self, name) not in SCHEMES:
                raise UnknownNameError("aggregation", getattr(self, name), SCHEMES, where=f"'{name}'")
        for name in ("classes", "channels", "filters", "edge_filters", "width"):
            if getattr(self, name) < 1:
                raise InputError(f"'{name}' must be at least 1, got {getattr(self, name)}", where="design")
        named = sorted(d for edge in self.edges for d in edge)
        if self.edges and (named != list(range(self.tiles.devices)) or not all(self.edges)):
            raise InputError(
                f"each of the devices 0 .. {self.tiles.devices - 1} belongs to one edge, and no edge is empty; "
                f"got {[list(e) for e in self.edges]}",
                where="'edges'",
            )

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """Filters, height and width of the bits that a device sends."""
        return self.filters, -(-self.tiles.height // 2), -(-self.tiles.width // 2)

    @property
    def exits(self) -> tuple[str, ...]:
        return ("local", "edge", "cloud") if self.edges else ("local", "cloud")


@dataclass(frozen=True)
class Sent:
    """What all devices send, failed or not: it is computed once and then tried with any set of failed devices.

    Attributes:
        sums: float32 [batch, devices, classes], whole numbers.
        maps: float32 [batch, devices, filters, height, width], +1 and -1.
    """

    sums: Tensor
    maps: Tensor


class DDNN(nn.Module):
    """Devices with a binary block each; their scores make the local exit, their maps go on to edges and the cloud.

    Images float32 [batch, channels, height, width] in [0, 1] give logits [exits, batch, classes], in the order of
    `design.exits`. A failed device is one whose messages never come: who aggregates knows, and leaves it out.

    Source: Teerapittayanon et al., ICDCS 2017. Differs from the paper: the cloud's two convolutions are ordinary ones with
    ReLU unless `binary_cloud`, since only the devices are short of memory and only their messages cost bytes; the cloud's
    last layer is an ordinary linear one in any case.
    """

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        d, parties = design, 1 if design.shared else design.tiles.devices
        filters, height, width = d.map_shape
        self.block = BinaryConvPool(parties, d.channels, filters)
        self.scores = BinaryScores(parties, filters * height * width, d.classes)
        self.local = Aggregation(d.local, d.tiles.devices, d.classes, project=True)
        self.edges = nn.ModuleList(_Edge(d, len(edge)) for edge in d.edges)
        if d.edges:
            filters, height, width = d.edge_filters, -(-height // 2), -(-width // 2)
            self.edge_exit = Aggregation(d.local, len(d.edges), d.classes, project=True)
        self.joined = Aggregation(d.cloud, len(d.edges) or d.tiles.devices, filters)
        self.cloud = _cloud(self.joined.outputs, (height, width), d)

    def send(self, images: Tensor) -> Sent:
        """What the devices compute from their tiles."""
        maps = self.block(self.design.tiles.cut(images))
        return Sent(self.scores.sums(maps.flatten(2)), maps)

    def receive(self, sent: Sent, present: Tensor | None = None) -> Tensor:
        """Logits [exits, batch, classes] from what has been sent.

        Args:
            present: bool [devices] or [batch, devices]; all by default.
        """
        batch, devices = sent.maps.shape[:2]
        everyone = torch.ones(devices, dtype=torch.bool, device=sent.maps.device)
        there = mask_of(everyone if present is None else present, batch, devices)
        answers = [self.local(self.scores.scores(sent.sums), there)]
        maps = sent.maps
        if self.design.edges:
            found = [
                edge(maps[:, list(its)], there[:, list(its)])
                for edge, its in zip(self.edges, self.design.edges, strict=True)
            ]
            # an edge all of whose devices have failed has nothing to say
            there = torch.stack([there[:, list(its)].any(1) for its in self.design.edges], 1)
            maps = torch.stack([m for m, _ in found], 1)
            answers.append(self.edge_exit(torch.stack([s for _, s in found], 1), there))
        answers.append(self.cloud(self.joined(maps, there)))
        return torch.stack(answers)

    def forward(self, images: Tensor, present: Tensor | None = None) -> Tensor:
        return self.receive(self.send(images), present)

    def present(self, failed: Sequence[int] = ()) -> Tensor:
        """bool [devices], all but those that have `failed`.

        Raises:
            InputError: there is no such device.
        """
        devices = self.design.tiles.devices
        if any(not 0 <= f < devices for f in failed):
            raise InputError(f"devices are 0 .. {devices - 1}, got {list(failed)}", where="'failed'")
        mask = torch.ones(devices, dtype=torch.bool)
        mask[list(failed)] = False
        return mask


class _Edge(nn.Module):
    """Its devices' maps joined, a binary block, and scores: what it sends on, and its part of the edge exit."""

    def __init__(self, design: Design, devices: int) -> None:
        super().__init__()
        filters, height, width = design.map_shape
        self.join = Aggregation(design.cloud, devices, filters)
        self.block = BinaryConvPool(1, self.join.outputs, design.edge_filters)
        self.scores = BinaryScores(1, design.edge_filters * -(-height // 2) * -(-width // 2), design.classes)

    def forward(self, maps: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        bits = self.block(self.join(maps, present)[:, None])
        return bits[:, 0], self.scores(bits.flatten(2))[:, 0]


def _cloud(inputs: int, size: tuple[int, int], design: Design) -> nn.Sequential:
    width, (height, across) = design.width, (-(-size[0] // 4), -(-size[1] // 4))
    parts: list[nn.Module] = []
    for before, after in ((inputs, width), (width, 2 * width)):
        if design.binary_cloud:
            parts += [nn.Unflatten(1, (1, before)), BinaryConvPool(1, before, after), nn.Flatten(1, 2)]
        else:
            parts += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.MaxPool2d(2, ceil_mode=True),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
    features = 2 * width * height * across
    return nn.Sequential(
        *parts,
        nn.Flatten(),
        nn.Linear(features, 4 * width, bias=False),
        nn.BatchNorm1d(4 * width),
        nn.ReLU(),
        nn.Linear(4 * width, design.classes),
    )
