"""The substitution board of a day: lessons without a teacher, who could take them, and how loads compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, Conflict
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.cases.colleagues import Colleague
from lms_bridge.timetable.cases.desk import Desk, read_desk
from lms_bridge.timetable.cases.diary import Diary
from lms_bridge.timetable.cases.hits import absent_from
from lms_bridge.timetable.cases.loads import lessons_on
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.lesson_changes import LessonProblem, substitute_teacher
from lms_bridge.timetable.changing.week_versions import lock
from lms_bridge.timetable.models import (
    ChangeKind,
    ChangeSet,
    ChangeState,
    Lesson,
    LessonChange,
    LessonMode,
    TeacherPart,
)
from lms_bridge.timetable.queries import lesson_by_uid
from lms_bridge.timetable.snapshots import state_of
from lms_bridge.timetable.wording import When


@dataclass(frozen=True, slots=True)
class Offer:
    """Somebody who is free at the time of a lesson. ``fit``: 0 teaches the subject, 1 knows the class, 2 neither."""

    colleague: Colleague
    fit: int


@dataclass(frozen=True, slots=True)
class Row:
    """A lesson of the board. ``offers`` are the free, the best first; ``stands_in`` who took it; ``change_set`` by
    which change, if that can still be undone today; ``open``: still to come, so that something can be done."""

    lesson: Lesson
    absent: tuple[str, ...]
    offers: tuple[Offer, ...]
    stands_in: str = ""
    change_set: ChangeSet | None = None
    open: bool = True

    @property
    def missing(self) -> bool:
        """Whether nobody leads it."""
        return not self.stands_in


@dataclass(frozen=True, slots=True)
class Line:
    """A teacher of the campus in the table of loads."""

    colleague: Colleague
    today: int


@dataclass(frozen=True, slots=True)
class Board:
    """A day of a campus: its lessons that lack or lacked a teacher, in order of time, and the loads of its teachers,
    the least asked first."""

    campus: Organisation
    day: date
    rows: Sequence[Row]
    loads: Sequence[Line]

    @property
    def missing(self) -> int:
        """Lessons to come that nobody leads."""
        return sum(row.missing and row.open for row in self.rows)


def board_of(campus: Organisation, day: date) -> Board:
    """The board of a campus for a day (campus date)."""
    desk = read_desk(campus, day, day, ahead=0)
    diary = Diary(desk)
    today = [number for number, state in desk.lessons.items() if state.starts_local.date() == day]
    rows = [row for number in today if (row := _row(desk, diary, number)) is not None]
    own = [c for c in desk.colleagues.values() if c.same_campus]
    counts = lessons_on(campus, [c.person_id for c in own], day)
    lines = [Line(c, counts.get(c.person_id, 0)) for c in own]
    lines.sort(key=lambda line: (line.colleague.load.stood_in, line.colleague.load.week, line.colleague.name))
    return Board(campus, day, sorted(rows, key=lambda r: (r.lesson.starts_at, r.lesson.id)), lines)


def assign(lesson: Lesson, teacher: Person, *, seen: int | None, actor: Person | None) -> ChangeSet:
    """Give one lesson of the board to ``teacher``; one change set, which can be undone the same day. ``seen`` is the
    lesson's ``sequence`` on the board that was looked at: who stood in then is replaced, nobody else.

    :raises BadInputs: it has begun, or ``teacher`` is none, not free, or of a campus outside the group.
    :raises Conflict: the lesson was changed since: somebody stands in already, for instance.
    """
    lesson = _as_seen(lesson, seen)
    campus = db.session.get_one(Organisation, lesson.campus_id)
    day = state_of(lesson).starts_local.date()
    known = read_desk(campus, day, day, ahead=0).colleagues
    if teacher.id not in known:
        raise BadInputs(
            [
                LessonProblem(
                    N_("%(person)s does not teach in this group of schools."),
                    field="teacher",
                    remedy=N_("Choose one from the list."),
                    person=teacher.display_name,
                )
            ]
        )
    return substitute_teacher(lesson, teacher, actor=actor)


def _as_seen(lesson: Lesson, seen: int | None) -> Lesson:
    """The lesson as it is now, its week locked.

    :raises Conflict: it is not the one that was looked at.
    """
    lock([lesson.week_id])
    now_stored = lesson_by_uid(lesson.uid)
    assert now_stored is not None
    if now_stored.sequence == seen:
        return now_stored
    stands_in = [t.person.display_name for t in now_stored.teachers if t.part is TeacherPart.SUBSTITUTE]
    raise Conflict(
        N_("%(who)s already stands in for the lesson on %(when)s.")
        if stands_in
        else N_("The lesson on %(when)s was changed meanwhile."),
        remedy=N_("Nothing of yours was done. Look at the board as it is now, then decide again."),
        who=", ".join(stands_in),
        when=When(now_stored.starts_at, now_stored.zone),
    )


def _row(desk: Desk, diary: Diary, number: int) -> Row | None:
    lesson, state = desk.rows[number], desk.lessons[number]
    names = {t.person_id: t.person.display_name for t in lesson.teachers}
    coming = state.starts_at > now()
    if absent_from(state, desk):
        leaders = tuple(names[person_id] for person_id, part in state.teachers if part is not TeacherPart.ASSISTANT)
        return Row(lesson, leaders, _offers(desk, diary, number) if coming else (), open=coming)
    substitutes = [names[person_id] for person_id, part in state.teachers if part is TeacherPart.SUBSTITUTE]
    if not substitutes:
        return None
    change_set = _given_by(number)
    undone_by = change_set if change_set is not None and changes.undoable(change_set) else None
    return Row(lesson, _led_before(number), (), ", ".join(substitutes), undone_by, coming)


def _offers(desk: Desk, diary: Diary, number: int) -> tuple[Offer, ...]:
    state = desk.lessons[number]
    found = [
        Offer(c, 0 if state.subject_id in c.subjects else 1 if c.classes & state.class_ids else 2)
        for c in desk.colleagues.values()
        if c.person_id not in state.teacher_ids
        and (c.same_campus or (state.mode is LessonMode.ONLINE and state.subject_id in c.subjects))
        and diary.teacher_is_free(c.person_id, state, number)
    ]
    return tuple(
        sorted(
            found,
            key=lambda o: (
                o.fit,
                not o.colleague.same_campus,
                o.colleague.load.stood_in,
                o.colleague.load.week,
                o.colleague.name,
            ),
        )
    )


def _given_by(number: int) -> ChangeSet | None:
    """The last applied change that gave the lesson to another teacher."""
    return db.session.scalar(_given(number).limit(1))


def _given(number: int) -> sa.Select[ChangeSet]:
    """The applied changes that gave a lesson to another teacher, the latest first."""
    return (
        sa.select(ChangeSet)
        .join(LessonChange, LessonChange.change_set_id == ChangeSet.id)
        .where(
            LessonChange.lesson_id == number,
            LessonChange.kind == ChangeKind.TEACHER,
            ChangeSet.state == ChangeState.APPLIED,
        )
        .order_by(ChangeSet.applied_at.desc(), ChangeSet.id.desc())
    )


def _led_before(number: int) -> tuple[str, ...]:
    """Who led the lesson before anybody stood in, however often substitutes changed since."""
    for before in db.session.scalars(_given(number).with_only_columns(LessonChange.before)):
        ids = [int(person_id) for person_id, part in before["teachers"] if part == TeacherPart.LEAD.value]
        if ids:
            return tuple(p.display_name for p in db.session.scalars(sa.select(Person).where(Person.id.in_(ids))))
    return ()
