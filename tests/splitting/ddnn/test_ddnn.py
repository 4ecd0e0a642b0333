"""Devices that see tiles, fail, and send bits: against values worked out by hand, and a small training."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from placid.errors import InputError, UnknownNameError  # noqa: E402
from placid.splitting.data import Images  # noqa: E402
from placid.splitting.ddnn import (  # noqa: E402
    DDNN,
    SCHEMES,
    Aggregation,
    Design,
    DeviceMessages,
    JointTraining,
    Sent,
    answers_of,
    bytes_by_formula,
    choose_thresholds,
    normalised_entropy,
    outcome,
    sent_by,
    sets_of_failed,
    tiles_of,
)
from placid.splitting.ddnn.binary import BinaryConvPool, BinaryScores, sign  # noqa: E402
from placid.splitting.ddnn.learner import draw_present  # noqa: E402
from placid.splitting.training import Recipe, fit  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def network(seed: int = 0, **settings: object) -> DDNN:
    """Six devices on images of 16 x 16, weights and normalisations drawn from `seed`, ready to be asked."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = DDNN(
            Design(tiles_of((16, 16), overlap=2), **{"classes": 4, "filters": 3, "width": 8} | settings)
        )
        for module in made.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.running_mean.normal_(0, 0.5)
                module.running_var.uniform_(0.5, 4)
    return made.eval()


