"""Keep clear of a fault of oneDNN on processors with AVX2 and no AVX-512."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.hooks import RemovableHandle

__all__ = ["pointwise_without_strides"]

#: numbers that a register of AVX2 holds
_REGISTER = 8


@contextmanager
def pointwise_without_strides(network: nn.Module) -> Iterator[None]:
    """Within, convolutions of one pixel that leave pixels out get the pixels left to them, to the same results.

    The gradient of the filters of a strided convolution of 1 x 1 with fewer than 8 input channels, channels last in memory,
    is written past its end by the oneDNN of torch 2.13 there: a crash at once, later, or a thread that waits for ever.
    """
    found = [m for m in network.modules() if isinstance(m, nn.Conv2d) and _at_risk(m)]
    strides = [m.stride for m in found]
    handles: list[RemovableHandle] = []
    try:
        for convolution in found:
            handles.append(convolution.register_forward_pre_hook(_leaving_out(*convolution.stride)))
            convolution.stride = (1, 1)
        yield
    finally:
        for handle in handles:
            handle.remove()
        for convolution, stride in zip(found, strides, strict=True):
            convolution.stride = stride


def _at_risk(convolution: nn.Conv2d) -> bool:
    return (
        convolution.kernel_size == (1, 1)
        and max(convolution.stride) > 1
        and convolution.padding == (0, 0)
        and convolution.in_channels < _REGISTER
    )


def _leaving_out(rows: int, columns: int) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor]]:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        return (inputs[0][:, :, ::rows, ::columns],)

    return hook
