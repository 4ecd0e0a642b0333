"""Early exits: easy inputs are answered by a classifier on the way, hard ones go on.

from placid.splitting.exits import ExitSettings, add_exits
made = add_exits(network, ["stage1", "stage2"], data.train, data.calibration, ExitSettings(), folder)
made.outcome(data.test)          # accuracy, share answered at each exit, multiply-adds
made.in_use().network.segments() # what a chain of nodes runs
"""

from __future__ import annotations

from placid.inference.scores import RULES, Score
from placid.splitting.exits.branched import Branched, ExitSegment, logits_of_exits
from placid.splitting.exits.cascade import ExitCosts, Outcome, answering, costs_of, outcome_of
from placid.splitting.exits.control import (
    Controlled,
    control_risk,
    learn_then_test,
    path_through,
    shared_path,
)
from placid.splitting.exits.fitting import fit_score
from placid.splitting.exits.heads import HEADS, convolved, heads_for, pooled
from placid.splitting.exits.learners import HeadsOnly, JointExits, early_heavy, serving_weights
from placid.splitting.exits.make import (
    TARGETS,
    ExitSettings,
    WithExits,
    add_exits,
    fit_by_serving_rates,
    put_to_use,
)
from placid.splitting.exits.reliability import (
    RiskCoverage,
    auroc,
    calibration_error,
    estimated_accuracy,
    estimated_by_threshold,
    risk_coverage,
)
from placid.splitting.exits.thresholds import Choice, frontier, greatest_accuracy, least_operations

__all__ = [
    "HEADS",
    "RULES",
    "TARGETS",
    "Branched",
    "Choice",
    "Controlled",
    "ExitCosts",
    "ExitSegment",
    "ExitSettings",
    "HeadsOnly",
    "JointExits",
    "Outcome",
    "RiskCoverage",
    "Score",
    "WithExits",
    "add_exits",
    "answering",
    "auroc",
    "calibration_error",
    "control_risk",
    "convolved",
    "costs_of",
    "early_heavy",
    "estimated_accuracy",
    "estimated_by_threshold",
    "fit_by_serving_rates",
    "fit_score",
    "frontier",
    "greatest_accuracy",
    "heads_for",
    "learn_then_test",
    "least_operations",
    "logits_of_exits",
    "outcome_of",
    "path_through",
    "pooled",
    "put_to_use",
    "risk_coverage",
    "serving_weights",
    "shared_path",
]
