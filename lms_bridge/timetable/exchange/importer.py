"""Makes the timetable of a file that of a campus, for the weeks that are asked for: one change set, all or nothing.

What stands in the file is the whole timetable of the classes that it names: lessons that are there already stay with
their links, others move, are added or cancelled. Lessons that have begun stay as they are. Units follow by themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lms_bridge.calendar.days import (
    TeachingWeek,
    days_of_week,
    iso_week,
    monday_of,
    shift_week,
    teaching_weeks,
    term_of_week,
)
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_, gettext, ngettext
from lms_bridge.roster.models import Organisation, Person, Term
from lms_bridge.timetable.changing import changes, week_versions
from lms_bridge.timetable.exchange.fet_inputs import Taken
from lms_bridge.timetable.exchange.given import GivenTimetable
from lms_bridge.timetable.exchange.naming import NamedLesson, Names, double_bookings, named_lessons
from lms_bridge.timetable.exchange.planning import TermPlan
from lms_bridge.timetable.exchange.taking import TAKEN_WORDS, ConstraintCount, FileRules
from lms_bridge.timetable.models import ChangeSet
from lms_bridge.timetable.weeks.demand import classes_of_term
from lms_bridge.timetable.wording import DaysOff

MAX_WEEKS = 30
"""A term has about twenty."""

COUNTED = {"kept": N_("unchanged"), **{kind.value: words for kind, words in week_versions.COUNTED.items()}}
"""Words for what happens to lessons."""


@dataclass
class TimetableImport:
    """What became (or, at a dry run, would become) of a file. ``counts`` are lessons by what happens to them;
    ``seen`` are the versions of the weeks that it was worked out from."""

    lessons: int
    weeks: tuple[str, ...]
    counts: dict[str, int]
    dry_run: bool
    change_set: ChangeSet | None = None
    warnings: list[BridgeError] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    rules: dict[Taken, list[str]] = field(default_factory=dict)
    """What of the file's rules can be taken over into the campus's inputs, in words."""
    constraints: list[ConstraintCount] = field(default_factory=list)
    """What becomes of every constraint of a FET file."""

    @property
    def would_change(self) -> bool:
        """Whether lessons or rules change."""
        return bool(self.rules) or any(count for kind, count in self.counts.items() if kind != "kept")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the command line and REST."""
        return {
            "lessons_a_week": self.lessons,
            "weeks": list(self.weeks),
            "counts": self.counts,
            "dry_run": self.dry_run,
            "change_set": self.change_set.uid if self.change_set is not None else None,
            "seen": self.seen,
            "warnings": [warning.as_dict() for warning in self.warnings],
            "rules": [{"kind": kind.value, "texts": texts} for kind, texts in self.rules.items()],
            "constraints": [line.as_dict() for line in self.constraints],
        }

    def lines(self) -> list[str]:
        """What happened in words, in the language in force."""
        words = [
            gettext("%(what)s: %(n)s", what=gettext(COUNTED[kind]), n=count)
            for kind, count in self.counts.items()
            if count
        ]
        found = [
            gettext(
                "%(lessons)s in %(weeks)s.",
                lessons=ngettext("%(n)s lesson a week", "%(n)s lessons a week", self.lessons),
                weeks=ngettext("%(n)s week", "%(n)s weeks", len(self.weeks)),
            ),
            gettext(", ").join(words) or gettext("Nothing would change."),
        ]
        found += [f"{gettext(TAKEN_WORDS[kind])}: {len(texts)}" for kind, texts in self.rules.items()]
        if self.constraints:
            found.append(gettext("Constraints of the FET file:"))
            found += [f"  {line}" for line in self.constraints]
        if self.dry_run:
            found.append(gettext("Only tried: nothing was stored."))
        return found + [str(warning) for warning in self.warnings]