def pictures(n: int, seed: int) -> Images:
    """Four classes, each told by a bright square in a corner and by a bar in the opposite one: no tile sees both."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n).astype(np.uint8)
    images = rng.integers(0, 60, (n, 16, 16, 1)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = 10 * (label // 2), 10 * (label % 2)
        image[top : top + 5, left : left + 5] = 220
        image[12 - top : 14 - top, 10 - left : 16 - left] = 220
    return Images(images, labels)


# tiles


def test_tiles_of_a_grid_lie_as_drawn() -> None:
    tiles = tiles_of((28, 28), rows=3, columns=2, overlap=4)
    assert (tiles.height, tiles.width, tiles.devices, tiles.raw_bytes) == (12, 16, 6, 192)
    assert tiles.origins == ((0, 0), (0, 12), (8, 0), (8, 12), (16, 0), (16, 12))
    images = torch.arange(28 * 28.0).reshape(1, 1, 28, 28)
    seen = tiles.cut(images)
    assert seen.shape == (1, 6, 1, 12, 16)
    assert seen.dtype == torch.float32
    for device, (top, left) in enumerate(tiles.origins):
        assert torch.equal(seen[0, device, 0], images[0, 0, top : top + 12, left : left + 16])


@pytest.mark.parametrize(
    ("rows", "columns", "overlap"), [(1, 1, 0), (2, 2, 0), (3, 2, 0), (2, 3, 6), (4, 5, 3)]
)
def test_every_pixel_is_seen_and_neighbours_overlap(rows: int, columns: int, overlap: int) -> None:
    tiles = tiles_of((28, 28), rows=rows, columns=columns, overlap=overlap)
    times = np.zeros((28, 28), int)
    for top, left in tiles.origins:
        assert 0 <= top <= 28 - tiles.height
        assert 0 <= left <= 28 - tiles.width
        times[top : top + tiles.height, left : left + tiles.width] += 1
    assert times.min() >= 1
    tops, lefts = sorted({t for t, _ in tiles.origins}), sorted({x for _, x in tiles.origins})
    assert all(b - a <= tiles.height - overlap for a, b in pairwise(tops))
    assert all(b - a <= tiles.width - overlap for a, b in pairwise(lefts))


def test_failed_devices_see_zeros() -> None:
    tiles = tiles_of((6, 6), rows=1, columns=2)
    present = torch.tensor([[True, False], [False, True]])
    seen = tiles.cut(torch.ones(2, 3, 6, 6), present)
    assert torch.equal(seen.amax((2, 3, 4)), present.float())
    assert torch.equal(seen.amin((2, 3, 4)), present.float())


def test_tiles_that_cannot_be() -> None:
    with pytest.raises(InputError, match="leave 4 of 28 unseen"):
        type(tiles_of((28, 28)))((28, 28), 3, 2, 8, 14)
    with pytest.raises(InputError, match="does not fit"):
        type(tiles_of((28, 28)))((28, 28), 3, 2, 30, 14)
    with pytest.raises(InputError, match="'rows'"):
        tiles_of((28, 28), rows=0)
    with pytest.raises(InputError, match="overlap"):
        tiles_of((28, 28), overlap=-1)
    with pytest.raises(InputError, match="are due"):
        tiles_of((28, 28)).cut(torch.zeros(1, 1, 32, 32))
    with pytest.raises(InputError, match="present"):
        tiles_of((28, 28)).cut(torch.zeros(1, 1, 28, 28), torch.ones(5, dtype=torch.bool))


# binary layers


def test_the_sign_passes_gradients_between_minus_one_and_one() -> None:
    x = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0], requires_grad=True)
    y = sign(x)
    assert y.tolist() == [-1, -1, 1, 1, 1]
    (y * torch.tensor([1.0, 2, 3, 4, 5])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 2, 3, 4, 0]


def test_a_binary_block_uses_one_bit_of_each_weight() -> None:
    block = network().block
    x = torch.rand(4, 6, 1, 7, 9)
    before = block(x)
    assert set(before.unique().tolist()) == {-1.0, 1.0}
    with torch.no_grad():
        block.weight.mul_(0.01)
    assert torch.equal(block(x), before)
    with torch.no_grad():
        block.weight.neg_()
    assert not torch.equal(block(x), before)


def test_devices_have_weights_of_their_own_unless_shared() -> None:
    same = torch.rand(2, 1, 1, 8, 8).expand(2, 6, 1, 8, 8)
    own, shared = BinaryConvPool(6, 1, 4).eval(), BinaryConvPool(1, 1, 4).eval()
    assert own.weight.shape[0] == 6 * shared.weight.shape[0]
    assert not torch.equal(own(same)[:, 0], own(same)[:, 1])
    assert all(torch.equal(shared(same)[:, 0], shared(same)[:, d]) for d in range(6))


def test_a_device_depends_on_its_own_tile_only() -> None:
    block = BinaryConvPool(3, 2, 4).eval()
    x = torch.rand(2, 3, 2, 6, 6)
    changed = x.clone()
    changed[:, 1] = -5 * torch.rand(2, 2, 6, 6)
    differs = (block(x) != block(changed)).flatten(2).any(2)
    assert differs.tolist() == [[False, True, False]] * 2


def test_sums_of_a_binary_layer_are_the_products_of_signs() -> None:
    layer = BinaryScores(2, 5, 3).eval()
    bits = sign(torch.randn(4, 2, 5))
    by_hand = np.einsum("bpn,pcn->bpc", bits.numpy(), np.where(layer.weight.detach().numpy() >= 0, 1, -1))
    assert np.array_equal(layer.sums(bits).detach().numpy(), by_hand)


def test_training_keeps_binary_weights_within_one() -> None:
    layer = BinaryScores(1, 5, 3).train()
    with torch.no_grad():
        layer.weight.fill_(7.0)
    layer(sign(torch.randn(4, 1, 5)))
    assert float(layer.weight.detach().abs().max()) == 1.0


# aggregation


def test_aggregation_by_hand() -> None:
    values = torch.tensor([[[1.0, -4], [3, -8], [100, 100]]])
    two, none = torch.tensor([[True, True, False]]), torch.tensor([[False] * 3])
    assert Aggregation("max", 3, 2)(values, two).tolist() == [[3, -4]]
    assert Aggregation("mean", 3, 2)(values, two).tolist() == [[2, -6]]
    assert Aggregation("concat", 3, 2)(values, two).tolist() == [[1, -4, 3, -8, 0, 0]]
    for scheme in SCHEMES:
        joined = Aggregation(scheme, 3, 2)
        assert joined(values, none).abs().max() == 0
        assert joined(values, none).shape == (1, joined.outputs)
    projected = Aggregation("concat", 3, 2, project=True)
    assert projected(values, two).shape == (1, 2) == (1, projected.outputs)
    with pytest.raises(UnknownNameError, match="aggregation 'maximum'"):
        Aggregation("maximum", 3, 2)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_a_failed_device_would_have_said_makes_no_difference(scheme: str) -> None:
    joined = Aggregation(scheme, 3, 2)
    values, present = torch.randn(5, 3, 2, 4, 4), torch.tensor([True, False, True]).expand(5, 3)
    other = values.clone()
    other[:, 1] = torch.nan
    found = joined(values, present)
    assert torch.equal(found, joined(other, present))
    assert found.isfinite().all()


# the network


@pytest.mark.parametrize("cloud", SCHEMES)
@pytest.mark.parametrize("local", SCHEMES)
def test_a_network_of_each_aggregation_ignores_failed_devices(local: str, cloud: str) -> None:
    net = network(local=local, cloud=cloud)
    images = torch.rand(5, 1, 16, 16)
    answers = net(images)
    assert answers.shape == (2, 5, 4)
    top, left = net.design.tiles.origins[3]
    blind = images.clone()
    blind[:, :, top : top + 7, left : left + 9] = 0.5
    # pixels that only device 3 sees: put them back for all others by handing over what was sent
    sent, changed = net.send(images), net.send(blind)
    mixed = Sent(sent.sums.clone(), sent.maps.clone())
    mixed.sums[:, 3], mixed.maps[:, 3] = changed.sums[:, 3], changed.maps[:, 3]
    without = net.present([3])
    assert torch.equal(net.receive(mixed, without), net.receive(sent, without))
    assert not torch.equal(net.receive(mixed), net.receive(sent))
    assert not torch.equal(net.receive(sent, without), answers)


@pytest.mark.parametrize("settings", [{}, {"binary_cloud": True}, {"shared": True}, {"channels": 3}])
def test_every_part_learns(settings: dict[str, object]) -> None:
    learner = JointTraining(network(**settings).train(), drop=0.2)
    images = torch.rand(16, int(settings.get("channels", 1)), 16, 16)  # type: ignore[call-overload]
    learner.loss(images, torch.arange(16) % 4).backward()
    for name, p in learner.named_parameters():
        assert p.grad is not None, name
        assert p.grad.abs().sum() > 0, name


def test_a_tier_of_edges_has_an_exit_and_fails_with_its_devices() -> None:
    net = network(edges=((0, 1, 2), (3, 4, 5)), edge_filters=5)
    images = torch.rand(4, 1, 16, 16)
    sent = net.send(images)
    assert net.design.exits == ("local", "edge", "cloud")
    assert net(images).shape == (3, 4, 4)
    one_edge = net.present([3, 4, 5])
    other = Sent(sent.sums, sent.maps.clone())
    other.maps[:, 3:] *= -1
    assert torch.equal(net.receive(sent, one_edge), net.receive(other, one_edge))
    assert not torch.equal(net.receive(sent), net.receive(other))
    learner = JointTraining(net.train(), weights=(1.0, 0.5, 1.0))
    learner.loss(torch.rand(16, 1, 16, 16), torch.arange(16) % 4).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_images_may_each_miss_other_devices() -> None:
    net = network()
    images = torch.rand(2, 1, 16, 16)
    present = torch.stack([net.present([0]), net.present([4, 5])])
    together = net(images, present)
    assert torch.allclose(together[:, :1], net(images[:1], present[0]), atol=1e-5)
    assert torch.allclose(together[:, 1:], net(images[1:], present[1]), atol=1e-5)


def test_designs_that_cannot_be() -> None:
    tiles = tiles_of((16, 16))
    with pytest.raises(UnknownNameError, match="'cloud'"):
        Design(tiles, cloud="sum")
    with pytest.raises(InputError, match="one edge"):
        Design(tiles, edges=((0, 1, 2), (2, 3, 4, 5)))
    with pytest.raises(InputError, match="'filters'"):
        Design(tiles, filters=0)
    with pytest.raises(InputError, match="devices are 0"):
        network().present([6])
    with pytest.raises(InputError, match="one weight for each"):
        JointTraining(network(), weights=(1.0,))
    with pytest.raises(InputError, match="'drop'"):
        JointTraining(network(), drop=1.0)


# messages


@pytest.mark.parametrize("form", ["float32", "float16", "counts"])
def test_the_receiver_answers_the_same_from_bytes(form: str) -> None:
    net = network()
    images = torch.rand(3, 1, 16, 16)
    sent = net.send(images)
    wire = DeviceMessages(4, net.design.map_shape, form)
    sums, maps = torch.zeros_like(sent.sums), torch.zeros_like(sent.maps)
    for i in range(3):
        for device in range(6):
            said = wire.encode_sums(sent.sums[i, device].detach().numpy())
            seen = wire.encode_map(sent.maps[i, device].detach().numpy())
            # 3 filters of 4 x 5 bits; 60 terms make counts of 6 bits
            assert len(seen) == 2 + 60 // 8 + 1
            assert len(said) == 2 + {"float32": 16, "float16": 8, "counts": 3}[form]
            sums[i, device] = torch.from_numpy(wire.decode_sums(said))
            maps[i, device] = torch.from_numpy(wire.decode_map(seen))
    assert torch.equal(net.receive(Sent(sums, maps)), net.receive(sent))


def test_counts_reach_both_ends() -> None:
    wire = DeviceMessages(3, (1, 4, 4), "counts")
    sums = np.array([-16.0, 0, 16], np.float32)
    assert np.array_equal(wire.decode_sums(wire.encode_sums(sums)), sums)
    with pytest.raises(UnknownNameError, match="form of class scores"):
        DeviceMessages(3, (1, 4, 4), "int4")


def test_the_paper_s_formula() -> None:
    # 4 filters of 16 x 16 bits, 3 classes
    assert bytes_by_formula(3, 4, 256, left_locally=0.0) == 12 + 128
    assert bytes_by_formula(3, 4, 256, left_locally=1.0) == 12
    assert bytes_by_formula(3, 4, 256, left_locally=0.75) == 12 + 32
    with pytest.raises(InputError, match="share"):
        bytes_by_formula(3, 4, 256, left_locally=60.8)


# the cascade


def test_entropy_of_the_sure_and_the_clueless() -> None:
    found = normalised_entropy(np.array([[0.0, 0, 0, 0], [1000, 0, 0, 0], [np.log(3), 0, -1e9, -1e9]]))
    assert found[0] == pytest.approx(1)
    assert found[1] == pytest.approx(0)
    assert found[2] == pytest.approx((0.75 * np.log(4 / 3) + 0.25 * np.log(4)) / np.log(4))


def _answers(exits: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    logits = rng.normal(0, 1, (exits, n, 4))
    for e in range(exits):
        logits[e, np.arange(n), labels] += (e + 1) * rng.uniform(0, 3, n)
    return logits, labels


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lose", [0.0, 0.05])
def test_a_threshold_is_the_highest_that_keeps_the_accuracy(seed: int, lose: float) -> None:
    logits, labels = _answers(2, 60, seed)
    (threshold,) = choose_thresholds(logits, labels, lose=lose)
    found = outcome(logits, labels, [threshold])
    assert found.accuracy >= found.exit_accuracy[-1] - lose - 1e-12
    # brute force: no threshold that lets more leave keeps the accuracy
    for t in np.append(normalised_entropy(logits[0]) + 1e-12, 2.0):
        tried = outcome(logits, labels, [t])
        if tried.shares[0] > found.shares[0]:
            assert tried.accuracy < found.exit_accuracy[-1] - lose


def test_thresholds_of_three_exits_keep_the_accuracy_together() -> None:
    for seed in range(20):
        logits, labels = _answers(3, 80, seed)
        found = outcome(logits, labels, choose_thresholds(logits, labels))
        assert found.accuracy >= found.exit_accuracy[-1]
        assert sum(found.shares) == pytest.approx(1)


def test_an_exit_that_is_never_right_answers_nothing_and_a_perfect_one_all() -> None:
    labels = np.arange(40) % 4
    right, wrong = np.eye(4)[labels] * 5, np.eye(4)[(labels + 1) % 4] * 5
    assert choose_thresholds(np.stack([wrong, right]), labels) == (0.0,)
    assert outcome(np.stack([wrong, right]), labels, [0.0]).shares == (0, 1)
    (threshold,) = choose_thresholds(np.stack([right, wrong]), labels)
    assert outcome(np.stack([right, wrong]), labels, [threshold]).shares == (1, 0)


def test_images_as_unsure_as_each_other_leave_together() -> None:
    # all equally sure, three of four right, the last exit two of four: taking all gains, taking some cannot be done
    labels = np.zeros(4, int)
    first, last = np.zeros((4, 2)), np.zeros((4, 2))
    first[[0, 1, 2], 0], first[3, 1] = 1, 1
    last[[0, 1], 0], last[[2, 3], 1] = 1, 1
    found = outcome(np.stack([first, last]), labels, choose_thresholds(np.stack([first, last]), labels))
    assert (found.accuracy, found.shares) == (0.75, (1.0, 0.0))
    flipped = np.stack([last, first])
    assert outcome(flipped, labels, choose_thresholds(flipped, labels)).shares == (0.0, 1.0)


def test_numbers_that_do_not_fit() -> None:
    logits, labels = _answers(2, 10, 0)
    with pytest.raises(InputError, match="do not fit"):
        outcome(logits, labels, [])
    with pytest.raises(InputError, match="do not fit"):
        outcome(logits, labels[:-1], [0.1])


# training and failing


def test_at_least_one_device_is_always_there() -> None:
    rng = torch.Generator().manual_seed(0)
    assert draw_present(2000, 3, 0.9, rng).any(1).all()
    assert draw_present(100, 3, 0.0, rng).all()
    share = float(draw_present(20000, 6, 0.3, rng).float().mean())
    assert share == pytest.approx(0.7, abs=0.01)


def test_sets_of_failed_devices() -> None:
    rng = np.random.default_rng(0)
    assert sets_of_failed(6, 0, rng) == [()]
    assert sets_of_failed(6, 1, rng) == [(d,) for d in range(6)]
    drawn = sets_of_failed(6, 3, rng)
    assert len(set(drawn)) == 6
    assert all(len(set(s)) == 3 and max(s) < 6 for s in drawn)
    with pytest.raises(InputError, match="fail"):
        sets_of_failed(6, 7, rng)


def test_training_that_drops_devices_survives_their_failure(tmp_path: Path) -> None:
    data, others = pictures(600, 0), pictures(300, 1)
    worst = {}
    for drop in (0.0, 0.3):
        net = network(seed=3)
        recipe = Recipe(5, batch=30, optimiser="adam", peak_rate=5e-3, weight_decay=0.0)
        losses = fit(JointTraining(net, drop=drop), data, recipe, tmp_path / str(drop))
        assert losses[-1] < losses[0] / 2
        sent = sent_by(net, others)
        whole = outcome(answers_of(net, sent), others.labels, [0.5])
        assert whole.exit_accuracy[1] > 0.97
        pairs = [(a, b) for a in range(6) for b in range(a)]
        worst[drop] = min(outcome(answers_of(net, sent, p), others.labels, [0.0]).accuracy for p in pairs)
    # each class shows itself in two opposite corners, so that any two devices can be done without, nearly
    assert worst[0.3] > worst[0.0]
    assert worst[0.3] > 0.85


def test_training_goes_on_where_it_stopped(tmp_path: Path) -> None:
    data = pictures(200, 0)
    recipe = Recipe(2, batch=50, optimiser="adam", peak_rate=5e-3)
    whole, parted = network(seed=3), network(seed=3)
    fit(JointTraining(whole, drop=0.3), data, recipe, tmp_path / "whole")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(JointTraining(parted, drop=0.3), data, recipe, tmp_path / "parted", report=stop)
    again = network(seed=3)
    fit(JointTraining(again, drop=0.3), data, recipe, tmp_path / "parted")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
