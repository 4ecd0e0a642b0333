"""Mistakes that people make in a scenario, each with the line, the field and the words it is told with."""

# a table reads best with a case a line
# ruff: noqa: E501

from __future__ import annotations

import re
from pathlib import Path

import pytest

from placid.errors import InputError, UnknownNameError
from placid.experiments.scenario import ScenarioError, build, load_scenario

BASE = """\
name: base
slots: 100
slot: 1 min
seeds: 2
network:
  topology: sndlib/abilene
  tiers: degree
  memory: {metro: 4 GiB, edge: 1 GiB}
  processor: rtx2070
  cloud: {rtt: 40 ms, gateways: [IPLSng], processor: v100}
  ingress: [edge, KSCYng]
  overrides:
    NYCMng: {memory: 8 GiB}
catalog:
  family: yolov4
  tasks: 4
  replicas: 2
workload:
  process: sliding
  rate: 500 /s
  exponent: 1.2
  shift: 2
changes:
  - {slot: 30, fail: KSCYng}
  - {slot: 45, recover: KSCYng}
  - {slot: 50, memory: NYCMng, to: 2 GiB}
  - {slot: 60, cut: [NYCMng, WASHng]}
objective:
  latency: 1
  error: 0.2
policies:
  - infida-adaptive
  - {policy: infida, refresh: 5}
  - lru
hindsight:
  solvers: [greedy]
  windows: 4
  time_limit: 20 s
"""