def import_timetable(
    campus: Organisation,
    given: GivenTimetable,
    *,
    first_week: str,
    last_week: str | None = None,
    name: str,
    actor: Person | None,
    dry_run: bool = False,
    seen: Mapping[str, int] | None = None,
    take: Collection[Taken] = tuple(Taken),
) -> TimetableImport:
    """Make ``given`` the timetable of its classes at ``campus`` in these ISO weeks (``2026-W48``, both included).

    ``name`` is that of the file. Days without school are left out and named. ``seen`` are the versions of the weeks
    that somebody looked at (those of a dry run); None asks nothing. ``take``: which of the campus's inputs take over
    what the constraints of a FET file say. Call it in a transaction.

    :raises InputError: the weeks are none, lie in different terms, or are too many.
    :raises BadInputs: what could not be read, unknown or doubtful names, periods that the grids do not have, lessons on
        days without school, people in two lessons at once; all are listed.
    :raises Overtaken: somebody changed one of the weeks since it was ``seen``; says what was changed.
    """
    term, weeks = _weeks(campus, first_week, last_week)
    day = weeks[0].days[0].day if weeks[0].days else monday_of(weeks[0].iso)
    names = Names(campus, classes_of_term(campus.id, term, day), day)
    if seen is not None and not dry_run:
        week_versions.expect_versions(campus, {week.iso: seen.get(week.iso, 0) for week in weeks})
    lessons, unknown = named_lessons(names, given.lessons)
    twice, pairs = double_bookings(names, lessons)
    plan = TermPlan(campus, term, lessons)
    for teaching_week in weeks:
        plan.add(teaching_week)
    problems = [*given.problems, *unknown, *twice, *_made_up(lessons, weeks)]
    problems += [*plan.closed_days(), *plan.problems.values(), *plan.clashes(pairs)]
    if problems:
        raise BadInputs(sorted(problems, key=_row_of), file=name)
    rules = FileRules(campus, term, names, given)
    result = TimetableImport(
        len(lessons), tuple(w.iso for w in weeks), plan.counts(), dry_run,
        warnings=[*given.notes, *plan.warnings()], seen=plan.versions(),
        rules={kind: texts for kind, texts in rules.offered().items() if kind in take}, constraints=rules.counts(take),
    )  # fmt: skip
    if not dry_run:
        rules.take(take, actor)
    if not dry_run and plan.wanted:
        result.change_set = changes.apply(plan.propose(name, actor), actor)
    return result


def _row_of(error: BridgeError) -> tuple[str, int]:
    """Where people look for a problem: down the rows of each sheet; what has no row comes last."""
    place = error.place
    return (str(place.table or ""), place.row) if place is not None and place.row is not None else ("\uffff", 0)


def _made_up(lessons: Sequence[NamedLesson], weeks: Sequence[TeachingWeek]) -> list[BridgeError]:
    """A make-up lesson is held once."""
    if len(weeks) == 1:
        return []
    return [
        InputError(
            N_("A make-up lesson (for %(when)s) is held once, but several weeks are imported."),
            place=lesson.place,
            remedy=N_("Import its week alone, or take it out of the file."),
            when=str(lesson.makes_up),
        )
        for lesson in lessons
        if lesson.makes_up is not None
    ]


def _weeks(campus: Organisation, first: str, last: str | None) -> tuple[Term, list[TeachingWeek]]:
    """The term of the weeks, and the weeks."""
    start, end = iso_week(monday_of(first)), iso_week(monday_of(last or first))
    if monday_of(end) < monday_of(start):
        raise InputError(
            N_("The last week (%(last)s) lies before the first (%(first)s)."),
            remedy=N_("Exchange the two, or name only one week."),
            first=start,
            last=end,
        )
    term = term_of_week(campus, start)
    if term_of_week(campus, end).id != term.id:
        raise InputError(
            N_("Weeks %(first)s and %(last)s lie in different terms."),
            remedy=N_("Import the timetable of each term on its own."),
            first=start,
            last=end,
        )
    known = {week.iso: week for week in teaching_weeks(campus, term)}
    chosen: list[TeachingWeek] = []
    week = start
    while monday_of(week) <= monday_of(end):
        if week in known:
            chosen.append(known[week])
        week = shift_week(week, 1)
        if len(chosen) > MAX_WEEKS:
            raise InputError(
                N_("These are more than %(most)s weeks."), remedy=N_("Choose fewer weeks."), most=MAX_WEEKS
            )
    if not any(w.days for w in chosen):
        _, off = days_of_week(campus, start)
        raise InputError(
            N_("No school is held at campus %(campus)s in week %(week)s (%(days)s)."),
            remedy=N_("Choose another week, or correct the school calendar."),
            campus=campus.code,
            week=start,
            days=DaysOff(off),
        )
    return term, chosen
