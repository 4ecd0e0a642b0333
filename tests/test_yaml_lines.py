"""YAML with lines: what is read, where it stands, and what is refused."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placid.errors import InputError
from placid.yaml_lines import dump, parse, read_file

TEXT = """\
# a comment
name: demo
slots: 1_000
rates:
  a: 1e3
  'no': no
list: [1, {x: 2.5}, .inf]
long: >
  folded
  text
time: 12:30
none:
yes: true
"""


def test_values_are_those_of_yaml_1_2() -> None:
    data = parse(TEXT, "f").data
    assert data["slots"] == 1000
    assert data["rates"] == {"a": 1000.0, "no": "no"}
    assert data["list"] == [1, {"x": 2.5}, math.inf]
    assert data["long"] == "folded text\n"
    assert data["time"] == "12:30"
    assert data["none"] is None
    assert data["yes"] is True


@pytest.mark.parametrize(
    ("at", "line"),
    [
        (("name",), 2), (("rates",), 4), (("rates", "a"), 5), (("rates", "no"), 6), (("list", 1, "x"), 7),
        (("list", 2), 7), (("long",), 8), (("none",), 12), (("rates", "missing"), 4), ((), 2),
    ],
)  # fmt: skip
def test_every_entry_knows_its_line(at: tuple[str | int, ...], line: int) -> None:
    assert parse(TEXT, "f").line(at) == line


def test_columns_count_from_one() -> None:
    document = parse("a:\n  b: 3\n", "f")
    assert (document.keys["a", "b"].column, document.values["a", "b"].column) == (3, 6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f: is empty"),
        ("# only a comment\n", "f: is empty"),
        ("- a\n- b\n", "f:1: expected fields such as 'slots: 500'"),
        ("just words\n", "f:1: expected fields"),
        ("a: 1\nb: 2\na: 3\n", "f:3: 'a' is written twice, first in line 1"),
        ("a:\n\tb: 1\n", "f:2: a tab cannot indent"),
        ("a: 1\n  b: 2\n", "f:2: a ':' stands where no field can start"),
        ("a:\n    b: 1\n  c: 2\n", "f:3: the indentation does not fit"),
        ("a: [1, 2\nb: 3\n", "f:2: "),
        ("a: 'open\nb: 3\n", "f:3: a quote is not closed"),
        ("a: 1\nb\n", "f:3: a field without ':'"),
        ("a: 1\n---\nb: 2\n", "f:2: a second document starts"),
        ("a: *b\n", "f:1: '*b' refers to nothing"),
        ("a: &x [*x]\n", "nested more than 30 deep"),
        ("a: " + "[" * 40 + "]" * 40, "f:1: nested more than 30 deep"),
        ("a: " + "[" * 5000, "f:1: nested more than 30 deep"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "f:3: merge keys"),
        ("a: !!python/object:os.system x\n", "f:1: tags ('!!python/object:os.system')"),
        ("a: !own [1]\n", "f:1: tags ('!own')"),
        ("a: !own 1\n", "f:1: tags ('!own')"),
        ("[1, 2]: 3\n", "f:1: a field name must be text"),
        ("? {a: 1}\n: 3\n", "f:1: a field name must be text"),
        ("a: 12345678901234567890\n", "f:1: a whole number has at most 18 digits"),
        ("a: 1\nb: \x07\n", "f:2: character U+0007 cannot stand in YAML"),
        ("a: @x\n", "f:1: found character '@' that cannot start any token"),
        ("a: %x\n", "f:1: found character '%' that cannot start any token"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, "f")
    assert message in str(caught.value)


def test_an_anchor_that_expands_without_end_is_refused() -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    with pytest.raises(InputError, match="expands to more than 50,000 values"):
        parse(text, "f")


def test_an_anchor_can_be_used() -> None:
    assert parse("a: &x {b: 1}\nc: *x\n", "f").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes("\ufeffname: café\r\nslots: 3\r\n".encode())
    assert parse(read_file(file), "f").data == {"name": "café", "slots": 3}
    with pytest.raises(InputError, match="is a folder"):
        read_file(tmp_path)
    with pytest.raises(InputError, match="there is no such file"):
        read_file(tmp_path / "other.yaml")
    with pytest.raises(InputError):
        read_file(file / "below")
    with pytest.raises(InputError, match="cannot be read"):
        read_file(Path("a\0b"))
    file.write_bytes(b"name: x\nslots: \xff\n")
    with pytest.raises(InputError, match=r"s\.yaml:2: byte 0xff is not UTF-8"):
        read_file(file)
    file.write_bytes(b"# " + b"x" * 2_000_000)
    with pytest.raises(InputError, match="has 2,000,002 bytes"):
        read_file(file)


TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(TEXTS, PLAIN, min_size=1, max_size=4))
def test_what_is_dumped_is_read_back(data: dict[str, object]) -> None:
    assert parse(dump(data), "f").data == data


def test_text_that_looks_like_a_number_stays_text() -> None:
    data = {"a": "1e3", "b": "12", "c": "true", "d": "~", "e": "1.5", "f": "no"}
    assert parse(dump(data), "f").data == data


def test_what_cannot_be_dumped() -> None:
    with pytest.raises(InputError, match="cannot be written as YAML"):
        dump({"a": object()})
    endless: dict[str, object] = {}
    endless["a"] = endless
    with pytest.raises(InputError, match="cannot be written as YAML"):
        dump(endless)


@given(st.text(alphabet=st.sampled_from(list("ab:-[]{}#&*!|>'\"%@`,? \n\t0.1")), max_size=60))
def test_no_text_ends_in_anything_but_an_input_error(text: str) -> None:
    with suppress(InputError):
        assert isinstance(parse(text, "f").data, dict)
