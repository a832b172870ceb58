"""Change sets: the only way in which lessons change.

A change set is proposed (rows with before and after), then applied or discarded, and may be undone. Applying is one
transaction: lessons, their plan units, the week's version, the audit entry and the outbox row. It is guarded by the
versions of the weeks it was computed from, so that of two people who change a week at once the second is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from lms_bridge.core import audit, events, outbox
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, Conflict, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.core.ids import new_uid
from lms_bridge.notices.models import Delivery, DeliveryItem, DeliveryState, Notification
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.changing.clashes import clashes_of
from lms_bridge.timetable.changing.joint import joint_with
from lms_bridge.timetable.changing.undoing import too_late
from lms_bridge.timetable.changing.week_versions import expect_version as expect_version
from lms_bridge.timetable.changing.week_versions import lock, locked_weeks
from lms_bridge.timetable.changing.week_versions import open_week as open_week
from lms_bridge.timetable.changing.week_versions import version_of as version_of
from lms_bridge.timetable.events import LessonsChanged
from lms_bridge.timetable.models import (
    ChangeCause,
    ChangeKind,
    ChangeSet,
    ChangeState,
    Lesson,
    LessonChange,
    LessonStatus,
    TimetableWeek,
)
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import (
    LessonState,
    UnitState,
    difference,
    from_json,
    state_of,
    to_json,
    without_units,
    write_state,
    write_units,
)
from lms_bridge.timetable.units import unit_order
from lms_bridge.timetable.wording import When

CHANGED = "timetable.changed"
UNDONE = "timetable.undone"
UNDO = "undo:"
_UNTOLD = (DeliveryState.QUEUED, DeliveryState.NO_ADDRESS, DeliveryState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a lesson shall be; ``lesson`` None is a new one."""

    lesson: Lesson | None
    after: LessonState


def propose(
    campus: Organisation,
    cause: ChangeCause,
    wanted: Iterable[Wanted],
    *,
    actor: Person | None,
    reason: str = "",
    cause_ref: str | None = None,
    base_versions: Mapping[int, int] | None = None,
    joint_uid: str | None = None,
    publishes: bool = False,
) -> ChangeSet:
    """Write a change set that can be looked at, and then applied or discarded. Lessons stay as they are.

    ``base_versions`` are the versions (by week id) of the timetable that the wishes were computed from; by default
    those of now. ``publishes``: it is the whole timetable of its weeks, which count as published once it is applied; a
    lesson that only moves into a week does not publish it. Change sets with the same ``joint_uid`` are put in force,
    given up and undone together.

    :raises InputError: nothing would change.
    """
    changes = _differences(wanted)
    week_ids = set(base_versions or ())
    week_ids |= {data["week"] for change in changes for data in (change.before, change.after) if data}
    if not changes:
        raise InputError(N_("Nothing would change."), remedy=N_("The lesson is as you want it already."))
    versions = dict(
        db.session.execute(
            sa.select(TimetableWeek.id, TimetableWeek.version).where(TimetableWeek.id.in_(week_ids))
        ).all()
    )
    change_set = ChangeSet(
        campus_id=campus.id,
        cause=cause,
        cause_ref=cause_ref,
        reason=reason.strip()[:500],
        author_id=actor.id if actor is not None else None,
        base_versions={str(key): version for key, version in (versions | dict(base_versions or {})).items()},
        changes=changes,
        joint_uid=joint_uid,
        publishes=publishes,
    )
    db.session.add(change_set)
    db.session.flush()
    return change_set


def preview(campus: Organisation, wanted: Iterable[Wanted]) -> ChangeSet:
    """A change set that is only looked at: it belongs to no session and is never stored."""
    return ChangeSet(campus_id=campus.id, cause=ChangeCause.REQUEST, changes=_differences(wanted))


def _differences(wanted: Iterable[Wanted]) -> list[LessonChange]:
    found = []
    for lesson, wish in ((w.lesson, w.after) for w in wanted):
        before = state_of(lesson) if lesson is not None else None
        kind = difference(before, wish)
        if kind is not None:
            number, stored = (lesson.id, to_json(before)) if lesson is not None and before is not None else (None, None)
            found.append(LessonChange(lesson_id=number, kind=kind, before=stored, after=to_json(wish)))
    return found


