"""Where training runs. Torch's "meta" device, which holds no numbers, stands for a GPU: what stays behind makes it fail."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from placid.errors import InputError
from placid.splitting.bottlenecks import METHODS, SplitNetwork
from placid.splitting.bottlenecks.early import GaussianLabels
from placid.splitting.bottlenecks.ends import decoder, encoder
from placid.splitting.bottlenecks.learner import BottleneckLearner
from placid.splitting.bottlenecks.teacher import Teacher
from placid.splitting.codecs import Codec, Entropic, Uniform, Variational
from placid.splitting.data import Images
from placid.splitting.ddnn import DDNN, Design, JointTraining, tiles_of
from placid.splitting.exits import Branched, heads_for
from placid.splitting.exits.learners import HeadsOnly, JointExits
from placid.splitting.nets import airbench
from placid.splitting.training import Classifier, Distilled, Recipe, accuracy, fit
from placid.splitting.training.batches import Batches
from placid.splitting.training.device import device_named, placed
from placid.splitting.training.muon import Muon
from placid.splitting.training.step import Step

LATENT = (2, 7, 7)


def network() -> nn.Sequential:
    return airbench(width=4)


def with_exits() -> Branched:
    net = network()
    return Branched(net, heads_for(net, ["stage1", "stage2"], torch.zeros(2, 3, 32, 32), 10))


def bottleneck(method: str, stage: int) -> nn.Module:
    net = network()
    codec: Codec = Uniform(2, 4)
    if method.startswith("entropic"):
        codec = Entropic(2)
    if method == "rebel":
        codec = Variational(LATENT, 8)
    early = GaussianLabels(2 * 7 * 7) if METHODS[method].early else None
    head, tail = net[:4], list(net[4:].children())
    split = SplitNetwork(
        encoder(2, (4, 4), padded=False), codec, decoder(2, (16, 7, 7), LATENT[1:]), network()[4:], early
    )
    return BottleneckLearner(split, METHODS[method].stages[stage].weights, Teacher(head, tail))


def ddnn() -> nn.Module:
    return JointTraining(DDNN(Design(tiles_of((28, 28), overlap=4))), drop=0.1)


LEARNERS: dict[str, Callable[[], nn.Module]] = {
    "classifier": lambda: Classifier(network()),
    "distilled": lambda: Distilled(network(), network()),
    "heads-only": lambda: HeadsOnly(with_exits(), 0.5),
    "joint exits": lambda: JointExits(with_exits(), teacher=network(), distilled=0.5),
    "ddnn": ddnn,
}
LEARNERS |= {
    f"{method}, stage {i + 1}": lambda method=method, i=i: bottleneck(method, i)  # type: ignore[misc]
    for method, made in METHODS.items()
    for i in range(len(made.stages))
}


@pytest.mark.parametrize("name", LEARNERS)
def test_everything_that_a_loss_needs_is_where_the_images_are(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())  # knows no such device
    learner = LEARNERS[name]().to("meta").train()
    images = torch.empty(4, *((1, 28, 28) if name == "ddnn" else (3, 32, 32)), device="meta")
    loss = learner.loss(images, torch.empty(4, dtype=torch.int64, device="meta"))  # type: ignore[operator]
    assert loss.device.type == "meta"
    loss.backward()
    Muon([p for p in learner.parameters() if p.requires_grad], lr=0.1).step()


def test_a_teacher_stays_where_it_is() -> None:
    teacher = network()
    Distilled(network(), teacher).teacher(torch.empty(2, 3, 32, 32, device="meta"))
    assert {p.device.type for p in teacher.parameters()} == {"cpu"}


def test_no_device_of_that_name() -> None:
    with pytest.raises(InputError, match=r"'abacus' is no device.*'cpu' always is"):
        device_named("abacus")
    with pytest.raises(InputError, match="'cuda:97' is no device"):
        device_named("cuda:97")
    assert device_named("cpu") == torch.device("cpu")


def test_a_network_comes_back_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    net, moves = network(), []
    monkeypatch.setattr(net, "to", moves.append)
    with pytest.raises(ZeroDivisionError), placed(net, torch.device("cuda")):
        1 / 0  # noqa: B018
    assert moves == [torch.device("cuda"), "cpu"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_training_on_a_gpu(tmp_path: Path, pictures: Images) -> None:
    learner = Classifier(nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)))
    learner.network(torch.zeros(1, *pictures.images.shape[3:], *pictures.images.shape[1:3]))
    fit(learner, pictures, Recipe(6, batch=64, peak_rate=0.05), tmp_path)
    assert {p.device.type for p in learner.parameters()} == {"cpu"}
    assert accuracy(learner.network, pictures) > 0.9


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_recorded_steps_do_what_the_same_steps_do_one_by_one(pictures: Images, precision: str) -> None:
    there, recipe = torch.device("cuda"), Recipe(1, batch=32, crop=2, flip=True)
    losses = []
    for recorded in (True, False):
        torch.manual_seed(0)
        learner = Classifier(airbench(width=8, classes=4)).to(there).train()
        step = Step(learner, Muon(p for p in learner.parameters() if p.requires_grad), precision, there)  # type: ignore[call-arg]
        given = list(Batches(pictures, recipe, there).epoch(0))[:8]
        if recorded:
            losses.append([float(step(*batch, 0.05)) for batch in given])
        else:
            for group in step.optimiser.param_groups:
                group["lr"].fill_(0.05)
            losses.append([float(step.now(*batch)) for batch in given])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
