"""Exits trained and put to use on small pictures."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from placid.errors import InputError, UnknownNameError
from placid.splitting.data import Images
from placid.splitting.exits import (
    Branched,
    ExitSettings,
    HeadsOnly,
    JointExits,
    add_exits,
    fit_by_serving_rates,
    heads_for,
    logits_of_exits,
    put_to_use,
    serving_weights,
)
from placid.splitting.training import Classifier, Recipe, fit
from placid.splitting.training.batches import as_input

RECIPE = Recipe(3, batch=64, optimiser="adam", peak_rate=5e-3, weight_decay=0.0)
SETTINGS = ExitSettings(
    head="pooled", recipe=replace(RECIPE, epochs=2), rule="confidence", target="lose", level=0.01
)


def network(seed: int = 0) -> nn.Sequential:
    def block(inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU())

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            OrderedDict(
                one=block(3, 8),
                two=block(8, 16),
                three=block(16, 32),
                end=nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 4)),
            )
        )


@pytest.fixture(scope="module")
def trained(pictures: Images, tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    net = network()
    fit(Classifier(net), pictures, RECIPE, tmp_path_factory.mktemp("net"))
    return net.state_dict()


def loaded(state: dict[str, torch.Tensor]) -> nn.Sequential:
    net = network()
    net.load_state_dict(state)
    return net


@pytest.mark.parametrize("distilled", [0.0, 0.5])
def test_heads_learn_and_the_network_stays_to_the_bit(
    trained: dict[str, torch.Tensor], pictures: Images, tmp_path: Path, distilled: float
) -> None:
    net = loaded(trained)
    branched = Branched(net, heads_for(net, ["one", "two"], as_input(pictures.images[:2]), 4, kind="pooled"))
    before = {k: v.clone() for k, v in branched.heads.state_dict().items()}
    losses = fit(HeadsOnly(branched, distilled), pictures, SETTINGS.recipe, tmp_path)
    assert losses[-1] < losses[0]
    assert all(torch.equal(v, trained[k]) for k, v in net.state_dict().items())  # running means too
    changed = branched.heads.state_dict()
    assert any(not torch.equal(v, changed[k]) for k, v in before.items())


def test_leaving_the_end_out_changes_no_loss(trained: dict[str, torch.Tensor], pictures: Images) -> None:
    net = loaded(trained)
    branched = Branched(net, heads_for(net, ["one"], as_input(pictures.images[:2]), 4)).eval()
    images, labels = as_input(pictures.images[:32]), torch.from_numpy(pictures.labels[:32].astype(np.int64))
    learner = HeadsOnly(branched).eval()
    wanted = nn.functional.cross_entropy(branched(images)[0], labels)
    torch.testing.assert_close(learner.loss(images, labels), wanted)


def test_the_joint_loss_is_the_weighted_sum(pictures: Images) -> None:
    net = network()
    branched = Branched(net, heads_for(net, ["one"], as_input(pictures.images[:2]), 4)).eval()
    images, labels = as_input(pictures.images[:32]), torch.from_numpy(pictures.labels[:32].astype(np.int64))
    early, last = (nn.functional.cross_entropy(x, labels) for x in branched(images))
    learner = JointExits(branched)
    assert learner.weights == (1.0, 0.3)
    torch.testing.assert_close(learner.loss(images, labels), early + 0.3 * last)


def test_joint_exits_imitate_a_teacher_that_stays(pictures: Images) -> None:
    net, teacher = network(), network()
    with torch.no_grad():
        teacher.get_submodule("end")[-1].bias.add_(torch.arange(4.0))
    before = {k: v.clone() for k, v in teacher.state_dict().items()}
    branched = Branched(net, heads_for(net, ["one"], as_input(pictures.images[:2]), 4)).eval()
    images, labels = as_input(pictures.images[:32]), torch.from_numpy(pictures.labels[:32].astype(np.int64))
    learner = JointExits(branched, teacher=teacher, distilled=1.0, temperature=1.0)
    with torch.no_grad():
        asked = teacher.eval()(images).log_softmax(1)
        early, last = (
            (asked.exp() * (asked - x.log_softmax(1))).sum(1).mean() for x in branched(images)
        )  # the divergence from the teacher, by hand
        torch.testing.assert_close(learner.loss(images, labels), early + 0.3 * last)
    learner.train().loss(images, labels).backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert all(torch.equal(v, before[k]) for k, v in teacher.state_dict().items())
    with pytest.raises(InputError, match="needs a teacher"):
        JointExits(branched, distilled=0.5)


def test_exits_are_added_and_used(
    trained: dict[str, torch.Tensor], pictures: Images, other_pictures: Images, tmp_path: Path
) -> None:
    made = add_exits(loaded(trained), ["one", "two"], pictures, other_pictures, SETTINGS, tmp_path)
    found = made.outcome(other_pictures)
    assert found.lost <= 0.01 + 1e-9
    assert found.multiply_adds < 0.9 * found.full_multiply_adds
    assert sum(found.shares) == pytest.approx(1)
    kept = made.in_use()
    assert kept.outcome(other_pictures).accuracy == found.accuracy
    assert kept.outcome(other_pictures).multiply_adds == pytest.approx(found.multiply_adds)
    told = made.exits(other_pictures)
    assert [e.segment for e in told] == list(range(len(kept.network.after)))
    assert all(np.isfinite(e.threshold) for e in told)
    assert sum(e.share for e in told) == pytest.approx(1 - found.shares[-1])
    # resumed, it is the same
    again = add_exits(loaded(trained), ["one", "two"], pictures, other_pictures, SETTINGS, tmp_path)
    assert again.thresholds == made.thresholds


def test_exits_that_are_not_used_leave_no_head(trained: dict[str, torch.Tensor], pictures: Images) -> None:
    net = loaded(trained)
    branched = Branched(net, heads_for(net, ["one", "two", "three"], as_input(pictures.images[:2]), 4))
    used = put_to_use(branched, pictures, SETTINGS)
    chosen = replace(used, thresholds=(np.inf, 0.5, np.inf))
    kept = chosen.in_use()
    assert kept.network.after == ("two",)
    assert kept.costs.full == chosen.costs.full
    assert kept.outcome(pictures).multiply_adds == pytest.approx(chosen.outcome(pictures).multiply_adds)
    none = replace(used, thresholds=(np.inf,) * 3).in_use()
    assert none.exits(pictures) == ()
    assert none.outcome(pictures).speedup == 1
    assert none.costs.parts == (chosen.costs.full,)


@pytest.mark.parametrize(("target", "level"), [("budget", 0.8), ("risk", 0.03)])
def test_other_targets(
    trained: dict[str, torch.Tensor],
    pictures: Images,
    other_pictures: Images,
    tmp_path: Path,
    target: str,
    level: float,
) -> None:
    settings = replace(SETTINGS, rule="learned", target=target, level=level)
    made = add_exits(loaded(trained), ["two"], pictures, other_pictures, settings, tmp_path)
    found = made.outcome(other_pictures)
    if target == "budget":
        assert found.multiply_adds <= 0.8 * found.full_multiply_adds
    else:
        assert found.harmed <= 0.06


def test_weights_by_serving_rate(pictures: Images, other_pictures: Images, tmp_path: Path) -> None:
    assert serving_weights((0.5, 0.5)) == (1, 1)
    assert serving_weights((0.95, 0.05, 0.0), floor=0.05) == pytest.approx(
        (3 * 0.95 / 1.05, 0.15 / 1.05, 0.15 / 1.05)
    )
    net = network()
    branched = Branched(net, heads_for(net, ["one"], as_input(pictures.images[:2]), 4, kind="pooled"))
    settings = replace(SETTINGS, recipe=replace(RECIPE, epochs=4))
    made = fit_by_serving_rates(branched, pictures, other_pictures, settings, tmp_path, rounds=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["round1", "round2"]
    found = made.outcome(other_pictures)
    assert found.full_accuracy > 0.8
    assert logits_of_exits(branched, other_pictures).shape == (2, 400, 4)


def test_mistakes_are_named(pictures: Images, tmp_path: Path) -> None:
    net = network()
    branched = Branched(net, heads_for(net, ["one"], as_input(pictures.images[:2]), 4))
    with pytest.raises(UnknownNameError, match="target of exits 'loose'; did you mean 'lose'"):
        replace(SETTINGS, target="loose")
    with pytest.raises(InputError, match="as many weights"):
        JointExits(branched, (1.0,))
    with pytest.raises(InputError, match="distilled share"):
        HeadsOnly(branched, 1.5)
    with pytest.raises(InputError, match="sum to 1"):
        serving_weights((0.5, 0.2))
    with pytest.raises(InputError, match="more calibration images than 3"):
        put_to_use(branched, Images(pictures.images[:3], pictures.labels[:3]), SETTINGS)
    with pytest.raises(InputError, match="rounds lie between 1 and the 2 epochs"):
        fit_by_serving_rates(branched, pictures, pictures, SETTINGS, tmp_path, rounds=3)
