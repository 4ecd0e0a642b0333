"""Train every variant of a lab that has to be trained; what is done already is left alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from placid.errors import UnknownNameError
from placid.inference.digest import digest_of
from placid.splitting.bottlenecks.learner import LossWeights
from placid.splitting.bottlenecks.methods import Method, Stage
from placid.splitting.bottlenecks.train import train_bottleneck, warm_start
from placid.splitting.data import LabelledImages, load_dataset
from placid.splitting.exits import Branched, HeadsOnly, JointExits, early_heavy
from placid.splitting.lab.make import branched, imitation_start, method_of, split_network, teacher_parts
from placid.splitting.lab.spec import Bottleneck, Exits, Lab, Local, Network
from placid.splitting.nets import network_named
from placid.splitting.nets.airbench import start_from
from placid.splitting.training.batches import as_input
from placid.splitting.training.checkpoint import load_weights, read_about, save_weights
from placid.splitting.training.classifier import Classifier, Distilled, Ensemble, accuracy
from placid.splitting.training.device import device_named
from placid.splitting.training.fit import fit, seconds_of
from placid.splitting.training.recipe import Recipe
from placid.splitting.training.statistics import settle_statistics

if TYPE_CHECKING:
    from placid.splitting.bottlenecks.network import SplitNetwork
    from placid.splitting.bottlenecks.teacher import Teacher

__all__ = ["load_teacher", "train_lab", "weights_file"]

#: called with the name of what is trained and a line about it
Told = Callable[[str, str], None]


def weights_file(folder: Path, name: str, seed: int) -> Path:
    """Where the weights of a variant are kept."""
    return folder / name / f"seed{seed}" / "weights.safetensors"


def load_teacher(lab: Lab, folder: Path, seed: int | None = None) -> nn.Module:
    """The trained network that the variants of a seed start from; by default that of the first seed.

    Raises:
        InputError: it has not been trained yet.
    """
    seed = lab.seeds[0] if seed is None else seed
    network = network_named(lab.teacher.name, lab.teacher.settings, seed)
    load_weights(weights_file(folder, "teacher", seed), network)
    return network.eval()


def train_lab(
    lab: Lab,
    folder: Path,
    *,
    only: Collection[str] = (),
    seeds: Collection[int] = (),
    made: Mapping[str, Any] | None = None,
    device: torch.device | None = None,
    told: Told | None = None,
) -> None:
    """Seed by seed, train the teacher, then the variants that start from it; weights lie in `folder` as `weights_file` says.

    Args:
        only: names of variants, or "teacher"; none means all.
        seeds: of the lab's; none means all. What hangs on one seed does not hang on another, so that several processes can
            each take a seed.
        made: what to write beside the weights (command, commit).
        device: as for `training.fit.fit`.

    Raises:
        UnknownNameError: a name of `only` is none of this lab's.
        RunError: see `training.fit.fit`.
    """
    there = device_named() if device is None else device
    work = _Work(lab, folder, load_dataset(lab.data), made or {}, there, told or (lambda name, line: None))
    # what is quantised after training has the weights of what it was made from
    trainable = {v.names()[0]: v for v in lab.variants if isinstance(v, Local | Bottleneck | Exits)}
    for name in only:
        if name != "teacher" and name not in trainable:
            raise UnknownNameError("variant to train", name, ["teacher", *trainable])
    for seed in seeds:
        if seed not in lab.seeds:
            raise UnknownNameError("seed", str(seed), [str(s) for s in lab.seeds])
    for place, seed in enumerate(lab.seeds):
        if seeds and seed not in seeds:
            continue
        teacher = work.network("teacher", lab.teacher, seed)
        for name, variant in trainable.items():
            if (only and name not in only) or place >= variant.seeds:
                continue
            if isinstance(variant, Local):
                work.network(
                    name, variant.network, seed, teacher if variant.distilled else None, variant.distilled
                )
            elif isinstance(variant, Bottleneck):
                work.bottleneck(name, variant, seed, teacher)
            else:
                work.exits(name, variant, seed, teacher)


class _Work:
    def __init__(
        self,
        lab: Lab,
        folder: Path,
        data: LabelledImages,
        made: Mapping[str, Any],
        device: torch.device,
        told: Told,
    ) -> None:
        self.lab, self.folder, self.data, self.made, self.told = lab, folder, data, made, told
        self.device = device

    def teacher_digest(self, seed: int) -> str:
        """Of the weights that the variants start from: with others everything has to be made again."""
        return digest_of(weights_file(self.folder, "teacher", seed))

    def whom(self, variant: Bottleneck | Exits, seed: int) -> str:
        """The digests of those whom `variant` imitates, its own seed's teacher first."""
        seeds = [seed] if variant.teachers == "own" else [seed, *(s for s in self.lab.seeds if s != seed)]
        return " ".join(self.teacher_digest(s) for s in seeds)

    def answering(self, variant: Bottleneck | Exits, seed: int, teacher: nn.Module) -> nn.Module:
        """Whose answers `variant` imitates; teachers of other seeds are trained now if that was not done yet."""
        if variant.teachers == "own":
            return teacher
        others = [self.network("teacher", self.lab.teacher, s) for s in self.lab.seeds if s != seed]
        return Ensemble([teacher, *others])

    def teacher_parts(self, variant: Bottleneck, network: nn.Module, seed: int) -> Teacher:
        folder = self.folder / "teacher" / f"seed{seed}" / f"answers-{variant.cut}"
        answering = self.answering(variant, seed, network)
        return teacher_parts(
            *(network, variant.cut, self.data, folder), None if answering is network else answering
        )

    def recipe(self, epochs: int, seed: int, **more: Any) -> Recipe:
        lab = self.lab
        return Recipe(
            epochs,
            crop=lab.crop,
            flip=lab.flip,
            cutout=lab.cutout,
            precision=lab.precision,
            seed=seed,
            **more,
        )

    def network(
        self,
        name: str,
        spec: Network,
        seed: int,
        teacher: nn.Module | None = None,
        share: float = 0.0,
    ) -> nn.Module:
        """The trained network of `spec`: from the file if it is there, else trained now."""
        network = network_named(spec.name, spec.settings, seed)
        if isinstance(network, nn.Sequential):
            start_from(network, as_input(self.data.train.images[:5000]).contiguous())
        rising = (
            {"warmup": 0.0} if spec.optimiser == "muon" else {}
        )  # its first steps are no longer than its later ones
        recipe = self.recipe(spec.epochs, seed, peak_rate=spec.peak_rate, optimiser=spec.optimiser, **rising)
        how = {"recipe": recipe.as_dict(), "distilled": share, "smoothing": spec.smoothing}
        if teacher is not None:
            how["teacher"] = self.teacher_digest(seed)
        learner: nn.Module = Classifier(network, spec.smoothing)
        if teacher is not None:
            learner = Distilled(network, teacher, share)

        def train(folder: Path) -> None:
            fit(learner, self.data.train, recipe, folder, device=self.device, report=self._line(name, seed))
            settle_statistics(network, self.data.train, recipe, device=self.device)

        self._keep(
            name,
            seed,
            network,
            how,
            train,
        )
        return network

    def bottleneck(self, name: str, variant: Bottleneck, seed: int, network: nn.Module) -> SplitNetwork:
        """The trained bottleneck of `variant`."""
        teacher = self.teacher_parts(variant, network, seed)
        split = split_network(variant, network, self.data, seed)
        method = method_of(variant)
        recipe = self.recipe(variant.epochs, seed)
        how = {
            "recipe": recipe.as_dict(),
            "variant": variant.model_dump(exclude={"int8", "seeds", "teachers"}),
            "widths": list(variant.widths),
            "decoder_blocks": variant.decoder_blocks,
            "teacher": self.whom(variant, seed),
        }
        if method.imitates:
            start = self.start(variant, network, teacher, seed)
            warm_start(split, load_file(start))
            how["start"] = start.parent.parent.name
        self._keep(
            name,
            seed,
            split,
            how,
            lambda folder: train_bottleneck(
                split,
                method,
                teacher,
                self.data.train,
                recipe,
                folder,
                device=self.device,
                report=lambda line: self.told(f"{name}, seed {seed}", line),
            ),
        )
        return split

    def exits(self, name: str, variant: Exits, seed: int, network: nn.Module) -> Branched:
        """The trained exits of `variant`, and with "joint" the network trained with them."""
        made = branched(variant, network, self.data, seed)
        answering = self.answering(variant, seed, network)
        joint = variant.training == "joint"
        recipe = self.recipe(variant.epochs, seed, optimiser="muon", peak_rate=0.03 if joint else 0.1)
        how = {
            "recipe": recipe.as_dict(),
            "after": variant.after,
            "training": variant.training,
            "head": variant.head,
            "teacher": self.whom(variant, seed),
        }
        learner: nn.Module = HeadsOnly(made, 0.5)
        if joint:
            learner = JointExits(made, early_heavy(len(made)), teacher=answering, distilled=0.5)
        self._keep(
            name,
            seed,
            made,
            how,
            lambda folder: fit(
                *(learner, self.data.train, recipe, folder), device=self.device, report=self._line(name, seed)
            ),
        )
        return made

    def start(self, variant: Bottleneck, network: nn.Module, teacher: Teacher, seed: int) -> Path:
        """Weights of an encoder and decoder that imitate the teacher without a bottleneck."""
        name = f"start-{variant.cut}-{variant.encoder or variant.usual}"
        split = imitation_start(variant, network, self.data, seed)
        imitate = Stage(("encoder", "decoder"), LossWeights(features=1.0), 1.0, "muon", 0.1)
        recipe = self.recipe(self.lab.start_epochs, seed)
        self._keep(
            name,
            seed,
            split,
            {
                "recipe": recipe.as_dict(),
                "teacher": self.teacher_digest(seed),
                "decoder_blocks": variant.decoder_blocks,
            },
            lambda folder: train_bottleneck(
                split,
                Method("imitation", (imitate,)),
                teacher,
                self.data.train,
                recipe,
                folder,
                device=self.device,
                report=lambda line: self.told(f"{name}, seed {seed}", line),
            ),
        )
        return weights_file(self.folder, name, seed)

    def _keep(
        self,
        name: str,
        seed: int,
        network: nn.Module,
        how: Mapping[str, Any],
        train: Callable[[Path], object],
    ) -> None:
        """Weights from the file if they were made like this, else by `train`."""
        file = weights_file(self.folder, name, seed)
        about = read_about(file)
        if about is not None:
            about.setdefault("decoder_blocks", 0)  # of weights from before there was a choice
        if about is not None and all(about.get(k) == v for k, v in how.items()):
            load_weights(file, network)
            network.eval()
            return
        train(file.parent)
        network.eval()
        measured = accuracy(_End(network), self.data.calibration, device=self.device)
        self.told(f"{name}, seed {seed}", f"calibration accuracy {100 * measured:.2f} %")
        about = {**how, **self.made, "calibration_accuracy": measured}
        about["training_s"] = round(seconds_of(file.parent), 1)
        about["device"] = str(self.device)
        about["threads"] = torch.get_num_threads()
        save_weights(file, network, about)

    def _line(self, name: str, seed: int) -> Callable[[int, int, float, float], None]:
        def line(epoch: int, of: int, loss: float, seconds: float) -> None:
            self.told(f"{name}, seed {seed}", f"epoch {epoch}/{of}: loss {loss:.4f}, {seconds:.0f} s")

        return line


class _End(nn.Module):
    """A network by its last exit."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        answer = self.network(images)
        return answer[-1] if isinstance(answer, list) else answer
