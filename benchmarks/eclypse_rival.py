"""ECLYPSE's own way of the same size: a hierarchy of nodes, one application a task, default metrics, first fit.

Run by the interpreter of an environment that has ECLYPSE; prints steps a second as JSON.
"""

import json
import sys
import tempfile
import time

from eclypse.builders.infrastructure import get_hierarchical
from eclypse.graph import Application
from eclypse.placement.strategies import FirstFitStrategy
from eclypse.simulation import Simulation, SimulationConfig

nodes, tasks, steps = (int(argument) for argument in sys.argv[1:4])
with tempfile.TemporaryDirectory() as folder:
    simulation = Simulation(
        get_hierarchical(nodes, include_default_assets=True, seed=0),
        SimulationConfig(
            max_steps=steps,
            step_every_ms=0.0,
            seed=0,
            path=f"{folder}/run",
            include_default_metrics=True,
            log_level="ERROR",
        ),
    )
    for i in range(tasks):
        application = Application(f"task-{i}", include_default_assets=True, seed=0)
        application.add_node(
            f"detector-{i}", cpu=1, ram=0.25, storage=0.25, gpu=0, availability=0.5, processing_time=10
        )
        simulation.register(application, FirstFitStrategy())
    begun = time.perf_counter()
    simulation.start()
    simulation.wait()
    print(json.dumps({"steps_per_s": steps / (time.perf_counter() - begun)}))
