"""Pictures as they are sent to a network elsewhere: raw, PNG, JPEG, WebP. What every split has to beat.

    codec = picture_codec("jpeg-75", (32, 32, 3))
    received = codec.decode(codec.encode(image))

Sizes are those of the bytes that `encode` gives, file header included. A JPEG's header can weigh more than its content at
32 x 32 pixels, and hardly changes; ``jpeg-75-bare`` leaves out all that both ends can know (see `bare_jpeg`).
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from placid.errors import InputError, UnknownNameError
from placid.inference.bare_jpeg import bare_scan, whole_file

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["PICTURE_CODECS", "Jpeg", "PictureCodec", "Png", "Raw", "WebP", "picture_codec"]


@dataclass(frozen=True)
class PictureCodec(ABC):
    """Turns one picture into bytes and back.

    Attributes:
        shape: of every picture: (height, width), (height, width, 1) or (height, width, 3); both ends know it.
    """

    shape: tuple[int, ...]
    family: ClassVar[str]

    def __post_init__(self) -> None:
        if len(self.shape) not in (2, 3) or (len(self.shape) == 3 and self.shape[2] not in (1, 3)):
            raise InputError(
                f"pictures are (height, width), (height, width, 1) or (height, width, 3), got {self.shape}"
            )

    @property
    def name(self) -> str:
        """As `picture_codec` takes it."""
        return self.family

    @property
    @abstractmethod
    def multiply_adds_per_pixel(self) -> float:
        """What encoding takes, an estimate from the algorithm: an addition, a product, or both at once count one.

        For the modelled cost on a device; the time of the real encoder is measured.
        """

    @property
    def multiply_adds(self) -> int:
        """`multiply_adds_per_pixel`, for a whole picture."""
        return round(self.multiply_adds_per_pixel * self.shape[0] * self.shape[1])

    @property
    def coloured(self) -> bool:
        """Whether a picture has three channels."""
        return self.shape[2:] == (3,)

    def encode(self, image: np.ndarray) -> bytes:
        """The bytes of `image`, uint8 of `shape`.

        Raises:
            InputError: it has another shape or type.
        """
        if image.shape != self.shape or image.dtype != np.uint8:
            raise InputError(
                f"expected a picture of uint8 {self.shape}, got {image.dtype} {image.shape}", where=self.name
            )
        return self._encode(image)

    def decode(self, data: bytes) -> np.ndarray:
        """The picture in `data`, uint8 of `shape`; what a lossy codec loses is lost.

        Raises:
            InputError: the bytes are cut short, or are no such picture.
        """
        return self._decode(data)

    @abstractmethod
    def _encode(self, image: np.ndarray) -> bytes: ...

    @abstractmethod
    def _decode(self, data: bytes) -> np.ndarray: ...

    def _written(self, image: np.ndarray, kind: str, **how: Any) -> bytes:
        out = io.BytesIO()
        picture = _pillow().fromarray(image if self.coloured else image.reshape(self.shape[:2]))
        picture.save(out, kind, **how)
        return out.getvalue()

    def _read(self, data: bytes, kind: str) -> np.ndarray:
        pillow = _pillow()
        try:
            with pillow.open(io.BytesIO(data), formats=[kind]) as picture:
                if picture.size != (self.shape[1], self.shape[0]):
                    raise InputError(
                        f"holds a picture of {picture.size[1]} x {picture.size[0]} pixels, "
                        f"not {self.shape[0]} x {self.shape[1]}",
                        where=self.name,
                    )
                shown: Image = picture.convert("RGB" if self.coloured else "L")
        except (OSError, SyntaxError, ValueError, EOFError, pillow.DecompressionBombError) as error:
            raise InputError(
                f"{len(data)} bytes are no whole {kind} picture ({error})", where=self.name
            ) from None
        return np.asarray(shown).reshape(self.shape)


@dataclass(frozen=True)
class Raw(PictureCodec):
    """The pixels as they are, nothing before them."""

    family = "raw"

    @property
    def multiply_adds_per_pixel(self) -> float:
        return 0.0

    def _encode(self, image: np.ndarray) -> bytes:
        return image.tobytes()

    def _decode(self, data: bytes) -> np.ndarray:
        due = int(np.prod(self.shape))
        if len(data) != due:
            raise InputError(f"{due} bytes of pixels are due, got {len(data)}", where=self.name)
        return np.frombuffer(data, np.uint8).reshape(self.shape)


@dataclass(frozen=True)
class Png(PictureCodec):
    """Lossless, with the encoder's best effort."""

    family = "png"

    @property
    def multiply_adds_per_pixel(self) -> float:
        # a byte: five filters tried at about 3 operations and a sum of magnitudes each (20), and about 30 of hashing and
        # comparing in the search for repetitions
        return 50.0 * (3 if self.coloured else 1)

    def _encode(self, image: np.ndarray) -> bytes:
        return self._written(image, "PNG", optimize=True)

    def _decode(self, data: bytes) -> np.ndarray:
        return self._read(data, "PNG")


