"""Letters between nodes: read as written, and whatever else comes is refused and harms nothing."""

from __future__ import annotations

import numpy as np
import pytest
from spoiling import spoilt

from placid.errors import InputError
from placid.placement.online.agents import Climbing, Reply
from placid.runtime.node.agent import Offer, ways_of
from placid.runtime.node.letters import Answered, Asked, Offers
from placid.runtime.spec import Stage, Way


def asked() -> Asked:
    return Asked(
        7,
        "camera-1",
        Climbing(
            np.array([2, 5]), np.array([3.0, 1.0]), np.array([0, 2, 3]), np.array([0.5, 0.2, 0.1]), np.ones(3)
        ),
    )


def answered() -> Answered:
    offers = Offers(
        np.array([0, 1, 1]), np.array([0.3]), np.array([0.5]), np.array([0]), np.array([4]), ("bs",)
    )
    return Answered(7, Reply(np.array([2, 5]), np.array([0.2, 0.0])), offers)


def test_what_is_written_is_read() -> None:
    one, other = asked(), Asked.from_bytes(asked().to_bytes())
    assert (one.slot, one.sender) == (other.slot, other.sender)
    for name, value in vars(one.messages).items():
        np.testing.assert_array_equal(getattr(other.messages, name), value)
    back, again = answered(), Answered.from_bytes(answered().to_bytes())
    assert (again.slot, again.offers.names) == (7, ("bs",))
    np.testing.assert_array_equal(again.reply.met, back.reply.met)
    np.testing.assert_array_equal(again.offers.model, back.offers.model)


def test_what_is_no_letter_is_refused() -> None:
    rng = np.random.default_rng(0)
    for letter in (asked(), answered()):
        for _ in range(500):
            data = spoilt(letter.to_bytes(), rng)
            try:
                read = type(letter).from_bytes(data)
            except InputError:
                continue
            # what is read nonetheless keeps what the node relies on
            kind = read.messages.type if isinstance(read, Asked) else read.reply.type
            assert (np.diff(kind) > 0).all()


@pytest.mark.parametrize(
    ("head", "match"),
    [
        (b"{}\n", "'types' is no count"),
        (b"no letter\n", "first line is not JSON"),
        (b'{"slot":1,"from":"a","types":1,"options":0}\n', "bytes of numbers where 32 are due"),
        (b'{"slot":1,"from":"a","types":99999999999,"options":0}\n', "'types' is no count"),
        (b'{"slot":1,"from":"a","types":true,"options":0}\n', "'types' is no count"),
    ],
)
def test_it_is_said_what_is_wrong(head: bytes, match: str) -> None:
    with pytest.raises(InputError, match=match):
        Asked.from_bytes(head)


def test_ways_take_what_is_offered_best_first_and_leave_the_rest_to_the_repository() -> None:
    models = (("a/whole", "a", 0, 2, 2), ("b/tail", "b", 1, 2, 3))
    base = (Way("c", (Stage("camera", 0, 1), Stage("cloud", 1, 2))),)
    offers = [Offer(0.9, 0.25, "bs", 0), Offer(0.4, 0.5, "camera", 1), Offer(0.1, 0.5, "metro", 0)]
    found = ways_of(offers, base, "camera", models)
    assert [w.share for w in found] == pytest.approx([0.25, 0.5, 0.25, 0.0])
    assert found[0].stages == (Stage("bs", 0, 2, "a/whole"),)
    assert found[1].stages == (Stage("camera", 0, 1), Stage("camera", 1, 2, "b/tail"), Stage("cloud", 2, 3))
    assert found[-1] == Way("c", base[0].stages, 0.0)
