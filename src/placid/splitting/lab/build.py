"""From the trained variants of a lab to a zoo: files, what they take, what they do, how they were made."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import torch

from placid.catalog.variants import Crossing, Exit, Segment, Timing, Variant, Zoo, read_zoo, write_zoo
from placid.errors import InputError
from placid.inference.digest import digest_of
from placid.inference.pictures import picture_codec
from placid.inference.wire import Plain, Rounded, Wire
from placid.splitting.bottlenecks.network import DeviceSide, ServerSide
from placid.splitting.codecs import Uniform
from placid.splitting.cutting import trace
from placid.splitting.data import load_dataset
from placid.splitting.exits import (
    ExitCosts,
    ExitSettings,
    fit_score,
    least_operations,
    put_to_use,
)
from placid.splitting.lab.again import timed_over
from placid.splitting.lab.exits_used import exits_used
from placid.splitting.lab.make import branched, split_network
from placid.splitting.lab.outcome import Leaving, Run, Way, outcome_on, torch_run
from placid.splitting.lab.segments import Files, runner
from placid.splitting.lab.spec import Bottleneck, Exits, Lab, Local, Remote, Split
from placid.splitting.lab.train import load_teacher, weights_file
from placid.splitting.measuring import accuracy_interval, measure_segment
from placid.splitting.nets import network_named
from placid.splitting.training.batches import as_input
from placid.splitting.training.checkpoint import load_weights, read_about

if TYPE_CHECKING:
    from torch import nn

    from placid.splitting.bottlenecks.network import SplitNetwork
    from placid.splitting.codecs import Codec
    from placid.splitting.exits import WithExits

__all__ = ["build_zoo", "processor_name"]

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

    The first seed's files are kept, and tested as they are, in ONNX Runtime, over real bytes; further seeds are tested so in
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
        self._teacher(lab.seeds[0])
        self.processor = processor or processor_name()

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

    def _stem(self, spec: object, name: str) -> str:
        """Under which name the weights lie; what is not trained is made of the teacher."""
        return name.removesuffix("-int8") if isinstance(spec, Local | Bottleneck | Exits) else "teacher"

    def _seeds(self, spec: object, name: str) -> list[int]:
        """Seeds for which weights are there."""
        stem = self._stem(spec, name)
        return [s for s in self.lab.seeds if weights_file(self.trained, stem, s).exists()]

    def _weights(self, spec: object, name: str) -> str | None:
        """What a variant is made of, as one digest of files and settings; None if something is missing."""
        seeds = self._seeds(spec, name)
        if not seeds or seeds[0] != self.lab.seeds[0]:
            return None
        stem = self._stem(spec, name)
        digests = [digest_of(weights_file(self.trained, stem, s))[:16] for s in seeds]
        settings = spec.model_dump_json(exclude={"seeds"}) if isinstance(spec, Exits) else ""
        return " ".join([*digests, settings]).strip()

    def _how(self, spec: Any, name: str) -> dict[str, Any]:
        """For the manifest: how the weights came about, and these files of them."""
        seeds = self._seeds(spec, name)
        about = read_about(weights_file(self.trained, self._stem(spec, name), seeds[0])) or {}
        kept = ("recipe", "command", "commit", "training_s", "threads", "calibration_accuracy")
        return {
            "trained": {k: about[k] for k in kept if k in about},
            "built": self.made,
            "seeds": seeds,
            "data_sha256": list(self.data.dataset.sha256),
            "spec": spec.model_dump(mode="json", exclude={"seeds"}),
        }

    def _teacher(self, seed: int) -> nn.Module:
        return load_teacher(self.lab, self.trained, seed)

    # one kind of variant after the other: its files, and the same of further seeds in torch

    def _variant(self, spec: object, name: str, tag: int) -> Variant:
        if isinstance(spec, Local):
            return self._local(spec, name)
        if isinstance(spec, Remote):
            return self._remote(spec, name)
        if isinstance(spec, Split):
            return self._split(spec, name, tag)
        if isinstance(spec, Bottleneck):
            return self._bottleneck(spec, name, tag)
        assert isinstance(spec, Exits)
        return self._exits(spec, name, tag)

    def _local(self, spec: Local, name: str) -> Variant:
        def network(seed: int) -> nn.Module:
            made = network_named(spec.network.name, spec.network.settings, seed)
            load_weights(weights_file(self.trained, self._stem(spec, name), seed), made)
            return made.eval()

        first, *further = self._seeds(spec, name)
        if _quantised(name):
            file, further = self.files.int8(name, network(first), ["logits"]), []
        else:
            file = self.files.whole(name, network(first))
        segment = replace(self._segment("network", file), arithmetic=_arithmetic(name))
        told = _Told(name, "local", spec.network.name, "", [segment])
        return self._made(
            told, Way((runner(file),)), ((Way((torch_run(network(s)),)), Leaving()) for s in further)
        )

    @cached_property
    def _whole(self) -> Path:
        return self.files.whole("teacher", self._teacher(self.lab.seeds[0]))

    def _remote(self, spec: Remote, name: str) -> Variant:
        kind = name.removeprefix("remote-")
        codec = picture_codec(kind, self.data.dataset.shape)
        pictures = list(self.data.calibration.images[:_CODEC_RUNS])
        coded = [codec.encode(p) for p in pictures]
        camera = Segment("camera", "", "", 0, 0, 0, 0, _NOTHING)
        told = _Told(
            name,
            f"remote-{kind.partition('-')[0]}",
            self.lab.teacher.name,
            "",
            [camera, self._segment("network", self._whole)],
            [(kind, timed_over(codec.encode, pictures), timed_over(codec.decode, coded), {})],
        )
        further = (
            (Way((torch_run(self._teacher(s)),), picture=codec), Leaving())
            for s in self._seeds(spec, name)[1:]
        )
        return self._made(told, Way((runner(self._whole),), picture=codec), further)

    def _split(self, spec: Split, name: str, tag: int) -> Variant:
        bits = int(name.rpartition("-")[2].removesuffix("bit"))
        example = as_input(self.data.calibration.images[:2]).contiguous()

        def parts(seed: int) -> tuple[nn.Module, nn.Module]:
            head, tail = trace(self._teacher(seed), example).segments([spec.cut])
            return head, tail

        def way(head: Run, tail: Run) -> Way:
            return Way((head, tail), (self._rounded(head(self.files.sample)[0], bits, tag),))

        first, *further = self._seeds(spec, name)
        one, two = self.files.parts(f"split-{spec.cut}", parts(first))
        found = way(runner(one), runner(two))
        features = found.parts[0](self.files.sample)[0]
        told = _Told(
            name,
            "split" if bits < 16 else "split-float",
            self.lab.teacher.name,
            spec.cut,
            [self._segment("head", one), self._segment("tail", two, features)],
            [_times(found.wires[0], features)],
        )
        others = ((way(*map(torch_run, parts(s))), Leaving()) for s in further)
        return self._made(told, found, others)

    def _bottleneck(self, spec: Bottleneck, name: str, tag: int) -> Variant:
        def network(seed: int) -> SplitNetwork:
            made = split_network(spec, self._teacher(seed), self.data, seed)
            load_weights(weights_file(self.trained, self._stem(spec, name), seed), made)
            return made.eval()

        def way(device: Run, server: Run, codec: Codec) -> Way:
            shape = device(self.files.sample[:1])[0].shape[1:]
            return Way((device, server), (codec.wire(shape, tag),))

        first, *further = self._seeds(spec, name)
        made = network(first)
        one, two = self.files.sides(self._stem(spec, name), made)
        if _quantised(name):
            outputs = ["symbols"] if made.early is None else ["symbols", "logits"]
            one, further = self.files.int8(f"{name}-device", DeviceSide(made).eval(), outputs), []
        found = way(runner(one), runner(two), made.codec)
        symbols = found.parts[0](self.files.sample)[0]
        encoder = replace(self._segment("encoder", one), arithmetic=_arithmetic(name))
        segments = [encoder, self._segment("decoder and tail", two, symbols)]
        costs = ExitCosts(tuple(s.multiply_adds for s in segments), (0,)) if made.early is not None else None

        def others() -> Iterator[tuple[Way, Leaving]]:
            for seed in further:
                other = network(seed)
                sides = torch_run(DeviceSide(other)), torch_run(ServerSide(other))
                again = way(*sides, other.codec)
                yield again, self._early(again, costs)

        told = _Told(
            name, spec.method, self.lab.teacher.name, spec.cut, segments, [_times(found.wires[0], symbols)]
        )
        return self._made(told, found, others(), self._early(found, costs), costs)

    def _exits(self, spec: Exits, name: str, tag: int) -> Variant:
        settings = ExitSettings(rule=spec.rule, target=spec.target, level=spec.level)

        def used(seed: int) -> WithExits:
            network = branched(spec, self._teacher(seed), self.data, seed)
            load_weights(weights_file(self.trained, name, seed), network)
            return put_to_use(network, self.data.calibration, settings).in_use()

        def way(parts: Sequence[Run]) -> tuple[Way, list[np.ndarray]]:
            """With what crosses for the sample."""
            given, wires, shown = self.files.sample, [], []
            for part in parts[:-1]:
                shown.append(part(given)[0])
                wires.append(self._rounded(shown[-1], spec.bits, tag))
                given = np.stack([wires[-1].decode(wires[-1].encode(f)) for f in shown[-1]])
            return Way(tuple(parts), tuple(wires)), shown

        def others(seeds: Sequence[int]) -> Iterator[tuple[Way, Leaving]]:
            for seed in seeds:
                other = used(seed)
                runs = [torch_run(part) for part in other.network.segments()]
                yield way(runs)[0], Leaving(other.scores, other.thresholds)

        first, *further = self._seeds(spec, name)
        made = used(first)
        files = self.files.parts(name, made.network.segments())
        found, shown = way([runner(f) for f in files])
        told = _Told(
            name,
            "exits",
            self.lab.teacher.name,
            made.network.after[-1] if made.network.after else "",
            [
                self._segment(f"part {i + 1}", f, g)
                for i, (f, g) in enumerate(zip(files, [None, *shown], strict=True))
            ],
            [_times(w, g) for w, g in zip(found.wires, shown, strict=True)],
        )
        return self._made(told, found, others(further), Leaving(made.scores, made.thresholds), made.costs)

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

    def _early(self, way: Way, costs: ExitCosts | None) -> Leaving:
        """The device's own label, if it has one, used where that costs at most 0.2 points on the calibration images."""
        if costs is None:
            return Leaving()
        logits = outcome_on(way, self.data.calibration).logits
        labels = self.data.calibration.labels.astype(np.int64)
        score = fit_score("learned", logits[0], labels)
        right = logits.argmax(2) == labels
        chosen = least_operations(score(logits[0])[None], right, costs, lose=0.002)
        return Leaving((score,), chosen.thresholds)

    def _made(
        self,
        told: _Told,
        way: Way,
        others: Iterable[tuple[Way, Leaving]],
        leaving: Leaving | None = None,
        costs: ExitCosts | None = None,
    ) -> Variant:
        """The variant: `way` as its files do it, `others` as further seeds do."""
        leaving = leaving or Leaving()
        test, labels = self.data.test, self.data.test.labels
        outcome = outcome_on(way, test)
        right = outcome.right(labels, leaving)
        # how many of the first are right lets a few images show whether files and manifest belong together
        more: dict[str, Any] = {"right_of_first": [int(right[:_FIRST].sum()), len(right[:_FIRST])]}
        exits: tuple[Exit, ...] = ()
        if costs is not None and np.isfinite(leaving.thresholds).any():
            exits, about = exits_used(outcome, labels, leaving, costs)
            more |= about
        accuracies = [float(right.mean())]
        for other, leaves in others:
            accuracies.append(float(outcome_on(other, test).right(labels, leaves).mean()))
        interval = accuracy_interval(accuracies, len(test))
        return Variant(
            told.name,
            told.technique,
            told.network,
            told.cut,
            tuple(told.segments),
            tuple(_crossing(*t, sent) for t, sent in zip(told.crossings, outcome.sent_bytes, strict=True)),
            exits,
            interval.value,
            interval.low,
            interval.high,
            tuple(accuracies),
            more,
        )


