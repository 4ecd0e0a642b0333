"""Whom a bottleneck imitates."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from placid.splitting.training.classifier import Frozen

__all__ = ["Teacher"]


class Teacher:
    """The network as it was, in the parts that the split one imitates. It is never trained and never saved with a student.

    Students with one recipe see the same batches, since those hang on seed and epoch alone: with a folder the teacher is
    asked once and its answers are kept. For 45,000 images cut at 96 x 8 x 8 numbers an epoch takes 0.8 GB with features, in
    16 bits, and 2 MB without; asking again would be a third of a student's training. A GPU answers sooner than a disk does:
    there nothing is kept.

    Args:
        head: images to what crosses at the cut.
        tail: the parts that follow, the last gives logits.
        folder: where answers are kept, of this teacher alone; it may be deleted at any time.
        answering: who gives `logits` instead of the last part, such as several networks together.
    """

    def __init__(
        self,
        head: nn.Module,
        tail: Sequence[nn.Module],
        folder: Path | None = None,
        answering: nn.Module | None = None,
    ) -> None:
        self.head = Frozen(head)
        self.tail = [Frozen(part) for part in tail]
        self.folder = folder
        self.answering = None if answering is None else Frozen(answering)

    def answers(self, images: Tensor) -> list[Tensor]:
        """What crosses at the cut, and what each part of the tail puts out; logits last."""
        return self._kept(images, "features", lambda: self._asked(images))

    def logits(self, images: Tensor) -> Tensor:
        """The answer alone."""
        if self.answering is None:
            return self._kept(images, "logits", lambda: self._asked(images)[-1:])[-1]
        answering = self.answering
        return self._kept(images, "answering", lambda: [answering(images)])[-1]

    @torch.no_grad()
    def _asked(self, images: Tensor) -> list[Tensor]:
        found = [self.head(images)]
        for part in self.tail:
            found.append(part(found[-1]))
        return found

    def _kept(self, images: Tensor, kind: str, ask: Callable[[], list[Tensor]]) -> list[Tensor]:
        """What `ask` says, in 32 bits also where a student trains in 16: the answers may be kept for others."""
        if self.folder is None or images.device.type != "cpu":
            with torch.autocast(images.device.type, enabled=False):
                return ask()
        digest = zlib.crc32(images.permute(0, 2, 3, 1).contiguous().numpy().tobytes())
        file = self.folder / f"{kind}-{digest:08x}-{len(images)}.safetensors"
        try:
            kept = load_file(file)
            return [kept[str(i)].to(torch.float32) for i in range(len(kept))]
        except (FileNotFoundError, SafetensorError, KeyError):
            pass  # not asked yet, or interrupted while writing
        with torch.autocast(images.device.type, enabled=False):
            answers = ask()
        self.folder.mkdir(parents=True, exist_ok=True)
        last = len(answers) - 1
        save_file(
            {
                # logits keep all their digits: students learn from small differences of theirs
                str(i): a.to(torch.float32 if i == last else torch.float16).contiguous()
                for i, a in enumerate(answers)
            },
            file,
        )
        return answers
