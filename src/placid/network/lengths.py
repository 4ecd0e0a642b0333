"""From kilometres to round-trip times, where a topology gives only lengths."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

from placid.errors import InputError

__all__ = ["FIBRE_INDEX", "great_circle_km", "rtt_of_km"]

#: group index of standard single-mode fibre: light takes this many times as long as in vacuum (ITU-T G.652, about 1.468)
FIBRE_INDEX = 1.468
_LIGHT_KM_PER_S = 299_792.458
_EARTH_KM = 6371.0


def rtt_of_km(length_km: float, detour: float = 1.0, hop_s: float = 0.0) -> float:
    """Round-trip time of a fibre: ``2 * length * detour * index / c + hop``, seconds.

    Args:
        length_km: of the link.
        detour: how much longer the cable is than the given length; 1 if the length is the cable's own, about 1.5 for
            great circles.
        hop_s: what forwarding at the far end adds.

    Example:
        >>> round(1e3 * rtt_of_km(1000.0), 2)
        9.79
    """
    if not length_km >= 0:
        raise InputError(f"a length must not be negative, got {length_km} km")
    return 2.0 * length_km * detour * FIBRE_INDEX / _LIGHT_KM_PER_S + hop_s


def great_circle_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two (longitude, latitude) in degrees on a sphere of 6371 km."""
    lon1, lat1, lon2, lat2 = (radians(x) for x in (*a, *b))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2.0 * _EARTH_KM * asin(sqrt(min(1.0, half)))
