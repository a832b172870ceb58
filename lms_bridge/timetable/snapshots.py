"""The state of one lesson as a plain value: what change sets keep as "before" and "after"."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from lms_bridge.core.clock import local
from lms_bridge.timetable.models import (
    ChangeKind,
    Lesson,
    LessonAudience,
    LessonMode,
    LessonStatus,
    LessonTeacher,
    LessonUnit,
    TeacherPart,
)


@dataclass(frozen=True, slots=True)
class UnitState:
    """The ``ordinal``-th period of a plan unit, taught to one class."""

    class_id: int
    plan_id: int
    unit_key: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class LessonState:
    """All of a lesson that a change set can change. Moments are aware UTC; ``zone`` is the campus's.

    ``teachers`` are (person id, part), ``classes`` are (class id, named part or ""), each in a fixed order;
    ``replaces_id`` is the lesson that a make-up lesson stands for.
    """

    campus_id: int
    week_id: int
    subject_id: int
    starts_at: datetime
    ends_at: datetime
    zone: str
    period_number: int | None
    mode: LessonMode
    status: LessonStatus
    teachers: tuple[tuple[int, TeacherPart], ...]
    classes: tuple[tuple[int, str], ...]
    units: tuple[UnitState, ...] = field(default=())
    replaces_id: int | None = None

    @property
    def teacher_ids(self) -> frozenset[int]:
        """Everybody who teaches in it."""
        return frozenset(person_id for person_id, _ in self.teachers)

    @property
    def class_ids(self) -> frozenset[int]:
        """The classes that it is for."""
        return frozenset(class_id for class_id, _ in self.classes)

    @property
    def starts_local(self) -> datetime:
        """The start on the campus's wall clock."""
        return local(self.starts_at, self.zone)

    @property
    def takes_place(self) -> bool:
        """Whether it is not cancelled."""
        return self.status is LessonStatus.SCHEDULED

    def overlaps(self, other: LessonState) -> bool:
        """Whether both take place at once at some moment."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def state_of(lesson: Lesson) -> LessonState:
    """The lesson as it is now."""
    return LessonState(
        campus_id=lesson.campus_id,
        week_id=lesson.week_id,
        subject_id=lesson.subject_id,
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        zone=lesson.zone,
        period_number=lesson.period_number,
        mode=lesson.mode,
        status=lesson.status,
        teachers=tuple(sorted((t.person_id, t.part) for t in lesson.teachers)),
        classes=tuple(sorted((a.class_id, a.part) for a in lesson.audience)),
        units=tuple(
            UnitState(u.class_id, u.plan_id, u.unit_key, u.ordinal)
            for u in sorted(lesson.units, key=lambda u: u.class_id)
        ),
        replaces_id=lesson.replaces_id,
    )


def write_state(lesson: Lesson, state: LessonState) -> None:
    """Make the lesson's row and parts those of ``state``; rows of parts that stay are kept. Sequence, times of change
    and the uid are not touched."""
    lesson.campus_id, lesson.week_id, lesson.subject_id = state.campus_id, state.week_id, state.subject_id
    lesson.starts_at, lesson.ends_at, lesson.zone = state.starts_at, state.ends_at, state.zone
    lesson.period_number, lesson.mode, lesson.status = state.period_number, state.mode, state.status
    lesson.replaces_id = state.replaces_id
    teachers = {t.person_id: t for t in lesson.teachers}
    lesson.teachers = [_teacher(teachers.get(person_id), person_id, part) for person_id, part in state.teachers]
    audience = {(a.class_id, a.part): a for a in lesson.audience}
    lesson.audience = [audience.get(key) or LessonAudience(class_id=key[0], part=key[1]) for key in state.classes]
    write_units(lesson, state.units)


def write_units(lesson: Lesson, units: tuple[UnitState, ...]) -> None:
    """Make the lesson's units these; the row of a class is kept."""
    rows = {u.class_id: u for u in lesson.units}
    wanted = []
    for unit in units:
        row = rows.get(unit.class_id) or LessonUnit(class_id=unit.class_id)
        row.plan_id, row.unit_key, row.ordinal = unit.plan_id, unit.unit_key, unit.ordinal
        wanted.append(row)
    lesson.units = wanted


def difference(before: LessonState | None, after: LessonState | None) -> ChangeKind | None:
    """What happens to a lesson between two states, by the name of the most important part; None: nothing."""
    if before is None or after is None:
        return ChangeKind.ADDED if after is not None else None
    if before.takes_place != after.takes_place:
        return ChangeKind.RESTORED if after.takes_place else ChangeKind.CANCELLED
    if (before.starts_at, before.ends_at, before.period_number) != (
        after.starts_at,
        after.ends_at,
        after.period_number,
    ):
        return ChangeKind.MOVED
    if before.mode != after.mode:
        return ChangeKind.MODE
    if before.teachers != after.teachers:
        return ChangeKind.TEACHER
    if before != after:
        return ChangeKind.UNIT
    return None


def without_units(state: LessonState) -> LessonState:
    """The state but for its units, to ask whether somebody else changed the lesson meanwhile."""
    return replace(state, units=())


def to_json(state: LessonState) -> dict[str, Any]:
    """The state as plain JSON, as ``lesson_change.before`` and ``after`` hold it."""
    return {
        "campus": state.campus_id,
        "week": state.week_id,
        "subject": state.subject_id,
        "starts_at": state.starts_at.astimezone(UTC).isoformat(),
        "ends_at": state.ends_at.astimezone(UTC).isoformat(),
        "zone": state.zone,
        "period": state.period_number,
        "mode": state.mode.value,
        "status": state.status.value,
        "teachers": [[person_id, part.value] for person_id, part in state.teachers],
        "classes": [[class_id, part] for class_id, part in state.classes],
        "units": [[u.class_id, u.plan_id, u.unit_key, u.ordinal] for u in state.units],
        "replaces": state.replaces_id,
    }


def from_json(data: dict[str, Any]) -> LessonState:
    """The state that :func:`to_json` wrote."""
    return LessonState(
        campus_id=data["campus"],
        week_id=data["week"],
        subject_id=data["subject"],
        starts_at=datetime.fromisoformat(data["starts_at"]),
        ends_at=datetime.fromisoformat(data["ends_at"]),
        zone=data["zone"],
        period_number=data["period"],
        mode=LessonMode(data["mode"]),
        status=LessonStatus(data["status"]),
        teachers=tuple((person_id, TeacherPart(part)) for person_id, part in data["teachers"]),
        classes=tuple((class_id, part) for class_id, part in data["classes"]),
        units=tuple(UnitState(*unit) for unit in data["units"]),
        replaces_id=data.get("replaces"),
    )


def _teacher(row: LessonTeacher | None, person_id: int, part: TeacherPart) -> LessonTeacher:
    row = row or LessonTeacher(person_id=person_id)
    row.part = part
    return row
