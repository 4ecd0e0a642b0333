"""JPEG without what both ends know.

Pictures of one shape, quality and colour sampling, coded with the standard Huffman tables, all begin with the same bytes:
623 for a coloured one. Only the scan, the coded content, differs. JPEG foresees this ("abbreviated format", ITU-T T.81,
B.5), with the tables sent once.

``Differs from the standard:`` frame and scan headers are left out too, and two bytes of checksum stand before the scan, as
many as the header of any other form here: a scan says nothing about itself, and a decoder fills in what is missing without a
word. The checksum covers the name of the codec, so bytes of another quality are refused too.
"""

from __future__ import annotations

import struct
import zlib

from placid.errors import InputError

__all__ = ["CHECK_BYTES", "bare_scan", "whole_file"]

CHECK_BYTES = 2
_CHECK = struct.Struct(">H")
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"


def bare_scan(file: bytes, name: str) -> bytes:
    """What of the JPEG `file` depends on the picture, after a checksum.

    Args:
        name: of the codec, which says how all else in the file is.
    """
    scan = file[_scan_starts(file) : -len(_END_OF_IMAGE)]
    return _CHECK.pack(_check(scan, name)) + scan


def whole_file(bare: bytes, other: bytes, name: str) -> bytes:
    """The file that `bare_scan` was given, with the headers of `other`, any file of the same codec.

    Raises:
        InputError: the bytes are damaged, or of another codec.
    """
    if len(bare) <= CHECK_BYTES:
        raise InputError(f"{len(bare)} bytes are too few for a picture", where=name)
    (told,) = _CHECK.unpack(bare[:CHECK_BYTES])
    scan = bare[CHECK_BYTES:]
    if told != _check(scan, name):
        raise InputError("the checksum differs: damaged, or of another codec", where=name)
    return other[: _scan_starts(other)] + scan + _END_OF_IMAGE


def _check(scan: bytes, name: str) -> int:
    return zlib.crc32(scan, zlib.crc32(name.encode())) & 0xFFFF


def _scan_starts(file: bytes) -> int:
    """Where the coded content begins: after the start of the image, all tables, and the header of the scan."""
    at = 2
    while True:
        marker = file[at + 1]
        at += 2 + int.from_bytes(file[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            return at
