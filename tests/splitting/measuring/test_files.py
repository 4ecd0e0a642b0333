"""Files of segments: as torch, the same every time; nothing in them or on the terminal that does not belong there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from placid.errors import InputError, RunError, UnknownNameError
from placid.splitting.codecs import Uniform
from placid.splitting.measuring import Chain, export_onnx, measure_segment, open_session, quantise_static, run
from placid.splitting.nets.blocks import Normalise, Residual, conv_bn, conv_bn_relu

IMAGES = np.random.default_rng(0).random((24, 3, 32, 32), np.float32)


@pytest.fixture(scope="module")
def network() -> nn.Sequential:
    torch.manual_seed(0)
    made = nn.Sequential(
        Normalise([0.5] * 3, [0.25] * 3),
        conv_bn_relu(3, 16),
        Residual(nn.Sequential(*conv_bn_relu(16, 16), *conv_bn(16, 16))),
        conv_bn_relu(16, 32, stride=2),
        nn.Sequential(*conv_bn_relu(32, 32, stride=2), nn.Flatten(), nn.Linear(32 * 64, 10)),
    )
    # statistics as after some training, so that folding them matters
    made.train()
    with torch.no_grad():
        for _ in range(5):
            made(torch.rand(32, 3, 32, 32))
    return made


@pytest.fixture(scope="module")
def folder(network: nn.Sequential, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """whole.onnx, and 0.onnx, 1.onnx, 2.onnx of its segments."""
    made = tmp_path_factory.mktemp("segments")
    network.eval()
    export(network, torch.rand(2, 3, 32, 32), made / "whole.onnx")
    given = torch.rand(2, 3, 32, 32)
    for place, part in enumerate((network[:2], network[2:4], network[4:])):
        export(part, given, made / f"{place}.onnx")
        with torch.no_grad():
            given = part(given)
    network.train()
    return made


def export(module: nn.Module, example: Tensor, file: Path) -> None:
    export_onnx(module, example, file, input_names=["x"], output_names=["y"])


def test_nothing_is_printed_and_the_module_is_left_alone(
    network: nn.Sequential, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network.to(memory_format=torch.channels_last)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    file = tmp_path / "deep" / "n.onnx"
    told = export_onnx(
        network, torch.rand(1, 3, 32, 32), file, input_names=["images"], output_names=["logits"]
    )
    assert network.training
    assert all(p.requires_grad for p in network.parameters())
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    assert 0 < told.largest_difference < 1e-5
    assert (told.size_bytes, told.opset) == (file.stat().st_size, 20)
    assert told.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [f.name for f in file.parent.iterdir()] == ["n.onnx"]
    quantise_static(file, tmp_path / "q.onnx", IMAGES, method="percentile")
    assert capfd.readouterr() == ("", "")


def test_the_file_is_the_network_and_no_more(network: nn.Sequential, folder: Path, tmp_path: Path) -> None:
    model = onnx.load(folder / "whole.onnx")
    kinds = [n.op_type for n in model.graph.node]
    assert "BatchNormalization" not in kinds
    assert kinds.count("Conv") == 5
    data = (folder / "whole.onnx").read_bytes()
    for path in (torch.__file__, __file__, str(tmp_path)):
        assert str(Path(path).parent).encode() not in data
    assert not any(word in data for word in (b".py", b"stack_trace", b"namespace", b"torch.nn"))
    weights = sum(p.numel() for n, p in network.named_parameters() if p.ndim > 1)
    assert len(data) < 4 * weights + 12_000  # biases, and names
    network.eval()
    with torch.no_grad():
        wanted = network(torch.from_numpy(IMAGES)).numpy()
    network.train()
    (found,) = run(open_session(folder / "whole.onnx"), IMAGES)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_the_same_network_is_the_same_file(network: nn.Sequential, folder: Path, tmp_path: Path) -> None:
    export(network, torch.rand(3, 3, 32, 32), tmp_path / "again.onnx")  # another example
    assert (tmp_path / "again.onnx").read_bytes() == (folder / "whole.onnx").read_bytes()
    for name in ("a", "b"):
        quantise_static(folder / "whole.onnx", tmp_path / f"{name}.onnx", IMAGES)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


class Symbols(nn.Module):
    """Images to symbols, and a label from the symbols."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder = nn.Conv2d(3, 4, 4, 4)
        self.codec = Uniform(4, bits=4)
        self.codec.eval()
        with torch.no_grad():
            self.codec.start(self.encoder(torch.rand(32, 3, 16, 16)))
        self.label = nn.Linear(64, 3)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        symbols = self.codec.symbols(self.encoder(images))
        return symbols, self.label(self.codec.restore(symbols).flatten(1))


def test_symbols_and_labels_from_one_segment(tmp_path: Path) -> None:
    module = Symbols().eval()
    images = np.random.default_rng(1).random((16, 3, 16, 16), np.float32)
    export_onnx(
        module,
        torch.from_numpy(images),
        tmp_path / "head.onnx",
        input_names=["images"],
        output_names=["symbols", "early"],
    )
    symbols, early = run(open_session(tmp_path / "head.onnx"), images)
    with torch.no_grad():
        wanted, early_wanted = module(torch.from_numpy(images))
    assert symbols.dtype == np.uint8
    assert symbols.max() > 3
    assert np.mean(symbols != wanted.numpy()) < 2e-3
    assert np.abs(early - early_wanted.numpy()).max() < 0.5

    class Tail(nn.Module):
        def forward(self, symbols: Tensor) -> Tensor:
            return module.codec.restore(symbols).mean((2, 3))

    export_onnx(Tail(), wanted, tmp_path / "tail.onnx", input_names=["symbols"], output_names=["logits"])
    with pytest.raises(InputError, match="takes x, but the segment before gives symbols, early"):
        Chain([tmp_path / "head.onnx", chained(tmp_path)])
    (found,) = Chain([tmp_path / "head.onnx", tmp_path / "tail.onnx"]).run(images)  # by name
    np.testing.assert_allclose(found, run(open_session(tmp_path / "tail.onnx"), symbols)[0], atol=1e-6)


