"""Rules about rooms: which rooms an activity may have, and when a room is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lms_bridge.timetable.fet.draft import Draft, Wanted, chance
from lms_bridge.timetable.fet.model import Constraint

Rule = Callable[[Draft, Constraint], None]


def room_away(draft: Draft, constraint: Constraint) -> None:
    """A room is not there in these slots."""
    closed = draft.slots(constraint.fields.nested("Not_Available_Time"))
    draft.closed.setdefault(("room", constraint.fields.text("Room")), set()).update(closed)


def _want(draft: Draft, constraint: Constraint, numbers: Iterable[int], home: bool = False) -> None:
    fields = constraint.fields
    rooms = fields.texts("Preferred_Room") or (fields.text("Room"),)
    for number in numbers:
        draft.rooms.setdefault(number, []).append(Wanted(rooms, chance(constraint), home))


def for_activity(draft: Draft, constraint: Constraint) -> None:
    """The room or rooms of one activity."""
    _want(draft, constraint, draft.numbers(constraint))


def for_kind(draft: Draft, constraint: Constraint) -> None:
    """The room or rooms of all activities of a subject, with a tag, or both."""
    subject, tag = constraint.fields.text("Subject"), constraint.fields.text("Activity_Tag")
    _want(
        draft,
        constraint,
        [
            number
            for number, activity in enumerate(draft.activities)
            if (not subject or activity.subject == subject) and (not tag or tag in activity.tags)
        ],
    )


def home_of_students(draft: Draft, constraint: Constraint) -> None:
    """Where a students set is at home: for the activities of that set alone."""
    name = constraint.fields.text("Students")
    _want(draft, constraint, [n for n, activity in enumerate(draft.activities) if activity.students == (name,)], True)


def home_of_teacher(draft: Draft, constraint: Constraint) -> None:
    """Where a teacher is at home: for the activities of that teacher alone."""
    name = constraint.fields.text("Teacher")
    _want(draft, constraint, [n for n, activity in enumerate(draft.activities) if activity.teachers == (name,)], True)


ROOMS: dict[str, Rule] = {
    "RoomNotAvailableTimes": room_away,
    "ActivityPreferredRoom": for_activity,
    "ActivityPreferredRooms": for_activity,
    "SubjectPreferredRoom": for_kind,
    "SubjectPreferredRooms": for_kind,
    "ActivityTagPreferredRoom": for_kind,
    "ActivityTagPreferredRooms": for_kind,
    "SubjectActivityTagPreferredRoom": for_kind,
    "SubjectActivityTagPreferredRooms": for_kind,
    "StudentsSetHomeRoom": home_of_students,
    "StudentsSetHomeRooms": home_of_students,
    "TeacherHomeRoom": home_of_teacher,
    "TeacherHomeRooms": home_of_teacher,
}
