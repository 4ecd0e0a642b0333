"""Training: the same whatever interrupts it, and loud when something is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from placid.errors import InputError, RunError, UnknownNameError
from placid.splitting.data import Images
from placid.splitting.nets import network_named, resnet, resnet9
from placid.splitting.training import Classifier, Distilled, Recipe, accuracy, fit, logits_of
from placid.splitting.training import checkpoint as kept
from placid.splitting.training.batches import Batches, as_input
from placid.splitting.training.classifier import distillation_loss
from placid.splitting.training.fit import seconds_of

RECIPE = Recipe(3, batch=64, peak_rate=0.05, crop=2, flip=False, cutout=4)


def network(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.1),
            nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 4),
        )  # fmt: skip


def state(module: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in module.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[k], b[k]) for k in a)


class Interrupted(Exception):
    pass


def interrupt_after(epoch: int):  # type: ignore[no-untyped-def]
    def report(done: int, of: int, loss: float, seconds: float) -> None:
        if done == epoch:
            raise Interrupted

    return report


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_an_interrupted_training_ends_in_the_same_weights(
    tmp_path: Path, pictures: Images, optimiser: str
) -> None:
    recipe = replace(RECIPE, optimiser=optimiser, peak_rate=0.05 if optimiser == "sgd" else 3e-3)
    whole, broken = Classifier(network()), Classifier(network())
    losses = fit(whole, pictures, recipe, tmp_path / "whole")
    with pytest.raises(Interrupted):
        fit(broken, pictures, recipe, tmp_path / "broken", report=interrupt_after(2))
    before_s = seconds_of(tmp_path / "broken")
    assert before_s > 0
    again = Classifier(network())  # as a new process would: from the first weights and the file
    torch.rand(5)  # whatever else was drawn
    assert fit(again, pictures, recipe, tmp_path / "broken") == losses
    assert same(state(again), state(whole))
    assert seconds_of(tmp_path / "broken") > before_s, "what came before the interruption counts too"


def test_training_learns(tmp_path: Path, pictures: Images, other_pictures: Images) -> None:
    learner = Classifier(network())
    losses = fit(learner, pictures, replace(RECIPE, epochs=6), tmp_path)
    assert losses[-1] < 0.7 * losses[0]
    assert accuracy(learner.network, other_pictures) > 0.9


def test_another_recipe_or_start_begins_anew(tmp_path: Path, pictures: Images) -> None:
    fit(Classifier(network()), pictures, RECIPE, tmp_path)
    told: list[int] = []
    fit(Classifier(network()), pictures, RECIPE, tmp_path, report=lambda done, *_: told.append(done))
    assert told == []  # it was done already
    fit(Classifier(network(seed=1)), pictures, RECIPE, tmp_path, report=lambda done, *_: told.append(done))
    assert told == [1, 2, 3]
    fit(
        Classifier(network(seed=1)),
        pictures,
        replace(RECIPE, epochs=1),
        tmp_path,
        report=lambda done, *_: told.append(done),
    )
    assert told == [1, 2, 3, 1]


def test_training_leaves_the_random_state_of_others_alone(tmp_path: Path, pictures: Images) -> None:
    torch.manual_seed(1)
    fit(Classifier(network()), pictures, replace(RECIPE, epochs=1), tmp_path)
    drawn = torch.rand(3)
    torch.manual_seed(1)
    torch.testing.assert_close(drawn, torch.rand(3))


def test_a_loss_that_explodes_stops_the_training(tmp_path: Path, pictures: Images) -> None:
    with pytest.raises(RunError, match=r"the loss became nan in epoch 1.*lower 'peak_rate'"):
        fit(Classifier(network()), pictures, replace(RECIPE, peak_rate=1e30), tmp_path)


def test_a_full_disk_loses_nothing(tmp_path: Path, pictures: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Interrupted):
        fit(Classifier(network()), pictures, RECIPE, tmp_path, report=interrupt_after(1))
    before = (tmp_path / "checkpoint.safetensors").read_bytes()

    def full(tensors: object, path: Path, metadata: object) -> None:
        Path(path).write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "save_file", full)
    with pytest.raises(RunError, match=r"No space left on device.*make room"):
        fit(Classifier(network()), pictures, RECIPE, tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.safetensors"]
    monkeypatch.undo()
    told: list[int] = []
    fit(Classifier(network()), pictures, RECIPE, tmp_path, report=lambda done, *_: told.append(done))
    assert told == [2, 3]


def test_weights_files_say_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    with pytest.raises(InputError, match="no such file"):
        kept.load_weights(file, network())
    kept.save_weights(file, network(), {"accuracy": 0.5})
    assert kept.load_weights(file, network(1)) == {"accuracy": 0.5}
    with pytest.raises(InputError, match="another model"):
        kept.load_weights(file, resnet(8))
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(InputError, match="damaged"):
        kept.load_weights(file, network())


def test_batches_show_every_image_once_changed_as_the_recipe_says(pictures: Images) -> None:
    plain = Recipe(1, batch=96)
    seen = np.concatenate([y.numpy() for _, y in Batches(pictures, plain).epoch(0)])
    assert len(seen) == len(pictures)
    np.testing.assert_array_equal(np.bincount(seen), np.bincount(pictures.labels))
    batches = list(Batches(pictures, plain).epoch(0))
    total = sum(x.double().sum() for x, _ in batches)
    assert float(total) == pytest.approx(pictures.images.astype(float).sum() / 255, rel=1e-6)
    first = [x for x, _ in Batches(pictures, RECIPE).epoch(1)]
    again = [x for x, _ in Batches(pictures, RECIPE).epoch(1)]
    other = [x for x, _ in Batches(pictures, RECIPE).epoch(2)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_crops_mirrors_and_squares_are_what_they_are_called() -> None:
    ramp = np.zeros((64, 8, 8, 1), np.uint8)
    ramp[:] = np.arange(8)[None, :, None, None] * 10 + np.arange(8)[None, None, :, None]
    data = Images(ramp, np.zeros(64, np.uint8))
    (shifted, _), *_ = Batches(data, Recipe(1, batch=64, crop=2)).epoch(0)
    steps = (shifted[:, 0, 4, 4] * 255).round().long()
    rows, columns = steps // 10 - 4, steps % 10 - 4
    assert set(rows.tolist()) == set(columns.tolist()) == {-2, -1, 0, 1, 2}
    (mirrored, _), *_ = Batches(data, Recipe(1, batch=64, flip=True)).epoch(0)
    left = (mirrored[:, 0, 0, 0] * 255).round()
    assert set(left.tolist()) == {0.0, 7.0}
    (painted, _), *_ = Batches(data, Recipe(1, batch=64, cutout=4)).epoch(0)
    grey = ((painted * 255).round() == 128).flatten(1).sum(1)
    assert 4 <= int(grey.min()) <= int(grey.max()) == 16


def test_a_student_learns_from_its_teacher(tmp_path: Path, pictures: Images) -> None:
    """With the teacher's answers alone, it learns what the labels would have told it, and the teacher stays as it was."""
    teacher = Classifier(network())
    fit(teacher, pictures, replace(RECIPE, epochs=6), tmp_path / "teacher")
    before = state(teacher.network)
    wrong = Images(pictures.images, np.zeros_like(pictures.labels))
    student = Distilled(network(2), teacher.network, share=1.0, temperature=2.0)
    assert len(list(student.parameters())) == len(list(student.network.parameters()))
    fit(student, wrong, replace(RECIPE, epochs=6), tmp_path / "student")
    agree = logits_of(student.network, pictures).argmax(1) == logits_of(teacher.network, pictures).argmax(1)
    assert agree.mean() > 0.9
    assert same(state(teacher.network), before)