def chained(folder: Path) -> Path:
    export(nn.ReLU(), torch.rand(2, 3), folder / "relu.onnx")
    return folder / "relu.onnx"


class Noisy(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images + torch.rand_like(images)


class Branching(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images if images.sum() > 0 else -images


def test_what_cannot_be_exported_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match=r"noisy\.onnx: torch and ONNX Runtime differ by 0\.\d+ .* more than 0\.0001"
    ):
        export(Noisy(), torch.rand(2, 3), tmp_path / "noisy.onnx")
    with pytest.raises(RunError, match=r"branching\.onnx: torch cannot export the network to ONNX: .{20}"):
        export(Branching(), torch.rand(2, 3), tmp_path / "branching.onnx")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="2 example inputs but 1 names"):
        export(nn.ReLU(), (torch.rand(2, 3), torch.rand(2, 3)), tmp_path / "n.onnx")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="1 outputs but 2 names"):
        export_onnx(
            nn.ReLU(), torch.rand(2, 3), tmp_path / "n.onnx", input_names=["x"], output_names=["y", "z"]
        )
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"n\.onnx: cannot be written"):
        export(nn.ReLU(), torch.rand(2, 3), tmp_path / "file" / "n.onnx")


def test_eight_bits_keep_the_answers(folder: Path, tmp_path: Path) -> None:
    written = quantise_static(folder / "whole.onnx", tmp_path / "q.onnx", IMAGES)
    assert written.size_bytes < 0.35 * (folder / "whole.onnx").stat().st_size
    kinds = {n.op_type for n in onnx.load(written.file).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    (exact,) = run(open_session(folder / "whole.onnx"), IMAGES)
    (rounded,) = run(open_session(written.file), IMAGES)
    assert 0 < np.abs(rounded - exact).max() < 0.25 * exact.std(0).max()


def test_eight_bits_in_the_middle_of_a_network(folder: Path, tmp_path: Path) -> None:
    (features,) = run(open_session(folder / "0.onnx"), IMAGES)
    quantise_static(folder / "1.onnx", tmp_path / "q.onnx", {"x": features}, method="entropy")
    (exact,) = run(open_session(folder / "1.onnx"), features)
    (rounded,) = run(open_session(tmp_path / "q.onnx"), features)
    assert np.abs(rounded - exact).mean() < 0.05 * exact.std()


def test_calibration_that_does_not_fit(folder: Path, tmp_path: Path) -> None:
    whole, out = folder / "whole.onnx", tmp_path / "q.onnx"
    with pytest.raises(UnknownNameError, match="did you mean 'minmax'"):
        quantise_static(whole, out, IMAGES, method="min-max")
    with pytest.raises(InputError, match="needed for x, given for images"):
        quantise_static(whole, out, {"images": IMAGES})
    with pytest.raises(InputError, match="at least one"):
        quantise_static(whole, out, IMAGES[:0])
    with pytest.raises(RunError, match="cannot be quantised"):
        quantise_static(whole, out, IMAGES[:, :2])
    with pytest.raises(RunError, match="no such file"):
        quantise_static(tmp_path / "none.onnx", out, IMAGES)
    assert not out.exists()


def test_a_chain_is_the_whole(folder: Path) -> None:
    chain = Chain([folder / f"{i}.onnx" for i in range(3)])
    whole = open_session(folder / "whole.onnx")
    first = chain.run(IMAGES[:1])
    kept = first[0].copy()
    for batch in (IMAGES[1:2], IMAGES[2:3], IMAGES[:7], IMAGES[:1]):  # another batch, and back
        np.testing.assert_allclose(chain.run(batch)[0], run(whole, batch)[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(first[0], kept)  # what was answered stays
    for step in chain.steps(IMAGES[:1]):
        step()
    with pytest.raises(RunError, match="cannot be run on what it was given"):
        chain.run(IMAGES[:1, :2])
    with pytest.raises(RunError, match="takes 1 inputs"):
        chain.run(IMAGES, IMAGES)
    np.testing.assert_array_equal(chain.run(IMAGES[:1])[0], kept)  # and an error leaves no trace
    with pytest.raises(RunError, match="cannot be run"):
        chain.run(IMAGES[:1].astype(np.float64))
    with pytest.raises(InputError, match="at least one segment"):
        Chain([])


def test_a_segment_is_measured(folder: Path) -> None:
    told = measure_segment(
        "tail", folder / "2.onnx", [np.zeros((2, 32, 16, 16), np.float32)], runs=20, warmup=1
    )
    assert (told.name, told.file) == ("tail", "2.onnx")
    assert told.sha256 == hashlib.sha256((folder / "2.onnx").read_bytes()).hexdigest()
    assert told.size_bytes == (folder / "2.onnx").stat().st_size
    assert told.multiply_adds == 32 * 64 * 32 * 9 + 32 * 64 * 10
    assert told.peak_bytes >= 4 * 32 * 16 * 16
    assert 0 < told.latency.p50_s <= told.latency.p95_s < 1
    with pytest.raises(RunError, match="cannot be run"):
        measure_segment("tail", folder / "2.onnx", [np.zeros((1, 3, 16, 16), np.float32)])


def test_files_that_are_no_networks(tmp_path: Path) -> None:
    (tmp_path / "n.onnx").write_bytes(b"not a network")
    with pytest.raises(RunError, match=r"n\.onnx: ONNX Runtime cannot run it"):
        open_session(tmp_path / "n.onnx")
