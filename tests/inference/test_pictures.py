"""Picture codecs: what comes back, how many bytes really travel, and bytes that are broken."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytest.importorskip("PIL")

from placid.errors import InputError, UnknownNameError
from placid.inference.pictures import PICTURE_CODECS, Jpeg, Raw, picture_codec

LOSSLESS = ("raw", "png", "webp-lossless")
LOSSY = ("jpeg-10", "jpeg-75", "jpeg-75-444", "jpeg-75-bare", "jpeg-90-444-bare", "webp-10", "webp-75")


def smooth(shape: tuple[int, ...] = (32, 32, 3), seed: int = 0) -> np.ndarray:
    """A picture with broad patches of colour and a little noise, as photographs have."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(30, 220, (-(-shape[0] // 8), -(-shape[1] // 8), *shape[2:]))
    fine = coarse.repeat(8, 0).repeat(8, 1)[: shape[0], : shape[1]]
    return np.clip(fine + rng.normal(0, 4, fine.shape), 0, 255).astype(np.uint8)


def deviation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a.astype(float) - b.astype(float)) ** 2)))


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (28, 28), (17, 9, 3)])
@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_gives_back_every_pixel(name: str, shape: tuple[int, ...]) -> None:
    codec, image = picture_codec(name, shape), smooth(shape)
    assert codec.name == name
    np.testing.assert_array_equal(codec.decode(codec.encode(image)), image)


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (28, 28), (17, 9, 3)])
@pytest.mark.parametrize("name", LOSSY)
def test_lossy_gives_back_about_the_same(name: str, shape: tuple[int, ...]) -> None:
    codec, image = picture_codec(name, shape), smooth(shape)
    assert codec.name == name
    back = codec.decode(codec.encode(image))
    assert back.shape == shape
    assert back.dtype == np.uint8
    assert 0 < deviation(back, image) < 30


def test_every_family_is_tried_here() -> None:
    assert {name.split("-")[0] for name in LOSSLESS + LOSSY} == set(PICTURE_CODECS)


def test_more_quality_costs_bytes_and_errs_less() -> None:
    image = smooth()
    for family in ("jpeg", "webp"):
        codecs = [picture_codec(f"{family}-{q}") for q in (10, 90)]
        sizes = [len(c.encode(image)) for c in codecs]
        errors = [deviation(c.decode(c.encode(image)), image) for c in codecs]
        assert sizes == sorted(sizes)
        assert errors == sorted(errors, reverse=True)


def test_full_colour_keeps_colour_edges() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, ::2, 0] = 220
    image[:, 1::2, 2] = 220
    errors = [
        deviation(c.decode(c.encode(image)), image) for c in map(picture_codec, ("jpeg-90", "jpeg-90-444"))
    ]
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1)])
def test_a_bare_jpeg_is_the_whole_one_less_its_constant_bytes(shape: tuple[int, ...]) -> None:
    from PIL import Image

    codec = Jpeg(shape, 75, bare=True)
    headers = set()
    for seed in range(5):
        image = smooth(shape, seed)
        file = io.BytesIO()
        how = {"subsampling": "4:2:0"} if shape[2] == 3 else {}
        Image.fromarray(image.squeeze()).save(file, "JPEG", quality=75, **how)
        whole = file.getvalue()
        sent = codec.encode(image)
        headers.add(len(whole) - len(sent))
        expected = np.asarray(Image.open(file)).reshape(shape)
        np.testing.assert_array_equal(codec.decode(sent), expected)
    # 623 bytes before the scan and 2 after it in colour, 328 and 2 in grey, less two of checksum
    assert headers == {623 if shape[2] == 3 else 328}


def test_bare_beats_whole_on_a_small_picture() -> None:
    image = smooth()
    assert len(picture_codec("jpeg-75-bare").encode(image)) < 0.6 * len(
        picture_codec("jpeg-75").encode(image)
    )


@pytest.mark.parametrize("name", LOSSLESS + LOSSY)
def test_broken_bytes_are_refused(name: str) -> None:
    codec = picture_codec(name)
    sent = codec.encode(smooth())
    for broken in (b"", b"\x00", b"no picture at all", sent[: len(sent) // 2], sent[:-30]):
        with pytest.raises(InputError, match=name):
            codec.decode(broken)


def test_a_bare_scan_with_a_changed_byte_or_of_another_quality_is_refused() -> None:
    codec = picture_codec("jpeg-75-bare")
    sent = bytearray(codec.encode(smooth()))
    with pytest.raises(InputError, match="checksum"):
        picture_codec("jpeg-50-bare").decode(bytes(sent))
    sent[40] ^= 4
    with pytest.raises(InputError, match="checksum"):
        codec.decode(bytes(sent))


@pytest.mark.parametrize("name", ["png", "jpeg-75", "webp-75"])
def test_a_picture_of_another_size_is_refused(name: str) -> None:
    sent = picture_codec(name, (16, 16, 3)).encode(smooth((16, 16, 3)))
    with pytest.raises(InputError, match="16 x 16"):
        picture_codec(name).decode(sent)


def test_only_pictures_are_encoded() -> None:
    with pytest.raises(InputError, match="float64"):
        Raw((4, 4, 3)).encode(np.zeros((4, 4, 3)))
    with pytest.raises(InputError, match=r"\(4, 4\)"):
        Raw((4, 4, 3)).encode(np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="pictures are"):
        Raw((4, 4, 2))


@pytest.mark.parametrize(
    "name", ["jpeg", "jpeg-x", "jpeg-75-422", "jpeg-96", "webp-101", "webp", "raw-8", "png-9"]
)
def test_names_that_say_nothing(name: str) -> None:
    with pytest.raises(InputError, match=r"is written|quality"):
        picture_codec(name)


def test_unknown_family() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'jpeg'"):
        picture_codec("jpg-75")


def test_estimated_operations_are_in_the_order_of_the_algorithms() -> None:
    cost = {n: picture_codec(n).multiply_adds for n in ("raw", "jpeg-75", "jpeg-75-444", "webp-75")}
    assert cost["raw"] == 0
    assert 0 < cost["jpeg-75"] < cost["jpeg-75-444"] < cost["webp-75"]
    assert picture_codec("jpeg-75", (28, 28)).multiply_adds_per_pixel == pytest.approx(11.5)
