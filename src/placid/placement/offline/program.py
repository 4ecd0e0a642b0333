"""The linear program of static placement, as arrays for HiGHS; the MILP is the same program with whole y.

    maximise    sum_o s_o f_o
    subject to  sum_{o of r} f_o <= d_r                    each type r                  (price u_r)
                sum_{o needs e} q_oe f_o <= L_e y_e        each item e                  (price p_e)
                f_o <= m_o y_e                             each option o of r, each e that it needs
                sum_{e at v} z_e y_e <= b_v                each node v                  (price l_v)
                f >= 0,  0 <= y <= 1,  y_e = 0 where z_e > b_v,

with q_oe the share of an option's requests that reach e (1 where it needs no other item), and the most that it can serve,
``m_o = min(d_r, min_e L_e / q_oe)``.

Where links and processors have hard limits (`placid.problem.limits`) the repositories have flows as well, which refusals
are held against, and the limits have rows:

    maximise    sum_w worth_w f_w                          over options and repositories w
    subject to  ... and  sum_w share_wm f_w <= 1           each hard limit m            (price of the limit)

Every 0/1 placement with the flows of any rule that respects capacities, the serving rule's among them, is a feasible point
of the same gain, so the optimum is an upper bound on what a static placement earns at this demand. It is concave in d, as
the value of a linear program in its right-hand side (y fixed) is; by Jensen, T times the optimum at the mean demand bounds
what any static placement earns over T slots.

What is not needed is left out: options without demand or on items that do not fit, the row of an item that its options
cannot fill, and the rows of options of which one alone can fill an item whose row is there. Flows are counted in parts of
m_o, memory in parts of the budget, gains in parts of the largest coefficient: all numbers lie in [0, 1].
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache

import highspy
import numpy as np
from scipy import sparse

from placid.errors import SolverError
from placid.placement.offline.ceiling import Prices
from placid.problem.arrays import Problem
from placid.problem.limits import Limits
from placid.problem.pricing import priced

__all__ = ["Program"]


@dataclass(frozen=True)
class Program:
    """Columns: y of `items` (I), flows of `options` (J), with limits flows of the repositories of types (Q). Rows: types,
    items with a row, needs with one, nodes, limits.

    Attributes:
        items: int64 [I]; the items that could be placed and used.
        options: int64 [J]; the options that could be used.
        matrix: [rows, I + J + Q], by column; every row says ``<= upper``.
        upper: float64 [rows].
        objective: float64 [I + J + Q], to be maximised, in units of `unit`.
        types, capped, nodes: int64; which type, item and node the rows belong to, in their order.
        tied: int64; the needs (places in `Problem.needs`) that have a row, in their order.
        asked: int64 [Q]; the types whose repository has a column; none without limits.
        bound: int64; which limit the last rows belong to.
        first_capped, first_option, first_node, first_limit: where the rows of items, needs, nodes and limits begin.
        most: float64 [J + Q]; m_o, and of repositories the demand.
    """

    items: np.ndarray
    options: np.ndarray
    matrix: sparse.csc_matrix
    upper: np.ndarray
    objective: np.ndarray
    unit: float
    types: np.ndarray
    capped: np.ndarray
    nodes: np.ndarray
    tied: np.ndarray
    asked: np.ndarray
    bound: np.ndarray
    first_capped: int
    first_option: int
    first_node: int
    first_limit: int
    demand: np.ndarray
    most: np.ndarray

    @classmethod
    def of(cls, problem: Problem, demand: np.ndarray) -> Program:
        """The program for `demand` (float64 [R]); O(K)."""
        needs, limits = problem.needs, problem.limits
        asked = np.zeros(0, np.int64)
        if limits is not None:
            asked = np.flatnonzero((demand > 0) & (problem.repository_node >= 0))
        fits = np.ones(problem.option_count, bool)
        if len(fits):
            fits = np.logical_and.reduceat(problem.placeable[needs.item], needs.ptr[:-1])
        options = np.flatnonzero((demand[problem.option_type] > 0) & fits)
        # what the options need, one after the other: places in `needs`, and whose they are
        counts = np.diff(needs.ptr)[options]
        begin = np.concatenate(([0], np.cumsum(counts)))
        of = np.repeat(np.arange(len(options)), counts)
        place = np.arange(begin[-1]) - begin[of] + needs.ptr[options][of]
        item_of, load, type_of = needs.item[place], needs.load[place], problem.option_type[options]
        items, item = np.unique(item_of, return_inverse=True)
        types, kind = np.unique(np.concatenate((type_of, asked)), return_inverse=True)
        nodes, node = np.unique(problem.item_node[items], return_inverse=True)
        most = demand[type_of]
        if len(options):
            most = np.minimum(most, np.minimum.reduceat(problem.item_capacity[item_of] / load, begin[:-1]))
        asks = most[of] * load
        most = np.concatenate((most, demand[asked]))
        capacity = problem.item_capacity[items]
        can_fill = np.bincount(item, weights=asks, minlength=len(items)) > capacity
        capped = np.flatnonzero(can_fill)
        row_of_item = np.full(len(items), -1)
        row_of_item[capped] = np.arange(len(capped))
        tied = np.flatnonzero(~(can_fill[item] & (asks >= capacity[item])))

        count, flow = len(items), len(items) + np.arange(len(most))
        first_capped, first_option = len(types), len(types) + len(capped)
        first_node = first_option + len(tied)
        shared = np.flatnonzero(can_fill[item])
        entries = [
            (kind, flow, most / demand[types[kind]]),
            (
                first_capped + row_of_item[item[shared]],
                flow[of[shared]],
                asks[shared] / capacity[item[shared]],
            ),
            (first_capped + np.arange(len(capped)), capped, np.full(len(capped), -1.0)),
            (first_option + np.arange(len(tied)), flow[of[tied]], np.ones(len(tied))),
            (first_option + np.arange(len(tied)), item[tied], np.full(len(tied), -1.0)),
            (
                first_node + node,
                np.arange(count),
                problem.item_size[items] / problem.budget_bytes[problem.item_node[items]],
            ),
        ]
        first_limit, bound = first_node + len(nodes), np.zeros(0, np.int64)
        if limits is not None:
            bound = np.flatnonzero(limits.hard)
            way = np.concatenate((options, problem.option_count + asked))
            entries.append(_limit_entries(limits, way, flow, most, first_limit, bound))
        row, column, value = (np.concatenate([e[i] for e in entries]) for i in range(3))
        shape = (first_limit + len(bound), count + len(most))
        upper = np.zeros(shape[0])
        upper[:first_capped] = upper[first_node:] = 1.0
        each = problem.option_saving[options] if limits is None else limits.worth[way]
        worth = each * most
        unit = float(worth.max(initial=0.0)) or 1.0
        return cls(
            items=items,
            options=options,
            matrix=sparse.csc_matrix((value, (row, column)), shape=shape),
            upper=upper,
            objective=np.concatenate((np.zeros(count), worth / unit)),
            unit=unit,
            types=types,
            capped=items[capped],
            nodes=nodes,
            tied=place[tied],
            asked=asked,
            bound=bound,
            first_capped=first_capped,
            first_option=first_option,
            first_node=first_node,
            first_limit=first_limit,
            demand=demand,
            most=most,
        )

    def load(self, settings: dict[str, float | str], *, whole: bool = False) -> highspy.Highs:
        """A solver with the program in it, nothing solved.

        Args:
            settings: HiGHS options.
            whole: y must be 0 or 1.

        Raises:
            SolverError: HiGHS refuses the program or an option.
        """
        _greet()
        solver = highspy.Highs()  # type: ignore[no-untyped-call,unused-ignore]
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        for name, value in settings.items():
            if solver.setOptionValue(name, value) == highspy.HighsStatus.kError:
                raise SolverError(f"HiGHS has no option {name} = {value!r}")
        rows, columns = self.matrix.shape
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, rows
        lp.sense_ = highspy.ObjSense.kMaximize
        lp.col_cost_ = self.objective
        lp.col_lower_ = np.zeros(columns)
        lp.col_upper_ = np.ones(columns)
        lp.row_lower_ = np.full(rows, -highspy.kHighsInf)
        lp.row_upper_ = self.upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = self.matrix.indptr
        lp.a_matrix_.index_ = self.matrix.indices
        lp.a_matrix_.value_ = self.matrix.data
        if whole:
            kinds = [highspy.HighsVarType.kInteger] * len(self.items)
            lp.integrality_ = kinds + [highspy.HighsVarType.kContinuous] * (columns - len(self.items))
        if solver.passModel(lp) == highspy.HighsStatus.kError:
            raise SolverError("HiGHS refuses the program of static placement")
        return solver

    def prices(self, problem: Problem, row_dual: np.ndarray) -> Prices:
        """The prices that HiGHS' row duals stand for; what is negative by round-off becomes 0.

        With limits those of requests are what is left above the floor of the problem at the prices of its limits.
        """
        dual = np.maximum(np.nan_to_num(row_dual), 0.0) * self.unit
        u, p = np.zeros(problem.type_count), np.zeros(problem.item_count)
        memory = np.zeros(problem.node_count)
        u[self.types] = dual[: self.first_capped] / self.demand[self.types]
        p[self.capped] = dual[self.first_capped : self.first_option] / problem.item_capacity[self.capped]
        memory[self.nodes] = dual[self.first_node : self.first_limit] / problem.budget_bytes[self.nodes]
        split = _split(problem, self.tied, dual[self.first_option : self.first_node])
        if problem.limits is None:
            return Prices(u, p, memory, split)
        scarce = np.zeros(len(problem.limits))
        scarce[self.bound] = dual[self.first_limit :]
        return Prices(np.maximum(u - priced(problem, scarce).floor, 0.0), p, memory, split, scarce)

    def fractions(self, problem: Problem, columns: np.ndarray) -> np.ndarray:
        """float64 [N]: the y among HiGHS' column values, within [0, 1]."""
        y = np.zeros(problem.item_count)
        y[self.items] = np.clip(columns[: len(self.items)], 0.0, 1.0)
        return y


