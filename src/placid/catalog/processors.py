"""Classes of processor as declared, and what running a part of a model there takes: a roofline, modelled, never measured.

Peaks follow from clock x lanes of the data sheets; the shares reached, the overheads and the powers are declared by us
where the comment says so. Every figure made here has to be called *modelled* wherever it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placid.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from placid.catalog.variants import Segment, Timing

__all__ = [
    "ARITHMETICS",
    "PROCESSORS",
    "Processor",
    "modelled_codec_s",
    "modelled_energy_j",
    "modelled_latency_s",
    "processor_class",
]

#: what numbers a network computes with
ARITHMETICS = ("float32", "int8")

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True)
class Processor:
    """A class of processor, as declared.

    Attributes:
        about: the device meant.
        float32_per_s: multiply-adds a second at best, of what works on one request.
        int8_per_s: likewise with 8-bit integers; that of float32 where the class gains nothing.
        bytes_per_s: between it and the memory in which weights and tensors lie.
        share: of either peak that one request reaches, in (0, 1].
        overhead_s: of every segment that is run, whatever it does.
        coremark: EEMBC CoreMark of one core, iterations a second: how fast it runs what is no network, such as a codec.
        side_by_side: requests that are worked on at a time, each as fast as one alone.
        busy_w: of the device while it works, divided by `side_by_side`.
        idle_w: while nothing is asked; no request is charged for it.
        memory_bytes: where tensors lie, and weights too unless there is flash.
        flash_bytes: memory that weights are read from where they lie; 0 if there is none.
        cores_of: the class of which this is several, if it is: what was measured on one holds on the other.
    """

    name: str
    about: str
    float32_per_s: float
    int8_per_s: float
    bytes_per_s: float
    share: float
    overhead_s: float
    coremark: float
    busy_w: float
    idle_w: float
    memory_bytes: int
    flash_bytes: int = 0
    side_by_side: int = 1
    cores_of: str = ""

    def __post_init__(self) -> None:
        where = f"processor class '{self.name}'"
        positive = (self.float32_per_s, self.int8_per_s, self.bytes_per_s, self.coremark, self.side_by_side)
        if not all(0 < value < float("inf") for value in positive):
            raise InputError("needs rates above 0 and finite", where=where)
        if not 0 < self.share <= 1:
            raise InputError(f"needs a share in (0, 1], got {self.share}", where=where)
        if min(self.overhead_s, self.busy_w, self.idle_w, self.memory_bytes, self.flash_bytes) < 0:
            raise InputError("needs an overhead, powers and memories of at least 0", where=where)

    def multiply_adds_per_s(self, arithmetic: str = "float32") -> float:
        """Sustained by one request.

        Raises:
            UnknownNameError: `arithmetic` is none of `ARITHMETICS`.
        """
        if arithmetic not in ARITHMETICS:
            raise UnknownNameError("arithmetic", arithmetic, ARITHMETICS)
        return self.share * (self.int8_per_s if arithmetic == "int8" else self.float32_per_s)

    def holds(self, size_bytes: int, peak_bytes: int) -> bool:
        """Whether networks of `size_bytes` fit, of which one at a time needs `peak_bytes` of tensors."""
        if self.flash_bytes:
            return size_bytes <= self.flash_bytes and peak_bytes <= self.memory_bytes
        return size_bytes + peak_bytes <= self.memory_bytes


_DECLARED = (
    # STM32F407 data sheet: 168 MHz, 1 MiB flash, 192 KiB SRAM, 566 CoreMark, 40 mA at 3.3 V with peripherals off. One
    # float32 multiply-add, or two of 16 bits (SMLAD, which CMSIS-NN uses for 8), a cycle at best; 32-bit bus. Share: that
    # of the Cortex-M7 below. Idle: sleep mode, declared. Overhead of all microcontrollers: declared, a call and its checks
    Processor(
        name="cortex-m4",
        about="microcontroller, Cortex-M4F at 168 MHz",
        float32_per_s=168e6,
        int8_per_s=336e6,
        bytes_per_s=672e6,
        share=0.29,
        overhead_s=50e-6,
        coremark=566,
        busy_w=0.13,
        idle_w=0.01,
        memory_bytes=192 * _KIB,
        flash_bytes=1 * _MIB,
    ),
    # STM32F767 data sheet: 216 MHz, 2 MiB flash, 512 KiB SRAM, 1082 CoreMark, about 106 mA at 3.3 V; 64-bit AXI. Share:
    # Lai, Suda & Chandra, CMSIS-NN (2018, arXiv 1801.06601): 24.7 million operations of a CIFAR-10 network in 99.1 ms at
    # 216 MHz are 0.58 multiply-adds a cycle, 0.29 of the two of SMLAD
    Processor(
        name="cortex-m7",
        about="microcontroller, Cortex-M7 at 216 MHz",
        float32_per_s=216e6,
        int8_per_s=432e6,
        bytes_per_s=1.728e9,
        share=0.29,
        overhead_s=30e-6,
        coremark=1082,
        busy_w=0.35,
        idle_w=0.02,
        memory_bytes=512 * _KIB,
        flash_bytes=2 * _MIB,
    ),
    # Arm, Ethos-U55 (128 multiply-adds of 8 bits a cycle) beside a Cortex-M55 (4.2 CoreMark a MHz, two float32 lanes),
    # both at 160 MHz as in the efficient half of Alif's Ensemble; memories as of a chip of that family. Float32 runs on
    # the M55. Share and powers: declared
    Processor(
        name="ethos-u55",
        about="microcontroller with a neural unit, Cortex-M55 and Ethos-U55-128 at 160 MHz",
        float32_per_s=320e6,
        int8_per_s=20.5e9,
        bytes_per_s=1.28e9,
        share=0.3,
        overhead_s=100e-6,
        coremark=672,
        busy_w=0.06,
        idle_w=0.005,
        memory_bytes=4 * _MIB,
        flash_bytes=int(5.5 * _MIB),
    ),
    # Raspberry Pi 4: 4 x Cortex-A72 at 1.5 GHz, four float32 lanes a cycle (two pipes of 64 bits), no 8-bit dot product: 8
    # a cycle by widening. STREAM reaches about 4 GB/s; a core alone draws half of it. Board: about 6.4 W with four cores
    # busy, 2.7 W idle, as reported at its launch. Share, CoreMark (about 6 a MHz): declared
    Processor(
        name="raspberry-pi-4",
        about="single-board computer, a Cortex-A72 core at 1.5 GHz for each of four requests",
        float32_per_s=6e9,
        int8_per_s=12e9,
        bytes_per_s=2e9,
        share=0.4,
        overhead_s=100e-6,
        coremark=9e3,
        busy_w=1.6,
        idle_w=2.7,
        memory_bytes=2 * _GIB,
        side_by_side=4,
    ),
    # A phone of 2021: Cortex-A78 at 2.4 GHz, two pipes of 128 bits: 8 float32 lanes, 32 of 8 bits by SDOT, a cycle; three of
    # them work. LPDDR5 51 GB/s at best, a core draws about 15. Share, power, CoreMark: declared
    Processor(
        name="phone",
        about="phone, a Cortex-A78 core at 2.4 GHz for each of three requests",
        float32_per_s=19.2e9,
        int8_per_s=76.8e9,
        bytes_per_s=15e9,
        share=0.4,
        overhead_s=50e-6,
        coremark=2e4,
        busy_w=1.2,
        idle_w=0.05,
        memory_bytes=1 * _GIB,
        side_by_side=3,
    ),
    # NVIDIA, Jetson Nano data sheet: 128 Maxwell cores at 921 MHz, 25.6 GB/s, 10 W mode; 8 bits gain nothing. Cortex-A57
    # beside it. Share at batch 1 and overhead (some 30 launches of 10 to 20 us): declared
    Processor(
        name="jetson-nano",
        about="edge GPU, 128 Maxwell cores",
        float32_per_s=118e9,
        int8_per_s=118e9,
        bytes_per_s=25.6e9,
        share=0.3,
        overhead_s=500e-6,
        coremark=6e3,
        busy_w=10.0,
        idle_w=1.5,
        memory_bytes=2 * _GIB,
    ),
    # NVIDIA, Jetson Orin Nano 8 GB data sheet: 1024 Ampere cores at 625 MHz (1.28 TFLOPS), 20 dense TOPS of 8 bits, 68 GB/s,
    # 15 W mode. Share and overhead as above, a faster host
    Processor(
        name="jetson-orin-nano",
        about="edge GPU, 1024 Ampere cores",
        float32_per_s=640e9,
        int8_per_s=10e12,
        bytes_per_s=68e9,
        share=0.2,
        overhead_s=300e-6,
        coremark=1.5e4,
        busy_w=15.0,
        idle_w=4.0,
        memory_bytes=6 * _GIB,
    ),
    # A server core with AVX2 at 3 GHz: two fused multiply-adds of 8 lanes a cycle; VPMADDUBSW doubles that for 8 bits. A
    # core draws about 12 GB/s. Share, CoreMark, power (205 W over 28 cores, and memory): declared. Zoos are measured on such
    Processor(
        name="x86-core",
        about="one core of an x86 server with AVX2 at 3 GHz",
        float32_per_s=48e9,
        int8_per_s=96e9,
        bytes_per_s=12e9,
        share=0.4,
        overhead_s=30e-6,
        coremark=2.5e4,
        busy_w=10.0,
        idle_w=2.0,
        memory_bytes=4 * _GIB,
    ),
    # sixteen such cores, a request on each; all figures but the counts as above
    Processor(
        name="x86-server",
        about="sixteen cores of an x86 server with AVX2 at 3 GHz, one for each request",
        float32_per_s=48e9,
        int8_per_s=96e9,
        bytes_per_s=12e9,
        share=0.4,
        overhead_s=30e-6,
        coremark=2.5e4,
        busy_w=10.0,
        idle_w=32.0,
        memory_bytes=64 * _GIB,
        side_by_side=16,
        cores_of="x86-core",
    ),
    # NVIDIA, T4 data sheet: 8.1 TFLOPS, 130 TOPS of 8 bits, 320 GB/s, 16 GB, 70 W. At batch 1 a small network fills little
    # of it: share, overhead (some 30 launches of 10 us), idle power, and that it then draws half of the limit are declared
    Processor(
        name="t4",
        about="data-centre GPU, NVIDIA T4",
        float32_per_s=4.05e12,
        int8_per_s=65e12,
        bytes_per_s=320e9,
        share=0.1,
        overhead_s=300e-6,
        coremark=2.5e4,
        busy_w=35.0,
        idle_w=10.0,
        memory_bytes=15 * _GIB,
    ),
    # NVIDIA, A100 40 GB SXM data sheet: 19.5 TFLOPS, 624 TOPS of 8 bits, 1555 GB/s, 400 W. At batch 1 a third of
    # the limit, declared; share and overhead as for the T4
    Processor(
        name="a100",
        about="data-centre GPU, NVIDIA A100",
        float32_per_s=9.75e12,
        int8_per_s=312e12,
        bytes_per_s=1.555e12,
        share=0.1,
        overhead_s=300e-6,
        coremark=2.5e4,
        busy_w=130.0,
        idle_w=50.0,
        memory_bytes=38 * _GIB,
    ),
)
#: every declared class by its name
PROCESSORS: dict[str, Processor] = {p.name: p for p in _DECLARED}


def processor_class(name: str) -> Processor:
    """The declared class called `name`. Raises UnknownNameError if there is none."""
    if name not in PROCESSORS:
        raise UnknownNameError("processor class", name, PROCESSORS)
    return PROCESSORS[name]


def modelled_latency_s(segment: Segment, processor: Processor) -> float:
    """Seconds that one run of `segment` takes on `processor` by its roofline: modelled, not measured.

    ``overhead + max(multiply_adds / rate, moved_bytes / bandwidth)``: whichever of arithmetic and memory is the slower
    (Williams, Waterman & Patterson, Roofline, CACM 52(4), 2009). A part that is no network takes nothing: what its codec
    takes is `modelled_codec_s`.

    Example:
        >>> from placid.catalog.variants import Segment, Timing
        >>> whole = Segment("whole", "whole.onnx", "", 312_000, 12_500_000, 900_000, 131_072, Timing(0, 0, 0, 0, 1))
        >>> f"{1e3 * modelled_latency_s(whole, PROCESSORS['cortex-m7']):.0f} ms modelled"
        '200 ms modelled'
    """
    if not segment.file and not segment.multiply_adds and not segment.moved_bytes:
        return 0.0
    compute_s = segment.multiply_adds / processor.multiply_adds_per_s(segment.arithmetic)
    return processor.overhead_s + max(compute_s, segment.moved_bytes / processor.bytes_per_s)


def modelled_energy_j(segment: Segment, processor: Processor) -> float:
    """Joules of one run: power while busy times `modelled_latency_s`, an upper estimate where it waits for memory."""
    return processor.busy_w * modelled_latency_s(segment, processor)


def modelled_codec_s(timing: Timing, processor: Processor, measured_on: Processor) -> float:
    """Seconds that a codec takes on `processor`: its mean measured on another class, times the ratio of their CoreMarks."""
    return timing.mean_s * measured_on.coremark / processor.coremark
