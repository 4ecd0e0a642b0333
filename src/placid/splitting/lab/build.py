"""From the trained variants of a lab to a zoo: files, what they take, what they do, how they were made."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import torch

from placid.catalog.variants import Crossing, Exit, Segment, Timing, Variant, Zoo, read_zoo, write_zoo
from placid.catalog.wire import Plain, Rounded, Wire
from placid.errors import InputError
from placid.splitting.bottlenecks.network import DeviceSide
from placid.splitting.codecs import Uniform
from placid.splitting.cutting import trace
from placid.splitting.data import Images, load_dataset
from placid.splitting.exits import (
    ExitCosts,
    ExitSettings,
    Score,
    answering,
    fit_score,
    least_operations,
    outcome_of,
    put_to_use,
)
from placid.splitting.exits import risk_coverage as curve_of
from placid.splitting.lab.make import branched, split_network
from placid.splitting.lab.outcome import Outcome, answers, network_input, over_the_wire, with_pictures
from placid.splitting.lab.segments import SAMPLE, Files, runner
from placid.splitting.lab.spec import Bottleneck, Exits, Lab, Local, Remote, Split
from placid.splitting.lab.train import load_teacher, weights_file
from placid.splitting.measuring import accuracy_interval, measure_segment, time_run
from placid.splitting.measuring.plain_file import digest_of
from placid.splitting.nets import network_named
from placid.splitting.pictures import picture_codec
from placid.splitting.training.batches import as_input
from placid.splitting.training.checkpoint import load_weights, read_about
from placid.splitting.training.classifier import logits_of

if TYPE_CHECKING:
    from torch import nn

__all__ = ["build_zoo"]

#: called with the name of a variant and a line about it
Told = Callable[[str, str], None]
_CODEC_RUNS = 200
#: test images, the first ones, on which right answers are counted apart
_FIRST = 1000
_NOTHING = Timing(0.0, 0.0, 0.0, 0.0, 1)


def build_zoo(
    lab: Lab,
    trained: Path,
    out: Path,
    *,
    made: Mapping[str, Any] | None = None,
    told: Told | None = None,
    processor: str = "",
) -> Zoo:
    """Export, check, measure and test every variant of `lab` whose weights lie in `trained`; the zoo is written to `out`.

    The first seed's files are kept, and tested as they are, in ONNX Runtime, over real bytes; further seeds are tested in
    torch, for the interval. Variants that the folder already holds, made of the same weights, are not made
    again. Takes about half a minute for a variant and 10,000 images on one core.

    Args:
        made: what to write beside each variant (command, commit).
        processor: what this machine is called in the manifest; by default what it calls itself.

    Raises:
        InputError: the teacher has not been trained.
        RunError: a segment cannot be exported, or does not do what torch does.
    """
    builder = _Builder(lab, trained, out, dict(made or {}), told or (lambda name, line: None), processor)
    return builder.build()


class _Builder:
    def __init__(
        self, lab: Lab, trained: Path, out: Path, made: dict[str, Any], told: Told, processor: str
    ) -> None:
        self.lab, self.trained, self.out, self.made, self.told = lab, trained, out, made, told
        self.data = load_dataset(lab.data)
        self.files = Files(out, self.data.calibration)
        self.teacher = load_teacher(lab, trained)
        self.processor = processor or _processor()

    def build(self) -> Zoo:
        self.out.mkdir(parents=True, exist_ok=True)
        kept = self._kept()
        variants: list[Variant] = []
        dataset = self.data.dataset
        zoo = Zoo(
            self.out,
            f"{dataset.name}-classification",
            dataset.name,
            self.processor,
            int(np.prod(dataset.shape)),
            tuple(dataset.classes),
            (),
            (
                f"Latencies: ONNX Runtime {onnxruntime.__version__}, one thread, batch 1, on {self.processor}.",
                "Weights are stored in 16 bits, those of bottlenecks' server sides in 8; accuracies are of these files.",
            ),
        )
        for spec in self.lab.variants:
            for name in spec.names():
                if (weights := self._weights(spec, name)) is None:
                    self.told(name, "is not trained, left out")
                    continue
                tag = len(variants) + 1
                if name in kept and kept[name].made.get("weights") == weights:
                    variants.append(kept[name])
                    continue
                variant = self._variant(spec, name, tag)
                variants.append(
                    replace(variant, made={**self._how(spec, name), **variant.made, "weights": weights})
                )
                write_zoo(replace(zoo, variants=tuple(variants)))
                v = variants[-1]
                sent = f", {v.crossings[0].mean_bytes:.0f} bytes" if v.crossings else ""
                self.told(
                    name,
                    f"{100 * v.accuracy:.2f} % [{100 * v.accuracy_low:.2f}, {100 * v.accuracy_high:.2f}]{sent}",
                )
        zoo = replace(zoo, variants=tuple(variants))
        write_zoo(zoo)
        used = {s.file for v in variants for s in v.segments}
        for file in self.out.glob("*.onnx"):
            if file.name not in used:
                file.unlink()
        return zoo

    def _kept(self) -> dict[str, Variant]:
        """Variants that are here already, with their files as they were written."""
        try:
            zoo = read_zoo(self.out)
        except InputError:
            return {}
        return {
            v.name: v
            for v in zoo.variants
            if all(
                not s.file or ((self.out / s.file).exists() and digest_of(self.out / s.file) == s.sha256)
                for s in v.segments
            )
        }

    # what was trained

    def _stem(self, name: str) -> str:
        return name.removesuffix("-int8")

    def _seeds(self, spec: object, name: str) -> list[int]:
        """Seeds for which weights are there; the network itself is trained once."""
        stem = self._stem(name) if isinstance(spec, Local | Bottleneck | Exits) else "teacher"
        return [s for s in self.lab.seeds if weights_file(self.trained, stem, s).exists()]

    def _weights(self, spec: object, name: str) -> str | None:
        """What a variant is made of, as one digest of files and settings; None if something is missing."""
        seeds = self._seeds(spec, name)
        if not seeds:
            return None
        stem = self._stem(name) if isinstance(spec, Local | Bottleneck | Exits) else "teacher"
        digests = [digest_of(weights_file(self.trained, stem, s))[:16] for s in seeds]
        settings = spec.model_dump_json() if isinstance(spec, Exits) else ""
        return " ".join([*digests, settings]).strip()

    def _how(self, spec: Any, name: str) -> dict[str, Any]:
        """For the manifest: how the weights came about, and these files of them."""
        seeds = self._seeds(spec, name)
        stem = self._stem(name) if isinstance(spec, Local | Bottleneck | Exits) else "teacher"
        about = read_about(weights_file(self.trained, stem, seeds[0])) or {}
        kept = ("recipe", "command", "commit", "training_s", "threads", "calibration_accuracy")
        return {
            "trained": {k: about[k] for k in kept if k in about},
            "built": self.made,
            "seeds": seeds,
            "data_sha256": list(self.data.dataset.sha256),
            "spec": spec.model_dump(mode="json"),
            "arithmetic": "int8" if name.endswith("-int8") else "float32",
        }

    # one kind of variant after the other

    def _variant(self, spec: object, name: str, tag: int) -> Variant:
        if isinstance(spec, Local):
            return self._local(spec, name)
        if isinstance(spec, Remote):
            return self._remote(name)
        if isinstance(spec, Split):
            return self._split(spec, name, tag)
        if isinstance(spec, Bottleneck):
            return self._bottleneck(spec, name, tag)
        assert isinstance(spec, Exits)
        return self._exits(spec, name, tag)

    def _local(self, spec: Local, name: str) -> Variant:
        networks = []
        for seed in self._seeds(spec, name):
            network = network_named(spec.network.name, spec.network.settings, seed)
            load_weights(weights_file(self.trained, self._stem(name), seed), network)
            networks.append(network.eval())
        int8 = name.endswith("-int8")
        file = self.files.int8(name, networks[0], ["logits"]) if int8 else self.files.whole(name, networks[0])
        outcome = answers(runner(file), self.data.test)
        others = [] if int8 else networks[1:]
        return self._made(
            name, "local", spec.network.name, "", [self._segment("network", file)], [], outcome, others=others
        )

    @cached_property
    def _whole(self) -> Path:
        return self.files.whole("teacher", self.teacher)

    def _remote(self, name: str) -> Variant:
        kind = name.removeprefix("remote-")
        codec = picture_codec(kind, self.data.dataset.shape)
        outcome = with_pictures(codec.encode, codec.decode, runner(self._whole), self.data.test, 0)
        pictures = list(self.data.calibration.images[:_CODEC_RUNS])
        coded = [codec.encode(p) for p in pictures]
        crossing = _crossing(
            kind, outcome.sent_bytes, _timed(codec.encode, pictures), _timed(codec.decode, coded), {}
        )
        camera = Segment("camera", "", "", 0, 0, 0, 0, _NOTHING)
        technique = f"remote-{kind.partition('-')[0]}"
        segments = [camera, self._segment("network", self._whole)]
        return self._made(name, technique, self.lab.teacher.name, "", segments, [crossing], outcome)

    def _split(self, spec: Split, name: str, tag: int) -> Variant:
        bits = int(name.rpartition("-")[2].removesuffix("bit"))
        example = as_input(self.data.calibration.images[:2]).contiguous()
        head, tail = trace(self.teacher, example).segments([spec.cut])
        first, second = self.files.parts(f"split-{spec.cut}", [head, tail])
        features = runner(first)(self.files.sample)[0]
        wire = self._rounded(features, bits, tag)
        outcome = over_the_wire(runner(first), wire, runner(second), self.data.test)
        segments = [self._segment("head", first), self._segment("tail", second, features)]
        technique = "split" if bits < 16 else "split-float"
        crossing = self._on_wire(wire, outcome.sent_bytes, features)
        return self._made(name, technique, self.lab.teacher.name, spec.cut, segments, [crossing], outcome)

    def _bottleneck(self, spec: Bottleneck, name: str, tag: int) -> Variant:
        networks = []
        for seed in self._seeds(spec, name):
            network = split_network(spec, self.teacher, self.data, seed)
            load_weights(weights_file(self.trained, self._stem(name), seed), network)
            networks.append(network.eval())
        network = networks[0]
        first, second = self.files.sides(self._stem(name), network)
        if name.endswith("-int8"):
            outputs = ["symbols"] if network.early is None else ["symbols", "logits"]
            first = self.files.int8(f"{name}-device", DeviceSide(network).eval(), outputs)
        device, server = runner(first), runner(second)
        symbols = device(self.files.sample)[0]
        wire = network.codec.wire(symbols.shape[1:], tag)
        outcome = over_the_wire(device, wire, server, self.data.test)
        segments = [self._segment("encoder", first), self._segment("decoder and tail", second, symbols)]
        crossing = self._on_wire(wire, outcome.sent_bytes, symbols)
        exits: tuple[Exit, ...] = ()
        more: dict[str, Any] = {}
        if network.early is not None:
            settled = over_the_wire(device, wire, server, self.data.calibration)
            costs = ExitCosts(tuple(s.multiply_adds for s in segments), (0,))
            exits, more = self._early(settled, outcome, costs)
        others = [] if name.endswith("-int8") else networks[1:]
        return self._made(
            name,
            spec.method,
            self.lab.teacher.name,
            spec.cut,
            segments,
            [crossing],
            outcome,
            exits=exits,
            others=others,
            more=more,
        )

    def _exits(self, spec: Exits, name: str, tag: int) -> Variant:
        seed = self._seeds(spec, name)[0]
        network = branched(spec, self.teacher, self.data, seed)
        load_weights(weights_file(self.trained, name, seed), network)
        used = put_to_use(
            network, self.data.calibration, ExitSettings(rule=spec.rule, target=spec.target, level=spec.level)
        ).in_use()
        files = self.files.parts(name, used.network.segments())
        runs = [runner(f) for f in files]
        given, wires, shown = self.files.sample, [], []
        for run_part in runs[:-1]:
            shown.append(run_part(given)[0])
            wires.append(self._rounded(shown[-1], spec.bits, tag))
            given = np.stack([wires[-1].decode(wires[-1].encode(f)) for f in shown[-1]])
        outcome, sent = _chained(runs, wires, self.data.test)
        settled, _ = _chained(runs, wires, self.data.calibration)
        segments = [
            self._segment(f"part {i + 1}", f, g)
            for i, (f, g) in enumerate(zip(files, [None, *shown], strict=True))
        ]
        crossings = [self._on_wire(w, b, g) for w, b, g in zip(wires, sent, shown, strict=True)]
        exits, more = self._used(used.scores, used.thresholds, settled, outcome, used.costs)
        return self._made(
            name,
            "exits",
            self.lab.teacher.name,
            used.network.after[-1] if used.network.after else "",
            segments,
            crossings,
            outcome,
            exits=exits,
            more=more,
        )

    # what all of them need

    def _rounded(self, features: np.ndarray, bits: int, tag: int) -> Wire:
        shape = features.shape[1:]
        if bits >= 16:
            return Plain(shape, f"float{bits}", tag)
        codec = Uniform(shape[0], bits)
        codec.start(torch.from_numpy(features[:128]))
        return Rounded(shape, bits, codec.low.detach().numpy(), codec.step.detach().numpy(), tag)

    def _segment(self, name: str, file: Path, given: np.ndarray | None = None) -> Segment:
        return measure_segment(name, file, [self.files.sample[:1] if given is None else given[:1]])

    def _on_wire(self, wire: Wire, sent: np.ndarray, tensors: np.ndarray) -> Crossing:
        coded = [wire.encode(t) for t in tensors[:_CODEC_RUNS]]
        return _crossing(
            wire.kind,
            sent,
            _timed(wire.encode, list(tensors[:_CODEC_RUNS])),
            _timed(wire.decode, coded),
            wire.about(),
        )

    def _early(
        self, settled: Outcome, outcome: Outcome, costs: ExitCosts
    ) -> tuple[tuple[Exit, ...], dict[str, Any]]:
        """The device's own label, used where it costs at most 0.2 points on the calibration images."""
        labels = self.data.calibration.labels.astype(np.int64)
        score = fit_score("learned", settled.logits[0], labels)
        right = settled.logits.argmax(2) == labels
        thresholds = least_operations(score(settled.logits[0])[None], right, costs, lose=0.002).thresholds
        if not np.isfinite(thresholds[0]):
            return (), {}
        return self._used((score,), thresholds, settled, outcome, costs)

    def _used(
        self,
        scores: Sequence[Score],
        thresholds: Sequence[float],
        settled: Outcome,
        outcome: Outcome,
        costs: ExitCosts,
    ) -> tuple[tuple[Exit, ...], dict[str, Any]]:
        labels = self.data.test.labels
        values = (
            np.stack([s(own) for s, own in zip(scores, outcome.logits, strict=False)])
            if scores
            else np.zeros((0, len(labels)))
        )
        found = outcome_of(outcome.logits, labels, values, thresholds, costs)
        exits = tuple(
            Exit(i, s.rule, float(t), float(share), float(np.nan_to_num(accuracy)))
            for i, (s, t, share, accuracy) in enumerate(
                zip(scores, thresholds, found.shares, found.accuracies, strict=False)
            )
        )
        curves, reached = [], np.ones(len(labels), bool)
        for i, threshold in enumerate(thresholds):
            right = outcome.logits[i].argmax(1) == labels
            curve = curve_of(values[i][reached], right[reached])
            at = np.unique(np.linspace(0, len(curve.coverage) - 1, 60).round().astype(int))
            curves.append([[round(float(curve.coverage[k]), 4), round(float(curve.risk[k]), 5)] for k in at])
            reached &= values[i] < threshold
        return exits, {
            "scores": [s.as_dict() for s in scores],
            "risk_coverage": curves,
            "accuracy_without_exits": float(found.full_accuracy),
            "answering": answering(values, thresholds),
        }

    def _made(
        self,
        name: str,
        technique: str,
        network: str,
        cut: str,
        segments: Sequence[Segment],
        crossings: Sequence[Crossing],
        outcome: Outcome,
        *,
        exits: tuple[Exit, ...] = (),
        others: Sequence[nn.Module] = (),
        more: Mapping[str, Any] | None = None,
    ) -> Variant:
        told, labels = dict(more or {}), self.data.test.labels
        at = told.pop("answering", np.full(len(labels), len(outcome.logits) - 1))
        right = outcome.logits.argmax(2)[at, np.arange(len(labels))] == labels
        # lets a few images show whether files and manifest belong together
        told["right_of_first"] = [int(right[:_FIRST].sum()), len(right[:_FIRST])]
        accuracies = [float(right.mean())]
        if not exits:
            accuracies += [float((logits_of(o, self.data.test).argmax(1) == labels).mean()) for o in others]
        interval = accuracy_interval(accuracies, len(self.data.test))
        return Variant(
            name,
            technique,
            network,
            cut,
            tuple(segments),
            tuple(crossings),
            exits,
            interval.value,
            interval.low,
            interval.high,
            tuple(accuracies),
            told,
        )


