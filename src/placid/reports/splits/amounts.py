"""Rates and counts of a comparison as people read them."""

from __future__ import annotations

__all__ = ["amount", "bit_rate", "joule", "points", "times"]

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def amount(number: float) -> str:
    """A count with three digits.

    Example:
        >>> amount(9_800_000), amount(27_648), amount(0)
        ('9.8 M', '27.6 k', '0')
    """
    for size, letter in _STEPS:
        if number >= 0.9995 * size:
            return f"{number / size:.3g} {letter}"
    return f"{number:.3g}"


def bit_rate(bits_per_s: float) -> str:
    """A bandwidth.

    Example:
        >>> bit_rate(5470), bit_rate(1e9)
        ('5.47 kbit/s', '1 Gbit/s')
    """
    text = amount(bits_per_s)
    return f"{text}bit/s" if text[-1].isalpha() else f"{text} bit/s"


def joule(energy_j: float) -> str:
    """An energy, down to picojoules.

    Example:
        >>> joule(7.36e-9), joule(0.0046), joule(0.0)
        ('7.36 nJ', '4.6 mJ', '0 J')
    """
    for size, unit in ((1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"), (1e-12, "pJ")):
        if energy_j >= 0.9995 * size:
            return f"{energy_j / size:.3g} {unit}"
    return f"{energy_j:.3g} J"


def points(share: float) -> str:
    """A difference of accuracies.

    Example:
        >>> points(0.01), points(0.005)
        ('1 point', '0.5 points')
    """
    return f"{100 * share:g} point{'' if share == 0.01 else 's'}"


def times(ratio: float) -> str:
    """How many times as much, with the digits that a modelled figure bears.

    Example:
        >>> times(11.24), times(1.083), times(1342.0)
        ('11', '1.1', '1,300')
    """
    return f"{float(f'{ratio:.2g}'):,g}" if ratio >= 10 else f"{ratio:.1f}"
