"""What has to be sent to a node so that it holds the adapted network: bytes, and what the node makes of them."""

from __future__ import annotations

import copy

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from placid.errors import InputError, RunError
from placid.splitting.adaptation.lowrank import Adapted, merge_adapters

__all__ = ["apply_update", "update_bytes"]


def update_bytes(held: nn.Module, adapted: nn.Module) -> bytes:
    """What turns `held` into `adapted`: every tensor that differs and every adapter; a file of safetensors, header included.

    Tensors of two dimensions and more are rounded to float16; those of one (biases, scales, statistics) stay float32, since
    they are few and a variance may be beyond what 16 bits hold. Counters, which nothing reads when the network answers, are
    left out. Nothing at all if nothing differs.

    Raises:
        RunError: a number is not finite, or too large for float16.
    """
    old, sent = held.state_dict(), {}
    adapters = {name for name, m in adapted.named_modules() if isinstance(m, Adapted)}
    for key, value in adapted.state_dict().items():
        owner = next((a for a in adapters if key.startswith(f"{a}.")), None)
        plain = key if owner is None else key.replace(f"{owner}.layer.", f"{owner}.", 1)
        if not value.is_floating_point() or (plain in old and torch.equal(old[plain], value)):
            continue
        rounded = value.detach().to(torch.float16 if value.ndim > 1 else torch.float32)
        if not torch.isfinite(rounded).all():
            raise RunError(f"'{plain}' cannot be sent: a number is infinite, or beyond 65,504 in 16 bits")
        sent[plain] = rounded.clone(memory_format=torch.contiguous_format)
    return save(sent) if sent else b""


def apply_update(held: nn.Module, update: bytes) -> nn.Module:
    """A copy of `held` with `update` read into it: what the node answers with.

    Raises:
        InputError: the bytes are damaged, or belong to another network.
    """
    made = copy.deepcopy(held)
    try:
        tensors = {key: value.float() for key, value in load(update).items()} if update else {}
    except SafetensorError as error:
        raise InputError(f"is damaged: {error}", where="update") from error
    adapters: dict[str, Tensor] = {}
    state = made.state_dict()
    for key in list(tensors):
        if key not in state:
            adapters[key] = tensors.pop(key)
        elif state[key].shape != tensors[key].shape:
            raise InputError(
                f"'{key}' has the shape {tuple(tensors[key].shape)}, the network's {tuple(state[key].shape)}",
                where="update",
            )
    made.load_state_dict(tensors, strict=False)
    merge_adapters(made, adapters)
    return made
