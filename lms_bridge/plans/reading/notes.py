"""What a reader has to tell people: problems that stop the import, and warnings about what it concluded or left out."""

from __future__ import annotations

from typing import Any

from lms_bridge.core.errors import BridgeError, InputError, Place
from lms_bridge.plans.reading.columns import Column
from lms_bridge.plans.reading.grid import Grid, Row
from lms_bridge.plans.reading.places import place_in
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.units import Warning_


class Notes:
    """Collects problems and warnings of one file, each with its place."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[BridgeError] = []
        self.warnings: list[Warning_] = []

    def problem(self, problem: CellProblem, grid: Grid, row: Row, column: Column | None, value: str = "") -> None:
        """What is wrong with the cell of ``row`` under ``column``."""
        start, heading = (column.start, column.text) if column is not None else (None, "")
        self.problem_at(problem, place_in(self.file, grid, row, column=start, heading=heading, value=value))

    def problem_at(self, problem: CellProblem, place: Place) -> None:
        """What is wrong at ``place``."""
        self.problems.append(InputError(problem.message, place=place, remedy=problem.remedy, **problem.params))

    def warn(self, message: str, grid: Grid, row: Row, value: str = "", **params: Any) -> None:
        """Something about ``row`` that a person should look at."""
        self.warnings.append(Warning_(message, place_in(self.file, grid, row, value=value), params))

    def take(self, other: Notes) -> None:
        """Add what another reader of the same file found."""
        self.problems += other.problems
        self.warnings += other.warnings
