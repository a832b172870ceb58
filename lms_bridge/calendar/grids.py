"""Period grids: the numbered slots of a campus's school day, checked whole before anything is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import combinations, pairwise

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from lms_bridge.calendar.models import Period, PeriodGrid
from lms_bridge.core import audit
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound, Place
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, OrganisationKind, Person

MAX_PERIODS_PER_DAY = 20
NAME_LENGTH = 80


@dataclass(frozen=True, slots=True, order=True)
class PeriodTime:
    """One period of one weekday (0 is Monday), in the campus's wall-clock time."""

    weekday: int
    number: int
    starts: time
    ends: time

    @property
    def minutes(self) -> int:
        """How long it lasts."""
        return (self.ends.hour - self.starts.hour) * 60 + self.ends.minute - self.starts.minute

    def overlaps(self, other: PeriodTime) -> bool:
        """Whether both take place at once at some moment of the week."""
        return self.weekday == other.weekday and self.starts < other.ends and other.starts < self.ends

    def hours(self) -> str:
        """The times as people write them: ``08:00-08:40``."""
        return f"{self.starts:%H:%M}-{self.ends:%H:%M}"


@dataclass(frozen=True, slots=True)
class Grid:
    """A period grid in force: for some grades (none: all), for online or in-person days."""

    id: int
    name: str
    grades: frozenset[str]
    online: bool
    periods: tuple[PeriodTime, ...]
    valid_from: date | None = None
    valid_to: date | None = None

    def on(self, weekday: int) -> tuple[PeriodTime, ...]:
        """The periods of a weekday in order."""
        return tuple(sorted(p for p in self.periods if p.weekday == weekday))

    def holds_on(self, day: date) -> bool:
        """Whether the grid is in force on ``day`` (``valid_to`` is the first day on which it no longer is)."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or self.valid_to > day)


def every_weekday(times: Iterable[tuple[time, time]], weekdays: Iterable[int] = range(5)) -> list[PeriodTime]:
    """The same times, numbered from 1, on each of these weekdays."""
    rows = list(times)
    return [PeriodTime(day, n, starts, ends) for day in weekdays for n, (starts, ends) in enumerate(rows, 1)]


def period_problems(periods: Sequence[PeriodTime]) -> list[BridgeError]:
    """Everything that is wrong with a list of periods; rows count from 1 in the order given."""
    found: list[BridgeError] = []
    if not periods:
        found.append(InputError(N_("The period grid is empty."), remedy=N_("Add at least one period.")))
    for row, period in enumerate(periods, 1):
        found += _own_problems(row, period)
    for (row, one), (other_row, other) in combinations(enumerate(periods, 1), 2):
        if (one.weekday, one.number) == (other.weekday, other.number):
            found.append(
                InputError(
                    N_("Rows %(row)s and %(other)s are both period %(number)s of the same day."),
                    place=Place(row=other_row),
                    remedy=N_("Give each period of a day a number of its own."),
                    row=row,
                    other=other_row,
                    number=one.number,
                )
            )
        elif one.overlaps(other):
            found.append(_overlap(one, other, other_row))
    found += _order_problems(periods)
    return found


def set_grid(
    campus: Organisation,
    name: str,
    periods: Sequence[PeriodTime],
    *,
    online: bool = True,
    grades: Iterable[str] = (),
    valid_from: date | None = None,
    valid_to: date | None = None,
    actor: Person | None = None,
) -> PeriodGrid:
    """Store the period grid ``name`` of a campus, replacing an earlier one of that name.

    ``online``: for online days, or else for days at school. No grades: for all that have no grid of their own.
    Lessons that exist keep their times until their week is solved again.

    :raises BadInputs: every problem of the periods, and every other grid of the campus that it contradicts.
    """
    problems = period_problems(periods)
    if campus.kind is not OrganisationKind.CAMPUS:
        problems.append(InputError(N_("%(code)s is not a campus."), code=campus.code))
    if not name.strip():
        problems.append(InputError(N_("The grid has no name."), remedy=N_("Give it a name, for instance “Online”.")))
    if len(name.strip()) > NAME_LENGTH:
        problems.append(
            InputError(
                N_("The name of the grid is too long."), remedy=N_("Use at most %(most)s letters."), most=NAME_LENGTH
            )
        )
    if valid_from and valid_to and valid_to <= valid_from:
        problems.append(InputError(N_("The grid ends before it begins."), remedy=N_("Correct one of the two dates.")))
    wanted = Grid(0, name.strip(), frozenset(grades), online, tuple(periods), valid_from, valid_to)
    for other in grids_of(campus.id):
        if other.name != wanted.name and other.online == wanted.online and _hold_together(wanted, other):
            problems += _contradictions(wanted, other)
    if problems:
        raise BadInputs(problems)
    return _store(campus, wanted, actor)


def remove_grid(campus: Organisation, row: PeriodGrid, *, actor: Person | None = None) -> None:
    """Remove a period grid; lessons that exist keep their times until their week is solved again."""
    audit.record(
        "calendar.grid_removed",
        "organisation",
        campus.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=campus.id,
        grid=row.name,
    )
    db.session.delete(row)
    db.session.flush()


def grid_of(campus: Organisation, number: int) -> PeriodGrid:
    """A grid of the campus by its number.

    :raises NotFound: the campus has none of this number.
    """
    row = db.session.get(PeriodGrid, number)
    if row is None or row.campus_id != campus.id:
        raise NotFound()
    return row


def grids_of(campus_id: int) -> list[Grid]:
    """All grids of a campus."""
    rows = db.session.scalars(
        sa.select(PeriodGrid)
        .where(PeriodGrid.campus_id == campus_id)
        .options(selectinload(PeriodGrid.periods))
        .order_by(PeriodGrid.id)
        .execution_options(populate_existing=True)
    )
    return [
        Grid(
            row.id,
            row.name,
            frozenset(row.grades),
            row.online,
            tuple(sorted(PeriodTime(p.weekday, p.number, p.starts, p.ends) for p in row.periods)),
            row.valid_from,
            row.valid_to,
        )
        for row in rows
    ]


def choose_grid(grids: Iterable[Grid], grade: str, *, online: bool, day: date) -> Grid | None:
    """The grid for a grade on a day: one of the right kind before one of the other kind, and then one for the grade
    before one for all. A campus with a single grid uses it online and at school."""
    held = [grid for grid in grids if grid.holds_on(day) and (not grid.grades or grade in grid.grades)]
    return min(held, key=lambda g: (g.online is not online, not g.grades, g.id), default=None)


def grid_for(campus: Organisation, grade: str, *, online: bool, day: date) -> Grid | None:
    """The period grid of a grade at a campus on a day, or None when the campus has none (see :func:`choose_grid`)."""
    return choose_grid(grids_of(campus.id), grade, online=online, day=day)


def _own_problems(row: int, period: PeriodTime) -> list[BridgeError]:
    found: list[BridgeError] = []
    place = Place(row=row)
    if not 0 <= period.weekday <= 6:
        found.append(
            InputError(
                N_("%(weekday)s is not a weekday."),
                place=place,
                remedy=N_("Weekdays are numbered 0 (Monday) to 6 (Sunday)."),
                weekday=period.weekday,
            )
        )
    if not 1 <= period.number <= MAX_PERIODS_PER_DAY:
        found.append(
            InputError(
                N_("%(number)s is not the number of a period."),
                place=place,
                remedy=N_("Number the periods of a day from 1 to %(most)s."),
                number=period.number,
                most=MAX_PERIODS_PER_DAY,
            )
        )
    if period.ends <= period.starts:
        found.append(
            InputError(
                N_("Period %(number)s ends (%(ends)s) before it starts (%(starts)s)."),
                place=place,
                remedy=N_("Correct one of the two times."),
                number=period.number,
                starts=f"{period.starts:%H:%M}",
                ends=f"{period.ends:%H:%M}",
            )
        )
    return found


def _overlap(one: PeriodTime, other: PeriodTime, row: int) -> BridgeError:
    return InputError(
        N_("Period %(other)s (%(other_hours)s) overlaps period %(number)s (%(hours)s)."),
        place=Place(row=row),
        remedy=N_("Let one of them begin when the other has ended."),
        number=one.number,
        hours=one.hours(),
        other=other.number,
        other_hours=other.hours(),
    )


def _order_problems(periods: Sequence[PeriodTime]) -> list[BridgeError]:
    found: list[BridgeError] = []
    for weekday in sorted({p.weekday for p in periods}):
        day = sorted((p for p in periods if p.weekday == weekday), key=lambda p: p.number)
        found += [
            InputError(
                N_("Period %(later)s (%(later_hours)s) lies before period %(number)s (%(hours)s)."),
                place=Place(row=periods.index(two) + 1),
                remedy=N_("Number the periods of a day in the order of their times."),
                number=one.number,
                hours=one.hours(),
                later=two.number,
                later_hours=two.hours(),
            )
            for one, two in pairwise(day)
            if one.number != two.number and two.starts < one.starts and not one.overlaps(two)
        ]
    return found


def _hold_together(one: Grid, two: Grid) -> bool:
    starts = max(one.valid_from or date.min, two.valid_from or date.min)
    return starts < min(one.valid_to or date.max, two.valid_to or date.max)


def _contradictions(wanted: Grid, other: Grid) -> list[BridgeError]:
    """Two grids of a kind: not for the same grades, and periods that overlap in time bear the same number, because a
    teacher of both grades must not be in two periods at once."""
    found: list[BridgeError] = []
    if wanted.grades == other.grades or wanted.grades & other.grades:
        found.append(
            InputError(
                N_("The grid “%(other)s” is already for these grades at the same time."),
                remedy=N_("Change that grid, end it earlier, or name other grades."),
                other=other.name,
            )
        )
    crossing = {
        (mine.number, theirs.number)
        for mine in wanted.periods
        for theirs in other.periods
        if mine.number != theirs.number and mine.overlaps(theirs)
    }
    found += [
        InputError(
            N_("Period %(mine)s overlaps period %(theirs)s of the grid “%(other)s”, which has another number."),
            remedy=N_("Number the periods so that those which overlap in time have the same number in both grids."),
            mine=mine,
            theirs=theirs,
            other=other.name,
        )
        for mine, theirs in sorted(crossing)
    ]
    return found


def _store(campus: Organisation, wanted: Grid, actor: Person | None) -> PeriodGrid:
    row = db.session.scalar(sa.select(PeriodGrid).filter_by(campus_id=campus.id, name=wanted.name))
    if row is None:
        row = PeriodGrid(campus_id=campus.id, name=wanted.name)
        db.session.add(row)
    row.grades = sorted(wanted.grades)
    row.online = wanted.online
    row.valid_from, row.valid_to = wanted.valid_from, wanted.valid_to
    # The old periods must be gone before new ones of the same numbers come (unique key).
    row.periods = []
    db.session.flush()
    row.periods = [Period(weekday=p.weekday, number=p.number, starts=p.starts, ends=p.ends) for p in wanted.periods]
    db.session.flush()
    audit.record(
        "calendar.grid_set",
        "organisation",
        campus.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=campus.id,
        grid=wanted.name,
        periods=len(wanted.periods),
    )
    return row