def _limit_entries(
    limits: Limits, way: np.ndarray, flow: np.ndarray, most: np.ndarray, first: int, bound: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows from `first` on, columns and values of what the flows `flow` of the ways `way` take of the limits `bound`."""
    counts = np.diff(limits.ptr)[way]
    begin = np.cumsum(counts) - counts
    of = np.repeat(np.arange(len(way)), counts)
    place = np.arange(int(counts.sum())) - begin[of] + limits.ptr[way][of]
    row_of = np.full(len(limits), -1)
    row_of[bound] = first + np.arange(len(bound))
    row = row_of[limits.limit[place]]
    hard = row >= 0
    return row[hard], flow[of[hard]], (limits.share[place] * most[of])[hard]


def _split(problem: Problem, tied: np.ndarray, dual: np.ndarray) -> np.ndarray | None:
    """`Prices.split` from the duals of the rows of the needs `tied`."""
    if problem.chains is None:
        return None
    ptr, found = problem.chains.ptr, np.zeros(len(problem.chains.item))
    found[tied] = dual
    counts = np.diff(ptr)
    total = np.repeat(np.add.reduceat(found, ptr[:-1]) if len(counts) else np.zeros(0), counts)
    return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1.0 / np.repeat(counts, counts))


@cache
def _greet() -> None:
    """Let HiGHS print its banner, which it does once a process whatever its options say, where nobody reads it."""
    sys.stdout.flush()
    out, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()  # type: ignore[no-untyped-call,unused-ignore]
    finally:
        os.dup2(out, 1)
        os.close(out)
        os.close(nowhere)
