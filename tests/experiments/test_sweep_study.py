"""What a study says, what its cells are, and what is said when something in it is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from placid.errors import InputError
from placid.experiments.scenario import build, load_scenario
from placid.experiments.sweep.cells import cells_of, check_cells, seeds_of
from placid.experiments.sweep.patching import changed, changes_of_patch, place_of
from placid.experiments.sweep.study import Study, load_study
from placid.yaml_lines import parse

BASE = """\
name: base
slots: 6
seeds: 2
network:
  tiered: {base_stations: 2, memory: {base-station: 300 MB, central-office: 600 MB}, processor: rtx2070}
catalog: {family: yolov4, tasks: 2, replicas: 1, processors: [rtx2070]}
workload: {process: poisson, rate: 60 /s}
objective: {latency: 1, error: 0.2}
policies: [lru, {policy: infida, refresh: 2}]
hindsight: {solvers: [greedy], windows: 2}
"""


def study_of(folder: Path, text: str, base: str = BASE) -> Study:
    (folder / "base.yaml").write_text(base)
    (folder / "study.yaml").write_text("base: base.yaml\n" + text)
    return load_study(folder / "study.yaml")


def wrong(folder: Path, text: str, base: str = BASE) -> list[str]:
    """What is said of a wrong study, a line each, without the folder."""

    def read() -> None:
        study = study_of(folder, text, base)
        seeds_of(study)
        check_cells(study, cells_of(study))

    with pytest.raises(InputError) as told:
        read()
    return str(told.value).replace(f"{folder}/", "").splitlines()


def test_the_grid_is_every_value_with_every_value_the_last_axis_fastest(tmp_path: Path) -> None:
    study = study_of(
        tmp_path,
        """
axes:
  - {name: rate, field: workload.rate, values: [10, 20]}
  - {field: "policies[1].refresh", values: [1, 3, 5]}
  - name: plan
    patches:
      as it is:
      moving: {workload: {process: sliding, shift: 1}, slots: 8}
