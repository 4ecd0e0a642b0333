"""Codecs: what is done to the tensor at a cut. A new one is a new file and one line in `CODECS`."""

from __future__ import annotations

from placid.splitting.codecs.base import Codec
from placid.splitting.codecs.entropic import Entropic
from placid.splitting.codecs.floats import Floats
from placid.splitting.codecs.uniform import Uniform
from placid.splitting.codecs.variational import Variational

__all__ = ["CODECS", "Codec", "Entropic", "Floats", "Uniform", "Variational"]

#: every codec by name
CODECS: dict[str, type[Codec]] = {c.name: c for c in (Floats, Uniform, Entropic, Variational)}
