"""Which way to answer is the fastest, or takes the device least energy, for every network and every device. Modelled.

    time   = device operations / its speed + share sent x (round trip + 8 bytes / bandwidth) + server operations / its speed
    energy = J a multiply-add x device operations + J a byte x bytes

A part's operations take no less than moving its weights and tensors through memory (the roofline of Williams, Waterman &
Patterson, CACM 2009). Every rate is an argument; `Setting` says where its defaults are from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placid.errors import InputError
from placid.reports.splits.costs import Cost

__all__ = [
    "BANDWIDTHS",
    "BYTE_ENERGIES",
    "LOSSES",
    "OPERATION_ENERGIES",
    "SPEEDS",
    "Setting",
    "WinnerMap",
    "answer_s",
    "bytes_on_the_air",
    "device_energy_j",
    "energy_terms",
    "energy_winners",
    "latency_terms",
    "latency_winners",
    "winners",
]

#: required accuracies, as what may be lost against the whole network
LOSSES = (0.005, 0.01, 0.02, 0.05)
#: bit/s: LoRa to a fibre
BANDWIDTHS = np.geomspace(5e3, 1e9, 120)
#: multiply-adds a second that a device sustains: a microcontroller to a server's accelerator
SPEEDS = np.geomspace(1e7, 1e12, 101)
#: J for a byte sent: wired or fast Wi-Fi to slow LoRa
BYTE_ENERGIES = np.geomspace(1e-8, 1e-2, 120)
#: J for a multiply-add: a neural unit to a microcontroller, its memory included
OPERATION_ENERGIES = np.geomspace(1e-12, 1e-8, 101)


@dataclass(frozen=True)
class Setting:
    """What a modelled time takes for granted, beside bandwidth and device speed.

    Attributes:
        server_multiply_adds_per_s: sustained for one request. Default: a data-centre GPU of 4 x 10^12 at best (NVIDIA T4
            data sheet, 8.1 TFLOPS), of which a small network at batch 1 gets a tenth (declared).
        round_trip_s: of an input that is sent, beyond its bytes: a server near the access network (declared).
        memory_bytes_per_multiply_add: bytes that memory moves in the time of a sustained multiply-add. Default: 0.6,
            as a core of an x86 server (12 GB/s beside 19 x 10^9) and a Jetson Nano (25.6 beside 35) have; microcontrollers
            have more.
        packet_header_bytes: of IPv4 and UDP (RFC 791, RFC 768).
        packet_payload_bytes: what one packet holds beside them, of Ethernet's 1,500.
    """

    server_multiply_adds_per_s: float = 4e11
    round_trip_s: float = 0.01
    memory_bytes_per_multiply_add: float = 0.6
    packet_header_bytes: float = 28.0
    packet_payload_bytes: float = 1472.0

    def __post_init__(self) -> None:
        if not min(
            self.server_multiply_adds_per_s, self.memory_bytes_per_multiply_add, self.packet_payload_bytes
        ) > 0 or not (self.round_trip_s >= 0 and self.packet_header_bytes >= 0):
            raise InputError(
                "a setting needs rates above 0, and a round trip and headers of at least 0", where=str(self)
            )


@dataclass(frozen=True)
class WinnerMap:
    """The cheapest way for every point of a grid, among those that reach a required accuracy.

    Attributes:
        x, y: of the grid, rising.
        cost: [ways, y, x]; of all ways, those that do not reach the accuracy too.
        required: accuracy.
        reaching: [ways], whether each does.
        winner: [y, x], position of the cheapest among those reaching, the more accurate of equals; -1 if none reaches.
        rival: likewise the cheapest of another family; -1 if there is none.
        margin: [y, x], the rival's cost over the winner's, infinite without a rival, NaN without a winner.
    """

    x: np.ndarray
    y: np.ndarray
    cost: np.ndarray
    required: float
    reaching: np.ndarray
    winner: np.ndarray
    rival: np.ndarray
    margin: np.ndarray

    def close(self, within: float = 1.05) -> np.ndarray:
        """[y, x]: whether another family costs at most `within` times as much: too near to call with modelled rates."""
        return np.nan_to_num(self.margin, nan=np.inf) <= within


def latency_winners(
    ways: Sequence[Cost],
    required: float,
    *,
    bandwidths: np.ndarray = BANDWIDTHS,
    speeds: np.ndarray = SPEEDS,
    setting: Setting | None = None,
    accuracies: Sequence[float] | None = None,
) -> WinnerMap:
    """Who answers fastest: x is the uplink's bandwidth in bit/s, y the device's speed in multiply-adds per second."""
    cost = answer_s(ways, speeds[:, None], bandwidths[None, :], setting or Setting())
    return winners(ways, cost, bandwidths, speeds, required, accuracies)


def energy_winners(
    ways: Sequence[Cost],
    required: float,
    *,
    byte_energies: np.ndarray = BYTE_ENERGIES,
    operation_energies: np.ndarray = OPERATION_ENERGIES,
    setting: Setting | None = None,
    accuracies: Sequence[float] | None = None,
) -> WinnerMap:
    """Who takes the device least energy: x is J for a byte sent, y J for a multiply-add."""
    cost = device_energy_j(ways, operation_energies[:, None], byte_energies[None, :], setting or Setting())
    return winners(ways, cost, byte_energies, operation_energies, required, accuracies)


def answer_s(
    ways: Sequence[Cost], speed: np.ndarray | float, bandwidth: np.ndarray | float, setting: Setting
) -> np.ndarray:
    """Mean time until an input is answered, [ways, ...] over the shape that `speed` and `bandwidth` broadcast to."""
    speed, bandwidth = np.asarray(speed, float), np.asarray(bandwidth, float)
    if not (np.all(speed > 0) and np.all(bandwidth > 0)):
        raise InputError("speeds and bandwidths have to be above 0")
    return _spread(latency_terms(ways, setting), 1 / speed, 1 / bandwidth)


def device_energy_j(
    ways: Sequence[Cost],
    per_operation: np.ndarray | float,
    per_byte: np.ndarray | float,
    setting: Setting,
) -> np.ndarray:
    """Mean energy of the device for an input, [ways, ...] over the shape that the two energies broadcast to.

    The server's energy, and that of waiting and listening, are not in it.
    """
    return _spread(energy_terms(ways, setting), np.asarray(per_operation, float), np.asarray(per_byte, float))


def latency_terms(ways: Sequence[Cost], setting: Setting) -> np.ndarray:
    """[ways, 3]: seconds whatever device and link, operations of the device, bits sent."""
    moved = 1 / setting.memory_bytes_per_multiply_add
    rows = []
    for w, air in zip(ways, bytes_on_the_air(ways, setting), strict=True):
        beyond = max(w.server_multiply_adds, w.server_moved_bytes * moved)
        fixed = beyond / setting.server_multiply_adds_per_s + w.decode_s + w.sent_share * setting.round_trip_s
        rows.append((fixed, max(w.device_operations, w.device_moved_bytes * moved), 8 * air))
    return np.array(rows, float).reshape(-1, 3)


def energy_terms(ways: Sequence[Cost], setting: Setting) -> np.ndarray:
    """[ways, 3]: 0, operations of the device, bytes sent."""
    rows = [
        (0.0, w.device_operations, air) for w, air in zip(ways, bytes_on_the_air(ways, setting), strict=True)
    ]
    return np.array(rows, float).reshape(-1, 3)


def bytes_on_the_air(ways: Sequence[Cost], setting: Setting) -> list[float]:
    """Mean bytes an input with the headers of its packets: at least one packet if anything is sent."""
    sent = []
    for w in ways:
        payload = w.bytes_mean / w.sent_share if w.sent_share > 0 else 0.0
        packets = w.sent_share * max(1.0, payload / setting.packet_payload_bytes)
        sent.append(w.bytes_mean + packets * setting.packet_header_bytes)
    return sent


def winners(
    ways: Sequence[Cost],
    cost: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    required: float,
    accuracies: Sequence[float] | None = None,
) -> WinnerMap:
    """The cheapest of `ways` at every point of `cost` ([ways, y, x]) among those of accuracy at least `required`.

    Args:
        accuracies: of each way, where they are not to be its own mean, as where seeds have to be set apart.
    """
    if not ways:
        raise InputError("there is no way to answer to compare")
    if cost.shape != (len(ways), len(y), len(x)):
        raise InputError(
            f"{len(ways)} ways over {len(y)} x {len(x)} points need costs of that shape, got {cost.shape}"
        )
    reached = np.array([w.accuracy for w in ways] if accuracies is None else accuracies, float)
    reaching = reached >= required - 1e-9
    families = np.array([w.family.name for w in ways])
    # the first of equals wins, so the more accurate come first
    order = np.argsort(-reached, kind="stable")
    held = np.where(reaching[:, None, None], cost, np.inf)
    winner = order[np.argmin(held[order], axis=0)]
    of_others = np.where(families[:, None, None] == families[winner][None], np.inf, held)
    rival = order[np.argmin(of_others[order], axis=0)]
    best, next_best = held.min(axis=0), of_others.min(axis=0)
    none, alone = ~np.isfinite(best), ~np.isfinite(next_best)
    with np.errstate(invalid="ignore", divide="ignore"):
        # two that cost nothing are equals
        margin = np.where((best == 0) & (next_best == 0), 1.0, next_best / best)
    margin = np.where(none, np.nan, np.where(alone, np.inf, margin))
    return WinnerMap(
        x=x,
        y=y,
        cost=cost,
        required=required,
        reaching=reaching,
        winner=np.where(none, -1, winner),
        rival=np.where(none | alone, -1, rival),
        margin=margin,
    )


def _spread(terms: np.ndarray, per_operation: np.ndarray, per_unit_sent: np.ndarray) -> np.ndarray:
    """fixed + operations x their price + what is sent x its price, [ways, ...] over the shape of the two prices."""
    per_operation, per_unit_sent = np.broadcast_arrays(per_operation, per_unit_sent)
    fixed, operations, sent = terms.reshape(len(terms), 3, *(1,) * per_operation.ndim).swapaxes(0, 1)
    return fixed + operations * per_operation + sent * per_unit_sent
