"""What a network takes, against figures counted by hand and against torch's own counter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from placid.errors import RunError
from placid.splitting.measuring import export_onnx, footprint, quantise_static
from placid.splitting.nets import resnet, resnet9


def saved(
    nodes: list[onnx.NodeProto],
    weights: dict[str, np.ndarray],
    takes: list[object],
    gives: int,
    file: Path,
) -> Path:
    """A network of `nodes` from `x` [batch, *takes] to `y` of `gives` dimensions."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *takes])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", *[None] * (gives - 1)])],
        [numpy_helper.from_array(v, k) for k, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, file)
    return file


def test_two_convolutions_by_hand(tmp_path: Path) -> None:
    weights = {
        "w1": np.zeros((4, 2, 3, 3), np.float32),
        "b1": np.zeros(4, np.float32),
        "w2": np.zeros((6, 2, 1, 1), np.float32),  # in two groups
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w2"], ["y"], group=2, strides=[2, 2]),
    ]
    told = footprint(saved(nodes, weights, [2, 8, 8], 4, tmp_path / "n.onnx"))
    x, a, y = 2 * 64 * 4, 4 * 64 * 4, 6 * 16 * 4
    w1, b1, w2 = 4 * 2 * 9 * 4, 16, 6 * 2 * 4
    assert told.multiply_adds == 4 * 64 * 2 * 9 + 6 * 16 * 2
    assert told.parameter_bytes == w1 + b1 + w2
    assert told.moved_bytes == (x + w1 + b1 + a) + (a + w2 + y)  # the ReLU where its input lies
    assert told.peak_bytes == max(x + a, a + y)


def test_a_residual_sum_takes_the_place_of_what_ends_there(tmp_path: Path) -> None:
    weights = {"w": np.zeros((3, 3, 3, 3), np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c", "b"], ["d"]),
        helper.make_node("Relu", ["d"], ["y"]),
    ]
    told = footprint(saved(nodes, weights, [3, 4, 4], 4, tmp_path / "n.onnx"))
    t, w = 3 * 16 * 4, 81 * 4
    assert told.moved_bytes == (t + w + t) + (t + w + t) + 3 * t
    assert told.peak_bytes == 2 * t  # x, a; b, c; the sum lies in c
    assert told.parameter_bytes == w  # read twice, kept once


def test_a_tensor_that_is_needed_later_stays_alive(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),  # cannot overwrite what the caller gave
        helper.make_node("Sigmoid", ["a"], ["b"]),  # nor this, which the sum below reads
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["a", "c"], ["d"]),
        helper.make_node("Flatten", ["d"], ["y"]),
    ]
    told = footprint(saved(nodes, {}, [1, 4, 4], 2, tmp_path / "n.onnx"))
    t = 64
    assert told.peak_bytes == 3 * t  # a, b and c at the pooling
    assert told.moved_bytes == 2 * t + 2 * t + 2 * t + 3 * t
    assert told.multiply_adds == 0


def test_products_of_matrices(tmp_path: Path) -> None:
    weights = {"w": np.zeros((5, 3), np.float32), "g": np.zeros((7, 3), np.float32)}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),  # [1, 4, 5] by [5, 3]
        helper.make_node("ReduceSum", ["a"], ["b"], keepdims=0, noop_with_empty_axes=0),
        helper.make_node("Reshape", ["a", "s"], ["c"]),
        helper.make_node("Gemm", ["c", "g"], ["y"], transB=1),
    ]
    nodes.pop(1)
    file = saved(nodes, weights | {"s": np.array([-1, 3])}, [4, 5], 2, tmp_path / "n.onnx")
    assert footprint(file).multiply_adds == 4 * 3 * 5 + 4 * 7 * 3


@pytest.mark.parametrize(
    "network",
    [
        resnet(8),
        resnet9(8),
        nn.Sequential(nn.Conv2d(3, 6, 5, groups=3), nn.ConvTranspose2d(6, 4, 3, 2), nn.Conv2d(4, 2, 1, 2)),
        nn.Sequential(nn.Flatten(2), nn.TransformerEncoderLayer(1024, 4, 64, batch_first=True)),
    ],
    ids=["resnet", "resnet9", "convolutions", "attention"],
)
def test_torch_counts_the_same(network: nn.Module, tmp_path: Path) -> None:
    image = torch.rand(1, 3, 32, 32)
    network.eval()
    with FlopCounterMode(display=False) as counter:
        network(image + 0)
    export_onnx(network, image, tmp_path / "n.onnx", input_names=["x"], output_names=["y"], tolerance=1e-3)
    attends = any(isinstance(m, nn.MultiheadAttention) for m in network.modules())
    uncounted = (
        2 * 3 * 3 * 1024 if attends else 0
    )  # queries by keys, and by values: torch leaves them out on processors
    found = footprint(tmp_path / "n.onnx").multiply_adds
    assert found == counter.get_total_flops() // 2 + uncounted


def test_eight_bits_move_a_quarter(tmp_path: Path) -> None:
    torch.manual_seed(0)
    export_onnx(
        resnet(8), torch.rand(2, 3, 32, 32), tmp_path / "n.onnx", input_names=["x"], output_names=["y"]
    )
    images = np.random.default_rng(0).random((20, 3, 32, 32), np.float32)
    quantise_static(tmp_path / "n.onnx", tmp_path / "q.onnx", images)
    floats, integers = footprint(tmp_path / "n.onnx"), footprint(tmp_path / "q.onnx")
    assert integers.multiply_adds == floats.multiply_adds
    assert 0.25 < integers.moved_bytes / floats.moved_bytes < 0.30
    assert 0.25 <= integers.peak_bytes / floats.peak_bytes < 0.30
    assert 0.25 < integers.parameter_bytes / floats.parameter_bytes < 0.30


def test_what_cannot_be_counted_is_told(tmp_path: Path) -> None:
    nodes = [helper.make_node("Einsum", ["x", "x"], ["y"], equation="bi,bj->bij")]
    with pytest.raises(RunError, match="Einsum occurs"):
        footprint(saved(nodes, {}, [3], 3, tmp_path / "n.onnx"))
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    with pytest.raises(RunError, match="open dimension besides the batch"):
        footprint(saved(nodes, {}, ["length"], 2, tmp_path / "n.onnx"))
    (tmp_path / "n.onnx").write_bytes(b"not a network")
    with pytest.raises(RunError, match=r"n\.onnx: is no ONNX model"):
        footprint(tmp_path / "n.onnx")


def test_shapes_that_hang_on_values_are_looked_at(tmp_path: Path) -> None:
    """A resize by a factor that is computed in the graph."""
    nodes = [
        helper.make_node("Mul", ["half", "four"], ["scale"]),
        helper.make_node("Resize", ["x", "", "scale"], ["r"], mode="nearest"),
        helper.make_node("Conv", ["r", "w"], ["y"]),
    ]
    weights = {
        "half": np.array([0.5, 0.5, 0.5, 0.5], np.float32),
        "four": np.array([2, 2, 4, 4], np.float32),
        "w": np.zeros((1, 1, 1, 1), np.float32),
    }
    assert footprint(saved(nodes, weights, [1, 3, 3], 4, tmp_path / "n.onnx")).multiply_adds == 36
