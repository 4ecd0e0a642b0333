"""What follows from a problem alone is worked out once, and forgotten with the problem."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from weakref import ref

from placid.problem.arrays import Problem

__all__ = ["once_a_problem"]

F = TypeVar("F", bound=Callable[..., Any])


def once_a_problem(function: F) -> F:
    """`function` (of a problem and hashable arguments), remembered for as long as the problem lives.

    Problems are frozen and hold arrays, so they are told apart by identity, which costs nothing.
    """
    known: dict[int, tuple[Any, dict[Any, Any]]] = {}

    @wraps(function)
    def remembering(problem: Problem, *args: Any) -> Any:
        key = id(problem)
        if key not in known or known[key][0]() is not problem:
            known[key] = ref(problem, lambda _: known.pop(key, None)), {}
        answers = known[key][1]
        if args not in answers:
            answers[args] = function(problem, *args)
        return answers[args]

    return remembering  # type: ignore[return-value]
