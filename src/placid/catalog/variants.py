"""Trained variants as they were measured: what a splitting lab writes and everything else reads.

A `Zoo` is a folder: ONNX files of segments, and ``manifest.json`` that says of every variant what it is, what it does,
how it was made. Reading it needs neither torch nor ONNX.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from placid.errors import InputError, UnknownNameError

__all__ = [
    "Crossing",
    "Exit",
    "Segment",
    "Timing",
    "Variant",
    "Zoo",
    "read_zoo",
    "shipped_name",
    "shipped_zoo",
    "write_zoo",
    "zoo_folder",
]

_FORMAT = 1

#: folders of the zoos that come with placid, by name; the first is meant where none is named
_SHIPPED = {"cifar10": "zoo", "cifar10-long": "zoo-long"}


@dataclass(frozen=True)
class Timing:
    """Repeated runs of one thing, at batch 1 on one thread."""

    mean_s: float
    p50_s: float
    p95_s: float
    deviation_s: float
    runs: int


@dataclass(frozen=True)
class Segment:
    """A part of a model that one node stores and runs.

    Attributes:
        name: unique in its variant, in the order of running.
        file: ONNX file beside the manifest; empty for a part that is no network (taking or compressing a picture).
        sha256: of that file.
        size_bytes: of that file: what a node must keep to run it.
        multiply_adds: of one input, exit heads included.
        moved_bytes: weights read, and tensors read and written, for one input: with `multiply_adds` what a roofline needs.
        peak_bytes: most bytes of intermediate tensors alive at once.
        latency: measured in ONNX Runtime on the zoo's processor.
        arithmetic: "float32" or "int8": in what its products are computed.
    """

    name: str
    file: str
    sha256: str
    size_bytes: int
    multiply_adds: int
    moved_bytes: int
    peak_bytes: int
    latency: Timing
    arithmetic: str = "float32"


@dataclass(frozen=True)
class Crossing:
    """What is sent from one segment to the next for one input, header included, as bytes that were really made.

    Attributes:
        encode: time that the codec itself takes on the sending side, beyond the segment.
        decode: likewise on the receiving side.
        wire: what `placid.inference.wire.wire_from` needs to make these bytes; empty for pictures.
    """

    codec: str
    mean_bytes: float
    p95_bytes: float
    max_bytes: int
    encode: Timing
    decode: Timing
    wire: Mapping[str, Any] = field(hash=False, default_factory=dict)


@dataclass(frozen=True)
class Exit:
    """A classifier after a segment, and when its answer is final.

    Attributes:
        segment: position of the segment after which it stands.
        rule: "entropy", "confidence", "margin" or "learned".
        threshold: of that rule, chosen on the calibration images.
        share: of all test images that are answered here.
        accuracy: on those.
    """

    segment: int
    rule: str
    threshold: float
    share: float
    accuracy: float


@dataclass(frozen=True)
class Variant:
    """One way to answer a task: its segments in order, what crosses between them, the exits in use.

    Attributes:
        technique: what it is an instance of ("local", "remote-raw", "remote-jpeg", "split", "bottlefit", "entropic", …).
        network: the network it was made from.
        cut: where, by the name of the module after which it is parted; empty if it is not.
        crossings: one fewer than segments.
        exits: in order of segments; what none of them answers, the last segment answers.
        accuracy: on all test images with the exits in use, mean over `seeds`.
        accuracy_low: of the 95 % interval.
        accuracy_high: of the 95 % interval.
        seed_accuracies: one for each seed trained.
        made: how: command, seed, commit, checksum of the data, recipe.
    """

    name: str
    technique: str
    network: str
    cut: str
    segments: tuple[Segment, ...]
    crossings: tuple[Crossing, ...]
    exits: tuple[Exit, ...]
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    seed_accuracies: tuple[float, ...]
    made: Mapping[str, Any] = field(hash=False, default_factory=dict)

    def reach(self, segment: int) -> float:
        """Share of inputs for which segment number `segment` runs."""
        return 1.0 - sum(e.share for e in self.exits if e.segment < segment)

    @property
    def reached(self) -> int:
        """How many segments, from the first on, some input gets to."""
        return next((i for i in range(len(self.segments)) if self.reach(i) <= 0), len(self.segments))

    @property
    def size_bytes(self) -> int:
        """Of all segments together."""
        return sum(s.size_bytes for s in self.segments)


@dataclass(frozen=True)
class Zoo:
    """Variants of one task, measured on one machine.

    Attributes:
        folder: where the files of `variants` lie.
        task: what all of them solve; `dataset` says on which images.
        processor: what they were timed on, in words.
        input_bytes: an input as it is, uncompressed.
    """

    folder: Path
    task: str
    dataset: str
    processor: str
    input_bytes: int
    classes: tuple[str, ...]
    variants: tuple[Variant, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = str(self.folder / "manifest.json")
        names = [v.name for v in self.variants]
        for v in self.variants:
            at = f"{where}, variant '{v.name}'"
            if names.count(v.name) > 1:
                raise InputError("the name occurs twice", where=at)
            if not v.segments:
                raise InputError("has no segment", where=at)
            if len(v.crossings) != len(v.segments) - 1:
                raise InputError(
                    f"has {len(v.segments)} segments, so {len(v.segments) - 1} crossings, but {len(v.crossings)} are given",
                    where=at,
                )
            if not 0 <= v.accuracy_low <= v.accuracy <= v.accuracy_high <= 1:
                raise InputError("needs 0 <= accuracy_low <= accuracy <= accuracy_high <= 1", where=at)
            if [e.segment for e in v.exits] != sorted({e.segment for e in v.exits}):
                raise InputError("has exits out of order, or two after one segment", where=at)
            if any(not 0 <= e.segment < len(v.segments) for e in v.exits):
                raise InputError("has an exit after a segment that it does not have", where=at)
            if any(not 0 <= e.share <= 1 for e in v.exits) or v.reach(len(v.segments)) < -1e-9:
                raise InputError("has exits that answer less than none or more than all", where=at)

    def variant(self, name: str) -> Variant:
        """Raises UnknownNameError if there is none of that name."""
        for v in self.variants:
            if v.name == name:
                return v
        raise UnknownNameError("variant", name, [v.name for v in self.variants], where=str(self.folder))


def shipped_zoo(name: str = "cifar10") -> Path:
    """Folder of a zoo that comes with placid.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in _SHIPPED:
        raise UnknownNameError("zoo", name, _SHIPPED)
    return Path(__file__).parent / "data" / _SHIPPED[name]