""",
    )
    cells = cells_of(study)
    assert study.cell_count == len(cells) == 12
    assert [cell.title for cell in cells[:3]] == [
        "rate = 10, policies[1].refresh = 1, plan = as it is",
        "rate = 10, policies[1].refresh = 1, plan = moving",
        "rate = 10, policies[1].refresh = 3, plan = as it is",
    ]
    data = parse(cells[-1].text, "last").data
    assert data["workload"] == {"process": "sliding", "rate": 20, "shift": 1}
    assert data["policies"][1] == {"policy": "infida", "refresh": 5}
    assert data["slots"] == 8
    assert data["catalog"] == parse(BASE, "base").data["catalog"]
    built = check_cells(study, cells)
    assert [b.slots for b in built] == [6, 8] * 6
    assert built[-1].policies[1][1].refresh == 5  # type: ignore[attr-defined]


def test_a_study_without_axes_is_its_base(tmp_path: Path) -> None:
    study = study_of(tmp_path, "")
    (cell,) = cells_of(study)
    (built,) = check_cells(study, [cell])
    assert built.objective == build(load_scenario(tmp_path / "base.yaml")).objective
    assert seeds_of(study) == (0, 1)
    assert seeds_of(study_of(tmp_path, "seeds: 4\n")) == (0, 1, 2, 3)
    assert seeds_of(study_of(tmp_path, "seeds: [7, 3]\n")) == (7, 3)


def test_the_base_may_stand_in_the_study(tmp_path: Path) -> None:
    inner = "".join(f"  {line}\n" for line in BASE.splitlines())
    (tmp_path / "whole.yaml").write_text(f"axes:\n- {{field: slots, values: [4, 5]}}\nbase:\n{inner}")
    study = load_study(tmp_path / "whole.yaml")
    assert [b.slots for b in check_cells(study, cells_of(study))] == [4, 5]
    (tmp_path / "whole.yaml").write_text(
        (tmp_path / "whole.yaml").read_text().replace("tasks: 2", "tasks: 0")
    )
    study = load_study(tmp_path / "whole.yaml")
    with pytest.raises(InputError, match=r"whole.yaml:9: catalog.tasks: .*\(cell slots = 4 and 1 more\)"):
        check_cells(study, cells_of(study))


def test_policies_of_the_study_stand_for_those_of_the_base(tmp_path: Path) -> None:
    study = study_of(tmp_path, "policies: [smallest, lfu]\n")
    assert [label for label, _ in check_cells(study, cells_of(study))[0].policies] == ["smallest", "lfu"]
    told = wrong(tmp_path, "policies: [smallest, lfuu]\n")
    assert told[0].startswith("study.yaml:2: policies[1]: policies[1]: unknown policy 'lfuu'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a wrong field is told at the field, once; a wrong value at the value, with the cell
        (
            "axes:\n- name: m\n  field: network.tiered.memry\n  values: [1 GB, 2 GB]\n",
            [r"study.yaml:4: axes\[0\].field: network.tiered.memry: unknown field; did you mean 'memory'\?.*"
             r"\(cell m = 1 GB and 1 more\)"],
        ),
        (
            "axes:\n- field: slots\n  values:\n  - 3\n  - -3\n- {field: workload.rate, values: [5, 6]}\n",
            [r"study.yaml:6: axes\[0\].values\[1\]: slots: expected a whole number .*, got -3 "
             r"\(cell slots = -3, workload.rate = 5 and 1 more\)"],
        ),
        (
            "axes:\n- name: c\n  patches:\n    a: {catalog: {tasks: 3}}\n    b:\n      catalog:\n        tasks: many\n",
            [r"study.yaml:8: axes\[0\].patches.b.catalog.tasks: catalog.tasks: expected .* got 'many' \(cell c = b\)"],
        ),
        # two values that are right alone and wrong together: where the base stands, and which cell
        (
            "axes:\n- {name: p, patches: {a: {}, b: {catalog: {processors: [v100]}}}}\n",
            [r"base.yaml:5: network.tiered.processor: .*rtx2070.*\(cell p = b\)"],
        ),
        (
            "axes:\n- {field: slots.inner, values: [1]}\n- {field: objective.latency, values: [1]}\n",
            [r"study.yaml:3: axes\[0\].values\[0\]: 'slots.inner' cannot be set: the base has 6 at 'slots'.*"],
        ),
        (
            "axes:\n- {field: 'policies[2]', values: [lru]}\n",
            [r"study.yaml:3: axes\[0\].values\[0\]: 'policies\[2\]' cannot be set: .* has 2 entries.*"],
        ),
        (
            "axes:\n- {field: 'catalog[0]', values: [lru]}\n",
            [r"study.yaml:3: .*'catalog\[0\]' cannot be set: the base has no list at 'catalog'.*"],
        ),
        # what is wrong with the study itself, all at once
        (
            "axes:\n- {name: gain, field: slots, values: [1]}\n- {field: seeds, values: [1]}\n- {field: x, values: []}\n"
            "- {values: [1]}\n- {patches: {a: {}}}\n- {field: y, values: [1, 1]}\n"
            "- {field: z, values: [[1]]}\n- {feld: z}\n",
            [r"study.yaml:3: .*'gain' is taken.*", r"study.yaml:4: .*seeds are no axis.*", r"study.yaml:5: .*is empty.*",
             r"study.yaml:6: .*'field' is missing.*", r"study.yaml:7: .*'name' is missing.*",
             r"study.yaml:8: .*1 stands twice.*",
             r"study.yaml:9: .*needs a label.*", r"study.yaml:10: .*unknown field; did you mean 'field'.*"],
        ),
        (
            "axes:\n- {name: a, field: network.tiered.memory, values: [1 GB]}\n"
            "- {name: b, field: network, values: {x: {}}}\n",
            [r"study.yaml:4: axes\[1\].values.x: sets 'network', which the axis 'a' sets too.*"],
        ),
        ("axes:\n- {field: 'a..b', values: [1]}\n", [r"study.yaml:3: axes\[0\].field: 'a..b' is no field.*"]),
        ("figures: [gian]\n", [r"study.yaml:2: figures.*: unknown figure 'gian'; did you mean 'gain'\?.*"]),
        ("policies: [lru]\naxes:\n- {field: policies, values: [lru]}\n", [r"study.yaml:2: policies: stands beside.*"]),
        ("seeds: none\n", [r"study.yaml:2: seeds: expected .*"]),
        ("axes: {field: slots}\n", [r"study.yaml:2: axes: expected a list .*"]),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_line_and_cell(tmp_path: Path, text: str, expected: list[str]) -> None:
    told = wrong(tmp_path, text)
    assert len(told) == len(expected), told
    for line, pattern in zip(told, expected, strict=True):
        assert re.fullmatch(pattern, line), line


def test_a_base_that_is_wrong_is_told_once(tmp_path: Path) -> None:
    told = wrong(
        tmp_path, "axes:\n- {field: slots, values: [3, 4, 5]}\n", BASE.replace("rate: 60 /s", "rate: 60 W")
    )
    assert len(told) == 1
    assert told[0].startswith("base.yaml:7: workload.rate: ")
    assert told[0].endswith("(cell slots = 3 and 2 more)")
    told = wrong(tmp_path, "", BASE.replace("seeds: 2", "seeds: -2"))
    assert told[0].startswith("base.yaml:3: seeds: expected")


def test_no_base_is_told(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("base: nowhere.yaml\n")
    with pytest.raises(InputError, match=r"study.yaml:1: base: there is no file .*nowhere.yaml"):
        load_study(tmp_path / "study.yaml")
    (tmp_path / "study.yaml").write_text("seeds: 2\n")
    with pytest.raises(InputError, match="the field 'base' is missing"):
        load_study(tmp_path / "study.yaml")


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    # the examples of RFC 7396, appendix A, whose target and patch are objects and whose patch goes into no text or list
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
        ({"a": 1}, {"b": {}}, {"a": 1, "b": {}}),
        ({"a": 1}, {"b": {"c": None}}, {"a": 1}),
    ],
)
def test_patches_merge(target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]) -> None:
    before = repr(target)
    assert changed(target, changes_of_patch(patch)) == result
    assert repr(target) == before


def test_places_are_read_as_they_are_written() -> None:
    assert place_of("a.b-c[0][12].d") == ("a", "b-c", 0, 12, "d")
    for text in ("", "a..b", "[0]", "a[x]", "a[1]b", "a."):
        with pytest.raises(InputError, match="is no field"):
            place_of(text)


def test_a_field_whose_name_has_dots_is_a_list_of_parts(tmp_path: Path) -> None:
    study = study_of(
        tmp_path, "axes:\n- {field: [network, tiered, memory, base-station], values: [100 MB, 200 MB]}\n"
    )
    memories = [next(n.memory_bytes for n in b.network.nodes if n.tier == "base-station") for b in
                check_cells(study, cells_of(study))]  # fmt: skip
    assert memories == [100_000_000, 200_000_000]
    assert study.axes[0].name == "network.tiered.memory.base-station"
