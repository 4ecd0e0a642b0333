"""The page of several objectives at once: drag a preference, see the point of the front and what is placed where."""

from placid.reports.pareto.data import read_front_folder
from placid.reports.pareto.page import write_pareto_page

__all__ = ["read_front_folder", "write_pareto_page"]
