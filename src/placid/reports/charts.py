"""The charts of a run, as Vega-Lite specifications. The page embeds them; `figures` draws them to files.

On the page a chart reads the parameters `shown` (policies to draw) and `hot` (the one pointed at), which the legends set.
"""

from __future__ import annotations

from placid.reports.chart_tools import Look, quantity_of_time
from placid.reports.policy_charts import PolicyCharts
from placid.reports.time_charts import TimeCharts

__all__ = ["ChartSet", "Look", "quantity_of_time"]


class ChartSet(PolicyCharts, TimeCharts):
    """Makes the charts of one run; its settings are those of `ChartTools`."""