#: what is replaced, by what, and the message: "line: field: words ... words"
CASES = [
    # the top of the file
    ("slots: 100", "slots: 0", "2: slots: expected a whole number from 1 to 10,000,000, got 0"),
    ("slots: 100", "slots: many", "2: slots: expected a whole number ... got 'many'"),
    ("slots: 100", "slots: 10.5", "2: slots: expected a whole number ... got 10.5"),
    ("slots: 100", "slots: true", "2: slots: expected a whole number ... got true"),
    ("slots: 100", "slots:", "2: slots: expected a whole number ... got nothing"),
    ("slots: 100\n", "", "1: the field 'slots' is missing; expected a whole number from 1"),
    ("slots: 100", "slot_count: 100", "2: slot_count: unknown field; did you mean 'slots'?"),
    ("slot: 1 min", "slot: 1", "3: slot: a time needs a unit ... write for example '1 ms'"),
    ("slot: 1 min", "slot: 1 week", "3: slot: 'week' is not a unit of time (known: ns, us"),
    ("slot: 1 min", "slot: 1 Min", "3: slot: 'Min' is not a unit of time; did you mean 'min'?"),
    ("slot: 1 min", "slot: 0 s", "3: slot: a time must be above 0 here, got '0 s'"),
    ("slot: 1 min", "slot: -1 min", "3: slot: a time must not be negative, got '-1 min'"),
    ("slot: 1 min", "slot: 1e300 d", "3: slot: '1e300 d' is too large"),
    ("seeds: 2", "seeds: 0", "4: seeds: expected a whole number from 1 to 1,000, got 0"),
    ("seeds: 2", "seeds: []", "4: seeds: needs at least 1; expected a list"),
    ("seeds: 2", "seeds: [1, 2, 1]", "4: seeds[2]: 1 stands twice in the list; delete one"),
    ("seeds: 2", "seeds: [1, -2]", "4: seeds[1]: expected a whole number from 0 ... got -2"),
    ("name: base", "name: [a]", "1: name: expected text, got a list"),
    ("name: base", "nmae: base", "1: nmae: unknown field; did you mean 'name'? known here: name, description"),
    # network: the source
    ("  topology: sndlib/abilene", "  topology: sndlib/abiline",
     "6: network.topology: unknown topology 'sndlib/abiline'; did you mean 'sndlib/abilene'?"),
    ("  topology: sndlib/abilene", "  topologie: sndlib/abilene", "6: network.topologie: unknown field; did you mean 'topology'?"),
    ("  topology: sndlib/abilene\n", "", "5: network: says not where it comes from; write exactly one of 'topology', 'file', 'tiered'"),
    ("  topology: sndlib/abilene", "  topology: sndlib/abilene\n  file: x.json", "7: network.file: stands beside 'topology'"),
    ("  topology: sndlib/abilene", "  topology: 3", "6: network.topology: unknown topology '3'"),
    ("  topology: sndlib/abilene", "  file: nowhere.graphml", "6: network.file: ... nowhere.graphml"),
    ("  topology: sndlib/abilene", "  file: map.png", "6: network.file: unknown ... '.png'"),
    # network: what it is dressed with
    ("  tiers: degree", "  tiers: size", "7: network.tiers: unknown way to assign tiers 'size' ... Known: degree, hops, one"),
    ("  tiers: degree", "  tiers: {NYCM: core}", "7: network.tiers.NYCM: unknown node 'NYCM'; did you mean 'NYCMng'?"),
    ("{metro: 4 GiB, edge: 1 GiB}", "{metro: 4 GiB}", "8: network.memory: the tier 'edge' has no memory"),
    ("{metro: 4 GiB, edge: 1 GiB}", "{metro: 4 GiB, edge: 1 GiB, middle: 1 GiB}", "8: network.memory.middle: unknown tier 'middle'"),
    ("{metro: 4 GiB, edge: 1 GiB}", "{metro: 4 gib, edge: 1 GiB}",
     "8: network.memory.metro: 'gib' is not a unit of size; did you mean 'GiB'?"),
    ("{metro: 4 GiB, edge: 1 GiB}", "[4 GiB]", "8: network.memory: expected a size such as '16 GiB', or a mapping ... got a list"),
    ("  memory: {metro: 4 GiB, edge: 1 GiB}\n", "", "5: network: the field 'memory' is missing; expected a size"),
    ("  processor: rtx2070", "  processor: rtx2080",
     "9: network.processor: unknown processor 'rtx2080'; did you mean 'rtx2070'?"),
    ("rtt: 40 ms", "rtt: 40 MB", "10: network.cloud.rtt: 'MB' is not a unit of time"),
    ("rtt: 40 ms, ", "", "10: network.cloud: the field 'rtt' is missing; expected a time such as '40 ms'"),
    ("gateways: [IPLSng]", "gateways: [IPLS]", "10: network.cloud.gateways[0]: unknown node 'IPLS'; did you mean 'IPLSng'?"),
    ("gateways: [IPLSng]", "gateway: IPLSng", "10: network.cloud.gateway: unknown field; did you mean 'gateways'?"),
    ("processor: v100}", "processor: cpu}", "10: network.cloud.processor: unknown processor 'cpu'"),
    ("  cloud: {rtt: 40 ms, gateways: [IPLSng], processor: v100}\n", "", "5: network: there is no repository: add a 'cloud'"),
    ("  cloud: {rtt: 40 ms, gateways: [IPLSng], processor: v100}", "  cloud: 40 ms",
     "10: network.cloud: expected fields such as 'rtt: ...', got '40 ms'"),
    ("[edge, KSCYng]", "[edge, KSCY]", "11: network.ingress[1]: unknown node or tier 'KSCY'; did you mean 'KSCYng'?"),
    ("[edge, KSCYng]", "{edge: 1}", "11: network.ingress: expected a list"),
    ("NYCMng: {memory: 8 GiB}", "NYCM: {memory: 8 GiB}", "13: network.overrides.NYCM: unknown node 'NYCM'; did you mean 'NYCMng'?"),
    ("NYCMng: {memory: 8 GiB}", "NYCMng: {ram: 8 GiB}", "13: network.overrides.NYCMng.ram: unknown field; known here: tier, memory, processor"),
    ("NYCMng: {memory: 8 GiB}", "NYCMng: 8 GiB", "13: network.overrides.NYCMng: expected fields such as 'tier: ...', got '8 GiB'"),
    ("NYCMng: {memory: 8 GiB}", "NYCMng: {memory: -8 GiB}", "13: network.overrides.NYCMng.memory: a size must not be negative"),
    # catalog
    ("  family: yolov4", "  family: yolov5", "15: catalog.family: unknown catalog family 'yolov5'; did you mean 'yolov4'?"),
    ("  family: yolov4\n", "", "14: catalog: has neither 'family' nor 'file'; write exactly one of the two"),
    ("  family: yolov4", "  family: yolov4\n  file: x.csv", "14: catalog: has both 'family' and 'file'"),
    ("  tasks: 4", "  tasks: -4", "16: catalog.tasks: expected a whole number from 0 to 10,000, got -4"),
    ("  tasks: 4", "  tasks: 0", "16: catalog.tasks: 'tasks' must be at least 1, got 0"),
    ("  tasks: 4", "  task: 4", "16: catalog.task: unknown field; did you mean 'tasks'?"),
    ("  replicas: 2", "  quality: ap", "17: catalog.quality: unknown quality 'ap'"),
    ("  replicas: 2", "  processors: [v100, a100]", "17: catalog.processors[1]: unknown processor class"),
    ("  replicas: 2", "  processors: [rtx2070]", "10: network.cloud.processor: unknown processor 'v100' ... Known: rtx2070"),
    ("  replicas: 2", "  size_scale: 0", "17: catalog.size_scale: 'size_scale' must be above 0"),
    ("  family: yolov4\n  tasks: 4\n  replicas: 2", "  file: nowhere.csv", "15: catalog.file: ... nowhere.csv"),
    # workload
    ("  process: sliding", "  process: slding", "19: workload.process: unknown workload 'slding'; did you mean 'sliding'?"),
    ("  process: sliding", "  proces: sliding", "18: workload: unknown field 'proces'; did you mean 'process'?"),
    ("  process: sliding\n", "", "18: workload: the field 'process' is missing; it names one of: poisson, sliding"),
    ("  rate: 500 /s", "  rate: 500 ms", "20: workload.rate: 'ms' is not a unit of request rate (known: /s"),
    ("  rate: 500 /s", "  rate: -5 /s", "20: workload.rate: a request rate must not be negative, got '-5 /s'"),
    ("  rate: 500 /s\n", "", "18: workload: the field 'rate' is missing; expected a request rate such as '7500 /s'"),
    ("  rate: 500 /s", "  rate: .nan", "20: workload.rate: expected a request rate"),
    ("  exponent: 1.2", "  exponent: -1", "21: workload.exponent: expected a number of at least 0, got -1"),
    ("  exponent: 1.2", "  exponent: steep", "21: workload.exponent: expected a number, got 'steep'"),
    ("  shift: 2", "  shift: 2.5", "22: workload.shift: expected a whole number, got 2.5"),
    ("  shift: 2", "  every_slots: 0", "22: workload.every_slots: expected a whole number of at least 1, got 0"),
    ("  shift: 2", "  ranks: mixed", "22: workload.ranks: unknown choice 'mixed' ... Known: per ingress, shared"),
    ("  shift: 2", "  weights: {KSCYng: 1}", "22: workload.weights: has no number for ingress node"),
    ("  shift: 2", "  weights: {KSCY: 1}", "22: workload.weights.KSCY: unknown ingress node 'KSCY'; did you mean 'KSCYng'?"),
    ("  shift: 2", "  weights: even", "22: workload.weights: expected 'traffic', or a mapping"),
    ("  shift: 2", "  width: 2", "22: workload.width: unknown field"),
    ("  process: sliding\n  rate: 500 /s\n  exponent: 1.2\n  shift: 2", "  process: trace\n  file: nowhere.csv",
     "20: workload.file: ... nowhere.csv"),
    ("  process: sliding\n  rate: 500 /s\n  exponent: 1.2\n  shift: 2", "  process: replay\n  file: nowhere.npy",
     "20: workload.file: there is no file nowhere.npy"),
    ("  process: sliding\n  rate: 500 /s\n  exponent: 1.2\n  shift: 2", "  process: diurnal",
     "18: workload: the field 'base' is missing"),
    ("  process: sliding\n  rate: 500 /s\n  exponent: 1.2\n  shift: 2",
     "  process: diurnal\n  base:\n    process: poisson\n    rate: 1 mph", "22: workload.base.rate: 'mph' is not a unit"),
    ("  process: sliding\n  rate: 500 /s\n  exponent: 1.2\n  shift: 2",
     "  process: diurnal\n  amplitude: 2\n  base: {process: poisson, rate: 1}",
     "20: workload.amplitude: expected a number between 0 and 1, got 2"),
    ("  process: sliding\n  rate: 500 /s\n  exponent: 1.2\n  shift: 2",
     "  process: diurnal\n  base: {process: evader, rate: 1}", "20: workload.base: the workload 'evader' does not tell its mean"),
    # changes
    ("{slot: 30, fail: KSCYng}", "{slot: 30, fail: KSCY}", "24: changes[0].fail: unknown node 'KSCY'; did you mean 'KSCYng'?"),
    ("{slot: 30, fail: KSCYng}", "{slot: 30, fails: KSCYng}", "24: changes[0].fails: unknown field; did you mean 'fail'?"),
    ("{slot: 30, fail: KSCYng}", "{fail: KSCYng}", "24: changes[0]: the field 'slot' is missing"),
    ("{slot: 30, fail: KSCYng}", "{slot: 30}", "24: changes[0]: says not what happens; write exactly one of fail, recover"),
    ("{slot: 30, fail: KSCYng}", "{slot: 300, fail: KSCYng}", "24: changes[0].slot: the run ends before: its last slot is 99, got 300"),
    ("{slot: 30, fail: KSCYng}", "{slot: -3, fail: KSCYng}", "24: changes[0].slot: expected a whole number of at least 0, got -3"),
    ("{slot: 30, fail: KSCYng}", "{slot: 30, fail: KSCYng, recover: KSCYng}", "24: changes[0].recover: stands beside 'fail'"),
    ("{slot: 30, fail: KSCYng}", "{slot: 50, fail: KSCYng}", "25: changes[1].recover: 'KSCYng' is up, so it cannot recover"),
    ("{slot: 30, fail: KSCYng}", "fail", "24: changes[0]: expected a change such as"),
    (", to: 2 GiB", "", "26: changes[2]: the field 'to' is missing; expected a size"),
    ("to: 2 GiB", "to: 2 s", "26: changes[2].to: 's' is not a unit of size"),
    ("memory: NYCMng, to", "memory: cloud, to", "26: changes[2].memory: 'cloud' is a repository"),
    ("cut: [NYCMng, WASHng]", "cut: [NYCMng, LOSAng]", "27: changes[3].cut: there is no link NYCMng-LOSAng; 'NYCMng' is linked to"),
    ("cut: [NYCMng, WASHng]", "cut: NYCMng", "27: changes[3].cut: needs at least 2"),
    ("  - {slot: 60, cut: [NYCMng, WASHng]}", "  - {slot: 60, fail: cloud}", "no repository is up from slot 60 on"),
    # objective
    ("  error: 0.2", "  error: -0.2", "30: objective.error: expected a number of at least 0, got -0.2"),
    ("  error: 0.2", "  eror: 0.2", "30: objective.eror: unknown field; did you mean 'error'?"),
    ("  latency: 1\n  error: 0.2", "  latency: 0", "28: objective: at least one weight must be above 0"),
    ("objective:\n  latency: 1\n  error: 0.2", "objective: latency", "28: objective: expected fields such as 'latency: ...', got 'latency'"),
    # policies
    ("  - lru", "  - lrv", "34: policies[2]: unknown policy 'lrv'; did you mean 'lru'?"),
    ("  - lru", "  - infida-adaptive", "34: policies[2]: the label 'infida-adaptive' is taken by the policy in line 32"),
    ("  - lru", "  - 3", "34: policies[2]: expected the name of a policy"),
    ("  - lru", "  - {refresh: 3}", "34: policies[2]: the field 'policy' is missing; it names one of: infida-adaptive"),
    ("  - lru", "  - {policy: lru, refresh: 3}", "34: policies[2].refresh: unknown field; known here: policy, label"),
    ("  - lru", "  - fixed", "34: policies[2]: unknown policy 'fixed'"),
    ("  - lru", "  - nowhere_at_all:Mine", "34: policies[2]: there is no module 'nowhere_at_all' for the policy"),
    ("  - lru", "  - json:Mine", "34: policies[2]: the module 'json' has no 'Mine'; its policies: none"),
    ("  - lru", "  - json:JSONDecoder", "34: policies[2]: 'json:JSONDecoder' is no subclass of placid.placement.base.Policy"),
    ("  - lru", "  - placid.placement.base:Policy", "34: policies[2]: 'placid.placement.base:Policy' lacks learn, place, start"),
    ("  - lru", "  - my policy:Mine", "34: policies[2]: 'my policy:Mine' is no policy; a policy of your own is written 'module:Class'"),
    ("refresh: 5", "refresh: 0", "33: policies[1].refresh: needs 1 <= refresh <= refresh_max, got 0"),
    ("refresh: 5", "refresh: often", "33: policies[1].refresh: expected a whole number, got 'often'"),
    ("refresh: 5", "refrsh: 5", "33: policies[1].refrsh: unknown field; did you mean 'refresh'?"),
    ("refresh: 5", "rounding: up", "33: policies[1].rounding: unknown rounding 'up'"),
    ("refresh: 5", "fill: yes", "33: policies[1].fill: expected true or false, got 'yes'"),
    ("refresh: 5", "rate: -1", "33: policies[1].rate: rate must not be negative, got -1"),
    ("refresh: 5", "horizon: 0", "33: policies[1].horizon: horizon must be at least 1 slot, got 0"),
    ("refresh: 5", "label: lru", "34: policies[2]: the label 'lru' is taken by the policy in line 33"),
    # hindsight
    ("solvers: [greedy]", "solvers: [greedi]", "36: hindsight.solvers[0]: unknown solver 'greedi'; did you mean 'greedy'?"),
    ("solvers: [greedy]", "solvers: [greedy, greedy]", "36: hindsight.solvers[1]: the solver 'greedy' stands twice"),
    ("solvers: [greedy]", "solvers: 3", "36: hindsight.solvers: expected a list of solvers, got 3"),
    ("windows: 4", "windows: 0", "37: hindsight.windows: expected a whole number from 1"),
    ("time_limit: 20 s", "time_limit: 20", "38: hindsight.time_limit: a time needs a unit"),
    ("time_limit: 20 s", "timelimit: 20 s", "38: hindsight.timelimit: unknown field; did you mean 'time_limit'?"),
    # the text itself
    ("slots: 100", "slots: 100\nslots: 200", "3: 'slots' is written twice, first in line 2"),
    ("  tiers: degree", "\ttiers: degree", "7: a tab cannot indent in YAML"),
    ("  tiers: degree", "    tiers: degree", "7: a ':' stands where no field can start"),
    ("name: base", "name: 'base", ": a quote is not closed"),
]  # fmt: skip


