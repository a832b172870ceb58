"""Lessons, change sets and solve runs as the timetable routes answer them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lms_bridge.api import timetable_schemas as schemas
from lms_bridge.core.clock import local
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import get_locale
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.addresses import lesson_url
from lms_bridge.timetable.changing.joint import joint_with
from lms_bridge.timetable.changing.slot_checks import SlotCheck
from lms_bridge.timetable.models import ChangeKind, ChangeSet, Lesson, LessonChange, SolveRun, TimetableWeek
from lms_bridge.timetable.snapshots import LessonState, from_json
from lms_bridge.timetable.telling.touched import Touched, touched_by
from lms_bridge.timetable.units.unit_titles import unit_titles


def paged(total: int, page: int, per_page: int) -> dict[str, int]:
    """Where a page stands."""
    return {"page": page, "pages": math.ceil(total / per_page), "total": total}


def lessons(rows: Sequence[Lesson]) -> list[schemas.LessonOut]:
    """Lessons (parts loaded) with the names of their units and the versions of their weeks."""
    titles = unit_titles(rows)
    weeks = {
        week.id: week
        for week in db.session.scalars(
            sa.select(TimetableWeek)
            .where(TimetableWeek.id.in_({row.week_id for row in rows}))
            .execution_options(populate_existing=True)
        )
    }
    return [_lesson(row, weeks[row.week_id], titles.get(row.id)) for row in rows]


def _lesson(row: Lesson, week: TimetableWeek, unit: str | None) -> schemas.LessonOut:
    return schemas.LessonOut(
        uid=row.uid,
        campus=row.campus.code,
        week=week.week,
        version=week.version,
        subject=row.subject.code,
        subject_name=row.subject.label(get_locale()),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=row.zone,
        date=local(row.starts_at, row.zone).date(),
        period=row.period_number,
        mode=row.mode.value,
        status=row.status.value,
        sequence=row.sequence,
        classes=[
            schemas.ClassOut(code=part.class_group.code, title=part.class_group.title, part=part.part)
            for part in sorted(row.audience, key=lambda part: part.class_id)
        ],
        teachers=[
            schemas.TeacherOut(uid=part.person.uid, name=part.person.display_name, part=part.part.value)
            for part in sorted(row.teachers, key=lambda part: part.id)
        ],
        unit=unit,
        link=lesson_url(row),
    )


def problem(error: BridgeError) -> schemas.Problem:
    """What speaks against a step."""
    return schemas.Problem(code=error.code, message=error.text(), remedy=error.remedy_text())


def slot(check: SlotCheck) -> schemas.SlotOut:
    """What one slot says."""
    return schemas.SlotOut(
        date=check.at.day,
        period=check.at.slot.period,
        starts_at=check.at.starts_at,
        ends_at=check.at.ends_at,
        verdict=check.verdict.value,
        swap_with=check.swap.uid if check.swap is not None else None,
        problems=[problem(error) for error in check.reasons],
        hints=[problem(error) for error in check.hints],
    )


def touched(found: Touched) -> schemas.TouchedOut:
    """How many people are touched."""
    return schemas.TouchedOut(
        students=found.students, guardians=found.guardians, teachers=found.teachers, classes=found.classes
    )


def changes(rows: Iterable[LessonChange]) -> list[schemas.ChangeOut]:
    """The changes of which people hear, in order of time."""
    told = [row for row in rows if row.kind is not ChangeKind.UNIT]
    states = [from_json(data) for row in told for data in (row.before, row.after) if data]
    people = dict(
        db.session.execute(
            sa.select(Person.id, Person.uid).where(
                Person.id.in_({key for state in states for key in state.teacher_ids})
            )
        ).all()
    )
    uids = dict(
        db.session.execute(sa.select(Lesson.id, Lesson.uid).where(Lesson.id.in_({row.lesson_id for row in told}))).all()
    )
    found = [
        schemas.ChangeOut(
            lesson=uids.get(row.lesson_id or 0),
            kind=row.kind.value,
            before=_state(from_json(row.before), people) if row.before else None,
            after=_state(from_json(row.after), people) if row.after else None,
        )
        for row in told
    ]
    return sorted(found, key=lambda row: (row.after or row.before).starts_at if row.after or row.before else 0)  # type: ignore[union-attr]


def _state(state: LessonState, people: Mapping[int, str]) -> schemas.LessonStateOut:
    return schemas.LessonStateOut(
        starts_at=state.starts_at,
        ends_at=state.ends_at,
        date=state.starts_local.date(),
        period=state.period_number,
        mode=state.mode.value,
        status=state.status.value,
        teachers=[people[key] for key, _ in state.teachers if key in people],
    )


def change_set_line(row: ChangeSet, campus: str, author: str | None, count: int) -> dict[str, Any]:
    """A change set without its lessons."""
    return {
        "uid": row.uid,
        "campus": campus,
        "cause": row.cause.value,
        "reason": row.reason,
        "state": row.state.value,
        "author": author,
        "created_at": row.created_at,
        "applied_at": row.applied_at,
        "undone_at": row.undone_at,
        "lessons": count,
    }


def change_set(row: ChangeSet) -> schemas.ChangeSetOut:
    """A change set with everything."""
    campus = db.session.get_one(Organisation, row.campus_id)
    author = db.session.get(Person, row.author_id) if row.author_id is not None else None
    versions = dict(
        db.session.execute(
            sa.select(TimetableWeek.id, TimetableWeek.version).where(
                TimetableWeek.id.in_([int(key) for key in row.base_versions])
            )
        ).all()
    )
    listed = changes(row.changes)
    return schemas.ChangeSetOut(
        **change_set_line(row, campus.code, author.display_name if author is not None else None, len(listed)),
        stale=any(versions.get(int(key)) != version for key, version in row.base_versions.items()),
        joint=[
            schemas.JointOut(uid=one.uid, campus=db.session.get_one(Organisation, one.campus_id).code)
            for one in joint_with(row)
            if one.id != row.id
        ],
        touched=touched(touched_by(row)),
        changes=listed,
    )


def run(row: SolveRun) -> schemas.RunOut:
    """How a solve run stands."""
    counts = {one["campus"]: one["counts"] for one in row.result.get("campuses", [])}
    campuses = [
        schemas.RunCampusOut(
            campus=part.campus.code,
            change_set=part.change_set.uid if part.change_set is not None else None,
            counts=counts.get(part.campus.code, {}),
        )
        for part in row.parts
    ]
    return schemas.RunOut(
        uid=row.uid,
        campus=row.campus.code,
        campuses=campuses,
        week=row.week,
        state=row.state.value,
        created_at=row.created_at,
        finished_at=row.finished_at,
        progress=row.progress,
        cancel_asked=row.cancel_asked_at is not None,
        change_set=next((one.change_set for one in campuses if one.change_set is not None), None),
        counts=row.result.get("counts", {}),
        costs=row.result.get("costs", {}),
        message=row.result.get("message"),
        problems=row.problems,
    )
