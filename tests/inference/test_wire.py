"""What goes over a wire comes back as it was, in the bytes that were promised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placid.errors import InputError, UnknownNameError
from placid.inference.wire import HEADER_BYTES, WIRES, Packed, Plain, RangeCoded, Rounded, Wire, wire_from


@given(bits=st.integers(1, 8), size=st.integers(1, 70), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_packed_symbols_come_back_in_the_fewest_whole_bytes(bits: int, size: int, seed: int) -> None:
    symbols = np.random.default_rng(seed).integers(0, 1 << bits, (1, size)).astype(np.uint8)
    wire = Packed((1, size), bits, tag=seed)
    data = wire.encode(symbols)
    assert len(data) == HEADER_BYTES + -(-size * bits // 8)
    np.testing.assert_array_equal(wire.decode(data), symbols)


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
def test_plain_numbers_come_back(dtype: str) -> None:
    tensor = (np.random.default_rng(0).random((3, 4, 4)) * 200).astype(dtype)
    wire = Plain((3, 4, 4), dtype)
    data = wire.encode(tensor)
    assert len(data) == HEADER_BYTES + tensor.nbytes
    back = wire.decode(data)
    assert back.dtype == tensor.dtype
    np.testing.assert_array_equal(back, tensor)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_rounded_floats_come_back_within_half_a_step_or_at_the_end_of_the_range(bits: int) -> None:
    tensor = np.random.default_rng(bits).standard_normal((3, 7, 7)).astype(np.float32)
    low, step = np.array([-1.0, -0.5, 0.0]), np.array([2.0, 1.5, 0.7]) / (1 << bits)
    wire = Rounded((3, 7, 7), bits, low, step)
    data = wire.encode(tensor)
    assert len(data) == HEADER_BYTES + -(-3 * 49 * bits // 8)
    high = low + ((1 << bits) - 1) * step
    nearest = np.clip(tensor, low[:, None, None], high[:, None, None])
    assert (np.abs(wire.decode(data) - nearest) <= step[:, None, None] / 2 + 1e-6).all()
    for wrong in ({"low": [0.0, 0.0]}, {"step": [1.0, 0.0, 1.0]}, {"low": [np.nan, 0.0, 0.0]}):
        with pytest.raises(InputError):
            Rounded(**{"shape": (3, 7, 7), "bits": bits, "low": low, "step": step} | wrong)


def skewed(channels: int = 4, symbols: int = 15) -> np.ndarray:
    weight = np.exp(-np.abs(np.arange(symbols) - symbols // 2) * np.linspace(0.3, 2, channels)[:, None])
    return weight / weight.sum(1, keepdims=True)


def drawn(probabilities: np.ndarray, size: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = [rng.choice(probabilities.shape[1], size=size, p=p) for p in probabilities]
    return np.stack(rows).reshape(len(rows), -1, 8).astype(np.uint8)


def test_range_coding_comes_near_the_entropy() -> None:
    pytest.importorskip("constriction")
    table = skewed()
    wire = RangeCoded((4, 8, 8), table)
    sizes, ideal = [], []
    for seed in range(50):
        symbols = drawn(table, 64, seed)
        data = wire.encode(symbols)
        np.testing.assert_array_equal(wire.decode(data), symbols)
        sizes.append(len(data) - HEADER_BYTES)
        ideal.append(-np.log2(np.take_along_axis(table, symbols.reshape(4, -1), 1)).sum() / 8)
    # a coder cannot beat the entropy on average, and this one ends on a word of four bytes
    assert np.mean(ideal) <= np.mean(sizes) <= np.mean(ideal) + 5


def test_symbols_that_are_unlikely_still_come_back() -> None:
    pytest.importorskip("constriction")
    table = np.full((1, 20), 1e-9)
    table[0, 0] = 1 - 19e-9
    symbols = np.arange(20, dtype=np.uint8).reshape(1, 20)
    wire = RangeCoded((1, 20), table)
    np.testing.assert_array_equal(wire.decode(wire.encode(symbols)), symbols)


def example_of(kind: str) -> tuple[Wire, np.ndarray]:
    symbols = np.random.default_rng(1).integers(0, 4, (2, 4, 4)).astype(np.uint8)
    made: dict[str, Wire] = {
        "plain": Plain((2, 4, 4), "uint8", 9),
        "packed": Packed((2, 4, 4), 2, 9),
        "rounded": Rounded((2, 4, 4), 2, [0.0, 0.1], [1.0, 0.7], 9),
        "range-coded": RangeCoded((2, 4, 4), skewed(2, 4), 9),
    }
    return made[kind], symbols


@pytest.mark.parametrize("kind", sorted(WIRES))
def test_a_form_is_made_again_from_its_description(kind: str) -> None:
    if kind == "range-coded":
        pytest.importorskip("constriction")
    wire, symbols = example_of(kind)
    again = wire_from(wire.about())
    assert again.encode(symbols) == wire.encode(symbols)
    assert again.about() == wire.about()


@pytest.mark.parametrize("kind", sorted(WIRES))
def test_wrong_bytes_are_refused(kind: str) -> None:
    if kind == "range-coded":
        pytest.importorskip("constriction")
    wire, symbols = example_of(kind)
    data = wire.encode(symbols)
    with pytest.raises(InputError, match="variant 9, not of variant 3"):
        wire_from(wire.about() | {"tag": 3}).decode(data)
    with pytest.raises(InputError, match="too few"):
        wire.decode(b"\0")
    if kind != "range-coded":  # which takes any bytes: what is missing reads as zeros
        with pytest.raises(InputError, match="are due"):
            wire.decode(data[:-1])
    with pytest.raises(InputError, match="crosses here"):
        wire.encode(symbols[:, 1:])


def test_symbols_without_a_code_are_refused() -> None:
    with pytest.raises(InputError, match=r"0 \.\. 3"):
        Packed((1, 2), 2).encode(np.array([[0, 4]], np.uint8))
    pytest.importorskip("constriction")
    with pytest.raises(InputError, match=r"0 \.\. 14"):
        RangeCoded((4, 1), skewed()).encode(np.full((4, 1), 15, np.uint8))


def test_bad_descriptions_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="packed"):
        wire_from({"kind": "paked"})
    with pytest.raises(InputError, match="no description"):
        wire_from({"kind": "packed"})
    with pytest.raises(InputError, match="above 0"):
        RangeCoded((1, 2), np.array([[1.0, 0.0]]))
    with pytest.raises(InputError, match="one row"):
        RangeCoded((2, 2), np.array([[0.5, 0.5]]))
    with pytest.raises(InputError, match="1 to 8"):
        Packed((1,), 9)
    with pytest.raises(InputError, match="16 bits"):
        Packed((1,), 8, tag=70_000)
