"""The program behind exact fronts: which items to place and which way every request goes, priced in every component.

    minimise    sum_k w_k F_k
    subject to  sum_{o of r} f_o = d_r                     each type r that a repository reaches
                sum_{o needs e} q_oe f_o <= L_e y_e        each item e
                f_o <= m_o y_e                             each way o, each e that it needs
                sum_{e at v} z_e y_e <= b_v                each node v
                F_k <= a_k                                 each component k that is limited
                sum_{o slower than a} f_o <= (1 - s) sum_r d_r   if the quantile of latency at share s is at most a
    with        F_k = sum_o c_ok f_o / sum_r d_r

c_ok is component k of way o, the ways that need only the repository among them; the rest is the notation of
`placid.placement.offline.program`, of which this takes the rows. The program routes every request as serves the objective
best. The serving rule does not: it lets each request take what is cheapest under one set of weights. So an optimum here is
one of the *best routing*, which no placement under any weights can beat, and which the serving rule may miss.

Left out is what cannot be in an optimum: ways that some way of the repository alone, which takes no room, matches in all
components that count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from scipy import sparse

from placid.errors import InputError, SolverError, UnknownNameError
from placid.objectives.front import axes_of
from placid.objectives.quantiles import quantile_share
from placid.objectives.ways import Ways
from placid.placement.offline.base import check_demand
from placid.placement.offline.program import Program, _greet
from placid.problem.arrays import COMPONENTS
from placid.problem.placement import empty_placement, trim_to_budgets

__all__ = ["LOADING", "Flows", "Limits", "NothingFound", "Routed"]

#: what may be limited or minimised besides the components: bytes to load against the placement that was there before
LOADING = "load_bytes"


#: on the way into a box, what a whole side of it may cost: makes ties end on the front, not beside it
_NUDGE = 1e-4
#: how near the best the search in a box ends; what it proves is told by its bound
_BOX_GAP = 1e-2


class NothingFound(SolverError):
    """The time limit struck before any placement within the limits was found; there may be one."""


@dataclass(frozen=True)
class Routed:
    """What one solve came to.

    Attributes:
        vector: float64 [4]; mean cost of a served request.
        load_bytes: what has to be loaded.
        placed: bool [N]; None from a relaxation, whose items are fractions.
        y: float64 [N]; the items.
        value: what was minimised.
        bound: nothing within the limits is below it.
        prices: float64 [4]; by how much `value` would fall per unit of each component's limit, at this placement.
        proven: the solver ended by itself, not by the time limit.
    """

    vector: np.ndarray
    load_bytes: float
    placed: np.ndarray | None
    y: np.ndarray
    value: float
    bound: float
    prices: np.ndarray
    proven: bool


@dataclass(frozen=True)
class Limits:
    """What an answer may come to at most.

    Attributes:
        most: float64 [5]; components, then bytes to load; infinite where there is no limit.
        late: (seconds, share): at most `share` of the requests may take longer than that.
    """

    most: np.ndarray
    late: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, at_most: Mapping[str, float]) -> Limits:
        """From component, `LOADING` or quantile (as ``latency_p95_s``) -> the most that it may come to.

        Raises:
            InputError: a name is none of these.
        """
        names = (*COMPONENTS, LOADING)
        most, late = np.full(5, np.inf), []
        for name, value in at_most.items():
            share = quantile_share(name)
            if share is not None:
                late.append((float(value), 1.0 - share))
            elif name in names:
                most[names.index(name)] = value
            else:
                raise UnknownNameError("objective", name, (*names, "latency_p95_s"))
        return cls(most, tuple(late))

    @property
    def any(self) -> bool:
        return bool(np.isfinite(self.most).any() or self.late)


@dataclass(frozen=True)
class Flows:
    """The program for one demand.

    Columns: y of `items` [I], flows of the ways that need items [J], flows of those that need only the repository [Q].
    All lie between 0 and 1: flows are counted in parts of the most that a way can serve, or of their type's demand.

    Attributes:
        matrix: [rows, I + J + Q], by column.
        lower, upper: float64 [rows].
        costs: float64 [5, I + J + Q]; components of a mean request in units of `unit`, then bytes to load likewise.
        unit: float64 [5].
        amount, latency_s: float64 [I + J + Q]; share of all requests that a column of 1 is, and what each of them waits; 0
            where the column is an item.
    """

    ways: Ways
    demand: np.ndarray
    objectives: tuple[str, ...]
    items: np.ndarray
    matrix: sparse.csc_matrix
    lower: np.ndarray
    upper: np.ndarray
    costs: np.ndarray
    unit: np.ndarray
    amount: np.ndarray
    latency_s: np.ndarray

    @classmethod
    def of(
        cls,
        ways: Ways,
        demand: np.ndarray,
        objectives: Sequence[str] = COMPONENTS,
        *,
        before: np.ndarray | None = None,
    ) -> Flows:
        """The program for `demand` ([R]).

        Args:
            objectives: the components that will be minimised or limited; fewer of them leave more ways out.
            before: bool [N]; what is in place already, for the bytes to load; nothing if left out.

        Raises:
            InputError: no repository can answer any of the demand.
        """
        frame = ways.frame
        axes = axes_of(objectives)
        demand = np.where(frame.repository_node >= 0, check_demand(frame, demand), 0.0)
        total = demand.sum()
        if total <= 0:
            raise InputError("there are no requests that a repository could answer: no front to speak of")
        kept = _useful(ways, axes)
        program = Program.of(ways.chosen(kept, np.ones(len(kept))), demand)
        used = kept[program.options]
        types = np.flatnonzero(demand > 0)
        row = np.full(frame.type_count, -1)
        row[types] = np.arange(len(types))
        top = np.flatnonzero((demand[ways.repository_type] > 0) & _best_at_top(ways, axes))
        count, flows = len(program.items), len(used)
        columns = count + flows + len(top)
        everyone = sparse.coo_matrix(
            (
                np.concatenate((program.most / demand[ways.type[used]], np.ones(len(top)))),
                (
                    np.concatenate((row[ways.type[used]], row[ways.repository_type[top]])),
                    np.arange(count, columns),
                ),
            ),
            shape=(len(types), columns),
        )
        rest = program.matrix[program.first_capped :]
        rest = sparse.hstack((rest, sparse.csc_matrix((rest.shape[0], len(top)))))
        costs = np.zeros((5, columns))
        costs[:4, count : count + flows] = (ways.vector[used] * program.most[:, None]).T / total
        costs[:4, count + flows :] = (
            ways.repository_vector[top] * demand[ways.repository_type[top], None]
        ).T / total
        costs[4, :count] = frame.item_size[program.items]
        if before is not None:
            costs[4, :count] *= ~before[program.items]
        unit = np.maximum(np.abs(costs).max(axis=1), 1e-300)
        matrix = sparse.vstack((everyone, rest, costs / unit[:, None]), format="csc")
        upper = np.concatenate(
            (np.ones(len(types)), program.upper[program.first_capped :], np.full(5, np.inf))
        )
        lower = np.full(len(upper), -np.inf)
        lower[: len(types)] = 1.0
        return cls(
            ways=ways,
            demand=demand,
            objectives=tuple(objectives),
            items=program.items,
            matrix=matrix,
            lower=lower,
            upper=upper,
            costs=costs / unit[:, None],
            unit=unit,
            amount=np.concatenate((np.zeros(count), program.most, demand[ways.repository_type[top]])) / total,
            latency_s=np.concatenate((np.zeros(count), ways.vector[used, 0], ways.repository_vector[top, 0])),
        )

    def least(
        self,
        weights: np.ndarray,
        at_most: Mapping[str, float] | None = None,
        *,
        whole: bool = True,
        placed: np.ndarray | None = None,
        time_limit_s: float = 60.0,
    ) -> Routed | None:
        """The least ``weights @ vector``; None if nothing is within the limits.

        Args:
            weights: float64 [4]; or [5], with the price of a byte to load.
            at_most: component, `LOADING`, or quantile of latency (``latency_p95_s``) -> the most that it may come to.
            whole: items are placed or not; otherwise the relaxation, whose value is a lower bound.
            placed: this placement and no other; only the routing is sought.

        Raises:
            NothingFound: the time limit struck before any placement within the limits was found.
            SolverError: HiGHS fails.
        """
        weights = np.concatenate((np.asarray(weights, np.float64), np.zeros(5)))[:5]
        limits = Limits.of(at_most or {})
        counts = np.array([name in self.objectives for name in COMPONENTS] + [True])
        asked = (weights != 0) | np.isfinite(limits.most)
        asked[0] |= bool(limits.late)
        if (asked & ~counts).any():
            raise InputError(f"this program knows of {', '.join(self.objectives)} only; name all that counts")
        if placed is not None:
            return self._routed(weights, limits, placed, -np.inf, True)
        try:
            found = self._solve(weights, limits, whole=whole, time_limit_s=time_limit_s)
        except NothingFound:
            if not whole or limits.any:
                raise
            # without limits there is always this
            return self._routed(weights, limits, empty_placement(self.ways.frame), -np.inf, False)
        if found is None:
            return None
        if not whole:
            return found
        again = self._whole(found, weights, limits)
        # what counts is what comes out here: a value that does not reach the bound is not proven, whatever HiGHS says
        reached = again.value - again.bound <= 1e-5 * float(np.abs(weights) @ self.unit)
        return replace(again, proven=again.proven and reached)

    def into(
        self, low: np.ndarray, high: np.ndarray, *, time_limit_s: float = 60.0
    ) -> tuple[Routed | None, float]:
        """The point of the front met first on the straight way from `low` to `high` ([4] each), and how far nothing is.

        The least t with ``F <= low + t (high - low)`` in every objective of this program. All that lies strictly below
        ``low + empty (high - low)`` in every one of them is out of reach.

        Returns:
            the point, None if there is none within `high`; and `empty`, in [0, 1].

        Raises:
            NothingFound: as `least`.
            SolverError: HiGHS fails.

        Reference: A. Pascoletti, P. Serafini: Scalarizing vector optimization problems, JOTA 1984.
        """
        axes = axes_of(self.objectives)
        weights = np.zeros(5)
        weights[axes] = _NUDGE / (high - low)[axes]
        limits = Limits(np.full(5, np.inf))
        found = self._solve(weights, limits, whole=True, way=(low, high), time_limit_s=time_limit_s)
        if found is None:
            return None, 1.0
        # the bound holds the nudges, which in the box come to no more than those of its upper corner
        empty = min(max(found.bound - float(weights[axes] @ high[axes]), 0.0), 1.0)
        return self._whole(found, weights, limits, (low, high)), empty

    def routed_into(self, low: np.ndarray, high: np.ndarray, placed: np.ndarray) -> Routed | None:
        """The same for the placement `placed` and no other: a linear program."""
        axes = axes_of(self.objectives)
        weights = np.zeros(5)
        weights[axes] = _NUDGE / (high - low)[axes]
        return self._routed(weights, Limits(np.full(5, np.inf)), placed, -np.inf, False, (low, high))

    def _whole(
        self,
        found: Routed,
        weights: np.ndarray,
        limits: Limits,
        way: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Routed:
        """Flows anew, for whole items: what HiGHS allows itself with fractions of 1e-6 is not kept."""
        assert found.placed is not None
        kept = trim_to_budgets(self.ways.frame, found.placed, np.ones(len(found.placed)))
        again = self._routed(weights, limits, kept, found.bound, found.proven, way)
        if again is None:
            raise SolverError(
                "HiGHS' placement keeps the limits only within its tolerance; loosen them a little"
            )
        return again

    def _routed(
        self,
        weights: np.ndarray,
        limits: Limits,
        placed: np.ndarray,
        bound: float,
        proven: bool,
        way: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Routed | None:
        """The best routing of `placed`; limits give way by what HiGHS' tolerances are worth."""
        y = placed[self.items].astype(np.float64)
        for slack in (1e-9, 1e-6):
            loose = Limits(
                limits.most + slack * self.unit, tuple((most, share + slack) for most, share in limits.late)
            )
            found = self._solve(weights, loose, y=y, way=way)
            if found is not None:
                y_all = placed.astype(np.float64)
                return replace(found, placed=placed, y=y_all, bound=min(bound, found.value), proven=proven)
        return None

    def _program(
        self, weights: np.ndarray, limits: Limits, way: tuple[np.ndarray, np.ndarray] | None
    ) -> tuple[highspy.HighsLp, float]:
        """The program for HiGHS, and what its objective has to be multiplied with; a last column is how far on the `way`."""
        matrix = self.matrix
        objective = (weights * self.unit) @ self.costs
        scale = float(np.abs(objective).max(initial=0.0)) or 1.0
        lower, upper = self.lower.copy(), self.upper.copy()
        upper[-5:] = limits.most / self.unit
        if limits.late:
            # a quantile on the edge of a way's latency does not fail by round-off
            late = np.array([(self.latency_s > most * (1 + 1e-9)) * self.amount for most, _ in limits.late])
            matrix = sparse.vstack((matrix, sparse.csc_matrix(late)), format="csc")
            lower = np.concatenate((lower, np.full(len(late), -np.inf)))
            upper = np.concatenate((upper, [share + 1e-12 for _, share in limits.late]))
        if way is not None:
            axes, scale = axes_of(self.objectives), 1.0
            low, high = way
            rows = len(self.upper) - 5 + np.array(axes)
            upper[rows] = low[axes] / self.unit[axes]
            step = sparse.csc_matrix(
                ((low - high)[axes] / self.unit[axes], (rows, np.zeros(len(axes), int))),
                shape=(matrix.shape[0], 1),
            )
            matrix = sparse.hstack((matrix, step), format="csc")
            objective = np.append(objective, 1.0)
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = matrix.shape
        lp.col_cost_ = objective / scale
        lp.col_lower_, lp.col_upper_ = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
        lp.row_lower_, lp.row_upper_ = lower, upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
        lp.a_matrix_.value_ = matrix.data
        return lp, scale

    def _solve(
        self,
        weights: np.ndarray,
        limits: Limits,
        *,
        whole: bool = False,
        y: np.ndarray | None = None,
        way: tuple[np.ndarray, np.ndarray] | None = None,
        time_limit_s: float = 60.0,
    ) -> Routed | None:
        _greet()
        solver = highspy.Highs()  # type: ignore[no-untyped-call,unused-ignore]
        gap = 1e-7 if way is None else _BOX_GAP
        settings = {"output_flag": False, "threads": 1, "time_limit": time_limit_s, "mip_rel_gap": gap}
        for name, value in settings.items():
            solver.setOptionValue(name, value)
        lp, scale = self._program(weights, limits, way)
        items, columns = len(self.items), self.matrix.shape[1]
        if y is not None:
            low, high = np.zeros(lp.num_col_), np.ones(lp.num_col_)
            low[:items] = high[:items] = y
            high[columns:] += 1e-5  # how far on the way gives way too
            lp.col_lower_, lp.col_upper_ = low, high
        if whole:
            kinds = [highspy.HighsVarType.kInteger] * items
            lp.integrality_ = kinds + [highspy.HighsVarType.kContinuous] * (lp.num_col_ - items)
        if solver.passModel(lp) == highspy.HighsStatus.kError:
            raise SolverError("HiGHS refuses the program of a front")
        # no start is given: with one, presolve of HiGHS 1.16 can call it optimal when it is not
        solver.run()
        ended = solver.getModelStatus()
        # with every column between 0 and 1 nothing is unbounded
        if ended in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None
        if ended not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit):
            raise SolverError(
                f"HiGHS ended with '{solver.modelStatusToString(ended)}' on the program of a front"
            )
        info, found = solver.getInfo(), solver.getSolution()
        column = np.array(found.col_value)
        if ended == highspy.HighsModelStatus.kTimeLimit and info.primal_solution_status != 2:
            raise NothingFound(
                f"no placement within the limits was found in {time_limit_s:g} s; allow more time"
            )
        told = self.costs @ column[:columns] * self.unit
        fractions = np.zeros(self.ways.frame.item_count)
        fractions[self.items] = np.clip(column[:items], 0.0, 1.0)
        prices = np.zeros(5)
        if not whole and len(found.row_dual) == lp.num_row_:
            last = len(self.upper)
            prices = np.maximum(-np.array(found.row_dual)[last - 5 : last], 0.0) * scale / self.unit
        proven = ended == highspy.HighsModelStatus.kOptimal
        value = float(weights @ told) + float(column[columns:].sum())
        bound = float(info.mip_dual_bound) * scale if whole else value if proven else -np.inf
        return Routed(
            vector=told[:4],
            load_bytes=float(told[4]),
            placed=fractions > 0.5 if whole else None,
            y=fractions,
            value=value,
            bound=min(bound, value),
            prices=prices[:4],
            proven=proven,
        )