def apply(change_set: ChangeSet, actor: Person | None, *, tell: bool = True) -> ChangeSet:
    """Make a proposed change set true, and with it those that go together with it. ``tell=False``: people hear of it by
    another fact.

    What is over is never changed: units that lessons would get which have begun by now are left out.

    :raises Conflict: it is not proposed any more, a week was changed since it was computed, or a lesson of it has
        begun by now.
    :raises BadInputs: a class or teacher would be in two lessons at once; all of them are listed.
    """
    together = joint_with(change_set)
    for one in together:
        _expect(one, ChangeState.PROPOSED)
    lock(sorted({int(key) for one in together for key in one.base_versions}))
    weeks = [locked_weeks(one) for one in together]
    lessons = [_lessons_of(one) for one in together]
    for one in together:
        _expect_to_come(one)
    _check_clashes({change: after for one in together for change, after in _afters(one).items()})
    for one, own_weeks, own_lessons in zip(together, weeks, lessons, strict=True):
        _put_in_force(one, own_weeks, own_lessons)
        _announce(one, actor, tell=tell)
    return change_set


def _afters(change_set: ChangeSet) -> dict[LessonChange, LessonState]:
    return {change: from_json(change.after) for change in change_set.changes if change.after is not None}


def _put_in_force(change_set: ChangeSet, weeks: Mapping[int, TimetableWeek], lessons: dict[int, Lesson]) -> None:
    """Write the lessons of one campus, with their units, and count on its weeks."""
    afters = _afters(change_set)
    touched = [*afters.values(), *(from_json(c.before) for c in change_set.changes if c.before is not None)]
    class_ids = {class_id for state in touched for class_id in state.class_ids}
    known = unit_order.known_before(change_set.campus_id, class_ids, list(weeks))
    moment = now()
    _write(afters, lessons, moment)
    for week in weeks.values():
        week.version += 1
        if change_set.publishes:
            week.published_at = week.published_at or moment
    subject_ids = {state.subject_id for state in touched}
    _move_units(change_set, unit_order.renumbered(change_set.campus_id, class_ids, subject_ids, list(weeks), known))
    change_set.state, change_set.applied_at = ChangeState.APPLIED, moment


def _write(afters: Mapping[LessonChange, LessonState], lessons: dict[int, Lesson], moment: datetime) -> None:
    """Write the lessons; new ones get their row, and all are in ``lessons`` by id afterwards."""
    new: dict[LessonChange, Lesson] = {}
    for change, after in afters.items():
        lesson = lessons.get(change.lesson_id or 0)
        if lesson is None:
            lesson = new[change] = Lesson(created_at=moment, sequence=0)
        elif change.kind is not ChangeKind.UNIT:
            lesson.sequence += 1
        write_state(lesson, after)
        lesson.changed_at = moment
        lesson.cancelled_at = None if after.takes_place else (lesson.cancelled_at or moment)
    db.session.add_all(new.values())
    db.session.flush()
    for change, lesson in new.items():
        change.lesson_id = lesson.id
        lessons[lesson.id] = lesson


def discard(change_set: ChangeSet, actor: Person | None) -> None:
    """Give a proposed change set up, and those that go together with it; nothing was changed and nobody is told.

    :raises Conflict: it is not proposed any more.
    """
    for one in joint_with(change_set):
        _expect(one, ChangeState.PROPOSED)
        one.state = ChangeState.DISCARDED
        _record("timetable.discarded", one, actor)
    db.session.flush()


