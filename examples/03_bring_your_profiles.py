"""Your models: a flat profile table, as your profiler writes it, on a network and a workload of ours.

    python examples/03_bring_your_profiles.py

The numbers in the table are made up, to show the format: put your own there.
"""

from __future__ import annotations

from pathlib import Path

import placid

TABLE = """\
model,device,batch,latency_ms,top1,file_size
squeezed,edge-tpu,1,3.1,66.2,4 MiB
squeezed,gpu,1,1.2,66.2,4 MiB
mobile,edge-tpu,1,5.4,72.1,9 MiB
mobile,gpu,1,1.5,72.1,9 MiB
residual,edge-tpu,1,41.0,78.3,52 MiB
residual,gpu,1,3.9,78.3,52 MiB
transformer,gpu,1,7.7,83.5,180 MiB
"""


def main() -> None:
    Path("profiles.csv").write_text(TABLE)
    scenario = {
        "name": "my profiles",
        "slots": 30,
        "network": {
            "tiered": {
                "base_stations": 3,
                "memory": {"base-station": "64 MiB", "central-office": "256 MiB", "regional-office": "0 B"},
                "processor": {
                    "base-station": "edge-tpu",
                    "central-office": "gpu",
                    "regional-office": "gpu",
                    "data-centre": "gpu",
                    "cloud": "gpu",
                },
            }
        },
        "catalog": {
            "file": "profiles.csv",
            # what the table calls its columns, and what they are
            "columns": {"device": "processor", "latency_ms": "mean", "top1": "accuracy", "file_size": "size"},
            "time_unit": "ms",
            "tasks": 6,  # the four models, trained for each of six tasks
        },
        "workload": {"process": "poisson", "rate": "100 /s"},
        "objective": {"latency": 1, "error": 0.3},
        "policies": ["infida-adaptive", "most-accurate", "smallest"],
    }
    print(placid.summary(placid.run(scenario, "runs/example-3", fresh=True)))


if __name__ == "__main__":
    main()