def shipped_name(folder: Path) -> str | None:
    """What `folder` is called, if it is a zoo that comes with placid."""
    return next((name for name in _SHIPPED if shipped_zoo(name) == folder), None)


def zoo_folder(told: str | Path, beside: Path = Path()) -> Path:
    """The folder that is meant by a path, relative to `beside`, or by the name of a zoo that comes with placid.

    A folder that is there goes before a name.
    """
    folder = beside / told
    return shipped_zoo(str(told)) if str(told) in _SHIPPED and not folder.exists() else folder


def read_zoo(folder: Path | None = None) -> Zoo:
    """The zoo in `folder`; left out, the first that comes with placid.

    Raises:
        InputError: there is no manifest, it is not JSON, or says what cannot be.
    """
    folder = shipped_zoo() if folder is None else folder
    file = folder / "manifest.json"
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("there is no such file: no zoo lies here", where=str(file)) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is not JSON: {error}", where=str(file)) from None
    if not isinstance(told, dict) or told.get("format") != _FORMAT:
        raise InputError(f'needs "format": {_FORMAT}; build the zoo again with this placid', where=str(file))
    try:
        return Zoo(
            folder=folder,
            variants=tuple(_variant(v) for v in told["variants"]),
            classes=tuple(told["classes"]),
            notes=tuple(told.get("notes", ())),
            **{k: told[k] for k in ("task", "dataset", "processor", "input_bytes")},
        )
    except KeyError as error:
        raise InputError(f"lacks {error}", where=str(file)) from None
    except TypeError as error:
        raise InputError(f"is not as a manifest should be: {error}", where=str(file)) from None


def write_zoo(zoo: Zoo) -> Path:
    """Write the manifest of `zoo` into its folder; its path comes back."""
    file = zoo.folder / "manifest.json"
    told = {"format": _FORMAT} | {k: v for k, v in asdict(zoo).items() if k != "folder"}
    scratch = file.with_suffix(".tmp")
    scratch.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    scratch.replace(file)
    return file


def _variant(told: Mapping[str, Any]) -> Variant:
    return Variant(
        **{
            **told,
            "segments": tuple(Segment(**{**s, "latency": Timing(**s["latency"])}) for s in told["segments"]),
            "crossings": tuple(
                Crossing(**{**c, "encode": Timing(**c["encode"]), "decode": Timing(**c["decode"])})
                for c in told["crossings"]
            ),
            "exits": tuple(Exit(**e) for e in told["exits"]),
            "seed_accuracies": tuple(told["seed_accuracies"]),
        }
    )
