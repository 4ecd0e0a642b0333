"""Policies that place models slot by slot, by name. A new policy is a new file here and a line in the table."""

from __future__ import annotations

from placid.placement.base import Policy
from placid.placement.online.column_ascent import ColumnAscent
from placid.placement.online.distributed import DistributedInfida
from placid.placement.online.euclidean import GradientAscent
from placid.placement.online.fixed import CloudOnly, Fixed, MostAccurate, Smallest
from placid.placement.online.infida import AdaptiveInfida, Infida
from placid.placement.online.olag import Olag
from placid.placement.online.optimistic import OptimisticInfida
from placid.placement.online.perturbed import PerturbedLeader
from placid.placement.online.portfolio import Portfolio
from placid.placement.online.recency import LeastFrequentlyUsed, LeastRecentlyUsed
from placid.placement.online.repacking import Repacking

__all__ = ["POLICIES"]

#: every policy a scenario can name
POLICIES: dict[str, type[Policy]] = {
    policy.name: policy
    for policy in (
        AdaptiveInfida,
        ColumnAscent,
        Infida,
        OptimisticInfida,
        DistributedInfida,
        GradientAscent,
        PerturbedLeader,
        Portfolio,
        Repacking,
        Olag,
        LeastFrequentlyUsed,
        LeastRecentlyUsed,
        CloudOnly,
        MostAccurate,
        Smallest,
        Fixed,
    )
}
