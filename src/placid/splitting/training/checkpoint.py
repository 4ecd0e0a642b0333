"""Weights and the state of a training in one file, whole or not at all, readable without running code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from placid.errors import InputError, RunError

__all__ = ["load_weights", "read_about", "restore", "save", "save_weights"]


def save_weights(path: Path, model: nn.Module, about: Mapping[str, Any]) -> None:
    """The tensors of `model`, with `about` (anything JSON can hold) beside them.

    Raises:
        RunError: the file cannot be written; what stood there before is still there.
    """
    _write(path, _tensors(model), about)


def load_weights(path: Path, model: nn.Module) -> dict[str, Any]:
    """Put the tensors of the file into `model`; what was written about them comes back.

    Raises:
        InputError: there is no such file, it is damaged, or holds other tensors than the model has.
    """
    tensors, about = _read(path)
    _put(model, tensors, path)
    return about


def read_about(path: Path) -> dict[str, Any] | None:
    """What was written beside the tensors; None if there is no such file."""
    if not path.exists():
        return None
    return _read(path)[1]


def save(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, about: Mapping[str, Any]) -> None:
    """The state of a training: `save_weights` and what the optimiser remembers."""
    tensors = _tensors(model)
    for index, remembered in optimiser.state_dict()["state"].items():
        for name, value in remembered.items():
            if value is not None:
                tensors[f"optimiser/{index}/{name}"] = torch.as_tensor(value).contiguous()
    _write(path, tensors, about)


def restore(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """Take up the training that `save` wrote; what was written about it comes back.

    Raises:
        InputError: as `load_weights`.
    """
    tensors, about = _read(path)
    remembered: dict[int, dict[str, Tensor]] = {}
    for key in [k for k in tensors if k.startswith("optimiser/")]:
        _, index, name = key.split("/")
        remembered.setdefault(int(index), {})[name] = tensors.pop(key)
    _put(model, tensors, path)
    optimiser.load_state_dict(optimiser.state_dict() | {"state": remembered})
    return about


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    # clones: safetensors refuses tensors that share memory, and takes row-major ones only
    return {k: v.detach().clone(memory_format=torch.contiguous_format) for k, v in model.state_dict().items()}


def _put(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(
            f"holds the weights of another model ({str(error).splitlines()[-1].strip()})", where=str(path)
        ) from None


def _write(path: Path, tensors: dict[str, Tensor], about: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".tmp")
    try:
        save_file(tensors, scratch, metadata={"about": json.dumps(about)})
        os.replace(scratch, path)
    except (OSError, SafetensorError) as error:
        scratch.unlink(missing_ok=True)
        raise RunError(
            f"{path}: cannot be written ({error}); make room or name another folder, then give the same command: "
            "training goes on from the last whole checkpoint"
        ) from error


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            return {key: file.get_tensor(key) for key in file.keys()}, about  # noqa: SIM118 (no mapping)
    except FileNotFoundError:
        raise InputError("there is no such file", where=str(path)) from None
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise InputError(f"is no file of weights, or a damaged one ({error})", where=str(path)) from error
