"""What the study varies: each setting is one scenario, made from a base config."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["PARTS", "TOPOLOGIES", "Setting", "settings"]

TOPOLOGIES = ("tiered", "small")
PARTS = ("alpha", "popularity", "refresh", "rate", "hindsight")
ALPHAS = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
REFRESHES = (1, 2, 5, 10, 30)
RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class Setting:
    """One run.

    Attributes:
        value: of what the part varies, as text.
        scenario: the content of a scenario file.
    """

    part: str
    topology: str
    value: str
    scenario: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.part}-{self.topology}-{self.value}".replace(" ", "")


def settings(seeds: int, slots: int | None = None) -> Iterator[Setting]:
    """Every setting of the study; `slots` shortens all of them."""
    for topology in TOPOLOGIES:
        base = yaml.safe_load((_CONFIGS / f"{topology}.yaml").read_text()) | {"seeds": seeds}
        if slots is not None:
            base["slots"] = slots
        for alpha in ALPHAS:
            scenario = deepcopy(base)
            scenario["objective"] = {"latency": 1, "error": alpha}
            yield _named(Setting("alpha", topology, f"{alpha:g}", scenario))
        for process in ("fixed", "sliding"):
            scenario = deepcopy(base)
            scenario["slots"] = slots or 240
            if process == "sliding":
                # ranks shift by five tasks an hour
                every = 60 if slots is None else max(1, slots // 4)  # a shortened run must slide too
                scenario["workload"] |= {"process": "sliding", "shift": 5, "every_slots": every}
            yield _named(Setting("popularity", topology, process, scenario))
            # a part of its own, for the same requests: INFIDA beside another static placement than greedy's
            scenario = deepcopy(scenario)
            scenario["policies"] = ["infida"]
            scenario["hindsight"] |= {"solvers": ["greedy", "local-search"]}
            yield _named(Setting("hindsight", topology, process, scenario))
        scenario = deepcopy(base)
        scenario["slots"] = slots or 180
        scenario["policies"] = [
            *(
                {"policy": p, "refresh": b, "label": f"{p} B={b}"}
                for p in ("infida", "infida-adaptive")
                for b in REFRESHES
            ),
            *(
                {"policy": p, "stretch": 1.3, "refresh_max": 30, "label": f"{p} stretched"}
                for p in ("infida", "infida-adaptive")
            ),
        ]
        yield _named(Setting("refresh", topology, "all", scenario))
        rate = float(str(base["workload"]["rate"]).split()[0])
        for factor in RATES:
            scenario = deepcopy(base)
            scenario["workload"]["rate"] = f"{factor * rate:g} /s"
            yield _named(Setting("rate", topology, f"{factor:g}", scenario))


def _named(setting: Setting) -> Setting:
    setting.scenario["name"] = setting.name
    return setting