def test_there_are_many_different_mistakes() -> None:
    assert len({(old, new) for old, new, _ in CASES}) == len(CASES) >= 60


def test_the_base_is_valid() -> None:
    built = build(load_scenario(BASE))
    assert [label for label, _ in built.policies] == ["infida-adaptive", "infida (refresh=5)", "lru"]


@pytest.mark.parametrize(
    ("old", "new", "expected"), CASES, ids=[f"{old[:20]!r}->{new[:30]!r}" for old, new, _ in CASES]
)
def test_a_mistake_is_told_where_it_stands(old: str, new: str, expected: str) -> None:
    assert BASE.count(old) == 1, f"{old!r} must stand once in the base"
    with pytest.raises(InputError) as caught:
        build(load_scenario(BASE.replace(old, new)))
    pattern = ".*".join(re.escape(part.strip()) for part in expected.split("..."))
    place = re.escape("scenario:") if expected[0].isdigit() else ".*"
    messages = str(caught.value).splitlines()
    assert any(re.match(place + pattern, m) for m in messages), "\n".join(messages)
    # one mistake gives one message, not a cascade
    assert len(messages) == 1, "\n".join(messages)


def test_all_mistakes_come_together_in_the_order_of_the_file() -> None:
    text = (
        BASE.replace("slots: 100", "slots: x")
        .replace("- lru", "- lrv")
        .replace("500 /s", "5 h")
        .replace("tasks: 4", "tusks: 4")
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text)
    lines = [int(str(e).split(":")[1]) for e in caught.value.errors]
    assert lines == [2, 16, 20, 34]
    assert isinstance(caught.value.errors[-1], UnknownNameError)
    assert str(caught.value).count("\n") == 3


def test_mistakes_that_show_only_when_built_come_together_too() -> None:
    text = BASE.replace("[edge, KSCYng]", "[nowhere]").replace("tasks: 4", "tasks: 0")
    with pytest.raises(ScenarioError) as caught:
        build(load_scenario(text))
    assert [int(str(e).split(":")[1]) for e in caught.value.errors] == [11, 16]


def test_a_single_unknown_name_is_an_unknown_name_error() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_scenario(BASE.replace("- lru", "- lrv"))
    assert caught.value.name == "lrv"
    assert "lru" in caught.value.known


def test_the_file_is_named_in_the_message(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(BASE.replace("slots: 100", "slots: -1"))
    with pytest.raises(InputError, match=r"mine\.yaml:2: slots: expected"):
        load_scenario(file)
