"""A network with exits: it is the same network, its segments together are it, and it can be exported and counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from placid.errors import InputError, UnknownNameError
from placid.splitting.data import Images
from placid.splitting.exits import Branched, convolved, costs_of, heads_for, logits_of_exits, pooled
from placid.splitting.measuring import export_onnx, footprint, open_session, run
from placid.splitting.nets import network_named
from placid.splitting.nets.alexnet import AcrossChannels, alexnet, alexnet_exits
from placid.splitting.nets.lenet import lenet, lenet_exits
from placid.splitting.training.batches import as_input


def branched(seed: int = 0) -> Branched:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Branched(lenet(), lenet_exits()).eval()


def test_the_shapes_and_operations_are_the_papers() -> None:
    # 640-10 and 720-84-10, 512-10, 128-10 and 1024-256-128-10 only fit if everything before is as published
    assert [tuple(x.shape) for x in branched()(torch.zeros(3, 1, 28, 28))] == [(3, 10), (3, 10)]
    wide = Branched(alexnet(), alexnet_exits()).eval()
    assert [tuple(x.shape) for x in wide(torch.zeros(2, 3, 32, 32))] == [(2, 10)] * 3
    first = 5 * 25 * 30 * 30
    rest = 5 * 25 * 10 * 17**2 + 10 * 25 * 20 * 11**2 + 720 * 84 + 840
    costs = costs_of(branched(), torch.zeros(2, 1, 28, 28))
    assert costs.parts == (first, rest)
    assert costs.heads == (5 * 9 * 10 * 15**2 + 6400,)


def test_normalisation_across_channels_is_torchs() -> None:
    x = torch.rand(2, 7, 5, 4, generator=torch.Generator().manual_seed(0))
    own = AcrossChannels(1.5)(x)
    torch.testing.assert_close(own, nn.functional.local_response_norm(x, 3, alpha=1.5, beta=0.75, k=1.0))


def test_the_last_exit_is_the_network_and_segments_together_are_all() -> None:
    network = branched()
    images = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    early, last = network(images)
    assert torch.equal(last, network.network(images))
    first, second = network.segments()
    crossing, logits = first(images)
    assert torch.equal(logits, early)
    assert torch.equal(second(crossing), last)


def test_segments_are_exported_and_counted(tmp_path: Path) -> None:
    network = branched()
    images = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    first, second = network.segments()
    a, b = tmp_path / "a.onnx", tmp_path / "b.onnx"
    export_onnx(first, images, a, input_names=["images"], output_names=["crossing", "logits"])
    with torch.no_grad():
        crossing, logits = first(images)
    export_onnx(second, crossing, b, input_names=["crossing"], output_names=["logits"])
    sent, early = run(open_session(a), images.numpy())
    (last,) = run(open_session(b), sent)
    np.testing.assert_allclose(early, logits.numpy(), atol=1e-4)
    np.testing.assert_allclose(last, network(images)[1].detach().numpy(), atol=1e-4)
    costs = costs_of(network, images)
    assert (footprint(a).multiply_adds, footprint(b).multiply_adds) == costs.segments()


def test_heads_fit_what_reaches_them() -> None:
    net = network_named("resnet", {"depth": 8, "width": 4}, 0)
    assert isinstance(net, nn.Sequential)
    images = torch.rand(2, 3, 32, 32)
    for kind in ("pooled", "convolved"):
        made = heads_for(net, ["stage2", "stem"], images, 7, kind=kind)
        found = Branched(net, made)
        assert found.after == ("stem", "stage2")
        assert [x.shape[1] for x in found(images)] == [7, 7, 10]
        same = heads_for(net, ["stage2", "stem"], images, 7, kind=kind)
        assert all(
            torch.equal(p, q)
            for p, q in zip(made["stem"].parameters(), same["stem"].parameters(), strict=True)
        )
    # sizes that do not divide, and less than is asked for
    assert pooled(torch.rand(2, 3, 7, 5), 4, side=2)(torch.rand(2, 3, 7, 5)).shape == (2, 4)
    assert convolved(torch.rand(2, 3, 3, 3), 4, side=4)(torch.rand(2, 3, 3, 3)).shape == (2, 4)


def test_logits_of_all_images() -> None:
    images = Images(
        np.random.default_rng(0).integers(0, 256, (7, 28, 28, 1)).astype(np.uint8), np.zeros(7, np.uint8)
    )
    network = branched()
    found = logits_of_exits(network, images, batch=3)
    assert found.shape == (2, 7, 10)
    with torch.no_grad():
        np.testing.assert_allclose(found[0], network(as_input(images.images))[0].numpy(), atol=1e-5)


def test_mistakes_are_named() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'conv3'.*conv2, conv3, head"):
        Branched(lenet(), {"conv": nn.Flatten()})
    with pytest.raises(InputError, match="own end already"):
        Branched(lenet(), {"head": nn.Flatten()})
    with pytest.raises(InputError, match=r"nn\.Sequential, got Linear"):
        Branched(nn.Linear(2, 2), {})  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="kind of exit head 'conv'"):
        heads_for(lenet(), ["conv1"], torch.rand(2, 1, 28, 28), 10, kind="conv")
    with pytest.raises(UnknownNameError, match="child of the network 'stage9'"):
        heads_for(lenet(), ["stage9"], torch.rand(2, 1, 28, 28), 10)
    with pytest.raises(InputError, match=r"got \[2, 3\]"):
        pooled(torch.rand(2, 3), 10)
