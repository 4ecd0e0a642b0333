"""Networks to train and to cut. A new one is a function here, or ``my_module:make`` of your own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch

from placid.errors import InputError, UnknownNameError
from placid.splitting.nets.airbench import airbench
from placid.splitting.nets.alexnet import alexnet
from placid.splitting.nets.lenet import lenet
from placid.splitting.nets.resnet import resnet, resnet9

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NETWORKS", "airbench", "alexnet", "lenet", "network_named", "resnet", "resnet9"]

#: every network by name
NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "airbench": airbench,
    "alexnet": alexnet,
    "lenet": lenet,
    "resnet": resnet,
    "resnet9": resnet9,
}


def network_named(name: str, settings: Mapping[str, Any], seed: int) -> nn.Module:
    """The network called `name`, or what ``module:function`` makes, with weights drawn from `seed`.

    Raises:
        UnknownNameError: there is none of that name.
        InputError: the module or function cannot be found, or does not take these settings.
    """
    if ":" in name:
        module, _, attribute = name.partition(":")
        try:
            make = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise InputError(f"cannot be imported: {error}", where=f"network '{name}'") from error
    elif name in NETWORKS:
        make = NETWORKS[name]
    else:
        raise UnknownNameError("network", name, NETWORKS)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            network: nn.Module = make(**settings)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"cannot be made of {dict(settings)}: {error}", where=f"network '{name}'"
            ) from error
    return network
