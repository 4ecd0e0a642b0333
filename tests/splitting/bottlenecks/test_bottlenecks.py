"""Bottlenecks: each method trains what it says and nothing else, and the two sides together are the network."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import nn

from placid.errors import InputError, UnknownNameError
from placid.splitting.bottlenecks import (
    METHODS,
    DeviceSide,
    Method,
    ServerSide,
    SplitNetwork,
    train_bottleneck,
)
from placid.splitting.bottlenecks.early import GaussianLabels
from placid.splitting.bottlenecks.ends import ENCODERS, decoder, encoder
from placid.splitting.bottlenecks.learner import BottleneckLearner, LossWeights
from placid.splitting.bottlenecks.methods import Stage
from placid.splitting.bottlenecks.parting import parted
from placid.splitting.bottlenecks.teacher import Teacher
from placid.splitting.bottlenecks.train import warm_start
from placid.splitting.codecs import Codec, Entropic, Uniform, Variational
from placid.splitting.data import Images
from placid.splitting.nets import airbench, resnet9
from placid.splitting.training import Classifier, Recipe, accuracy, fit
from placid.splitting.training.batches import as_input
from placid.splitting.training.classifier import Ensemble

RECIPE = Recipe(4, batch=64, crop=2)


@pytest.fixture(scope="module")
def trained(pictures: Images, tmp_path_factory: pytest.TempPathFactory) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = resnet9(4, classes=4)
    fit(Classifier(network), pictures, replace(RECIPE, peak_rate=0.1), tmp_path_factory.mktemp("teacher"))
    return network


def split_of(trained: nn.Sequential, method: Method, channels: int = 3, seed: int = 0) -> SplitNetwork:
    _, tail = parted(copy.deepcopy(trained), "stage2", torch.zeros(2, 3, 32, 32))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        codec: Codec = {
            "entropic": lambda: Entropic(channels),
            "entropic-free": lambda: Entropic(channels),
            "rebel": lambda: Variational((channels, 8, 8), 6),
        }.get(method.name, lambda: Uniform(channels, 4))()
        early = GaussianLabels(channels * 64, 4) if method.early else None
        return SplitNetwork(
            encoder(channels, ENCODERS["tiny"]), codec, decoder(channels, (16, 8, 8), (8, 8)), tail, early
        )


def teacher_of(trained: nn.Sequential) -> Teacher:
    return Teacher(*parted(trained, "stage2", torch.zeros(2, 3, 32, 32)))


def state(module: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in module.state_dict().items()}


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_learns_and_its_two_sides_are_the_whole(
    name: str, trained: nn.Sequential, pictures: Images, other_pictures: Images, tmp_path: Path
) -> None:
    method = METHODS[name]
    network = split_of(trained, method)
    before = state(trained)
    lines: list[str] = []
    train_bottleneck(network, method, teacher_of(trained), pictures, RECIPE, tmp_path, report=lines.append)
    assert len(lines) == RECIPE.epochs
    assert not network.training
    assert accuracy(network, other_pictures) > 0.6  # one of four by chance
    assert all(torch.equal(v, before[k]) for k, v in trained.state_dict().items())  # the teacher stays
    images = as_input(other_pictures.images[:16])
    with torch.no_grad():
        put_out = DeviceSide(network).eval()(images)
        symbols, early = put_out if method.early else (put_out, None)
        wire = network.codec.wire(tuple(symbols.shape[1:]))
        arrived = np.stack([wire.decode(wire.encode(s.numpy())) for s in symbols])
        answer = ServerSide(network).eval()(torch.from_numpy(arrived))
        torch.testing.assert_close(answer, network(images), rtol=1e-4, atol=1e-4)
    if early is not None:
        assert early.shape == (16, 4)


def test_training_resumes_within_any_stage(trained: nn.Sequential, pictures: Images, tmp_path: Path) -> None:
    class Interrupted(Exception):
        pass

    def run(folder: Path, stop_after: int | None = None) -> dict[str, torch.Tensor] | None:
        network, lines = split_of(trained, METHODS["rebel"]), []

        def report(line: str) -> None:
            lines.append(line)
            if len(lines) == stop_after:
                raise Interrupted

        try:
            train_bottleneck(
                network, METHODS["rebel"], teacher_of(trained), pictures, RECIPE, folder, report=report
            )
        except Interrupted:
            return None
        return state(network)

    whole = run(tmp_path / "whole")
    assert run(tmp_path / "broken", stop_after=1) is None
    assert run(tmp_path / "broken", stop_after=2) is None
    resumed = run(tmp_path / "broken")
    assert whole is not None
    assert resumed is not None
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


@pytest.mark.parametrize(
    ("trains", "stays"),
    [(("decoder", "tail"), ("encoder", "codec")), (("encoder", "codec", "decoder"), ("tail",))],
)
def test_a_stage_changes_what_it_trains_and_nothing_else(
    trains: tuple[str, ...], stays: tuple[str, ...], trained: nn.Sequential, pictures: Images, tmp_path: Path
) -> None:
    network = split_of(trained, METHODS["bottlefit"])
    network.start(as_input(pictures.images[:512]), trained=False)  # as training will
    before = {name: state(getattr(network, name)) for name in (*trains, *stays)}
    stage = Stage(trains, LossWeights(features=1.0, labels=1.0, distilled=0.5), 1.0, "sgd", 0.05)
    train_bottleneck(
        network, Method("one", (stage,)), teacher_of(trained), pictures, replace(RECIPE, epochs=1), tmp_path
    )
    for name in stays:  # to the last running mean
        after = getattr(network, name).state_dict()
        assert all(torch.equal(v, after[k]) for k, v in before[name].items()), name
    for name in trains:
        after = getattr(network, name).state_dict()
        assert any(not torch.equal(v, after[k]) for k, v in before[name].items()), name


def test_the_loss_is_the_sum_that_it_says(trained: nn.Sequential, pictures: Images) -> None:
    network, teacher = split_of(trained, METHODS["rebel"]), teacher_of(trained)
    images, labels = as_input(pictures.images[:8]), torch.from_numpy(pictures.labels[:8].astype(np.int64))
    network.start(images)
    network.eval()

    def loss(**weights: float) -> float:
        return float(
            BottleneckLearner(network, LossWeights(**weights), teacher).loss(images, labels).detach()
        )

    with torch.no_grad():
        latents = network.encoder(images)
        sent, _ = network.codec(latents)
        mine = network.decoder(sent)
        theirs = teacher.answers(images)[0]
        first = (mine - theirs).square().mean() / theirs.square().mean()
        mine, theirs = network.tail[0](mine), teacher.tail[0](theirs)
        second = (mine - theirs).square().mean() / theirs.square().mean()
        cross = nn.functional.cross_entropy(network.answer(sent), labels)
        assert network.early is not None
        early = nn.functional.cross_entropy(network.early(sent), labels)
    assert loss(features=2.0) == pytest.approx(2 * float(first + second), rel=1e-5)
    assert loss(labels=1.0) == pytest.approx(float(cross), rel=1e-5)
    assert loss(early=3.0) == pytest.approx(3 * float(early), rel=1e-5)
    assert loss(features=1.0, labels=1.0, early=1.0) == pytest.approx(
        float(first + second + cross + early), rel=1e-5
    )
    assert loss() == 0
    assert loss(divergence=1.0) > 0


def test_early_labels_are_the_posterior_of_gaussians() -> None:
    labels = GaussianLabels(3, 4)
    with torch.no_grad():
        labels.precision.copy_(torch.tensor([0.1, -0.4, 0.7]))
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    variance = np.exp(-labels.precision.detach().numpy())
    density = np.stack(
        [multivariate_normal(m, np.diag(variance)).pdf(x.numpy()) for m in labels.means.detach().numpy()], 1
    )
    posterior = density / density.sum(1, keepdims=True)
    np.testing.assert_allclose(labels(x).softmax(1).detach().numpy(), posterior, rtol=1e-4, atol=1e-6)


def test_encoders_stay_light() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    def multiply_adds(module: nn.Module) -> int:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module.eval()(torch.zeros(1, 3, 32, 32))
        return counter.get_total_flops() // 2

    whole = multiply_adds(airbench())
    sizes = [multiply_adds(encoder(4, widths, padded=False)) / whole for widths in ENCODERS.values()]
    assert sizes == sorted(sizes)
    assert sizes[-1] < 0.25


def test_decoders_may_have_residual_pairs() -> None:
    plain, more = (decoder(2, (6, 8, 8), (8, 8), blocks=b) for b in (0, 2))
    assert more(torch.zeros(2, 2, 8, 8)).shape == (2, 6, 8, 8)
    added = 2 * 2 * (6 * 6 * 9 + 2 * 6)  # pairs of convolutions of 3 x 3 with their normalisations
    assert sum(p.numel() for p in more.parameters()) == sum(p.numel() for p in plain.parameters()) + added


def test_decoders_reach_finer_features_or_say_why_not() -> None:
    assert decoder(2, (6, 16, 16), (8, 8))(torch.zeros(2, 2, 8, 8)).shape == (2, 6, 16, 16)
    for shape in ((6, 4, 4), (6, 24, 24), (6, 8, 16)):
        with pytest.raises(InputError, match="times as fine"):
            decoder(2, shape, (8, 8))


def test_a_network_is_parted_at_a_child_or_in_its_graph(trained: nn.Sequential) -> None:
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        wanted = trained.eval()(images)
        for cut in ("stage2", "stage3.3"):
            head, tail = parted(trained, cut, images)
            features = head(images)
            for part in tail:
                features = part(features)
            torch.testing.assert_close(features, wanted, rtol=1e-4, atol=1e-4)
    with pytest.raises(UnknownNameError):
        parted(trained, "stage9", images)
    with pytest.raises(InputError, match=r"stage3\.4\.body\.0.*2 tensors"):
        parted(trained, "stage3.4.body.0", images)


def test_a_warm_start_takes_what_fits() -> None:
    wide, narrow = encoder(16, ENCODERS["tiny"]), encoder(3, ENCODERS["tiny"])
    taken = warm_start(narrow, wide.state_dict())
    assert taken < len(narrow.state_dict())
    torch.testing.assert_close(narrow.stage1[0][0].weight, wide.stage1[0][0].weight)
    assert narrow.squeeze[0].weight.shape[0] == 3


def test_a_teacher_that_keeps_its_answers_gives_the_same_ones(
    trained: nn.Sequential, pictures: Images, tmp_path: Path
) -> None:
    parts = parted(trained, "stage2", torch.zeros(2, 3, 32, 32))
    asked, keeping = Teacher(*parts), Teacher(*parts, tmp_path / "answers")
    images = as_input(pictures.images[:8])
    wanted = asked.answers(images)
    for _ in range(2):
        for mine, theirs in zip(keeping.answers(images), wanted, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(keeping.logits(images), wanted[-1], rtol=0, atol=0)
    files = sorted((tmp_path / "answers").iterdir())
    assert len(files) == 2
    files[0].write_bytes(b"half")  # interrupted while writing: asked again
    torch.testing.assert_close(keeping.answers(images)[-1], wanted[-1], rtol=0, atol=0)
    assert not torch.equal(keeping.logits(images + 0.1), wanted[-1])


def test_others_may_answer_beside_the_teacher_whose_features_are_imitated(
    trained: nn.Sequential, pictures: Images, tmp_path: Path
) -> None:
    parts, images = parted(trained, "stage2", torch.zeros(2, 3, 32, 32)), as_input(pictures.images[:8])
    other = copy.deepcopy(trained)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(0.9)
    together = Teacher(*parts, tmp_path / "answers", Ensemble([trained, other.eval()]))
    alone = Teacher(*parts)
    for _ in range(2):  # asked, then kept
        mean = (trained(images) + other(images)) / 2
        torch.testing.assert_close(together.logits(images), mean.detach())
    assert not torch.allclose(together.logits(images), alone.logits(images))
    torch.testing.assert_close(together.answers(images)[0], alone.answers(images)[0])