def undo(change_set: ChangeSet, actor: Person | None) -> ChangeSet:
    """Put the lessons of an applied change set back, by a change set of its own, which is returned; and those of the
    change sets that go together with it.

    Lessons keep their links; those that were added are cancelled. Who was not told of the change yet never will be;
    who was told hears that it does not hold any more.

    :raises Conflict: it is not applied, or one of its lessons was changed again since.
    :raises BadInputs: it was applied on another day, or lessons of it have begun already; all are listed.
    """
    together = joint_with(change_set)
    for one in together:
        _expect(one, ChangeState.APPLIED)
    weeks = lock(sorted({int(key) for one in together for key in one.base_versions}))
    back: list[tuple[ChangeSet, list[Wanted]]] = []
    problems: list[BridgeError] = []
    for one in together:
        wanted, found = _wanted_back(one, _lessons_of(one))
        problems += [*too_late(one), *found]
        back.append((one, wanted))
    if problems:
        raise BadInputs(problems)
    joint_uid = new_uid() if len(together) > 1 else None
    reverses = {one.id: _reverse(one, wanted, actor, joint_uid) for one, wanted in back}
    for one in together:
        for week in (weeks[int(key)] for key in one.base_versions):
            if one.publishes and week.published_at == one.applied_at:
                week.published_at = None
    apply(reverses[change_set.id], actor, tell=False)
    return reverses[change_set.id]


def _reverse(change_set: ChangeSet, wanted: list[Wanted], actor: Person | None, joint_uid: str | None) -> ChangeSet:
    """The change set that puts another back, which is undone from now on."""
    reverse = propose(
        db.session.get_one(Organisation, change_set.campus_id),
        change_set.cause,
        wanted,
        actor=actor,
        reason=change_set.reason,
        cause_ref=f"{UNDO}{change_set.uid}",
        joint_uid=joint_uid,
    )
    cause = f"change_set:{change_set.id}"
    change_set.state, change_set.undone_at = ChangeState.UNDONE, now()
    # What has not left stays here; whoever heard of the change hears of its end (found when the fact is expanded).
    outbox.withdraw(CHANGED, cause)
    outbox.publish(UNDONE, cause, organisation_id=change_set.campus_id)
    return reverse


def undoable(change_set: ChangeSet) -> bool:
    """Whether :func:`undo` would put the lessons back now."""
    together = joint_with(change_set)
    if any(one.state is not ChangeState.APPLIED or too_late(one) for one in together):
        return False
    try:
        return not any(problems for one in together for _, problems in [_wanted_back(one, _lessons_of(one))])
    except Conflict:
        return False


def nobody_told(change_set: ChangeSet) -> bool:
    """Whether no message about the change set has left or may have left yet."""
    cause = f"change_set:{change_set.id}"
    sent = (
        sa.select(Delivery.id)
        .join(DeliveryItem, DeliveryItem.delivery_id == Delivery.id)
        .join(Notification, Notification.id == DeliveryItem.notification_id)
        .where(Notification.kind == CHANGED, Notification.cause == cause, Delivery.state.not_in(_UNTOLD))
        .limit(1)
    )
    return db.session.scalar(sent) is None


def _expect(change_set: ChangeSet, state: ChangeState) -> None:
    db.session.refresh(change_set, with_for_update=True)
    if change_set.state is state:
        return
    if change_set.state is ChangeState.APPLIED:
        message = N_("This change is in force already.")
    elif change_set.state is ChangeState.UNDONE:
        message = N_("This change was undone already.")
    elif change_set.state is ChangeState.DISCARDED:
        message = N_("This change was given up.")
    else:
        message = N_("This change is not in force yet.")
    raise Conflict(message, remedy=N_("Load the page again to see how it stands."))


def first_begun(change_set: ChangeSet) -> datetime | None:
    """When the first lesson begins (before or after the change) that the change set would change although it has begun
    by now; None: all are still to come. Units do not count: a lesson that has begun keeps its own."""
    moment = now()
    begun = (
        state.starts_at
        for change in change_set.changes
        if change.kind is not ChangeKind.UNIT
        for state in (from_json(data) for data in (change.before, change.after) if data is not None)
        if state.starts_at <= moment
    )
    return min(begun, default=None)


def _expect_to_come(change_set: ChangeSet) -> None:
    begun = first_begun(change_set)
    if begun is not None:
        zone = db.session.get_one(Organisation, change_set.campus_id).zone
        raise Conflict(
            N_("Lessons of this change have begun by now, the first on %(when)s."),
            remedy=N_("Nothing was done. Work it out again for the lessons that are still to come."),
            when=When(begun, zone),
        )
    moment = now()
    for change in list(change_set.changes):
        if change.kind is ChangeKind.UNIT and change.after is not None and from_json(change.after).starts_at <= moment:
            change_set.changes.remove(change)


