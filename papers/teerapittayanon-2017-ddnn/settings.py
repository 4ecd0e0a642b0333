"""What is trained for the study: by part, what differs from the main network, and from which seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from itertools import product

from placid.splitting.ddnn import SCHEMES, Design, tiles_of
from placid.splitting.training import Recipe

__all__ = ["DROP", "PARTS", "Training", "quickly", "trainings"]

PARTS = ("main", "schemes", "filters", "overlap")

#: chance that a device is missing from a training image, where devices are dropped
DROP = 0.03
_LONG = Recipe(40, batch=128, optimiser="adam", peak_rate=1e-2, weight_decay=0.0, crop=1)
_SHORT = replace(_LONG, epochs=2)


@dataclass(frozen=True)
class Training:
    """One network of the study, on MNIST with the paper's grid: three rows of two tiles.

    Attributes:
        overlap: pixels that neighbouring tiles share.
        weights: of the local exit and of the cloud's in the loss.
        drop: see `DROP`; 0 trains as the paper does.
    """

    part: str
    overlap: int = 4
    filters: int = 8
    local: str = "mean"
    cloud: str = "concat"
    width: int = 48
    weights: tuple[float, float] = (0.3, 1.0)
    drop: float = DROP
    recipe: Recipe = field(default=_SHORT)

    @property
    def name(self) -> str:
        """Of its folder; one network that serves two parts is trained once."""
        return (
            f"{self.local}-{self.cloud}-width{self.width}-filters{self.filters}-overlap{self.overlap}-drop{self.drop:g}"
            f"-epochs{self.recipe.epochs}-seed{self.recipe.seed}"
        )

    @property
    def design(self) -> Design:
        return Design(
            tiles_of((28, 28), rows=3, columns=2, overlap=self.overlap),
            filters=self.filters,
            local=self.local,
            cloud=self.cloud,
            width=self.width,
        )

    def as_dict(self) -> dict[str, object]:
        """Everything that its result depends on besides the data."""
        return {k: v for k, v in asdict(self).items() if k != "part"}


def trainings(seeds: int) -> list[Training]:
    """All of the study: the main network long and `seeds` times, the comparisons short and once."""
    main = [
        Training("main", drop=drop, recipe=replace(_LONG, seed=seed))
        for drop in (DROP, 0.0)
        for seed in range(seeds)
    ]
    schemes = [
        Training("schemes", filters=4, local=local, cloud=cloud) for local, cloud in product(SCHEMES, SCHEMES)
    ]
    filters = [Training("filters", filters=f) for f in (1, 2, 4, 8)]
    overlap = [Training("overlap", filters=4, overlap=o) for o in (0, 4, 8)]
    return [*main, *schemes, *filters, *overlap]


def quickly(all_: list[Training]) -> list[Training]:
    """The first of every part and an epoch each: does it run?"""
    first = {t.part: t for t in reversed(all_)}
    return [replace(t, recipe=replace(t.recipe, epochs=1)) for t in all_ if t is first[t.part]]
