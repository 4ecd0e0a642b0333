"""The scenario that `placid init` writes: commented, small, runs in seconds."""

from __future__ import annotations

from importlib import resources

__all__ = ["starter_yaml"]


def starter_yaml() -> str:
    """The text of the starter scenario."""
    return (resources.files("placid.experiments.scenario") / "starter.yaml").read_text(encoding="utf-8")
