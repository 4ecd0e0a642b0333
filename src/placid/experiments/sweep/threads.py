"""One thread for each process that plays cells: a sum by several threads may end in another last digit than by one.

Imports nothing large, so that it can be asked before what reads these variables is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ONE_THREAD", "children_of_one_thread"]

#: what numpy's linear algebra and polars read when they are loaded
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)


@contextmanager
def children_of_one_thread() -> Iterator[None]:
    """Within it, processes that this one starts keep to one thread."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
