"""The generated section of README.md, from the rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from placid.errors import InputError

__all__ = ["results"]

COMMAND = "python papers/teerapittayanon-2016-branchynet/study.py"

#: as the paper reports: accuracy of the plain network and of the branched one, gain in time on a CPU, shares at the exits
PAPER = {
    "lenet": ("B-LeNet, MNIST", 99.20, 99.25, "5.4x (3.37 to 0.62 ms)", "94.3 / 5.6"),
    "alexnet": ("B-AlexNet, CIFAR-10", 78.38, 79.19, "1.5x (9.56 to 6.32 ms)", "65.6 / 25.2 / 9.2"),
}
#: which of our rows answers the paper's: way, rule, and the first of these targets that all seeds reach
OURS = {
    "lenet": ("joint", "entropy", ("first exit 0.943",)),
    # two thirds of the operations are 1.5x fewer
    "alexnet": ("joint", "confidence", ("budget 0.667", "budget 0.75", "lose 0.01")),
}


def results(told: Mapping[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"Made by `{COMMAND}`. Accuracies in per cent on the 10,000 test images; thresholds from the calibration images.",
        "Operations are multiply-adds with heads counted, gains against the same network without exits.",
        "",
        "| | paper reports | ours |",
        "| --- | --- | --- |",
    ]
    for name, (title, plain, branched, gain, shares) in PAPER.items():
        if name in told:
            lines += _beside(title, plain, branched, gain, shares, told[name], OURS[name])
    for name, found in told.items():
        lines += ["", f"**{PAPER[name][0]}: every target**", "", *_all(found)]
        lines += ["", f"**{PAPER[name][0]}: the first exit's scores** (test images)", "", *_scores(found)]
    return "\n".join(lines)


def _beside(
    title: str,
    plain: float,
    branched: float,
    gain: str,
    shares: str,
    found: Any,
    ours: tuple[str, str, tuple[str, ...]],
) -> list[str]:
    way, rule, targets = ours
    base, longer = (_chosen(found, w, "", "") for w in ("baseline", "longer"))
    seeds = len(base)
    # further training can cost the last exit so much that no thresholds lose as little as asked
    reached = [t for t in targets if len(_chosen(found, way, rule, t)) == seeds]
    if not reached:
        raise InputError(f"{title}: no target of {', '.join(targets)} is reached by all seeds")
    target = reached[0]
    rows = _chosen(found, way, rule, target)
    measured = _latency(found, rows)
    change = _mean(100 * (r["accuracy"] - r["accuracy_without"]) for r in rows)
    return [
        f"| **{title}** | | {seeds} seed{'s' if seeds > 1 else ''}; {way}, {rule}, target: {target} |",
        f"| accuracy without exits | {plain:.2f} | {_accuracy(base)} |",
        f"| … trained as many epochs as the one with exits | not given | {_accuracy(longer)} |",
        f"| accuracy with exits | {branched:.2f} | {_accuracy(rows)} |",
        f"| change | {branched - plain:+.2f} | {change:+.2f} |",
        f"| leaving at each exit, % | {shares} | {_shares(rows)} |",
        f"| fewer operations | not given | {_mean(r['speedup'] for r in rows):.2f}x |",
        f"| time | {gain}, exits not timed | {measured} |",
    ]


def _all(found: Any) -> list[str]:
    lines = [
        "| trained | rule | target | accuracy | against without | leaving at each exit, % | fewer operations |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    seen: dict[tuple[str, str, str], None] = {}
    for r in found["rows"]:
        seen.setdefault((r["way"], r["rule"], r["target"]))
    seeds = len(_chosen(found, "baseline", "", ""))
    for way, rule, target in seen:
        rows = _chosen(found, way, rule, target)
        reached = "" if len(rows) == seeds else f" ({len(rows)} of {seeds} seeds can)"
        change = _mean(100 * (r["accuracy"] - r["accuracy_without"]) for r in rows)
        lines.append(
            f"| {way} | {rule} | {target}{reached} | {_accuracy(rows)} | {change:+.2f} | {_shares(rows)} | "
            f"{_mean(r['speedup'] for r in rows):.2f}x |"
        )
    return lines


def _scores(found: Any) -> list[str]:
    lines = [
        "| trained | rule | AUROC | AURC x 1000 | calibration error |",
        "| --- | --- | --- | --- | --- |",
    ]
    for way in ("joint", "heads"):
        for rule in ("entropy", "confidence", "learned"):
            rows = [
                r
                for r in found["rows"]
                if (r["way"], r["rule"]) == (way, rule) and r["target"].startswith("first")
            ]
            error = (
                f"{_mean(r['first_calibration_error'] for r in rows):.4f}"
                if rule != "entropy"
                else "no probability"
            )
            lines.append(
                f"| {way} | {rule} | {_mean(r['first_auroc'] for r in rows):.4f} | "
                f"{_mean(1000 * r['first_area'] for r in rows):.2f} | {error} |"
            )
    return lines


def _chosen(found: Any, way: str, rule: str, target: str) -> list[Any]:
    return [r for r in found["rows"] if (r["way"], r["rule"], r["target"]) == (way, rule, target)]


def _latency(found: Any, rows: list[Any]) -> str:
    """Mean over images of the measured segments that run, exits in use or not."""
    told = found["latency_s"]
    after = np.cumsum(told["segments"])
    mean = _mean(float(np.dot(r["shares"], after)) for r in rows)
    return f"{told['whole'] / mean:.1f}x ({1e3 * told['whole']:.3f} to {1e3 * mean:.3f} ms in ONNX Runtime), exits timed"


def _accuracy(rows: list[Any]) -> str:
    values = [100 * r["accuracy"] for r in rows]
    spread = f" ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{np.mean(values):.2f}{spread}"


def _shares(rows: list[Any]) -> str:
    return " / ".join(f"{100 * share:.1f}" for share in np.mean([r["shares"] for r in rows], axis=0))


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
