"""Run a scenario from Python, and read its verdict.

python examples/01_run_a_scenario.py [scenarios/quick.yaml]
"""

from __future__ import annotations

import sys

import placid
from placid.reports import verdict


def main() -> None:
    scenario = placid.load_scenario(sys.argv[1] if len(sys.argv) > 1 else "scenarios/quick.yaml")
    # interrupt it and start it again: it goes on where it stopped
    folder = placid.run(scenario, "runs/example-1")
    print(placid.summary(folder))
    print(verdict(folder))
    print(f"The page: {folder / 'report.html'}")


# worker processes import this file, so what runs stands under this line
if __name__ == "__main__":
    main()
