"""Finding what an exit's score needs, on calibration images: a temperature, or the weights of the learned rule."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax

from placid.errors import InputError, UnknownNameError
from placid.inference.scores import RULES, Score, sureness_features

__all__ = ["best_temperature", "fit_score"]


def fit_score(
    rule: str, logits: np.ndarray, labels: np.ndarray, *, scaled: bool = True, penalty: float = 1.0
) -> Score:
    """Fit `rule` for one exit on calibration images; a fraction of a second for 5,000.

    "learned" is a logistic regression of whether the exit is right, on what its logits look like: it can tell classes that
    the exit mixes up from those that it does not. The others get a temperature, which cannot.

    Args:
        logits: float [n, classes], of this exit.
        labels: int [n].
        scaled: find the temperature; otherwise it stays 1, as in BranchyNet.
        penalty: on the squares of the learned rule's weights.
    """
    if rule not in RULES:
        raise UnknownNameError("exit rule", rule, RULES)
    if len(logits) != len(labels) or not len(labels):
        raise InputError(f"{len(logits)} rows of logits but {len(labels)} labels", where="exit score")
    if rule != "learned":
        return Score(rule, best_temperature(logits, labels) if scaled else 1.0)
    right = (logits.argmax(1) == labels).astype(np.float64)
    raw = sureness_features(logits)
    centre, spread = raw.mean(0), np.maximum(raw.std(0), 1e-6)
    x = np.column_stack([np.ones(len(raw)), (raw - centre) / spread])

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ weights
        shrunk = np.r_[0.0, weights[1:]]
        loss = float((np.logaddexp(0, z) - right * z).sum() + 0.5 * penalty * (shrunk @ shrunk))
        return loss, x.T @ (expit(z) - right) + penalty * shrunk

    found = minimize(objective, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return Score("learned", 1.0, tuple(found.x.tolist()), tuple(centre.tolist()), tuple(spread.tolist()))


def best_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The T > 0 for which softmax(logits / T) gives `labels` the greatest likelihood (Guo et al., ICML 2017)."""
    wide = logits.astype(np.float64)
    rows = np.arange(len(labels))

    def loss(log_t: float) -> float:
        return float(-log_softmax(wide / np.exp(log_t), axis=1)[rows, labels].mean())

    found = minimize_scalar(loss, bounds=(-3.0, 4.0), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))
