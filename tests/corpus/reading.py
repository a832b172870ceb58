"""Lets the product read a document of the corpus as an upload, for the judge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.plans.reading import installed_converter, read_plan
from tests.corpus.judging import Verdict, judge, refused


def verdict_on(path: Path, expected: Mapping[str, Any]) -> tuple[Verdict, str]:
    """The verdict, and the refusal's first words where the document was refused."""
    first, last = (date.fromisoformat(day) for day in expected["term"])
    try:
        plan = read_plan(
            path, name=path.name, term=(first, last), minutes=expected["minutes"], converter=installed_converter()
        )
    except BridgeError as error:
        problems = error.problems if isinstance(error, BadInputs) else [error]
        return refused(expected), str(problems[0])
    units = [
        {
            "title": unit.title,
            "periods": unit.periods,
            "week_from": unit.week_from,
            "week_to": unit.week_to,
            "date_from": unit.date_from.isoformat() if unit.date_from else None,
            "date_to": unit.date_to.isoformat() if unit.date_to else None,
            "assumed": unit.assumed,
        }
        for unit in plan.units
    ]
    return judge(expected, units, [str(warning) for warning in plan.warnings]), ""