def test_distillation_is_the_formula() -> None:
    rng = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(6, 4, generator=rng), torch.randn(6, 4, generator=rng)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    p, q = (teacher / 3).softmax(1), (student / 3).softmax(1)
    kl = (p * (p.log() - q.log())).sum(1).mean()
    ce = -student.log_softmax(1)[range(6), labels].mean()
    torch.testing.assert_close(distillation_loss(student, teacher, labels, 0.3, 3.0), 0.7 * ce + 0.3 * 9 * kl)


def test_recipes_that_cannot_be_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="'sgd'"):
        Recipe(1, optimiser="sdg")
    for wrong in ({"epochs": 0}, {"batch": 0}, {"peak_rate": float("nan")}, {"crop": -1}, {"warmup": 1.0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            Recipe(**({"epochs": 1} | wrong))  # type: ignore[arg-type]


def test_the_rate_rises_and_falls() -> None:
    rates = [Recipe(1, peak_rate=1.0, warmup=0.2).rate(step, 100) for step in range(100)]
    assert np.argmax(rates) in (19, 20, 21)
    assert rates[0] < 0.1
    assert rates[-1] < 0.01
    assert max(rates) <= 1.0


def test_networks_by_name_or_from_a_module() -> None:
    assert same(
        state(network_named("resnet", {"depth": 8}, 3)), state(network_named("resnet", {"depth": 8}, 3))
    )
    made = network_named("placid.splitting.nets.resnet:resnet9", {"width": 4}, 0)
    assert made(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    with pytest.raises(UnknownNameError, match="resnet9"):
        network_named("resnet-9", {}, 0)
    with pytest.raises(InputError, match="cannot be imported"):
        network_named("placid.splitting.nets.resnet:nothing", {}, 0)
    with pytest.raises(InputError, match="6n"):
        network_named("resnet", {"depth": 9}, 0)
    with pytest.raises(InputError, match="cannot be made"):
        network_named("resnet", {"deep": 8}, 0)


def test_the_networks_are_as_large_as_they_say() -> None:
    def multiply_adds(net: nn.Module) -> int:
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net.eval()(torch.zeros(1, 3, 32, 32))
        return counter.get_total_flops() // 2

    assert multiply_adds(resnet9()) == pytest.approx(53.7e6, rel=0.01)
    assert sum(p.numel() for p in resnet9().parameters()) == pytest.approx(0.93e6, rel=0.01)
    # He et al. (2016), table 6: ResNet-20 has 0.27 million parameters
    assert sum(p.numel() for p in resnet(20).parameters()) == pytest.approx(0.27e6, rel=0.02)


def test_pixels_become_numbers_from_zero_to_one() -> None:
    x = as_input(np.array([[[[0, 51, 255]]]], np.uint8))
    assert x.shape == (1, 3, 1, 1)
    np.testing.assert_allclose(x.flatten(), [0, 0.2, 1])
    assert json.dumps(RECIPE.as_dict())
