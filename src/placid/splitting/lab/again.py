"""The parts of a zoo timed again on the machine at hand: accuracies and bytes stay, latencies become yours."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from placid.catalog.variants import Crossing, Segment, Timing, Variant, Zoo, write_zoo
from placid.inference.inputs import network_input
from placid.inference.pictures import picture_codec
from placid.inference.wire import wire_from
from placid.splitting.measuring import open_session, run, time_run

__all__ = ["time_again", "timed_over"]

#: pictures that codecs are timed over, one after another
_PICTURES = 200


def time_again(
    zoo: Zoo,
    pictures: np.ndarray,
    out: Path,
    *,
    processor: str,
    told: Callable[[str, str], None] | None = None,
) -> Zoo:
    """`zoo` with the latencies of this machine, written to `out` with copies of its files; a second or two for each part.

    A file that several variants share is timed once.

    Args:
        pictures: uint8 [n, height, width, channels], real ones: range coders and picture codecs take longer for some.
        processor: what this machine is called in the manifest.
        told: called with a variant's name and a line about it.

    Raises:
        RunError: a file is missing or cannot be run.
        InputError: pictures are not of the shape that the zoo's networks take.
    """
    out.mkdir(parents=True, exist_ok=True)
    for file in sorted({s.file for v in zoo.variants for s in v.segments if s.file}):
        if not (out / file).exists() or not (out / file).samefile(zoo.folder / file):
            shutil.copyfile(zoo.folder / file, out / file)
    known: dict[str, Timing] = {}
    variants = []
    for variant in zoo.variants:
        variants.append(_timed(variant, zoo, pictures[:_PICTURES], known))
        if told is not None:
            parts = ", ".join(f"{1e3 * s.latency.p50_s:.3f}" for s in variants[-1].segments if s.file)
            told(variant.name, f"{parts} ms")
    note = f"Latencies: ONNX Runtime {onnxruntime.__version__}, one thread, batch 1, on {processor}."
    kept = tuple(n for n in zoo.notes if not n.startswith("Latencies:"))
    found = replace(zoo, folder=out, processor=processor, variants=tuple(variants), notes=(note, *kept))
    write_zoo(found)
    return found


def timed_over(work: Callable[[Any], object], inputs: Sequence[Any]) -> Timing:
    """Of `work` on one input after another."""
    turn = iter(range(1 << 30))
    return time_run(lambda: work(inputs[next(turn) % len(inputs)]), runs=_PICTURES)


def _timed(variant: Variant, zoo: Zoo, pictures: np.ndarray, known: dict[str, Timing]) -> Variant:
    segments: list[Segment] = []
    crossings: list[Crossing] = []
    given: np.ndarray = network_input(pictures)
    for place, segment in enumerate(variant.segments):
        outputs: list[np.ndarray] = []
        if segment.file:
            session = open_session(zoo.folder / segment.file)
            outputs = run(session, given)
            if segment.sha256 not in known:
                feed = {session.get_inputs()[0].name: np.ascontiguousarray(given[:1])}
                known[segment.sha256] = time_run(lambda s=session, f=feed: s.run(None, f))  # type: ignore[misc]
            segments.append(replace(segment, latency=known[segment.sha256]))
        else:
            segments.append(segment)
        if place == len(variant.crossings):
            break
        crossing = variant.crossings[place]
        if segment.file:
            wire = wire_from(crossing.wire)
            tensors = list(outputs[0])
            coded = [wire.encode(t) for t in tensors]
            encode, decode = timed_over(wire.encode, tensors), timed_over(wire.decode, coded)
            given = np.stack([wire.decode(c) for c in coded]).astype(outputs[0].dtype)
        else:
            codec = picture_codec(crossing.codec, pictures.shape[1:])
            images = list(pictures)
            coded = [codec.encode(i) for i in images]
            encode, decode = timed_over(codec.encode, images), timed_over(codec.decode, coded)
            given = network_input(np.stack([codec.decode(c) for c in coded]).reshape(pictures.shape))
        crossings.append(replace(crossing, encode=encode, decode=decode))
    return replace(variant, segments=tuple(segments), crossings=tuple(crossings))
