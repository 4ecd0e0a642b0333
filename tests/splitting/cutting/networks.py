"""Networks of many families to cut: what they do with tensors differs, what they answer does not matter."""

from __future__ import annotations

import enum
import importlib.util
import sys
import types
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

import torch
from torch import Tensor, nn

from placid.splitting.nets import airbench, resnet, resnet9

__all__ = ["FROM_TIMM", "OWN", "from_timm"]


class InvertedResidual(nn.Module):
    """As in MobileNetV2: wide inside, one filter a channel, and the input added."""

    def __init__(self, channels: int, wide: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(inplace=True),
            nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(inplace=True),
            nn.Conv2d(wide, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.body(x)
        return out


class Dense(nn.Module):
    """As in DenseNet: every layer sees all before it."""

    def __init__(self, channels: int, growth: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(channels + i * growth, growth, 3, padding=1) for i in range(layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(torch.relu(x))], 1)
        return x


class Transformer(nn.Module):
    """A small vision transformer with a class token, which reads the size of its batch."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, 8)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, 17, width))
        layer = nn.TransformerEncoderLayer(width, 4, 48, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.patches(x).flatten(2).transpose(1, 2)
        seen = torch.cat([self.token.expand(x.shape[0], -1, -1), seen], 1) + self.places
        answer: Tensor = self.head(self.blocks(seen)[:, 0])
        return answer


class Hourglass(nn.Module):
    """As a U-Net: what the first layer saw is needed by the last."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)
        self.up1, self.up2 = nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(16, 4, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        first = torch.relu(self.down1(x))
        up = torch.relu(self.up1(torch.relu(self.down2(first))))
        out: Tensor = self.up2(torch.cat([first, up], 1))
        return out


class Shuffled(nn.Module):
    """As in ShuffleNet: channels divided, one half passed by, mixed again; an operation with two results."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, 2, 1)
        self.branch = nn.Conv2d(channels // 2, channels // 2, 3, padding=1)
        self.head = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        left, right = torch.relu(self.stem(x)).chunk(2, 1)
        both = torch.stack([left, self.branch(right)], 2).flatten(1, 2)
        answer: Tensor = self.head(both.mean((2, 3)))
        return answer


class Attentive(nn.Module):
    """Squeeze and excitation, a gate from the whole picture; overwrites its input; two answers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1), nn.ReLU(inplace=True))
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(12, 12, 1), nn.Sigmoid())
        self.early, self.late = nn.Linear(12, 10), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.stem(x)
        early = self.early(seen.mean((2, 3)))
        seen = seen.mul_(self.gate(seen))
        return early, self.late(seen.amax((2, 3)))


class Twice(nn.Module):
    """One layer used twice: its weights belong to both sides."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, 2, 1)
        self.again = nn.Conv2d(6, 6, 3, padding=1)
        self.scale = nn.Parameter(torch.full((6, 1, 1), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        seen = self.again(torch.relu(self.stem(x)))
        # a tensor made of weights alone crosses nowhere: both sides can make it
        return torch.relu(self.again(torch.relu(seen) * self.scale.exp())).mean((2, 3))


def _mobile() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1),
        InvertedResidual(8, 24),
        InvertedResidual(8, 24),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def _dense() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), Dense(8, 4, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten())


OWN: dict[str, Callable[[], nn.Module]] = {
    "resnet8": lambda: resnet(8),
    "resnet9": lambda: resnet9(8),
    "airbench": lambda: airbench(8),
    "mobile": _mobile,
    "dense": _dense,
    "transformer": Transformer,
    "hourglass": Hourglass,
    "shuffled": Shuffled,
    "attentive": Attentive,
    "twice": Twice,
}

#: models of the package timm, and the side of the pictures they take
FROM_TIMM = {
    "mobilenetv3_small_050": 32,
    "convnext_atto": 32,
    "regnetx_002": 32,
    "ghostnet_050": 32,
    "vit_tiny_patch16_224": 224,
    "densenet121": 32,
}


def from_timm(name: str) -> nn.Module:
    """A model of timm with random weights.

    timm imports torchvision for pictures and data sets, which its models do not use: where that package is missing, an
    empty one stands for it.
    """
    if importlib.util.find_spec("torchvision") is None:
        sys.meta_path.insert(0, _Finder())
    import timm

    network: nn.Module = timm.create_model(name, pretrained=False)
    return network


class _Empty(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "InterpolationMode":
            modes = ("nearest", "bilinear", "bicubic", "box", "hamming", "lanczos")
            return enum.Enum(name, {m.upper(): m for m in modes})
        return type(name, (), {})


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "torchvision" else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass
