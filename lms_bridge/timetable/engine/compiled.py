"""How the functions of the kernel are compiled: kept on disk, and without wrappers where Python never calls them.

Numba writes the result beside the source or, where that is not writable, into the user's cache folder
(``NUMBA_CACHE_DIR`` names another), so only the first run after an installation waits for the compiler. Where no
folder is writable at all, every process compiles for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from numba import njit

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def inner(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """A function that only the kernel itself calls: without the wrappers that Python needs, it compiles faster."""
    return _compiled(function, {"no_cpython_wrapper": True, "no_cfunc_wrapper": True})


def outer(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """A function that Python calls."""
    return _compiled(function, {})


def _compiled(function: Callable[Parameters, Result], options: dict[str, Any]) -> Callable[Parameters, Result]:
    try:
        made = njit(cache=True, error_model="numpy", **options)(function)
    except RuntimeError:  # no folder for the cache can be written
        made = njit(error_model="numpy", **options)(function)
    return cast(Callable[Parameters, Result], made)
