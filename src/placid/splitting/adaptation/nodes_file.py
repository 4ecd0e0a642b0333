"""The nodes of a study: those of a YAML file, or ours."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from placid.errors import InputError
from placid.splitting.adaptation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from placid.splitting.adaptation.mixes import NodeSpec, draw_mix
from placid.yaml_lines import parse, read_file

__all__ = ["CHOICE_NODES", "NODES", "read_nodes", "severity_nodes"]

#: every corruption once, every way of mixing, and one node whose pictures are clean
NODES = (
    NodeSpec("night-gate", "dominant:3", "noise", 5),
    NodeSpec("fogged-lens", "dirichlet:0.5", "blur", 5),
    NodeSpec("dim-yard", "dominant:3", "contrast", 4),
    NodeSpec("thin-line", "even", "compression", 5),
    NodeSpec("clear-street", "dominant:2", "noise", 0),
)
#: on these learning rates are chosen; a study reports nothing of them
CHOICE_NODES = (
    NodeSpec("choice/1", "dominant:3", "noise", 3),
    NodeSpec("choice/2", "dirichlet:0.5", "blur", 4),
)


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1, pattern=r"^[^/]+$")
    mix: str = "even"
    corruption: str = "noise"
    severity: int = Field(0, ge=0, le=5, strict=True)


class _Nodes(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    nodes: list[_Node] = Field(min_length=1)


def read_nodes(path: str | os.PathLike[str], classes: int) -> tuple[NodeSpec, ...]:
    """The nodes in a YAML file: ``nodes: [{name: porch, mix: "dominant:3", corruption: noise, severity: 4}]``.

    Args:
        classes: of the data set; a mix that names more is refused.

    Raises:
        InputError: something is wrong: file, line, field, and what would be right.
    """
    document = parse(read_file(Path(path)), str(path))
    try:
        found = _Nodes.model_validate(document.data).nodes
    except ValidationError as error:
        first = error.errors()[0]
        more = f" ({error.error_count() - 1} more mistakes)" if error.error_count() > 1 else ""
        field = ".".join(str(k) for k in first["loc"])
        line = document.line(tuple(first["loc"]))
        raise InputError(f"'{field}': {first['msg']}{more}", where=f"{path}:{line}") from None
    names = [node.name for node in found]
    for number, node in enumerate(found):
        where = f"{path}:{document.line(('nodes', number))}"
        if names.count(node.name) > 1:
            raise InputError(f"two nodes are called '{node.name}'", where=where)
        try:
            draw_mix(node.mix, classes, np.random.default_rng(0))
            corrupt(
                np.zeros((0, 1, 1, 3), np.uint8), node.corruption, node.severity, np.random.default_rng(0)
            )
        except InputError as error:
            raise InputError(str(error), where=where) from None
    return tuple(NodeSpec(n.name, n.mix, n.corruption, n.severity) for n in found)


def severity_nodes() -> tuple[NodeSpec, ...]:
    """One with all classes alike for every corruption at every severity, and one without corruption."""
    return (
        NodeSpec("clean", "even", "noise", 0),
        *(NodeSpec(f"{name}-{s}", "even", name, s) for name in CORRUPTIONS for s in SEVERITIES if s),
    )
