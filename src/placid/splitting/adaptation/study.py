"""Nodes x ways to adapt x labels x seeds, and what each comes to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from placid.errors import InputError
from placid.randomness import stream
from placid.splitting.adaptation.adapt import Adaptation, Effort, NodeSeen, adapt
from placid.splitting.adaptation.choose import choice_node, choose_rate, rate_for
from placid.splitting.adaptation.methods import METHODS, Method, method_named
from placid.splitting.adaptation.mixes import NodeSpec, draw_node, original_test
from placid.splitting.adaptation.nodes_file import CHOICE_NODES, NODES, severity_nodes
from placid.splitting.adaptation.pieces import Seen
from placid.splitting.adaptation.rows import Kept, Row
from placid.splitting.adaptation.scratch import from_scratch
from placid.splitting.adaptation.statistics import normalisations

if TYPE_CHECKING:
    from torch import nn

    from placid.splitting.data import Images, LabelledImages
    from placid.splitting.lab.spec import Lab

__all__ = ["Study", "adaptation_study", "quick"]

#: called with what was done and a line about it
Told = Callable[[str, str], None]


@dataclass(frozen=True)
class Study:
    """What is compared.

    Attributes:
        labels: how many pictures are labelled.
        seeds: of a node's mix and pictures, and of the training; the network is the same for all.
        unlabelled: pictures that a node sees without labels; statistics are estimated on them.
        test: pictures of each node that answers are counted on, and clean ones of all classes alike.
        judged: calibration pictures of each choice node that learning rates are chosen on.
        tried: label counts that rates are chosen for; others take that of the next fewer.
        severities: also ask the network, as it is and with statistics estimated again, at every severity.
    """

    nodes: tuple[NodeSpec, ...] = NODES
    methods: tuple[str, ...] = tuple(METHODS)
    labels: tuple[int, ...] = (0, 10, 50, 250, 1000)
    seeds: tuple[int, ...] = (0,)
    unlabelled: int = 200
    test: int = 500
    judged: int = 300
    tried: tuple[int, ...] = (10, 100)
    severities: bool = True
    effort: Effort = field(default_factory=Effort)

    def __post_init__(self) -> None:
        for name in self.methods:
            method_named(name)
        for told in ("nodes", "methods", "labels", "seeds", "tried"):
            values = getattr(self, told)
            if not values or len(set(values)) < len(values):
                raise InputError(f"'{told}' names at least one, and none twice, got {values}", where="study")
        if min(self.labels) < 0 or min(self.tried) < 1 or min(self.unlabelled, self.test, self.judged) < 1:
            raise InputError("counts of pictures are at least 1, and labels at least 0", where="study")


def quick(study: Study) -> Study:
    """The same with little of everything: does it run?"""
    effort = replace(study.effort, pictures=300, fewest_epochs=1, most_epochs=6)
    return replace(
        study,
        nodes=study.nodes[:2],
        labels=tuple(n for n in study.labels if n <= 50) or study.labels[:1],
        seeds=study.seeds[:1],
        unlabelled=50,
        test=100,
        judged=50,
        tried=(10,),
        severities=False,
        effort=effort,
    )


def adaptation_study(
    lab: Lab,
    network: nn.Module,
    data: LabelledImages,
    folder: Path,
    study: Study,
    told: Told = lambda what, line: None,
) -> list[Row]:
    """Every row of `study`, in its order. Rows are kept in `folder` as they are done; the same call goes on from there.

    A way is left out where there are fewer labels than it takes; ``none`` has a row without labels only.

    Args:
        network: the trained one that all nodes hold.

    Raises:
        InputError: the network has not what a way changes, or a split has too few pictures of a class.
        RunError: a loss is not finite any more, or `folder` belongs to another study.
    """
    about = {
        "data": data.dataset.name,
        "network": _digest(network),
        "most labels": max(study.labels),
        "unlabelled": study.unlabelled,
        "test": study.test,
        "judged": study.judged,
        "tried": list(study.tried),
        "effort": asdict(study.effort),
        "rates": {name: way.rates for name, way in METHODS.items()},
        "lab": lab.model_dump(include={"teacher", "crop", "flip"}),
    }
    return list(_Work(lab, network.eval(), data, Kept(folder, about), study, told).rows())


class _Work:
    def __init__(
        self, lab: Lab, network: nn.Module, data: LabelledImages, kept: Kept, study: Study, told: Told
    ) -> None:
        self.lab, self.network, self.data = lab, network, data
        self.kept, self.study, self.told = kept, study, told
        clean = original_test(data, study.test)
        self.original, self.original_labels = Seen(network, clean.images), clean.labels
        self._rates: dict[str, dict[int, float]] = {}

    def rows(self) -> Iterator[Row]:
        wanted = self._wanted()
        for number, (part, spec, seed, cases) in enumerate(wanted, 1):
            blanks = [_blank(part, spec, seed, m.name, n) for m, n in cases]
            if any(b.key not in self.kept.rows for b in blanks):
                self._node(part, spec, seed, cases, f"{number}/{len(wanted)}")
            yield from (self.kept.rows[b.key] for b in blanks)

    def _wanted(self) -> list[tuple[str, NodeSpec, int, list[tuple[Method, int]]]]:
        """(part, node, seed, [(way, labels)]): each node's pictures are drawn and passed through the network once."""
        study = self.study
        cases = [
            (method_named(name), n)
            for name in study.methods
            for n in (study.labels if name != "none" else (0,))
            if METHODS[name].fewest <= n
        ]
        if not cases:
            raise InputError(
                f"no way of {', '.join(study.methods)} can do with {max(study.labels)} labels", where="study"
            )
        found = [("nodes", spec, seed, cases) for seed in study.seeds for spec in study.nodes]
        if study.severities:
            ways = ["none", *(["normalisation"] if normalisations(self.network) else [])]
            survey = [(METHODS[name], 0) for name in ways]
            found += [("severities", spec, study.seeds[0], survey) for spec in severity_nodes()]
        return found

    def _node(
        self, part: str, spec: NodeSpec, seed: int, cases: list[tuple[Method, int]], place: str
    ) -> None:
        study = self.study
        labelled = max(study.labels) if part == "nodes" else 0
        node = draw_node(
            self.data, spec, seed, labelled=labelled, calibration=study.unlabelled, test=study.test
        )
        seen, test = NodeSeen(self.network, node), Seen(self.network, node.test.images)
        for method, labels in cases:
            row = _blank(part, spec, seed, method.name, labels)
            if row.key in self.kept.rows:
                continue
            rate = self._rate(method, labels)
            trained = _seed(seed, spec.name, method.name, labels)
            if method.keeps:
                made = adapt(self.network, method, seen, labels, rate, study.effort, trained)
            else:
                made = from_scratch(self.lab, self.network, seen, labels, study.effort, trained)
            row = replace(
                row,
                rate=rate,
                epochs=made.epochs,
                test_pictures=len(test),
                accuracy=_accuracy(test, node.test.labels, made),
                original_accuracy=_accuracy(self.original, self.original_labels, made),
                update_bytes=len(made.update),
                pictures_bytes=_sent_up(node.test, made.pictures, labels if made.epochs else 0),
                multiply_adds=made.multiply_adds,
                seconds=round(made.seconds, 3),
            )
            self.kept.add(row)
            self.told(
                f"{place}  {spec.name}, seed {seed}" if part == "nodes" else f"{place}  {spec.name}",
                f"{method.name}, {labels} labels: {100 * row.accuracy:.1f} % (clean pictures "
                f"{100 * row.original_accuracy:.1f} %), {row.seconds:.1f} s",
            )

    def _rate(self, method: Method, labels: int) -> float:
        """The learning rate for so many labels; all that a way needs are chosen when the first is asked for."""
        if not method.rates or not labels:
            return 0.0
        if method.name not in self._rates:
            self._rates[method.name] = self.kept.choice(method.name, lambda: self._choose(method))
        return rate_for(self._rates[method.name], labels)

    def _choose(self, method: Method) -> dict[int, float]:
        study = self.study
        counts = [n for n in study.tried if n >= method.fewest] or [method.fewest]
        nodes = [
            choice_node(
                self.network,
                draw_node(
                    self.data,
                    spec,
                    0,
                    labelled=max(counts),
                    calibration=study.unlabelled + study.judged,
                    test=1,
                ),
                study.unlabelled,
            )
            for spec in CHOICE_NODES
        ]
        found = {}
        for labels in counts:

            def tell(rate: float, accuracy: float, labels: int = labels) -> None:
                self.told("choice", f"{method.name}, {labels} labels, rate {rate:g}: {100 * accuracy:.1f} %")

            found[labels] = choose_rate(self.network, method, nodes, labels, study.effort, tell)
        return found


def _blank(part: str, spec: NodeSpec, seed: int, method: str, labels: int) -> Row:
    """A row with nothing found yet."""
    return Row(
        part=part,
        node=spec.name,
        mix=spec.mix,
        corruption=spec.corruption,
        severity=spec.severity,
        seed=seed,
        method=method,
        labels=labels,
        rate=0.0,
        epochs=0,
        test_pictures=0,
        accuracy=0.0,
        original_accuracy=0.0,
        update_bytes=0,
        pictures_bytes=0,
        multiply_adds=0,
        seconds=0.0,
    )


def _accuracy(seen: Seen, labels: np.ndarray, made: Adaptation) -> float:
    return float((seen.logits(made.network, made.first).argmax(1).numpy() == labels).mean())


def _sent_up(like: Images, pictures: int, labels: int) -> int:
    """Bytes of so many raw pictures, and one for each label."""
    return pictures * int(like.images[0].nbytes) + labels


def _seed(seed: int, *what: str | int) -> int:
    """A seed for one training: others for others, the same whatever was trained before."""
    return int(stream(seed, "adaptation", *what).integers(2**31))


def _digest(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(f"{name} {list(value.shape)}".encode())
        digest.update(torch.as_tensor(value).detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