def _useful(ways: Ways, axes: list[int]) -> np.ndarray:
    """Indices of the ways that no way of the repository alone matches in all of `axes`."""
    useful = np.ones(len(ways), bool)
    first = np.searchsorted(ways.type, np.arange(ways.frame.type_count + 1))
    for r in range(ways.frame.type_count):
        mine = slice(first[r], first[r + 1])
        top = ways.repository_vector[ways.repository_ptr[r] : ways.repository_ptr[r + 1]][:, axes]
        matched = np.all(top[None] <= ways.vector[mine][:, None, axes], axis=2)
        useful[mine] = ~np.any(matched, axis=1)
    return np.flatnonzero(useful)


def _best_at_top(ways: Ways, axes: list[int]) -> np.ndarray:
    """bool [Q]: the repository's ways that no other of their type matches in all of `axes`; of equals the first."""
    kept = np.ones(len(ways.repository_vector), bool)
    for r in range(ways.frame.type_count):
        mine = np.arange(ways.repository_ptr[r], ways.repository_ptr[r + 1])
        cost = ways.repository_vector[mine][:, axes]
        no_worse = (cost[:, None] <= cost[None]).all(axis=2)
        strict = no_worse & ((cost[:, None] < cost[None]).any(axis=2) | np.triu(np.ones_like(no_worse), 1))
        kept[mine] = ~strict.any(axis=0)
    return kept
