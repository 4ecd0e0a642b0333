"""Where training runs: on the graphics processor if there is one, else on the processor; networks come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from placid.errors import InputError

__all__ = ["device_named", "placed"]


def device_named(name: str = "auto") -> torch.device:
    """The device called `name` in torch's words ("cpu", "cuda", "cuda:1"); "auto" is the first GPU, else the processor.

    Raises:
        InputError: torch knows no such device, or this machine has none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(name)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"'{name}' is no device that torch can use here ({str(error).splitlines()[0]}); 'cpu' always is",
            where="device",
        ) from error
    return found


@contextmanager
def placed(module: nn.Module, device: torch.device) -> Iterator[None]:
    """`module` on `device` within the block, and back on the processor after it, whatever happens."""
    module.to(device)
    try:
        yield
    finally:
        module.to("cpu")
