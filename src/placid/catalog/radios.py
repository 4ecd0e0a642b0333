"""Kinds of link as declared: what a byte takes on its way, in time and in energy. None of it is measured here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from placid.errors import InputError, UnknownNameError

__all__ = ["RADIOS", "Radio", "radio_class"]


@dataclass(frozen=True)
class Radio:
    """A kind of link, wireless or not.

    Attributes:
        about: what is meant.
        bytes_per_s: of an application's bytes, each way.
        sent_j_per_byte: energy of the sending side.
        received_j_per_byte: of the receiving side.
        rtt_s: of an empty message and its answer.
        message_bytes: most that one message carries; 0 for no such limit. More takes several messages, each its `rtt_s`.
    """

    name: str
    about: str
    bytes_per_s: float
    sent_j_per_byte: float
    received_j_per_byte: float
    rtt_s: float
    message_bytes: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.bytes_per_s < math.inf:
            raise InputError("needs a rate above 0 and finite", where=f"radio '{self.name}'")
        if min(self.sent_j_per_byte, self.received_j_per_byte, self.rtt_s, self.message_bytes) < 0:
            raise InputError("needs energies, times and sizes of at least 0", where=f"radio '{self.name}'")

    @property
    def energy_j_per_byte(self) -> float:
        """Of both ends together: what `Link.energy_j_per_byte` asks for."""
        return self.sent_j_per_byte + self.received_j_per_byte

    def messages(self, size_bytes: float) -> int:
        """How many messages `size_bytes` take."""
        if size_bytes <= 0:
            return 0
        return math.ceil(size_bytes / self.message_bytes) if self.message_bytes else 1

    def transfer_s(self, size_bytes: float) -> float:
        """Seconds until `size_bytes` are there and the answer to the last of them is back: modelled."""
        return self.messages(size_bytes) * self.rtt_s + size_bytes / self.bytes_per_s

    def transfer_j(self, size_bytes: float) -> float:
        """Joules of both ends: modelled; what a radio takes while it listens for nothing is not in it."""
        return size_bytes * self.energy_j_per_byte


def _at(power_w: float, bits_per_s: float) -> float:
    """Joules of a byte when the radio draws `power_w` for as long as it takes."""
    return 8 * power_w / bits_per_s


_DECLARED = (
    # LoRaWAN regional parameters, EU868 at 125 kHz: spreading factor 12 (DR0: 250 bit/s, 51 bytes a message) and 7 (DR5:
    # 5470 bit/s, 222 bytes). Semtech SX1276 data sheet: about 44 mA at 3.3 V for 14 dBm (between its rows of 13 and 17 dBm).
    # The gateway's receiver is always on and is not charged; the duty cycle of 1 % is not counted. Round trips: declared
    Radio("lora-sf12", "LoRaWAN, the slowest rate", 250 / 8, _at(0.145, 250), 0.0, 1.0, 51),
    Radio("lora-sf7", "LoRaWAN, the fastest rate of 125 kHz", 5470 / 8, _at(0.145, 5470), 0.0, 0.1, 222),
    # IEEE 802.15.4: 250 kbit/s on air, about 100 kbit/s of payload; TI CC2538 data sheet: 24 mA sending 0 dBm, 20 mA
    # receiving, at 3 V
    Radio("zigbee", "IEEE 802.15.4 at 2.4 GHz", 100e3 / 8, _at(0.072, 100e3), _at(0.06, 100e3), 0.01, 102),
    # Bluetooth low energy: 1 Mbit/s on air, about 700 kbit/s of payload with long packets; Nordic nRF52840 data sheet:
    # 4.8 mA sending 0 dBm, 4.6 mA receiving, at 3 V
    Radio("ble", "Bluetooth low energy", 700e3 / 8, _at(0.0144, 700e3), _at(0.0138, 700e3), 0.015),
    # Huang et al., A close examination of performance and power characteristics of 4G LTE networks (MobiSys 2012), their
    # power model: sending takes 438.39 mW a Mbit/s + 1288.04 mW, at their median of 5.64 Mbit/s up and 70 ms. The base
    # station is not charged
    Radio("lte", "4G LTE, uplink of a phone", 5.64e6 / 8, _at(0.43839 * 5.64 + 1.28804, 5.64e6), 0.0, 0.07),
    # The same paper's model of Wi-Fi: sending 283.17, receiving 137.01 mW a Mbit/s, + 132.86 mW, here at 20 Mbit/s
    Radio(
        "wifi", "Wi-Fi", 20e6 / 8, _at(0.28317 * 20 + 0.13286, 20e6), _at(0.13701 * 20 + 0.13286, 20e6), 0.004
    ),
    # a transceiver of each end: 0.2 W at 100 Mbit/s, 0.5 W at 1 Gbit/s, and 1 W of its part of a switch: declared
    Radio("ethernet-100", "Ethernet, 100 Mbit/s", 100e6 / 8, _at(0.7, 100e6), _at(0.7, 100e6), 0.0005),
    Radio("ethernet-1000", "Ethernet, 1 Gbit/s", 1e9 / 8, _at(1.0, 1e9), _at(1.0, 1e9), 0.0003),
)
#: every declared kind of link by its name, from slow to fast
RADIOS: dict[str, Radio] = {r.name: r for r in _DECLARED}


def radio_class(name: str) -> Radio:
    """The declared kind of link called `name`. Raises UnknownNameError if there is none."""
    if name not in RADIOS:
        raise UnknownNameError("kind of link", name, RADIOS)
    return RADIOS[name]