@dataclass(frozen=True)
class _Told:
    """What a variant is called and made of; `crossings`: codec, times of both its ends, how to make it again."""

    name: str
    technique: str
    network: str
    cut: str
    segments: Sequence[Segment]
    crossings: Sequence[tuple[str, Timing, Timing, Mapping[str, Any]]] = ()


def _quantised(name: str) -> bool:
    """Whether this is the second of a variant's two names, of what is quantised after training."""
    return name.endswith("-int8")


def _arithmetic(name: str) -> str:
    """Of the part that is quantised, if one is."""
    return "int8" if _quantised(name) else "float32"


def _times(wire: Wire, tensors: np.ndarray) -> tuple[str, Timing, Timing, Mapping[str, Any]]:
    """Of a wire's both ends, on what crosses it."""
    given = list(tensors[:_CODEC_RUNS])
    coded = [wire.encode(t) for t in given]
    return wire.kind, timed_over(wire.encode, given), timed_over(wire.decode, coded), wire.about()


def _crossing(
    codec: str, encode: Timing, decode: Timing, wire: Mapping[str, Any], sent: np.ndarray
) -> Crossing:
    p95 = float(np.quantile(sent, 0.95, method="higher"))
    return Crossing(codec, float(sent.mean()), p95, int(sent.max()), encode, decode, wire)


def processor_name() -> str:
    """What this machine's processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return found or platform.machine()
