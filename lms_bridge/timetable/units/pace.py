"""What a teaching week teaches once lessons are lost: pure rules, no database.

What was planned (:mod:`lms_bridge.plans.weeks`) and what was taught differ then. Units keep their order: a week takes
as many steps as the plan gives it, and these are the first ones that have not been taught yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lms_bridge.plans.weeks import Step


@dataclass(slots=True)
class Record:
    """What is known of one timetabled week: the steps that its lessons teach (those that take place), and all that
    any lesson of it was ever meant to teach, cancelled ones too."""

    taught: list[Step] = field(default_factory=list)
    known: list[Step] = field(default_factory=list)


def untaught(weeks: Sequence[Collection[Step]], week: int, recorded: Mapping[int, Record]) -> list[Step]:
    """The steps that are not taught before teaching week ``week`` (from 1), in order.

    ``recorded`` has an entry for each timetabled week (an empty one where no lesson is of this plan). Weeks without a
    timetable are taken to have followed the plan; so is what stands before the first known step of a week that
    follows one without a timetable.
    """
    line = [step for steps in weeks for step in steps]
    places = {step: place for place, step in enumerate(line)}
    done = {step for number, steps in enumerate(weeks[: week - 1], 1) if number not in recorded for step in steps}
    for number, record in recorded.items():
        if number < week:
            done.update(record.taught)
        if number <= week and number - 1 not in recorded:
            begun = min((places[step] for step in record.known if step in places), default=0)
            done.update(line[:begun])
    return [step for step in line if step not in done]


def steps_of_week(
    weeks: Sequence[Collection[Step]],
    week: int,
    recorded: Mapping[int, Record],
    share: tuple[int, int] = (1, 1),
) -> list[Step]:
    """What teaching week ``week`` teaches: as many steps as planned for it, the first that are not taught yet.

    ``share`` is the part (numerator, denominator) of the week that is timetabled; when school goes online on a
    Wednesday, what was planned for Monday and Tuesday is taken to have been taught.
    """
    planned = len(weeks[week - 1])
    part, whole = share
    count = (2 * planned * part + whole) // (2 * whole) if whole else 0
    # The part of this week that was taught before the timetable began is skipped only once: when lessons of the week
    # are known already, ``untaught`` finds it from them.
    known = recorded.get(week)
    skipped = 0 if known is not None and known.known else planned - count
    return untaught(weeks, week, recorded)[skipped : skipped + count]


def only_in(weeks: Sequence[Sequence[Step]], taught: Sequence[bool]) -> list[list[Step]]:
    """The plan of a subject that is taught only in some weeks (odd or even ones): what was planned for another week
    moves on to the next week with lessons, or back to the last one. Without any such week nothing moves."""
    if not any(taught):
        return [list(steps) for steps in weeks]
    found: list[list[Step]] = [[] for _ in weeks]
    carried: list[Step] = []
    for number, (steps, held) in enumerate(zip(weeks, taught, strict=True)):
        carried += steps
        if held:
            found[number], carried = carried, []
    last = max(number for number, held in enumerate(taught) if held)
    found[last] += carried
    return found
