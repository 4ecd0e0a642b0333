"""The sentences say what the numbers say: who wins, who loses, and why, whatever the zoo."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placid.catalog.variants import Zoo
from placid.reports.splits import compare_splits, findings, headline
from placid.reports.splits.amounts import times


def only(zoo: Zoo, *names: str) -> Zoo:
    return replace(zoo, variants=tuple(v for v in zoo.variants if v.name in names))


def test_the_headline_names_the_fewest_bytes_and_their_price(lab: Zoo) -> None:
    said = headline(compare_splits(lab))
    assert said.startswith(
        "At most 1 point below the whole network (93.10 %), entropic-8x1e-4 sends the fewest bytes: 188 B"
    )
    assert "remote-jpeg-90, needs 1.08 kB, 5.7 times as many" in said
    # 8.2 million multiply-adds and 220 µs of codec, against 70 µs
    assert said.endswith(
        f"8.42 M operations an input, {times(8.42e6 / 7e4)} times as many as the 70 k that remote-jpeg-90 takes there."
    )


def test_a_picture_that_is_smaller_than_every_split_is_said_first(zoo: Zoo) -> None:
    said = headline(compare_splits(only(zoo, "remote-raw", "remote-jpeg-90", "split-stage2-8bit")))
    assert "remote-jpeg-90 sends the fewest bytes" in said
    assert "the smallest split, split-stage2-8bit, needs 12.3 kB" in said
    assert said.endswith("Splitting saves no bytes here.")


@pytest.mark.parametrize(
    ("names", "loss", "expected"),
    [
        (("local-resnet8",), 0.01, "no variant that sends anything is left: the device has to answer alone."),
        (("remote-raw", "remote-jpeg-10"), 0.005, "no split is left: the fewest bytes are those of a whole picture,"),
        (("split-stage2-8bit",), 0.01, "no picture, raw or compressed, is in the zoo at that accuracy."),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(zoo: Zoo, names: tuple[str, ...], loss: float, expected: str) -> None:
    assert expected in headline(compare_splits(only(zoo, *names), loss=loss))


def test_every_family_wins_somewhere_or_is_told_why_not(lab: Zoo) -> None:
    told = compare_splits(lab)
    found = findings(told)
    assert list(found) == ["First to answer", "Least energy", "Wins nowhere"]
    for family in {w.family.name for w in told.ways}:
        said = family[0].upper() + family[1:]
        winning = [
            s for title in ("First to answer", "Least energy") for s in found[title] if s.startswith(said)
        ]
        losing = [s for s in found["Wins nowhere"] if s.startswith(said)]
        assert len(losing) == (0 if winning else 1), family
        wins = {
            told.ways[k].family.name for m in (told.latency[0.01], told.energy[0.01]) for k in set(m.winner.flat)
        }  # fmt: skip
        assert bool(winning) == (family in wins)


def test_shares_and_ends_are_those_of_the_map(lab: Zoo) -> None:
    told = compare_splits(lab)
    picture = next(s for s in findings(told)["First to answer"] if s.startswith("Compressed picture"))
    own = [told.ways[k].family.name == "compressed picture" for k in told.latency[0.01].winner.flat]
    assert f"on {100 * sum(own) / len(own):.0f} % of the map" in picture
    assert "remote-jpeg-90 327 ms, remote-raw 886 ms" in picture


def test_losers_are_told_what_beats_them(lab: Zoo, zoo: Zoo) -> None:
    nowhere = findings(compare_splits(lab))["Wins nowhere"]
    assert any(
        s.startswith("Trained bottleneck: only where another loss is allowed, at most 2 or 5 points")
        for s in nowhere
    )
    assert any(s.startswith("Split as it is: at no required accuracy.") for s in nowhere)
    poor = only(zoo, "remote-raw", "remote-jpeg-10")
    (said,) = [s for s in findings(compare_splits(poor))["Wins nowhere"] if s.startswith("Compressed")]
    assert "its best, remote-jpeg-10, answers 74.80 ± 0.50 %, 17.7 points below" in said
    fat = only(zoo, "remote-raw", "split-stage2-32bit")
    (said,) = [s for s in findings(compare_splits(fat))["Wins nowhere"] if s.startswith("Split")]
    assert said == (
        "Split as it is: at no required accuracy. Even split-stage2-32bit sends 49.2 kB an input, 16 times the raw picture."
    )


def test_a_zoo_of_one_has_no_rival(zoo: Zoo) -> None:
    found = findings(compare_splits(only(zoo, "local-resnet8")))
    assert found == {
        "First to answer": ["On the device alone, on 100 % of the map: over any link, on any device."],
        "Least energy": ["On the device alone, on 100 % of the map: over any link, on any device."],
    }