@dataclass(frozen=True)
class Jpeg(PictureCodec):
    """Baseline JPEG.

    Attributes:
        quality: 1 to 95, on the scale of libjpeg.
        full_colour: keep the colour of every pixel (4:4:4), not of squares of four (4:2:0).
        bare: leave out what both ends know; see `bare_jpeg`. Needs the standard Huffman tables: those that fit the picture,
            which a whole file uses, would have to be sent.
    """

    quality: int = 75
    full_colour: bool = False
    bare: bool = False
    family = "jpeg"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.quality <= 95:
            raise InputError(f"the quality of a JPEG is 1 to 95, got {self.quality}")

    @property
    def name(self) -> str:
        return f"jpeg-{self.quality}" + ("-444" if self.full_colour else "") + ("-bare" if self.bare else "")

    @property
    def multiply_adds_per_pixel(self) -> float:
        # a sample: 16 one-dimensional transforms of Arai, Agui and Nakajima (1988; 5 products, 29 sums each) for 64 samples
        # are 8.5; scaling and quantising 1; zigzag order and Huffman coding about 2
        sample = 16 * (5 + 29) / 64 + 1 + 2
        if not self.coloured:
            return sample
        # the change of colour space takes 9 products; averaging four chroma samples 3 sums for each of two in four pixels
        return 9 + (3 * sample if self.full_colour else 1.5 * sample + 1.5)

    def _encode(self, image: np.ndarray) -> bytes:
        file = self._file(image)
        return bare_scan(file, self.name) if self.bare else file

    def _decode(self, data: bytes) -> np.ndarray:
        if self.bare:
            # all of a file before the scan is the same for all pictures: take that of a black one
            data = whole_file(data, self._file(np.zeros(self.shape, np.uint8)), self.name)
        return self._read(data, "JPEG")

    def _file(self, image: np.ndarray) -> bytes:
        how = {"subsampling": "4:4:4" if self.full_colour else "4:2:0"} if self.coloured else {}
        return self._written(image, "JPEG", quality=self.quality, optimize=not self.bare, **how)


@dataclass(frozen=True)
class WebP(PictureCodec):
    """WebP at the encoder's best effort; grey pictures travel as coloured ones.

    Attributes:
        quality: 0 to 100; None for lossless.
    """

    quality: int | None = 75
    family = "webp"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.quality is not None and not 0 <= self.quality <= 100:
            raise InputError(f"the quality of a WebP is 0 to 100, got {self.quality}")

    @property
    def name(self) -> str:
        return f"webp-{'lossless' if self.quality is None else self.quality}"

    @property
    def multiply_adds_per_pixel(self) -> float:
        if self.quality is None:
            # 14 predictors tried on 3 channels, with a sum of magnitudes (2 operations each), and the search as in PNG
            return 14 * 3 * 2 + 3 * 30.0
        # a luma sample: 10 predictions of 4 x 4 at about 8 operations (predict, transform, quantise, compare), and 4 of
        # 16 x 16; half as many chroma samples: 4 predictions; the change of colour space 9; arithmetic coding about 10
        return (10 + 4) * 8 + 0.5 * 4 * 8 + 9 + 10.0

    def _encode(self, image: np.ndarray) -> bytes:
        if self.quality is None:
            # greater effort takes up to 25 times as long and gives 2 % more bytes at 32 x 32 pixels
            return self._written(image, "WEBP", lossless=True, quality=75, method=4)
        return self._written(image, "WEBP", quality=self.quality, method=6)

    def _decode(self, data: bytes) -> np.ndarray:
        return self._read(data, "WEBP")


def _jpeg(shape: tuple[int, ...], words: Sequence[str]) -> Jpeg:
    quality, *rest = words
    if rest not in ([], ["444"], ["bare"], ["444", "bare"]):
        raise ValueError
    return Jpeg(shape, int(quality), "444" in rest, "bare" in rest)


def _webp(shape: tuple[int, ...], words: Sequence[str]) -> WebP:
    (quality,) = words
    return WebP(shape, None if quality == "lossless" else int(quality))


def _plain(make: type[Raw] | type[Png]) -> Callable[[tuple[int, ...], Sequence[str]], PictureCodec]:
    def made(shape: tuple[int, ...], words: Sequence[str]) -> PictureCodec:
        if words:
            raise ValueError
        return make(shape)

    return made


#: every family by the first word of its names; what makes a codec of the other words
PICTURE_CODECS: dict[str, Callable[[tuple[int, ...], Sequence[str]], PictureCodec]] = {
    "raw": _plain(Raw),
    "png": _plain(Png),
    "jpeg": _jpeg,
    "webp": _webp,
}
#: how names of each family are written
_FORMS = {
    "raw": "raw",
    "png": "png",
    "jpeg": "jpeg-QUALITY, and -444 (colour of every pixel), -bare (no header) after it",
    "webp": "webp-QUALITY or webp-lossless",
}


def picture_codec(name: str, shape: Sequence[int] = (32, 32, 3)) -> PictureCodec:
    """The codec called `name`, for pictures of `shape`: "raw", "png", "jpeg-75", "jpeg-75-444", "jpeg-75-bare", "webp-50", …

    Raises:
        UnknownNameError: there is no such family.
        InputError: the rest of the name says nothing, or a quality that there is not.
    """
    family, *words = name.split("-")
    if family not in PICTURE_CODECS:
        raise UnknownNameError("picture codec", name, PICTURE_CODECS)
    try:
        return PICTURE_CODECS[family](tuple(int(s) for s in shape), words)
    except ValueError:
        raise InputError(f"is written {_FORMS[family]}", where=f"picture codec '{name}'") from None


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise InputError("pictures need the package Pillow: pip install 'placid[train]'") from error
    return Image