def _lessons_of(change_set: ChangeSet) -> dict[int, Lesson]:
    ids = [change.lesson_id for change in change_set.changes if change.lesson_id is not None]
    rows = db.session.scalars(
        sa.select(Lesson).where(Lesson.id.in_(ids)).options(*WITH_PARTS).execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def _check_clashes(afters: Mapping[LessonChange, LessonState]) -> None:
    """Other campuses may have taken a teacher meanwhile. People are locked, so that two campuses that apply at once
    see each other."""
    people = sorted({person_id for after in afters.values() if after.takes_place for person_id in after.teacher_ids})
    db.session.execute(
        sa.select(Person.id).where(Person.id.in_(people)).order_by(Person.id).with_for_update(key_share=True)
    )
    problems = clashes_of({change.lesson_id or -n: after for n, (change, after) in enumerate(afters.items(), 1)})
    if problems:
        raise BadInputs(problems)


def _move_units(change_set: ChangeSet, renumbered: Iterable[tuple[Lesson, tuple[UnitState, ...]]]) -> None:
    """Units follow lessons: the lessons that come next teach what comes next, in order."""
    rows = {change.lesson_id: change for change in change_set.changes}
    for lesson, units in renumbered:
        before = state_of(lesson)
        after = replace(before, units=units)
        if before == after:
            continue
        write_units(lesson, units)
        row = rows.get(lesson.id)
        if row is not None:
            row.after = to_json(after)
        else:
            change_set.changes.append(
                LessonChange(lesson_id=lesson.id, kind=ChangeKind.UNIT, before=to_json(before), after=to_json(after))
            )
    db.session.flush()


def _announce(change_set: ChangeSet, actor: Person | None, *, tell: bool) -> None:
    _record("timetable.applied", change_set, actor)
    if tell:
        outbox.publish(CHANGED, f"change_set:{change_set.id}", organisation_id=change_set.campus_id)
    db.session.flush()
    touched = sorted(
        c.lesson_id for c in change_set.changes if c.kind is not ChangeKind.UNIT and c.lesson_id is not None
    )
    events.announce(LessonsChanged(change_set.id, tuple(touched)))


def _record(action: str, change_set: ChangeSet, actor: Person | None) -> None:
    counts = dict.fromkeys(sorted(change.kind.value for change in change_set.changes), 0)
    for change in change_set.changes:
        counts[change.kind.value] += 1
    audit.record(
        action,
        "change_set",
        change_set.uid,
        actor_uid=actor.uid if actor is not None else None,
        organisation_id=change_set.campus_id,
        cause=change_set.cause.value,
        counts=counts,
    )


def _wanted_back(change_set: ChangeSet, lessons: Mapping[int, Lesson]) -> tuple[list[Wanted], list[BridgeError]]:
    wanted: list[Wanted] = []
    problems: list[BridgeError] = []
    moment = now()
    for change in change_set.changes:
        if change.kind is ChangeKind.UNIT or change.after is None:
            continue
        lesson = lessons[change.lesson_id or 0]
        current, after = state_of(lesson), from_json(change.after)
        before = from_json(change.before) if change.before is not None else None
        back = before or replace(after, status=LessonStatus.CANCELLED)
        if without_units(current) != without_units(after):
            raise Conflict(
                N_("The lesson on %(when)s was changed again since; undoing would overwrite that."),
                remedy=N_("Undo the later change first, or change the lesson itself."),
                when=When(after.starts_at, after.zone),
            )
        if min(current.starts_at, back.starts_at) <= moment:
            problems.append(
                InputError(
                    N_("The lesson on %(when)s has begun already and stays as it is."),
                    remedy=N_("Change the lessons that are still to come one by one."),
                    when=When(min(current.starts_at, back.starts_at), current.zone),
                )
            )
        wanted.append(Wanted(lesson, replace(back, units=current.units)))
    return wanted, problems


def change_set_by_uid(uid: str) -> ChangeSet | None:
    """The change set with this uid, with its changes."""
    return db.session.scalar(sa.select(ChangeSet).where(ChangeSet.uid == uid).options(selectinload(ChangeSet.changes)))
