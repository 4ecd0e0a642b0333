from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placid.errors import InputError
from placid.network.attributes import flag, number, point, quantity, unique_names, whole


@given(st.integers(0, 2**80))
def test_whole_numbers_keep_every_digit(value: int) -> None:
    assert whole(value, "") == whole(str(value), "") == value


@pytest.mark.parametrize("wrong", [True, None, "x", -1, "-1", 1.5, "inf", float("nan"), [1]])
def test_what_is_no_whole_number(wrong: Any) -> None:
    with pytest.raises(InputError, match="here: "):
        whole(wrong, "here")


@pytest.mark.parametrize("wrong", [True, None, "x", "nan", float("inf"), 10**400, {}])
def test_what_is_no_number(wrong: Any) -> None:
    with pytest.raises(InputError, match="here: "):
        number(wrong, "here")


def test_flags_points_and_quantities() -> None:
    assert [flag(v, "") for v in (True, "true", "Yes", 1, False, "no", "False", 0)] == [True] * 4 + [
        False
    ] * 4
    assert point(["1", 2], "") == (1.0, 2.0)
    assert quantity("6 ms", "time", "") == 0.006
    for read, wrong in ((flag, "maybe"), (flag, None), (point, "12"), (point, [1]), (point, {1: 2, 3: 4})):
        with pytest.raises(InputError, match="here: expected"):
            read(wrong, "here")
    with pytest.raises(InputError, match="here: must be at least 0"):
        quantity("-6 ms", "time", "here")


@given(st.lists(st.sampled_from(["a", "a-1", "a-1-1", "b", "a-2", "2"]), max_size=8))
def test_names_become_unique_and_the_first_keeps_its_own(labels: list[str]) -> None:
    names = unique_names(dict(enumerate(labels)))
    assert len(set(names.values())) == len(labels)
    for label in set(labels):
        assert names[labels.index(label)] == label
    assert all(name.startswith(label) for name, label in zip(names.values(), labels, strict=True))
