"""The ways to adapt a network: for each, what of it is trained and which statistics are estimated again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from placid.errors import InputError, UnknownNameError
from placid.splitting.adaptation.lowrank import insert_adapters
from placid.splitting.adaptation.statistics import normalisations

__all__ = ["METHODS", "Marked", "Method", "method_named", "tail_start"]


@dataclass(frozen=True)
class Marked:
    """What an adaptation changes.

    Attributes:
        trained: names of parameters that learn from labels.
        restated: names of batch normalisations whose mean and variance are estimated again, without labels.
    """

    trained: frozenset[str] = frozenset()
    restated: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Method:
    """A way to adapt.

    A method that changes convolutions estimates the statistics behind them again before it trains: they are no longer
    those that the convolutions were trained with. While it trains they stay as they are, since those of a small
    batch are noise.

    Attributes:
        mark: (a copy of the network, which may be changed to what is trained; the rank of adapters; the child after which
            the tail begins, None for `tail_start`; a seed) to what is changed.
        fewest: labelled pictures that it takes.
        rates: peak learning rates of Adam that are tried; none: nothing is trained, or the lab says how.
        keeps: whether what the node holds already is started from.
    """

    name: str
    mark: Callable[[nn.Module, int, str | None, int], Marked]
    fewest: int = 10
    rates: tuple[float, ...] = ()
    keeps: bool = True


def method_named(name: str) -> Method:
    """Raises UnknownNameError if there is none of that name."""
    if name not in METHODS:
        raise UnknownNameError("way to adapt", name, METHODS)
    return METHODS[name]


def tail_start(network: nn.Module) -> str:
    """The child after which two children with parameters are left: where the tail begins if nobody says.

    Raises:
        InputError: the network is no sequence of three or more children with parameters.
    """
    children = list(network.named_children()) if isinstance(network, nn.Sequential) else []
    having = [i for i, (_, child) in enumerate(children) if any(True for _ in child.parameters())]
    if len(having) < 3:
        raise InputError(
            "a tail can be told from an nn.Sequential of three or more children with parameters only; leave out this way",
            where="way to adapt 'tail'",
        )
    return children[having[-2] - 1][0]


def _none(network: nn.Module, rank: int, after: str | None, seed: int) -> Marked:
    return Marked()


def _normalisation(network: nn.Module, rank: int, after: str | None, seed: int) -> Marked:
    layers = normalisations(network)
    if not layers:
        raise InputError(
            "the network has no batch normalisation with running statistics; leave out this way",
            where="way to adapt 'normalisation'",
        )
    # scales too: the network may have left them to the next convolution, which is not trained here
    trained = {f"{name}.{own}" for name, layer in layers.items() for own, _ in layer.named_parameters()}
    return Marked(frozenset(trained), frozenset(layers))


def _head(network: nn.Module, rank: int, after: str | None, seed: int) -> Marked:
    linear = [name for name, m in network.named_modules() if isinstance(m, nn.Linear)]
    if not linear:
        raise InputError("the network has no linear layer; leave out this way", where="way to adapt 'head'")
    last = linear[-1]
    return Marked(frozenset(f"{last}.{own}" for own, _ in network.get_submodule(last).named_parameters()))


def _tail(network: nn.Module, rank: int, after: str | None, seed: int) -> Marked:
    after = tail_start(network) if after is None else after
    children = [name for name, _ in network.named_children()] if isinstance(network, nn.Sequential) else []
    if after not in children[:-1]:
        raise InputError(
            f"a tail begins after a child of an nn.Sequential that is not its last, got '{after}'; known: "
            f"{', '.join(children[:-1]) or 'none'}",
            where="way to adapt 'tail'",
        )
    behind = tuple(f"{name}." for name in children[children.index(after) + 1 :])
    return Marked(
        frozenset(name for name, _ in network.named_parameters() if name.startswith(behind)),
        frozenset(name for name in normalisations(network) if f"{name}.".startswith(behind)),
    )


def _adapters(network: nn.Module, rank: int, after: str | None, seed: int) -> Marked:
    layers = insert_adapters(network, rank, seed)
    return Marked(
        frozenset(f"{name}.{part}.weight" for name in layers for part in ("down", "up")),
        frozenset(normalisations(network)),
    )


def _full(network: nn.Module, rank: int, after: str | None, seed: int) -> Marked:
    return Marked(
        frozenset(name for name, _ in network.named_parameters()), frozenset(normalisations(network))
    )


def _scratch(network: nn.Module, rank: int, after: str | None, seed: int) -> Marked:
    return Marked(frozenset(name for name, p in network.named_parameters() if p.requires_grad))


#: every way by name, from what changes least to what changes most
METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        Method("none", _none, 0),
        Method("normalisation", _normalisation, 0, (3e-3, 1e-2, 3e-2)),
        Method("head", _head, 10, (1e-3, 5e-3, 2e-2)),
        Method("tail", _tail, 10, (3e-4, 1e-3, 3e-3)),
        Method("adapters", _adapters, 10, (3e-3, 1e-2, 3e-2)),
        Method("full", _full, 10, (1e-4, 3e-4, 1e-3)),
        # of fewer pictures nothing can be learned from random weights
        Method("scratch", _scratch, 500, keeps=False),
    )
}
