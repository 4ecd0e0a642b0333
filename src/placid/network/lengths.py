"""From kilometres to round-trip times, where a topology gives only lengths."""

from __future__ import annotations

from math import asin, cos, isfinite, radians, sin, sqrt

from placid.errors import InputError

__all__ = ["FIBRE_INDEX", "great_circle_km", "is_geographic", "rtt_of_km"]

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

    Raises:
        InputError: one of them is negative or not finite, or `detour` is 0.

    Example:
        >>> round(1e3 * rtt_of_km(1000.0), 2)
        9.79
    """
    if not (length_km >= 0 and isfinite(length_km)):
        raise InputError(f"a length must not be negative or infinite, got {length_km} km")
    if not (detour > 0 and isfinite(detour)):
        raise InputError(f"'detour' must be above 0, such as 1.5, got {detour}")
    if not (hop_s >= 0 and isfinite(hop_s)):
        raise InputError(f"'hop' must not be negative or infinite, got {hop_s} s")
    return 2.0 * length_km * detour * FIBRE_INDEX / _LIGHT_KM_PER_S + hop_s


def great_circle_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two (longitude, latitude) in degrees on a sphere of 6371 km."""
    lon1, lat1, lon2, lat2 = (radians(x) for x in (*a, *b))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2.0 * _EARTH_KM * asin(sqrt(min(1.0, half)))


def is_geographic(at: tuple[float, float]) -> bool:
    """Whether `at` can be (longitude, latitude) in degrees; a drawing's coordinates often cannot."""
    return abs(at[0]) <= 180 and abs(at[1]) <= 90