def _chained(
    runs: Sequence[Callable[..., list[np.ndarray]]], wires: Sequence[Wire], data: Images
) -> tuple[Outcome, list[np.ndarray]]:
    """Every part on every image, so that any thresholds can be tried; and the bytes between the parts."""
    logits: list[list[np.ndarray]] = []
    sent: list[list[int]] = [[] for _ in wires]
    for first in range(0, len(data), SAMPLE):
        given = network_input(data.images[first : first + SAMPLE])
        row = []
        for place, part in enumerate(runs[:-1]):
            features, early = part(given)
            row.append(early)
            coded = [wires[place].encode(f) for f in features]
            sent[place] += [len(c) for c in coded]
            given = np.stack([wires[place].decode(c) for c in coded])
        logits.append([*row, runs[-1](given)[0]])
    together = np.stack([np.concatenate(of_exit) for of_exit in zip(*logits, strict=True)])
    return Outcome(together, np.zeros(len(data), np.int64)), [np.array(s) for s in sent]


def _timed(work: Callable[[Any], object], inputs: Sequence[Any]) -> Timing:
    """Of `work` on one input after another."""
    turn = iter(range(1 << 30))
    return time_run(lambda: work(inputs[next(turn) % len(inputs)]), runs=_CODEC_RUNS)


def _crossing(
    codec: str, sent: np.ndarray, encode: Timing, decode: Timing, wire: Mapping[str, Any]
) -> Crossing:
    p95 = float(np.quantile(sent, 0.95, method="higher"))
    return Crossing(codec, float(sent.mean()), p95, int(sent.max()), encode, decode, wire)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return found or platform.machine()
