"""Training: one loop, one form of checkpoint, recipes that say everything a result depends on."""

from __future__ import annotations

from placid.splitting.training.classifier import Classifier, Distilled, accuracy, logits_of
from placid.splitting.training.fit import fit
from placid.splitting.training.recipe import Recipe

__all__ = ["Classifier", "Distilled", "Recipe", "accuracy", "fit", "logits_of"]
