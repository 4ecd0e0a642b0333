"""What a lab file says: on which images, from which network, which variants to train."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from placid.errors import InputError
from placid.splitting.bottlenecks.ends import ENCODERS
from placid.splitting.bottlenecks.methods import METHODS
from placid.yaml_lines import parse, read_file

__all__ = ["Bottleneck", "Exits", "Lab", "Local", "Network", "Remote", "Split", "VariantSpec", "read_lab"]


#: whose answers a student imitates: of the seed's teacher, or of the teachers of all seeds, averaged
Teachers = Literal["own", "all"]

#: a variant is trained with so many of the lab's seeds unless it says how many
_ALL = 1000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Network(_Part):
    """A network to be trained from the labels: `name` of the table, or ``module:function``; `settings` are its arguments."""

    name: str
    settings: dict[str, Any] = {}
    epochs: int = Field(20, ge=1)
    peak_rate: float = Field(0.3, gt=0)
    optimiser: Literal["sgd", "adam", "muon"] = "sgd"
    smoothing: float = Field(0.0, ge=0, lt=1)


class Local(_Part):
    """A small network that answers on the device alone; `distilled` is the teacher's share in its loss.

    With `int8` it is there a second time, quantised after training.
    """

    technique: Literal["local"]
    name: str
    network: Network
    distilled: float = Field(0.0, ge=0, le=1)
    int8: bool = False
    seeds: int = Field(_ALL, ge=1)

    def names(self) -> list[str]:
        return [f"local-{self.name}", *([f"local-{self.name}-int8"] if self.int8 else [])]


class Remote(_Part):
    """The network on the server, the picture sent: raw or compressed."""

    technique: Literal["remote"]
    pictures: list[str] = Field(min_length=1)

    def names(self) -> list[str]:
        return [f"remote-{p}" for p in self.pictures]


class Split(_Part):
    """The network as it is, parted at `cut`; what crosses as floats (32, 16) or rounded after training (1 to 8 bits)."""

    technique: Literal["split"]
    cut: str
    bits: list[int] = Field(min_length=1)

    def names(self) -> list[str]:
        return [f"split-{self.cut}-{b}bit" for b in self.bits]


class Bottleneck(_Part):
    """A bottleneck trained into the network before `cut`; with `int8` also with the device's part quantised.

    `encoder` is one of `ENCODERS`; left out, the lab's, which `usual` is then set to; `decoder_blocks` is always the lab's.
    Features are always those of its own seed's teacher; the answers are, with `teachers` "all", the mean of every seed's.
    """

    technique: Literal["bottleneck"]
    method: str
    cut: str
    channels: int = Field(ge=1)
    bits: int = Field(8, ge=1, le=8)
    beta: float = Field(0.0, ge=0)
    encoder: str = ""
    usual: str = Field("medium", exclude=True)
    decoder_blocks: int = Field(0, exclude=True)
    epochs: int = Field(8, ge=2)
    teachers: Teachers = "own"
    int8: bool = False
    seeds: int = Field(_ALL, ge=1)

    @property
    def priced(self) -> bool:
        """Whether its bits are weighed by `beta`, rather than fixed."""
        return self.method.startswith("entropic")

    @property
    def widths(self) -> tuple[int, int]:
        """Of the encoder, see `ENCODERS`."""
        return ENCODERS[self.encoder or self.usual]

    def names(self) -> list[str]:
        width = f"{self.beta:.0e}".replace("e-0", "e-") if self.priced else f"{self.bits}bit"
        size = f"-{self.encoder}" if self.encoder else ""
        name = f"{self.method}-{self.channels}x{width}{size}"
        return [name, *([f"{name}-int8"] if self.int8 else [])]


class Exits(_Part):
    """Exits on the network after the named children.

    `training`: "heads-only" leaves the network as it is, "joint" trains a copy of it with them. `rule` and `target` as in
    `exits.ExitSettings`, with `level` of accuracy lost, operations kept, or risk promised. What crosses from one part to
    the next is rounded to `bits`. `head` has the settings of `exits.heads.convolved`. `teachers`: whom exits trained with
    the network imitate, the teacher they start from or the mean of every seed's.
    """

    technique: Literal["exits"]
    after: list[str] = Field(min_length=1)
    training: Literal["joint", "heads-only"] = "heads-only"
    head: dict[str, int] = {}
    epochs: int = Field(4, ge=1)
    teachers: Teachers = "own"
    rule: Literal["entropy", "confidence", "margin", "learned"] = "learned"
    target: Literal["lose", "budget", "risk"] = "lose"
    level: float = Field(0.002, ge=0, le=1)
    bits: int = Field(8, ge=1, le=8)
    seeds: int = Field(_ALL, ge=1)

    def names(self) -> list[str]:
        return [f"exits-{'-'.join(self.after)}-{self.training}"]


VariantSpec = Annotated[Local | Remote | Split | Bottleneck | Exits, Field(discriminator="technique")]


class Lab(_Part):
    """All of it. With each of the `seeds` a teacher is trained, and every variant from it.

    A variant with ``seeds: 1`` only with the first of them. What imitates the teacher starts, for each cut and encoder, from
    one encoder and decoder that did so without a bottleneck for `start_epochs`. `encoder` is that of all bottlenecks that do
    not name their own; `decoder_blocks` are the residual pairs in the decoder of all.
    """

    data: str
    teacher: Network
    seeds: list[int] = Field([0], min_length=1)
    crop: int = Field(4, ge=0)
    flip: bool = True
    cutout: int = Field(8, ge=0)
    precision: Literal["float32", "bfloat16"] = "float32"
    start_epochs: int = Field(6, ge=1)
    encoder: str = "medium"
    decoder_blocks: int = Field(0, ge=0)
    variants: list[VariantSpec] = Field(min_length=1)

    @model_validator(mode="after")
    def _usual(self) -> Self:
        if self.encoder not in ENCODERS:
            raise ValueError(f"unknown encoder '{self.encoder}'; known: {', '.join(ENCODERS)}")
        of_lab = {"usual": self.encoder, "decoder_blocks": self.decoder_blocks}
        told = []
        for variant in self.variants:
            if isinstance(variant, Bottleneck):
                if own := variant.model_fields_set & set(of_lab):
                    raise ValueError(f"'{min(own)}' is said for the whole lab, not for a variant")
                variant = variant.model_copy(update=of_lab)
            told.append(variant)
        object.__setattr__(self, "variants", told)
        return self


def read_lab(path: str | os.PathLike[str]) -> Lab:
    """The lab in a YAML file.

    Raises:
        InputError: something is wrong: file, line, field, and what would be right.
    """
    document = parse(read_file(Path(path)), str(path))
    try:
        lab = Lab.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        at = tuple(k for k in first["loc"] if k not in ("local", "remote", "split", "bottleneck", "exits"))
        line = document.line(at)
        field = ".".join(str(k) for k in at)
        more = f" ({error.error_count() - 1} more mistakes)" if error.error_count() > 1 else ""
        raise InputError(f"'{field}': {first['msg']}{more}", where=f"{path}:{line}") from None
    for number, variant in enumerate(lab.variants):
        where = f"{path}:{document.line(('variants', number))}"
        if isinstance(variant, Bottleneck):
            if variant.method not in METHODS:
                raise InputError(
                    f"unknown method '{variant.method}'; known: {', '.join(METHODS)}", where=where
                )
            if variant.encoder and variant.encoder not in ENCODERS:
                raise InputError(
                    f"unknown encoder '{variant.encoder}'; known: {', '.join(ENCODERS)}", where=where
                )
            if variant.priced != (variant.beta > 0):
                raise InputError(
                    "'beta' above 0 belongs to the methods 'entropic' and 'entropic-free', and only there",
                    where=where,
                )
    names = [n for v in lab.variants for n in v.names()]
    for number, variant in enumerate(lab.variants):
        if twice := [n for n in variant.names() if names.count(n) > 1]:
            raise InputError(
                f"two variants are called '{twice[0]}'", where=f"{path}:{document.line(('variants', number))}"
            )
    return lab
